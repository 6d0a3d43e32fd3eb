// gradus inspect: what is in a file of tensors.
#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <limits>
#include <map>
#include <string>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <gradus/io.hpp>
#include <gradus/ops.hpp>

#include "gradus/commands.hpp"
#include "gradus/text_table.hpp"
#include "gradus/words.hpp"

namespace gradus::tool {
namespace {

using Json = nlohmann::ordered_json;

struct Wishes {
  std::string path;
  bool json = false;
};

struct Statistics {
  double mean = std::numeric_limits<double>::quiet_NaN();
  double std = mean, min = mean, max = mean;  // of what is finite
  std::int64_t nonfinite = 0;
};

Statistics statistics_of(const Tensor& tensor) {
  const Tensor values = tensor.detach().to(float64).contiguous();
  Statistics result;
  double sum = 0, count = 0, low = std::numeric_limits<double>::infinity(), high = -low;
  for (const double value : values.data<double>()) {
    if (!std::isfinite(value)) {
      ++result.nonfinite;
      continue;
    }
    sum += value;
    count += 1;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  if (count == 0) return result;
  double squares = 0;
  for (const double value : values.data<double>()) {
    if (std::isfinite(value)) squares += (value - sum / count) * (value - sum / count);
  }
  result.mean = sum / count;
  result.std = std::sqrt(squares / count);
  result.min = low;
  result.max = high;
  return result;
}

std::int64_t bytes_of(const Tensor& tensor) {
  return tensor.numel() * static_cast<std::int64_t>(size_of(tensor.dtype()));
}

Json to_json(const std::string& name, const Tensor& tensor) {
  const Statistics s = statistics_of(tensor);
  return {{"name", name},
          {"shape", std::vector<std::int64_t>(tensor.shape().begin(), tensor.shape().end())},
          {"dtype", gradus::to_string(tensor.dtype())},
          {"bytes", bytes_of(tensor)},
          {"mean", s.mean},
          {"std", s.std},
          {"min", s.min},
          {"max", s.max},
          {"nonfinite", s.nonfinite}};
}

struct File {
  std::map<std::string, Tensor> tensors;
  std::map<std::string, std::string> metadata;
};

File read(const std::string& path) {
  if (path.ends_with(".pt") || path.ends_with(".pth")) return {load_pt(path), {}};
  return {load(path), load_metadata(path)};
}

void print_json(const File& file) {
  Json tensors = Json::array();
  std::int64_t elements = 0, bytes = 0;
  for (const auto& [name, tensor] : file.tensors) {
    tensors.push_back(to_json(name, tensor));
    elements += tensor.numel();
    bytes += bytes_of(tensor);
  }
  const Json all = {{"tensors", tensors}, {"elements", elements}, {"bytes", bytes}, {"metadata", file.metadata}};
  // Names may be any bytes in a file of others.
  std::puts(all.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
}

void print_table(const File& file) {
  TextTable table({"tensor", "shape", "dtype", "bytes", "mean", "std", "min", "max", "nonfinite"});
  std::int64_t elements = 0, bytes = 0;
  for (const auto& [name, tensor] : file.tensors) {
    const Statistics s = statistics_of(tensor);
    table.add({printable(name), gradus::to_string(tensor.shape()), std::string(gradus::to_string(tensor.dtype())),
               std::to_string(bytes_of(tensor)), cell(s.mean), cell(s.std), cell(s.min), cell(s.max),
               std::to_string(s.nonfinite)});
    elements += tensor.numel();
    bytes += bytes_of(tensor);
  }
  std::fputs(table.to_string().c_str(), stdout);
  fmt::print("{} tensors, {} elements, {} bytes\n", file.tensors.size(), elements, bytes);
  for (const auto& [key, value] : file.metadata) fmt::print("metadata {}: {}\n", printable(key), printable(value));
}

}  // namespace

void add_inspect(CLI::App& app, int&) {
  static Wishes wishes;
  CLI::App* command = app.add_subcommand("inspect", "Tell what is in a file of tensors: shapes, values, metadata");
  command->add_option("file", wishes.path, "A .safetensors file, or a .pt of torch.save(state_dict)")
      ->required()
      ->type_name("FILE");
  command->add_flag("--json", wishes.json, "Print JSON instead of a table");
  command->footer(
      "Examples:\n"
      "  gradus train iris --report run\n"
      "  gradus inspect run/model.safetensors\n"
      "  gradus inspect run/model.safetensors --json");
  command->callback([] {
    const File file = read(wishes.path);
    wishes.json ? print_json(file) : print_table(file);
  });
}

}  // namespace gradus::tool
