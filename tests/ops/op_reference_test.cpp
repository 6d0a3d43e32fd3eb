// Every row against PyTorch: tests/data/ops/*.json, written by tools/reference/ops.py.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <set>

#include <gradus/autograd.hpp>

#include "ops/checks.hpp"
#include "ops/op_table.hpp"
#include "reference_data.hpp"

namespace gradus::test {
namespace {

using tests::decode, tests::Json, tests::number;

const Json& reference() {
  static const Json cases = [] {
    Json all = Json::array();
    for (const auto& entry : std::filesystem::directory_iterator(GRADUS_SOURCE_DIR "/tests/data/ops")) {
      std::ifstream file(entry.path());
      Json family = Json::parse(file);
      for (Json& record : family) all.push_back(std::move(record));
    }
    return all;
  }();
  return cases;
}

Tensors decode_inputs(const Json& json, Dtype floating) {
  Tensors inputs;
  for (const Json& input : json.at("inputs")) inputs.push_back(decode(input, floating));
  return inputs;
}

Args decode_args(const Json& json) {
  std::map<std::string, std::vector<double>> args;
  for (const auto& [name, list] : json.at("args").items()) {
    for (const Json& value : list) args[name].push_back(number(value));
  }
  return Args(args);
}

const Row* find_row(const std::string& name) {
  for (const Row& row : op_table()) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

// Elementwise ops are held to each value, others to the largest: their sums cancel.
Tolerance tolerance_of(const Row& row, Dtype dtype) {
  const double tolerance = dtype == float32 ? 1e-6 : 1e-12;
  // A few units of the smallest denormal number.
  const double tiny = dtype == float32 ? 0x1p-145 : 0x1p-1070;
  if (row.elementwise) return {.relative = tolerance, .absolute = tiny};
  return {.relative = tolerance, .to_scale = tolerance};
}

std::string summary(const Json& json) {
  const std::string text = json.dump();
  return text.size() < 600 ? text : text.substr(0, 600) + "...";
}

template <class Check>
void for_each_case(const Check& check) {
  for (const Json& json : reference()) {
    const std::string text = summary(json);
    CAPTURE(text);
    const Row* const row = find_row(json.at("row"));
    if (!row) {
      FAIL_CHECK("no such row");
      continue;
    }
    try {
      check(*row, json);
    } catch (const std::exception& error) {
      FAIL_CHECK("threw: " << std::string(error.what()));
    }
  }
}

TEST_CASE("float64 values agree with PyTorch to 1e-12") {
  for_each_case([](const Row& row, const Json& json) {
    if (!json.contains("f64")) return;
    const Tensor expected = decode(json["f64"], float64);
    const Tensor actual = row.call(decode_inputs(json, float64), decode_args(json));
    CHECK(difference(actual, expected, tolerance_of(row, float64)) == "");
  });
}

TEST_CASE("float32 values agree with PyTorch to 1e-6") {
  for_each_case([](const Row& row, const Json& json) {
    if (json.value("only", "") == "f64") return;
    const Tensor expected = decode(json.contains("f32") ? json["f32"] : json["f64"], float32);
    const Tensor actual = row.call(decode_inputs(json, float32), decode_args(json));
    CHECK(difference(actual, expected, tolerance_of(row, float32)) == "");
  });
}

TEST_CASE("gradients agree with PyTorch, at kinks and ties too") {
  for_each_case([](const Row& row, const Json& json) {
    if (!json.contains("grads")) return;
    const Json& grads = json["grads"];
    std::vector<bool> asked;
    for (const Json& g : grads) asked.push_back(!g.is_null());
    const Tensors leaves = make_leaves(decode_inputs(json, float64), asked);
    const Tensor out = row.call(leaves, decode_args(json));
    out.backward({.gradient = decode(json["cotangent"], float64)});
    for (std::size_t i = 0; i < grads.size(); ++i) {
      if (!asked[i]) continue;
      CHECK(difference(leaves[i].grad(), decode(grads[i], float64), {.relative = 1e-11, .to_scale = 1e-12}) == "");
    }
  });
}

TEST_CASE("every row is compared with PyTorch") {
  // Plain operators are add, sub, mul, div and neg; these two return a bool.
  const std::set<std::string> elsewhere = {"allclose", "equal"};
  std::set<std::string> covered;
  for (const Json& json : reference()) covered.insert(json.at("row").get<std::string>());
  for (const Row& row : op_table()) {
    if (row.name.starts_with("operator") || elsewhere.contains(row.name)) continue;
    CHECK_MESSAGE(covered.contains(row.name), row.name << " has no reference case: add one to tools/reference/ops.py");
  }
}

}  // namespace
}  // namespace gradus::test
