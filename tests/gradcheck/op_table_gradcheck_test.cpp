// Every row of the op table through the public checker, first and second order.
#include <doctest/doctest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include <gradus/gradcheck.hpp>

#include "ops/op_table.hpp"

using namespace gradus;
using namespace gradus::test;

namespace {

bool has_floating(const Tensors& inputs) {
  for (const Tensor& input : inputs) {
    if (input.defined() && is_floating_point(input.dtype())) return true;
  }
  return false;
}

// The inputs of a case; those that the row differentiates by require a gradient.
Tensors leaves_of(const Case& example) {
  Tensors inputs = make_inputs(example.inputs, float64);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (example.inputs[i].differentiable) inputs[i].set_requires_grad();
  }
  return inputs;
}

bool any_differentiable(const Case& example) {
  for (const Input& input : example.inputs) {
    if (input.differentiable) return true;
  }
  return false;
}

template <class Check>
void check_rows(const Check& check) {
  for (const Row& row : op_table()) {
    if (!row.differentiable) continue;
    const auto start = std::chrono::steady_clock::now();
    for (const Case& example : row.cases) {
      if (!any_differentiable(example)) continue;
      const Tensors inputs = leaves_of(example);
      if (!has_floating(inputs)) continue;
      CAPTURE(row.name);
      CAPTURE(example.args.to_string());
      try {
        check(
            row, [&](const Tensors& x) { return row.call(x, example.args); }, inputs);
      } catch (const std::exception& error) {
        FAIL_CHECK(error.what());
      }
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (std::getenv("GRADUS_TRIAL_TIMES") != nullptr) std::printf("%8.1f ms  %s\n", 1e3 * seconds, row.name.c_str());
  }
}

void expect_pass(const GradcheckReport& report) {
  const std::string text = report.to_string(false);
  CAPTURE(text);
  CHECK(report.passed());
}

}  // namespace

TEST_CASE("every op of the table passes gradcheck") {
  check_rows([](const Row&, const auto& f, const Tensors& inputs) { expect_pass(gradcheck(f, inputs)); });
}

TEST_CASE("every op of the table passes gradgradcheck, or says why it can't") {
  check_rows([](const Row& row, const auto& f, const Tensors& inputs) {
    if (row.no_second_order.empty()) expect_pass(gradgradcheck(f, inputs));
  });
}
