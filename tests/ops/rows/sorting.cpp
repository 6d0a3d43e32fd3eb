#include "ops/op_table.hpp"

namespace gradus::test {
namespace {

SortOptions options(const Args& a) {
  return {.descending = a.integer("descending", 0) != 0, .stable = a.integer("stable", 0) != 0};
}

Sorted call_topk(const Tensors& x, const Args& a) {
  return topk(x[0], a.integer("k"), a.integer("dim", -1), {.largest = a.integer("largest", 1) != 0});
}

std::vector<Case> sort_cases() {
  return {{{distinct({7})}},
          {{distinct({2, 3, 4})}},
          {{distinct({2, 3, 4})}, {{"dim", {0}}, {"descending", {1}}}},
          {{distinct({2, 3, 4})}, {{"dim", {1}}, {"stable", {1}}}},
          {{distinct({})}},
          {{distinct({0, 3})}},
          {{distinct({3, 0})}}};
}

std::vector<Case> topk_cases() {
  return {{{distinct({7})}, {{"k", {3}}}},
          {{distinct({2, 3, 4})}, {{"k", {2}}, {"dim", {1}}}},
          {{distinct({2, 5})}, {{"k", {5}}, {"largest", {0}}}},
          {{distinct({5, 2})}, {{"k", {1}}, {"dim", {-2}}, {"largest", {0}}}},
          {{distinct({})}, {{"k", {1}}}},
          {{distinct({})}, {{"k", {0}}}},
          {{distinct({2, 3})}, {{"k", {0}}}}};
}

const char* const wrong_dim = ": dim must be in [-2, 1] for a tensor of 2 dims, got 2";

}  // namespace

std::vector<Row> sorting_rows() {
  return {
      {.name = "sort",
       .call = [](const Tensors& x, const Args& a) { return sort(x[0], a.integer("dim", -1), options(a)).values; },
       .cases = sort_cases(),
       .bad_calls = {{[] {
                        sort(zeros({2, 3}), 2);
                      },
                      std::string("sort") + wrong_dim}},
       .method = [](const Tensors& x, const Args& a) { return x[0].sort(a.integer("dim", -1), options(a)).values; }},
      {.name = "sort:indices",
       .call = [](const Tensors& x, const Args& a) { return sort(x[0], a.integer("dim", -1), options(a)).indices; },
       .cases = sort_cases(),
       .bad_calls = {{[] {
                        sort(zeros({2, 3}), -3);
                      },
                      "sort: dim must be in [-2, 1] for a tensor of 2 dims, got -3"}},
       .differentiable = false},
      {.name = "argsort",
       .call = [](const Tensors& x, const Args& a) { return argsort(x[0], a.integer("dim", -1), options(a)); },
       .cases = sort_cases(),
       .bad_calls = {{[] {
                        argsort(zeros({2, 3}), 2);
                      },
                      std::string("argsort") + wrong_dim}},
       .differentiable = false,
       .method = [](const Tensors& x, const Args& a) { return x[0].argsort(a.integer("dim", -1), options(a)); }},
      {.name = "topk",
       .call = [](const Tensors& x, const Args& a) { return call_topk(x, a).values; },
       .cases = topk_cases(),
       .bad_calls = {{[] {
                        topk(zeros({2, 3}), 4);
                      },
                      "topk: k 4 is out of range for dim -1 of shape (2, 3)"},
                     {[] {
                        topk(zeros({2, 3}), -1, 0);
                      },
                      "topk: k -1 is out of range for dim 0 of shape (2, 3)"},
                     {[] {
                        topk(zeros({2, 3}), 1, 2);
                      },
                      std::string("topk") + wrong_dim}},
       .method =
           [](const Tensors& x, const Args& a) {
             return x[0].topk(a.integer("k"), a.integer("dim", -1), {.largest = a.integer("largest", 1) != 0}).values;
           }},
      {.name = "topk:indices",
       .call = [](const Tensors& x, const Args& a) { return call_topk(x, a).indices; },
       .cases = topk_cases(),
       .bad_calls = {{[] { topk(zeros({}), 2); }, "topk: k 2 is out of range for dim -1 of shape ()"}},
       .differentiable = false},
  };
}

}  // namespace gradus::test
