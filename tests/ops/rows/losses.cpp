#include "ops/op_table.hpp"

namespace gradus::test {
namespace {

Tensor call_cross_entropy(const Tensors& x, const Args& a) {
  return cross_entropy(x[0], x[1],
                       {.weight = x.size() > 2 ? x[2] : Tensor(),
                        .ignore_index = a.integer("ignore_index", -100),
                        .reduction = a.reduction(),
                        .label_smoothing = a.number("label_smoothing", 0)});
}

// Each reduction on a matrix, and the default on a vector.
std::vector<Case> reduction_cases(const Input& input, const Input& target) {
  std::vector<Case> cases;
  for (double reduction : {0.0, 1.0, 2.0}) cases.push_back({{input, target}, {{"reduction", {reduction}}}});
  return cases;
}

}  // namespace

std::vector<Row> loss_rows() {
  return {
      {.name = "mse_loss",
       .call = [](const Tensors& x, const Args& a) { return mse_loss(x[0], x[1], {.reduction = a.reduction()}); },
       .cases = reduction_cases(normal({2, 3}), normal({2, 3})),
       .bad_calls = {{[] {
                        mse_loss(zeros({2, 3}), zeros({2}));
                      },
                      "mse_loss: shapes do not broadcast: (2, 3) and (2,)"}}},
      {.name = "l1_loss",
       .call = [](const Tensors& x, const Args& a) { return l1_loss(x[0], x[1], {.reduction = a.reduction()}); },
       .cases = reduction_cases(distinct({2, 3}), distinct({2, 3})),
       .bad_calls = {{[] { l1_loss(zeros({2}), zeros({2}, {.dtype = float64})); },
                      "l1_loss: dtypes differ: float32 and float64; convert one with to()"}}},
      {.name = "cross_entropy",
       .call = call_cross_entropy,
       .cases = {{{normal({4, 5}), index({4}, 5)}},
                 {{normal({4, 5}), index({4}, 5)}, {{"reduction", {0}}}},
                 {{normal({4, 5}), index({4}, 5)}, {{"reduction", {2}}}},
                 {{normal({4, 5}), index({4}, 5)}, {{"label_smoothing", {0.1}}}},
                 {{normal({4, 5}), index({4}, 5)}, {{"ignore_index", {1}}}},
                 {{normal({4, 5}), index({4}, 5), optional_input(constant(positive({5})))}},
                 {{normal({4, 5}), index({4}, 5), optional_input(constant(positive({5})))},
                  {{"label_smoothing", {0.2}}, {"reduction", {0}}}},
                 {{normal({5}), index({}, 5)}}},
       .bad_calls = {{[] {
                        cross_entropy(zeros({2, 3}), tensor({0, 3}));
                      },
                      "cross_entropy: target 3 is not a class in [0, 3)"},
                     {[] {
                        cross_entropy(zeros({2, 3}), tensor({0}));
                      },
                      "cross_entropy: input must be (batch, classes) and target (batch): (2, 3) and (1,)"}}},
      {.name = "binary_cross_entropy_with_logits",
       .call = [](const Tensors& x,
                  const Args& a) { return binary_cross_entropy_with_logits(x[0], x[1], {.reduction = a.reduction()}); },
       .cases = reduction_cases(normal({2, 3}), positive({2, 3})),
       .bad_calls = {{[] { binary_cross_entropy_with_logits(zeros({2}), zeros({3})); },
                      "binary_cross_entropy_with_logits: shapes differ: (2,) and (3,)"}}},
  };
}

}  // namespace gradus::test
