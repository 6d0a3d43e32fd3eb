#include "ops/op_table.hpp"

namespace gradus::test {

std::vector<Row> indexing_rows() {
  return {
      {.name = "cat",
       .call = [](const Tensors& x, const Args& a) { return cat(x, a.integer("dim", 0)); },
       .cases = {{{normal({2, 3}), normal({1, 3}), normal({4, 3})}},
                 {{normal({2, 3}), normal({2, 3})}, {{"dim", {1}}}},
                 {{normal({2, 3, 2}), normal({2, 1, 2})}, {{"dim", {-2}}}},
                 {{normal({0, 3}), normal({2, 3})}},
                 {{normal({4})}}},
       .bad_calls = {{[] {
                        cat({zeros({2, 3}), zeros({2, 4})});
                      },
                      "cat: tensor 1 of shape (2, 4) does not fit the first, (2, 3), except along dim 0"}}},
      {.name = "stack",
       .call = [](const Tensors& x, const Args& a) { return stack(x, a.integer("dim", 0)); },
       .cases = {{{normal({2, 3}), normal({2, 3}), normal({2, 3})}},
                 {{normal({2, 3}), normal({2, 3})}, {{"dim", {1}}}},
                 {{normal({2, 3}), normal({2, 3})}, {{"dim", {-1}}}},
                 {{normal({}), normal({})}}},
       .bad_calls = {{[] {
                        stack({zeros({2}), zeros({3})});
                      },
                      "stack: shapes differ: (2,) and, at 1, (3,)"}}},
      {.name = "gather",
       .call = [](const Tensors& x, const Args& a) { return gather(x[0], a.integer("dim"), x[1]); },
       .cases = {{{normal({3, 4}), index({2, 4}, 3)}, {{"dim", {0}}}},
                 {{normal({3, 4}), index({3, 6}, 4)}, {{"dim", {1}}}},
                 {{normal({3, 4}), index({2, 2}, 4)}, {{"dim", {-1}}}},
                 {{normal({2, 3, 4}), index({2, 5, 3}, 3)}, {{"dim", {1}}}},
                 {{normal({5}), index({7}, 5)}, {{"dim", {0}}}},
                 {{normal({3, 4}), index({3, 0}, 4)}, {{"dim", {1}}}}},
       .bad_calls = {{[] {
                        gather(zeros({3}), 0, tensor({0, 3}));
                      },
                      "gather: index 3 is out of range for a dim of size 3"}},
       .method = [](const Tensors& x, const Args& a) { return x[0].gather(a.integer("dim"), x[1]); }},
      {.name = "index_select",
       .call = [](const Tensors& x, const Args& a) { return index_select(x[0], a.integer("dim"), x[1]); },
       .cases = {{{normal({3, 4}), index({5}, 3)}, {{"dim", {0}}}},
                 {{normal({3, 4}), index({2}, 4)}, {{"dim", {1}}}},
                 {{normal({2, 3, 4}), index({4}, 3)}, {{"dim", {-2}}}},
                 {{normal({5}), index({0}, 5)}, {{"dim", {0}}}}},
       .bad_calls = {{[] {
                        index_select(zeros({3, 2}), 0, tensor({5}));
                      },
                      "index_select: index 5 is out of range for a dim of size 3"}}},
      {.name = "scatter",
       .call = [](const Tensors& x, const Args& a) { return scatter(x[0], a.integer("dim"), x[1], x[2]); },
       .cases = {{{normal({3, 4}), index({2, 4}, 3), normal({2, 4})}, {{"dim", {0}}}},
                 {{normal({3, 4}), index({3, 6}, 4), normal({3, 6})}, {{"dim", {1}}}},
                 {{normal({3, 4}), index({2, 2}, 4), normal({3, 4})}, {{"dim", {-1}}}},
                 {{normal({2, 3, 4}), index({2, 5, 3}, 3), normal({2, 5, 3})}, {{"dim", {1}}}},
                 {{normal({5}), index({0}, 5), normal({2})}, {{"dim", {0}}}}},
       .bad_calls = {{[] {
                        scatter(zeros({3}), 0, tensor({0, 3}), zeros({2}));
                      },
                      "scatter: index 3 is out of range for a dim of size 3"},
                     {[] {
                        scatter(zeros({3}), 0, tensor({0, 1}), zeros({1}));
                      },
                      "scatter: a source of shape (1,) is too small for an index of shape (2,)"},
                     {[] {
                        scatter(zeros({3, 2}), 0, tensor({0, 1}), zeros({2}));
                      },
                      "scatter: an index of shape (2,) does not fit a tensor of shape (3, 2) along dim 0"}}},
      {.name = "scatter:value",
       .call = [](const Tensors& x, const Args& a) { return scatter(x[0], a.integer("dim"), x[1], a.number("value")); },
       .cases = {{{normal({3, 4}), index({2, 4}, 3)}, {{"dim", {0}}, {"value", {1.5}}}},
                 {{normal({3, 4}), index({2, 2}, 4)}, {{"dim", {-1}}, {"value", {0}}}}},
       .bad_calls = {{[] { scatter(zeros({3}), 0, zeros({1}), 1.0); },
                      "scatter: the index must be int64, got float32"}}},
      {.name = "scatter_add",
       .call = [](const Tensors& x, const Args& a) { return scatter_add(x[0], a.integer("dim"), x[1], x[2]); },
       .cases = {{{normal({3, 4}), index({2, 4}, 3), normal({2, 4})}, {{"dim", {0}}}},
                 {{normal({3, 4}), index({3, 6}, 4), normal({3, 6})}, {{"dim", {1}}}},
                 {{normal({3, 4}), index({2, 2}, 4), normal({3, 4})}, {{"dim", {-1}}}}},
       .bad_calls = {{[] { scatter_add(zeros({3}), 0, tensor({-1}), zeros({1})); },
                      "scatter_add: index -1 is out of range for a dim of size 3"}}},
      {.name = "take_along_dim",
       .call = [](const Tensors& x, const Args& a) { return take_along_dim(x[0], x[1], a.maybe_integer("dim")); },
       .cases = {{{normal({3, 4}), index({2, 4}, 3)}, {{"dim", {0}}}},
                 {{normal({3, 4}), index({3, 1}, 4)}, {{"dim", {-1}}}},
                 {{normal({1, 4}), index({3, 2}, 4)}, {{"dim", {1}}}},
                 {{normal({3, 4}), index({2, 2}, 12)}}},
       .bad_calls = {{[] {
                        take_along_dim(zeros({3, 2}), tensor({0}), 0);
                      },
                      "take_along_dim: the indices need as many dims as the tensor: (1,) and (3, 2)"}}},
      {.name = "masked_select",
       .call = [](const Tensors& x, const Args&) { return masked_select(x[0], x[1]); },
       .cases = {{{normal({3, 4}), mask({3, 4})}}, {{normal({3, 4}), mask({4})}}, {{normal({4}), mask({3, 1})}}},
       .bad_calls = {{[] { masked_select(zeros({3}), zeros({3})); },
                      "masked_select: the mask must be bool, got float32"}},
       .method = [](const Tensors& x, const Args&) { return x[0].masked_select(x[1]); }},
      {.name = "masked_fill",
       .call = [](const Tensors& x, const Args& a) { return masked_fill(x[0], x[1], a.number("value", -2)); },
       .cases = {{{normal({3, 4}), mask({3, 4})}}, {{normal({3, 4}), mask({4})}}, {{normal({4}), mask({3, 1})}}},
       .bad_calls = {{[] { masked_fill(zeros({3}), zeros({3}), 1); },
                      "masked_fill: the mask must be bool, got float32"}},
       .elementwise = true,
       .broadcasts = true,
       .method = [](const Tensors& x, const Args& a) { return x[0].masked_fill(x[1], a.number("value", -2)); }},
      {.name = "one_hot",
       .call = [](const Tensors& x, const Args& a) { return one_hot(x[0], a.integer("num_classes", -1)); },
       .cases = {{{index({4}, 3)}},
                 {{index({2, 3}, 4)}, {{"num_classes", {5}}}},
                 {{index({0}, 4)}, {{"num_classes", {2}}}}},
       .bad_calls = {{[] {
                        one_hot(tensor({0, 3}), 3);
                      },
                      "one_hot: class 3 is out of range for 3 classes"},
                     {[] { one_hot(zeros({2})); }, "one_hot: classes must be int64, got float32"},
                     {[] { one_hot(zeros({0}, {.dtype = int64})); },
                      "one_hot: an empty tensor does not say how many classes there are"}},
       .differentiable = false},
  };
}

}  // namespace gradus::test
