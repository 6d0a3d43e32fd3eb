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
  };
}

}  // namespace gradus::test
