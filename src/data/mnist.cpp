#include "gradus/data/mnist.hpp"

#include <filesystem>
#include <system_error>

#include "gradus/autograd.hpp"
#include "gradus/data/idx.hpp"
#include "gradus/ops.hpp"
#include "storage/format.hpp"

namespace gradus::data {
namespace {

std::string find_file(const std::string& directory, const std::string& name) {
  for (const char* ending : {"", ".gz"}) {
    std::string path = (std::filesystem::path(directory) / (name + ending)).string();
    std::error_code unreadable;
    if (std::filesystem::is_regular_file(path, unreadable)) return path;
  }
  fail("mnist: {}: has neither {} nor {}.gz", directory, name, name);
}

}  // namespace

Dataset mnist(const std::string& directory, const MnistOptions& options) {
  const std::string part = options.train ? "train" : "t10k";
  const Tensor images = read_idx(find_file(directory, part + "-images-idx3-ubyte"), {.dtype = float32});
  const Tensor labels = read_idx(find_file(directory, part + "-labels-idx1-ubyte"), {.dtype = int64});
  if (images.dim() != 3 || labels.dim() != 1 || images.size(0) != labels.size(0)) {
    fail("mnist: {}: images (n, height, width) and labels (n) expected in the {} files: {} and {}", directory, part,
         to_string(images.shape()), to_string(labels.shape()));
  }
  NoGrad guard;
  return {(images / 255.0).unsqueeze(1), labels};
}

}  // namespace gradus::data
