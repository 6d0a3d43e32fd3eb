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

// Optional tensors stand behind the inputs, in this order; an argument says that one is there.
Tensor call_bce_with_logits(const Tensors& x, const Args& a) {
  std::size_t next = 2;
  BCEWithLogitsOptions options{.reduction = a.reduction()};
  if (a.has("weight")) options.weight = x[next++];
  if (a.has("pos_weight")) options.pos_weight = x[next++];
  return binary_cross_entropy_with_logits(x[0], x[1], options);
}

std::vector<Case> bce_with_logits_cases() {
  std::vector<Case> cases = reduction_cases(normal({2, 3}), positive({2, 3}));
  const Input weight = optional_input(positive({2, 3})), pos_weight = optional_input(positive({3}));
  cases.push_back({{normal({2, 3}), positive({2, 3}), weight}, {{"weight", {1}}, {"reduction", {0}}}});
  cases.push_back({{normal({2, 3}), positive({2, 3}), pos_weight}, {{"pos_weight", {1}}}});
  cases.push_back({{normal({2, 3}), positive({2, 3}), weight, pos_weight}, {{"weight", {1}}, {"pos_weight", {1}}}});
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
                 {{normal({5}), index({}, 5)}},
                 {{normal({2, 3, 4}), index({2, 4}, 3)}},
                 {{normal({2, 3, 2, 2}), index({2, 2, 2}, 3)}, {{"reduction", {0}}}},
                 {{normal({4, 5}), positive({4, 5})}},
                 {{normal({2, 3, 4}), positive({2, 3, 4})}, {{"label_smoothing", {0.2}}, {"reduction", {0}}}},
                 {{normal({4, 5}), positive({4, 5}), optional_input(constant(positive({5})))}},
                 {{normal({5}), positive({5})}, {{"reduction", {2}}}}},
       .bad_calls = {{[] {
                        cross_entropy(zeros({2, 3}), tensor({0, 3}));
                      },
                      "cross_entropy: target 3 is not a class in [0, 3)"},
                     {[] {
                        cross_entropy(zeros({2, 3}), tensor({0}));
                      },
                      "cross_entropy: input must be (batch, classes, ...) and target (batch, ...): (2, 3) and (1,)"},
                     {[] {
                        cross_entropy(zeros({2, 3}), zeros({2, 3}), {.ignore_index = 1});
                      },
                      "cross_entropy: ignore_index is for classes, not for probabilities, got 1"},
                     {[] {
                        cross_entropy(zeros({2, 3}), zeros({2, 3}, {.dtype = float64}));
                      },
                      "cross_entropy: dtypes differ: float32 and float64; convert one with to()"},
                     {[] {
                        cross_entropy(zeros({2, 3}), zeros({2, 3}), {.label_smoothing = 2});
                      },
                      "cross_entropy: label_smoothing must be in [0, 1], got 2"}}},
      {.name = "nll_loss",
       .call =
           [](const Tensors& x, const Args& a) {
             return nll_loss(x[0], x[1],
                             {.weight = x.size() > 2 ? x[2] : Tensor(),
                              .ignore_index = a.integer("ignore_index", -100),
                              .reduction = a.reduction()});
           },
       .cases = {{{normal({4, 5}), index({4}, 5)}},
                 {{normal({4, 5}), index({4}, 5)}, {{"reduction", {0}}, {"ignore_index", {1}}}},
                 {{normal({4, 5}), index({4}, 5), optional_input(constant(positive({5})))}, {{"reduction", {2}}}},
                 {{normal({2, 3, 4}), index({2, 4}, 3), optional_input(constant(positive({3})))}},
                 {{normal({5}), index({}, 5)}, {{"reduction", {0}}}}},
       .bad_calls = {{[] {
                        nll_loss(zeros({2, 3}), tensor({0, -1}));
                      },
                      "nll_loss: target -1 is not a class in [0, 3)"},
                     {[] {
                        nll_loss(zeros({2, 3}), tensor({0, 1}), {.weight = zeros({2})});
                      },
                      "nll_loss: the weight must be (3,), got (2,)"},
                     {[] {
                        nll_loss(zeros({2, 3}), tensor({0, 1}), {.reduction = Reduction::batchmean});
                      },
                      "nll_loss: the reduction must be none, mean or sum, got batchmean"}}},
      {.name = "binary_cross_entropy",
       .call =
           [](const Tensors& x, const Args& a) {
             return binary_cross_entropy(x[0], x[1],
                                         {.weight = x.size() > 2 ? x[2] : Tensor(), .reduction = a.reduction()});
           },
       .cases = {{{probability({2, 3}), probability({2, 3})}, {{"reduction", {0}}}},
                 {{probability({2, 3}), probability({2, 3})}},
                 {{probability({2, 3}), probability({2, 3}), optional_input(positive({3}))}}},
       .bad_calls = {{[] {
                        binary_cross_entropy(tensor({0.5, 2.0}), zeros({2}));
                      },
                      "binary_cross_entropy: every input must be in [0, 1], got 0.5 to 2"},
                     {[] { binary_cross_entropy(zeros({2}), zeros({3})); },
                      "binary_cross_entropy: shapes differ: (2,) and (3,)"}}},
      {.name = "binary_cross_entropy_with_logits",
       .call = call_bce_with_logits,
       .cases = bce_with_logits_cases(),
       .bad_calls = {{[] { binary_cross_entropy_with_logits(zeros({2}), zeros({3})); },
                      "binary_cross_entropy_with_logits: shapes differ: (2,) and (3,)"}}},
      {.name = "kl_div",
       .call =
           [](const Tensors& x, const Args& a) {
             return kl_div(x[0], x[1], {.reduction = a.reduction(), .log_target = a.has("log_target")});
           },
       .cases = {{{normal({2, 3}), positive({2, 3})}, {{"reduction", {0}}}},
                 {{normal({2, 3}), positive({2, 3})}, {{"reduction", {3}}}},
                 {{normal({2, 3}), normal({2, 3})}, {{"log_target", {1}}}}},
       .bad_calls = {{[] {
                        kl_div(zeros({2, 3}), zeros({2}));
                      },
                      "kl_div: shapes do not broadcast: (2, 3) and (2,)"},
                     {[] { kl_div(zeros({}), zeros({}), {.reduction = Reduction::batchmean}); },
                      "kl_div: batchmean needs a batch, got ()"}}},
      {.name = "gaussian_nll_loss",
       .call =
           [](const Tensors& x, const Args& a) {
             return gaussian_nll_loss(
                 x[0], x[1], x[2], {.full = a.has("full"), .eps = a.number("eps", 1e-6), .reduction = a.reduction()});
           },
       .cases = {{{positive({2, 3}), normal({2, 3}), positive({2, 3})}, {{"reduction", {0}}}},
                 {{normal({2, 3}), normal({2, 3}), positive({2})}, {{"full", {1}}}},
                 {{normal({2, 3}), normal({2, 3}), positive({2, 1})}, {{"reduction", {2}}}}},
       .bad_calls = {{[] {
                        gaussian_nll_loss(zeros({2, 3}), zeros({2, 3}), ones({3}));
                      },
                      "gaussian_nll_loss: the variance does not fit the input: (3,) and (2, 3)"},
                     {[] {
                        gaussian_nll_loss(zeros({2}), zeros({2}), tensor({1.0, -2.0}));
                      },
                      "gaussian_nll_loss: a variance is negative: -2"},
                     {[] { gaussian_nll_loss(zeros({2}), zeros({2}), ones({2}), {.eps = 0}); },
                      "gaussian_nll_loss: eps must be above 0, got 0"}}},
  };
}

}  // namespace gradus::test
