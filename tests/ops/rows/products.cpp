#include "ops/op_table.hpp"

namespace gradus::test {

std::vector<Row> product_rows() {
  return {
      {.name = "matmul",
       .call = [](const Tensors& x, const Args&) { return matmul(x[0], x[1]); },
       .cases = {{{normal({3}), normal({3})}},
                 {{normal({2, 3}), normal({3})}},
                 {{normal({3}), normal({3, 4})}},
                 {{normal({2, 3}), normal({3, 4})}},
                 {{normal({3, 3}), normal({3, 3})}},
                 {{normal({4, 2, 3}), normal({3})}},
                 {{normal({3}), normal({4, 3, 2})}},
                 {{normal({4, 2, 3}), normal({3, 2})}},
                 {{normal({2, 3}), normal({4, 3, 2})}},
                 {{normal({3, 2, 3}), normal({3, 3, 2})}},
                 {{normal({1, 2, 3}), normal({3, 3, 2})}},
                 {{normal({2, 1, 2, 3}), normal({3, 3, 2})}},
                 {{normal({2, 0}), normal({0, 3})}},
                 {{normal({0, 3}), normal({3, 2})}}},
       .bad_calls = {{[] {
                        matmul(zeros({2, 3}), zeros({4, 5}));
                      },
                      "matmul: inner dimensions differ: (2, 3) x (4, 5)"},
                     {[] { matmul(zeros({}), zeros({2})); }, "matmul: both operands need a dim: () x (2,)"}},
       .method = [](const Tensors& x, const Args&) { return x[0].matmul(x[1]); }},
      {.name = "linear",
       .call = [](const Tensors& x, const Args&) { return linear(x[0], x[1], x.size() > 2 ? x[2] : Tensor()); },
       .cases = {{{normal({2, 3}), normal({4, 3}), optional_input(normal({4}))}},
                 {{normal({2, 3}), normal({4, 3})}},
                 {{normal({3}), normal({4, 3}), optional_input(normal({4}))}},
                 {{normal({2, 2, 3}), normal({4, 3}), optional_input(normal({4}))}},
                 {{normal({0, 3}), normal({4, 3}), optional_input(normal({4}))}},
                 {{normal({1, 1}), normal({1, 1}), optional_input(normal({1}))}}},
       .bad_calls = {{[] {
                        linear(zeros({2, 3}), zeros({4, 2}));
                      },
                      "linear: the last dim of x must be that of the weight (out, in): (2, 3) and (4, 2)"},
                     {[] {
                        linear(zeros({2, 3}), zeros({4, 3}), zeros({3}));
                      },
                      "linear: the bias must be (4,), got (3,)"}}},
      {.name = "dot",
       .call = [](const Tensors& x, const Args&) { return dot(x[0], x[1]); },
       .cases = {{{normal({3}), normal({3})}}, {{normal({0}), normal({0})}}},
       .bad_calls = {{[] { dot(zeros({2}), zeros({3})); }, "dot: inner dimensions differ: (2,) x (3,)"},
                     {[] {
                        dot(zeros({2, 2}), zeros({2}));
                      },
                      "dot: 1 and 1 dims are needed, got (2, 2) and (2,)"}}},
      {.name = "outer",
       .call = [](const Tensors& x, const Args&) { return outer(x[0], x[1]); },
       .cases = {{{normal({3}), normal({2})}}, {{normal({3}), normal({3})}}, {{normal({0}), normal({2})}}},
       .bad_calls = {{[] {
                        outer(zeros({2, 1}), zeros({3}));
                      },
                      "outer: 1 and 1 dims are needed, got (2, 1) and (3,)"}}},
      {.name = "mv",
       .call = [](const Tensors& x, const Args&) { return mv(x[0], x[1]); },
       .cases = {{{normal({2, 3}), normal({3})}}, {{normal({0, 3}), normal({3})}}},
       .bad_calls = {{[] {
                        mv(zeros({2, 3}), zeros({2}));
                      },
                      "mv: inner dimensions differ: (2, 3) x (2,)"},
                     {[] { mv(zeros({3}), zeros({3})); }, "mv: 2 and 1 dims are needed, got (3,) and (3,)"}}},
      {.name = "bmm",
       .call = [](const Tensors& x, const Args&) { return bmm(x[0], x[1]); },
       .cases = {{{normal({2, 2, 3}), normal({2, 3, 2})}}, {{normal({3, 2, 2}), normal({3, 2, 2})}}},
       .bad_calls = {{[] {
                        bmm(zeros({1, 2, 3}), zeros({2, 3, 2}));
                      },
                      "bmm: batches differ: (1, 2, 3) and (2, 3, 2)"},
                     {[] {
                        bmm(zeros({1, 2, 3}), zeros({1, 2, 2}));
                      },
                      "bmm: inner dimensions differ: (1, 2, 3) x (1, 2, 2)"},
                     {[] {
                        bmm(zeros({2, 3}), zeros({3, 2}));
                      },
                      "bmm: 3 and 3 dims are needed, got (2, 3) and (3, 2)"}}},
      {.name = "addmm",
       .call =
           [](const Tensors& x, const Args& a) {
             return addmm(x[0], x[1], x[2], {.beta = a.number("beta", 1), .alpha = a.number("alpha", 1)});
           },
       .cases = {{{normal({2, 4}), normal({2, 3}), normal({3, 4})}},
                 {{normal({4}), normal({2, 3}), normal({3, 4})}, {{"beta", {0.5}}, {"alpha", {-2}}}},
                 {{normal({2, 1}), normal({2, 3}), normal({3, 4})}},
                 {{normal({4}), normal({2, 3}), normal({3, 4})}, {{"beta", {0}}}},
                 {{normal({3, 3}), normal({3, 3}), normal({3, 3})}}},
       .bad_calls = {{[] {
                        addmm(zeros({3}), zeros({2, 3}), zeros({2, 4}));
                      },
                      "addmm: inner dimensions differ: (2, 3) x (2, 4)"},
                     {[] {
                        addmm(zeros({4}, {.dtype = float64}), zeros({2, 3}), zeros({3, 4}), {.beta = 0});
                      },
                      "addmm: dtypes differ: float64 and float32; convert one with to()"},
                     {[] {
                        addmm(zeros({5, 2, 4}), zeros({2, 3}), zeros({3, 4}));
                      },
                      "addmm: the input of shape (5, 2, 4) does not expand to (2, 4)"}}},
  };
}

}  // namespace gradus::test
