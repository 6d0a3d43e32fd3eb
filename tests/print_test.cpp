#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ostream.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>
#include <nlohmann/json.hpp>

#include "gradus/autograd.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "gradus/tensor.hpp"

using namespace gradus;

namespace {

using Json = nlohmann::json;

double number(const Json& text) { return std::strtod(text.get<std::string>().c_str(), nullptr); }

Dtype dtype_named(const std::string& name) {
  for (Dtype dtype : {float32, float64, int64, boolean}) {
    if (to_string(dtype) == name) return dtype;
  }
  FAIL("unknown dtype ", name);
  return float32;
}

// The tensor that a record describes: see tools/reference/print.py.
Tensor build(const Json& record) {
  const auto sizes = record["shape"].get<std::vector<std::int64_t>>();
  const Shape shape{std::span<const std::int64_t>(sizes)};
  const Dtype dtype = dtype_named(record["dtype"]);
  if (record.contains("rule")) {
    const double scale = number(record["rule"][0]), offset = number(record["rule"][1]);
    std::vector<double> values;
    for (std::int64_t i = 0; i < shape.numel(); ++i) values.push_back(static_cast<double>(i) * scale + offset);
    return tensor(values).reshape(shape).to(dtype);
  }
  if (dtype == int64) return tensor(record["values"].get<std::vector<std::int64_t>>()).reshape(shape);
  std::vector<double> values;
  for (const Json& value : record["values"]) values.push_back(value.is_boolean() ? value.get<bool>() : number(value));
  return tensor(values).reshape(shape).to(dtype);
}

}  // namespace

TEST_CASE("tensors print as in PyTorch") {
  std::ifstream file(GRADUS_SOURCE_DIR "/tests/data/print_reference.json");
  REQUIRE(file);
  const Json records = Json::parse(file);
  CHECK(records.size() >= 150);
  for (const Json& record : records) {
    CAPTURE(record["text"].get<std::string>());
    try {
      Tensor x = build(record);
      if (record["history"] != "") x.set_requires_grad();
      if (record["history"] == "mul") x = x * ones_like(x);
      CHECK(to_string(x) == record["text"].get<std::string>());
    } catch (const std::exception& error) {
      FAIL_CHECK(error.what());
    }
  }
}

TEST_CASE("views print like their contiguous copies") {
  const Tensor base = arange(24, {.dtype = float32}).reshape({2, 3, 4});
  for (const Tensor& view : {base.transpose(0, 2), base.slice(2, 1, 4, 2), base[1], base.select(2, 3).t(),
                             base[0].unsqueeze(1).expand({3, 2, 4})}) {
    CHECK(to_string(view) == to_string(view.contiguous()));
  }
}

TEST_CASE("printing a huge broadcast tensor reads only what it shows") {
  CHECK(to_string(ones({1}).expand({std::int64_t{1} << 50})) == "tensor([1., 1., 1.,  ..., 1., 1., 1.])");
}

TEST_CASE("an undefined tensor prints as such") { CHECK(to_string(Tensor()) == "tensor(undefined)"); }

TEST_CASE("printing neither records nor writes") {
  const Tensor x = full({3, 3}, 2, {.requires_grad = true});
  const Tensor y = (x * x).t();
  const std::int64_t nodes = live_nodes();
  const std::uint32_t version = y.version();
  CHECK(to_string(x).find("requires_grad=True") != std::string::npos);
  (void)to_string(y);
  CHECK(live_nodes() == nodes);
  CHECK(y.version() == version);
}

TEST_CASE("tensors go to streams and to fmt") {
  const Tensor x = tensor({1.5, -2.0});
  const std::string text = "tensor([ 1.5000, -2.0000])";
  std::ostringstream stream;
  stream << x;
  CHECK(stream.str() == text);
  CHECK(fmt::format("{}", fmt::streamed(x)) == text);
#if FMT_VERSION >= 100000
  CHECK(fmt::format("{}", x) == text);
#endif
}
