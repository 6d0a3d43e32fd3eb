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
  };
}

}  // namespace gradus::test
