// A safetensors file: the length of the header, the header, and the elements of each tensor in row-major order.
#include <algorithm>
#include <bit>
#include <fstream>
#include <limits>

#include "gradus/io.hpp"
#include "io/header.hpp"
#include "storage/atomic_file.hpp"
#include "tensor/impl.hpp"

namespace gradus {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors are little endian");

using safetensors::Entry;
using safetensors::Header;

constexpr std::size_t length_bytes = sizeof(std::uint64_t);

// --- Writing --------------------------------------------------------------------------------------------------------

// The order of the format's own writer, by falling alignment: each tensor is aligned for its dtype.
int order_of(Dtype dtype) {
  switch (dtype) {
    case Dtype::float64:
      return 0;
    case Dtype::int64:
      return 1;
    case Dtype::float32:
      return 2;
    case Dtype::boolean:
      break;
  }
  return 3;
}

std::vector<std::pair<std::string, Tensor>> in_file_order(const std::map<std::string, Tensor>& tensors) {
  std::vector<std::pair<std::string, Tensor>> sorted;
  for (const auto& [name, tensor] : tensors) {
    if (!tensor.defined()) fail("save: {} is undefined", name);
    sorted.emplace_back(name, tensor.detach().contiguous());
  }
  std::ranges::stable_sort(sorted, {}, [](const auto& named) { return order_of(named.second.dtype()); });
  return sorted;
}

std::uint64_t bytes_of(const Tensor& tensor) {
  return static_cast<std::uint64_t>(tensor.numel()) * size_of(tensor.dtype());
}

// As it is in memory: a copy would cost as much as the file.
std::string_view content_of(const Tensor& tensor) {
  const char* begin =
      dispatch(tensor.dtype(), [&]<class T>() { return reinterpret_cast<const char*>(data_of<T>(tensor)); });
  return {begin, bytes_of(tensor)};
}

std::string length_and_header(const Header& header) {
  std::string text = safetensors::write_header(header);
  text.resize((text.size() + 7) / 8 * 8, ' ');  // so that the data is aligned
  if (text.size() > safetensors::longest_header) fail("save: the header has {} bytes, too many", text.size());
  const std::uint64_t length = text.size();
  text.insert(0, reinterpret_cast<const char*>(&length), length_bytes);
  return text;
}

// --- Reading --------------------------------------------------------------------------------------------------------

class File {
 public:
  explicit File(const std::string& path) : path_(path), stream_(path, std::ios::binary | std::ios::ate) {
    const std::streamoff size = stream_ ? static_cast<std::streamoff>(stream_.tellg()) : -1;
    // A directory opens, and has the largest size there is.
    if (size < 0 || size == std::numeric_limits<std::streamoff>::max()) fail("load: {}: cannot be read", path);
    left_ = static_cast<std::uint64_t>(size);
    stream_.seekg(0);
  }

  std::uint64_t left() const { return left_; }

  void read(void* target, std::uint64_t bytes) {
    if (bytes > left_ || !stream_.read(static_cast<char*>(target), static_cast<std::streamsize>(bytes))) {
      fail("load: {}: ended early", path_);
    }
    left_ -= bytes;
  }

  Header read_header() {
    if (left_ < length_bytes) fail("load: {}: has {} bytes, too few for a safetensors file", path_, left_);
    std::uint64_t length = 0;
    read(&length, length_bytes);
    if (length > safetensors::longest_header || length > left_) {
      fail("load: {}: the header should have {} bytes, of the {} that follow", path_, length, left_);
    }
    std::string text(length, '\0');
    read(text.data(), length);
    return safetensors::parse_header(path_, text, left_);
  }

  Tensor read_tensor(const Entry& e) {
    Tensor tensor = make_tensor(e.shape, e.dtype);
    dispatch(e.dtype, [&]<class T>() { read(data_of<T>(tensor), e.end - e.begin); });
    if (e.dtype == boolean) check_booleans(e.name, tensor);
    return tensor;
  }

 private:
  // A bool of another value than 0 and 1 is undefined behaviour for whoever looks at it.
  void check_booleans(const std::string& name, const Tensor& tensor) const {
    const auto* bytes = reinterpret_cast<const unsigned char*>(data_of<bool>(tensor));
    const auto* end = bytes + tensor.numel();
    const auto* bad = std::find_if(bytes, end, [](unsigned char byte) { return byte > 1; });
    if (bad != end)
      fail("load: {}: {} has a BOOL that is neither 0 nor 1 but {}", path_, safetensors::quoted(name), *bad);
  }

  std::string path_;
  std::ifstream stream_;
  std::uint64_t left_ = 0;
};

}  // namespace

void save(const std::map<std::string, Tensor>& tensors, const std::string& path, const SaveOptions& options) {
  Header header{.metadata = options.metadata, .entries = {}};
  const auto sorted = in_file_order(tensors);
  std::uint64_t position = 0;
  for (const auto& [name, tensor] : sorted) {
    const std::uint64_t end = position + bytes_of(tensor);
    header.entries.push_back({name, tensor.dtype(), tensor.shape(), position, end});
    position = end;
  }
  const std::string start = length_and_header(header);
  std::vector<std::string_view> pieces{start};
  for (const auto& [name, tensor] : sorted) pieces.push_back(content_of(tensor));
  write_atomically("save", path, pieces);
}

std::map<std::string, Tensor> load(const std::string& path) {
  File file(path);
  std::map<std::string, Tensor> tensors;
  for (const Entry& e : file.read_header().entries) tensors.emplace(e.name, file.read_tensor(e));
  return tensors;
}

std::map<std::string, std::string> load_metadata(const std::string& path) { return File(path).read_header().metadata; }

}  // namespace gradus
