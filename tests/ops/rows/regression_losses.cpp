#include "ops/op_table.hpp"

namespace gradus::test {
namespace {

// Each reduction with the defaults, then with each set of arguments; and with broadcasting.
std::vector<Case> distance_cases(const std::vector<Args>& arguments) {
  const std::vector<Input> inputs{distinct({3, 4}), distinct({3, 4})};
  std::vector<Case> cases;
  for (double reduction : {0.0, 1.0, 2.0}) cases.push_back({inputs, {{"reduction", {reduction}}}});
  for (const Args& args : arguments) cases.push_back({inputs, args});
  cases.push_back({{distinct({3, 4}), distinct({4})}, {{"reduction", {0}}}});
  return cases;
}

BadCall mismatch(const std::string& op, const std::function<Tensor(const Tensor&, const Tensor&)>& call) {
  return {[call] { call(zeros({2, 3}), zeros({2})); }, op + ": shapes do not broadcast: (2, 3) and (2,)"};
}

}  // namespace

std::vector<Row> regression_loss_rows() {
  return {
      {.name = "huber_loss",
       .call =
           [](const Tensors& x, const Args& a) {
             return huber_loss(x[0], x[1], {.reduction = a.reduction(), .delta = a.number("delta", 1)});
           },
       .cases = distance_cases({{{"delta", {0.3}}}, {{"delta", {5}}}}),
       .bad_calls = {mismatch("huber_loss", [](auto& x, auto& y) { return huber_loss(x, y); }),
                     {[] { huber_loss(zeros({2}), zeros({2}), {.delta = 0}); },
                      "huber_loss: delta must be above 0, got 0"}}},
      {.name = "smooth_l1_loss",
       .call =
           [](const Tensors& x, const Args& a) {
             return smooth_l1_loss(x[0], x[1], {.reduction = a.reduction(), .beta = a.number("beta", 1)});
           },
       .cases = distance_cases({{{"beta", {0.3}}}, {{"beta", {0}}}}),
       .bad_calls = {mismatch("smooth_l1_loss", [](auto& x, auto& y) { return smooth_l1_loss(x, y); }),
                     {[] { smooth_l1_loss(zeros({2}), zeros({2}), {.beta = -1}); },
                      "smooth_l1_loss: beta must be at least 0, got -1"}}},
      {.name = "quantile_loss",
       .call =
           [](const Tensors& x, const Args& a) {
             return quantile_loss(x[0], x[1], {.quantile = a.number("quantile", 0.5), .reduction = a.reduction()});
           },
       .cases = distance_cases({{{"quantile", {0.9}}}, {{"quantile", {0.1}}}}),
       .bad_calls = {mismatch("quantile_loss", [](auto& x, auto& y) { return quantile_loss(x, y); }),
                     {[] { quantile_loss(zeros({2}), zeros({2}), {.quantile = 1}); },
                      "quantile_loss: quantile must be between 0 and 1, got 1"}}},
      {.name = "expectile_loss",
       .call =
           [](const Tensors& x, const Args& a) {
             return expectile_loss(x[0], x[1], {.expectile = a.number("expectile", 0.5), .reduction = a.reduction()});
           },
       .cases = distance_cases({{{"expectile", {0.9}}}, {{"expectile", {0.1}}}}),
       .bad_calls = {mismatch("expectile_loss", [](auto& x, auto& y) { return expectile_loss(x, y); }),
                     {[] { expectile_loss(zeros({2}), zeros({2}), {.expectile = 0}); },
                      "expectile_loss: expectile must be between 0 and 1, got 0"}}},
      {.name = "linex_loss",
       .call =
           [](const Tensors& x, const Args& a) {
             return linex_loss(x[0], x[1], {.a = a.number("a", 1), .reduction = a.reduction()});
           },
       .cases = distance_cases({{{"a", {-0.5}}}, {{"a", {2}}}}),
       .bad_calls = {mismatch("linex_loss", [](auto& x, auto& y) { return linex_loss(x, y); }),
                     {[] { linex_loss(zeros({2}), zeros({2}), {.a = 0}); }, "linex_loss: a must not be 0, got 0"}}},
      {.name = "peak_weighted_mse_loss",
       .call =
           [](const Tensors& x, const Args& a) {
             return peak_weighted_mse_loss(
                 x[0], x[1],
                 {.threshold = a.number("threshold", 0), .weight = a.number("weight", 2), .reduction = a.reduction()});
           },
       .cases = distance_cases({{{"threshold", {0.5}}, {"weight", {5}}}, {{"weight", {0}}}}),
       .bad_calls = {mismatch("peak_weighted_mse_loss", [](auto& x, auto& y) { return peak_weighted_mse_loss(x, y); }),
                     {[] { peak_weighted_mse_loss(zeros({2}), zeros({2}), {.weight = -1}); },
                      "peak_weighted_mse_loss: weight must be at least 0, got -1"}}},
  };
}

}  // namespace gradus::test
