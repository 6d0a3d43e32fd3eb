// Tensors that PyTorch computed, from the files in tests/data.
#pragma once

#include <doctest/doctest.h>

#include <fstream>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <vector>
#include <nlohmann/json.hpp>

#include <gradus/factory.hpp>
#include <gradus/ops.hpp>

namespace gradus::tests {

using Json = nlohmann::json;

inline Json reference_file(const std::string& name) {
  return Json::parse(std::ifstream(GRADUS_SOURCE_DIR "/tests/data/" + name));
}

// Numbers that JSON cannot write are strings.
inline double number(const Json& json) {
  if (!json.is_string()) return json.get<double>();
  if (json == "nan") return std::numeric_limits<double>::quiet_NaN();
  return (json == "inf" ? 1 : -1) * std::numeric_limits<double>::infinity();
}

// Of the precision of the run, or of the dtype that "kind" names: "f32", "i", "b" or "bool". Null is undefined.
inline Tensor decode(const Json& json, Dtype floating) {
  if (json.is_null()) return {};
  static const std::map<std::string, Dtype> kinds = {{"f32", float32}, {"i", int64}, {"b", boolean}, {"bool", boolean}};
  Shape shape;
  for (const std::int64_t size : json.at("shape")) shape.push_back(size);
  const auto kind = kinds.find(json.value("kind", ""));
  const Dtype dtype = kind == kinds.end() ? floating : kind->second;
  if (dtype == int64) {
    const auto values = json.at("values").get<std::vector<std::int64_t>>();
    return tensor(std::span<const std::int64_t>(values), shape);
  }
  std::vector<double> values;
  for (const Json& value : json.at("values")) values.push_back(number(value));
  return tensor(std::span<const double>(values), shape, {.dtype = dtype});
}

inline bool close(const Tensor& actual, const Json& expected, double tolerance) {
  const Tensor wanted = decode(expected, float64);
  return actual.defined() && actual.shape() == wanted.shape() &&
         allclose(actual.to(float64), wanted, {.rtol = tolerance, .atol = tolerance});
}

}  // namespace gradus::tests
