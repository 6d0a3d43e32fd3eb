#include "ops/op_table.hpp"

namespace gradus::test {
namespace {

// Targets are made as 0 and 1, and mean -1 and 1.
Tensor signs(const Tensors& x, const Args& a) {
  const Tensor target = x.back() * 2.0 - 1.0;
  return a.has("floating") ? target.to(x[0].dtype()) : target;
}

// Each reduction, then each set of arguments.
std::vector<Case> margin_cases(const std::vector<Input>& inputs, const std::vector<Args>& arguments) {
  std::vector<Case> cases;
  for (double reduction : {0.0, 1.0, 2.0}) cases.push_back({inputs, {{"reduction", {reduction}}}});
  for (const Args& args : arguments) cases.push_back({inputs, args});
  return cases;
}

std::vector<Case> multi_margin_cases() {
  std::vector<Case> cases =
      margin_cases({distinct({4, 5}), index({4}, 5)}, {{{"p", {2}}}, {{"margin", {0.3}}, {"p", {2}}}});
  cases.push_back({{distinct({4, 5}), index({4}, 5), optional_input(positive({5}))}, {{"reduction", {0}}}});
  cases.push_back({{distinct({5}), index({}, 5)}, {{"reduction", {0}}}});
  return cases;
}

}  // namespace

std::vector<Row> margin_loss_rows() {
  return {
      {.name = "hinge_embedding_loss",
       .call =
           [](const Tensors& x, const Args& a) {
             return hinge_embedding_loss(x[0], signs(x, a),
                                         {.margin = a.number("margin", 1), .reduction = a.reduction()});
           },
       .cases = margin_cases({normal({3, 4}), index({3, 4}, 2)}, {{{"margin", {0.3}}}, {{"floating", {1}}}}),
       .bad_calls = {{[] { hinge_embedding_loss(zeros({2}), zeros({2}, {.dtype = float64})); },
                      "hinge_embedding_loss: dtypes differ: float32 and float64; convert one with to()"},
                     {[] { hinge_embedding_loss(tensor({1}), tensor({1})); },
                      "hinge_embedding_loss: a floating dtype is needed, got int64"}}},
      {.name = "multi_margin_loss",
       .call =
           [](const Tensors& x, const Args& a) {
             return multi_margin_loss(x[0], x[1],
                                      {.p = a.integer("p", 1),
                                       .margin = a.number("margin", 1),
                                       .weight = x.size() > 2 ? x[2] : Tensor(),
                                       .reduction = a.reduction()});
           },
       .cases = multi_margin_cases(),
       .bad_calls = {{[] {
                        multi_margin_loss(zeros({2, 3}), tensor({0, 3}));
                      },
                      "multi_margin_loss: target 3 is not a class in [0, 3)"},
                     {[] {
                        multi_margin_loss(zeros({2, 3}), tensor({0, 1}), {.p = 3});
                      },
                      "multi_margin_loss: p must be 1 or 2, got 3"},
                     {[] {
                        multi_margin_loss(zeros({2, 3, 4}), zeros({2, 4}, {.dtype = int64}));
                      },
                      "multi_margin_loss: input must be (batch, classes), got (2, 3, 4)"}}},
      {.name = "cosine_embedding_loss",
       .call =
           [](const Tensors& x, const Args& a) {
             return cosine_embedding_loss(x[0], x[1], signs(x, a),
                                          {.margin = a.number("margin", 0), .reduction = a.reduction()});
           },
       .cases = margin_cases({away_from_zero({4, 3}), away_from_zero({4, 3}), index({4}, 2)},
                             {{{"margin", {0.3}}}, {{"floating", {1}}}}),
       .bad_calls = {{[] {
                        cosine_embedding_loss(zeros({2, 3}), zeros({2, 3}), ones({3}));
                      },
                      "cosine_embedding_loss: inputs must be (batch, n) and target (batch): (2, 3), (2, 3) and (3,)"}}},
      {.name = "triplet_margin_loss",
       .call =
           [](const Tensors& x, const Args& a) {
             return triplet_margin_loss(x[0], x[1], x[2],
                                        {.margin = a.number("margin", 1),
                                         .p = a.number("p", 2),
                                         .eps = a.number("eps", 1e-6),
                                         .swap = a.has("swap"),
                                         .reduction = a.reduction()});
           },
       .cases = margin_cases({normal({4, 3}), normal({4, 3}), normal({4, 3})},
                             {{{"p", {3}}}, {{"swap", {1}}}, {{"margin", {0.25}}, {"eps", {0.01}}}}),
       .bad_calls = {{[] {
                        triplet_margin_loss(zeros({2, 3}), zeros({3}), zeros({2, 3}));
                      },
                      "triplet_margin_loss: three tensors of as many dims are needed: (2, 3), (3,) and (2, 3)"}}},
  };
}

}  // namespace gradus::test
