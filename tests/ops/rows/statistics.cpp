// Reductions and running sums and products, beside those of reductions.cpp.
#include "ops/op_table.hpp"

namespace gradus::test {
namespace {

using Maker = Input (*)(const Shape&);
using Reduction = Tensor (*)(const Tensor&, const Dims&, const ReduceOptions&);
using ReductionMethod = Tensor (Tensor::*)(const Dims&, const ReduceOptions&) const;
using Variance = Tensor (*)(const Tensor&, const Dims&, const VarOptions&);
using VarianceMethod = Tensor (Tensor::*)(const Dims&, const VarOptions&) const;
using Running = Tensor (*)(const Tensor&, std::int64_t);
using RunningMethod = Tensor (Tensor::*)(std::int64_t) const;

// Over all dims, one dim, several, kept and dropped.
std::vector<Case> dims_cases(Maker make) {
  return {{{make({5})}},
          {{make({2, 3})}},
          {{make({2, 3})}, {{"dims", {0}}}},
          {{make({2, 3})}, {{"dims", {-1}}, {"keepdim", {1}}}},
          {{make({2, 3, 4})}, {{"dims", {0, 2}}}},
          {{make({2, 3, 4})}, {{"dims", {1}}, {"keepdim", {1}}}},
          {{make({3, 1, 2})}, {{"dims", {0, 1}}}},
          {{make({0, 3})}, {{"dims", {1}}}}};
}

std::vector<Case> dim_cases(Maker make) {
  return {{{make({2, 3, 4})}, {{"dim", {0}}}},  {{make({2, 3, 4})}, {{"dim", {1}}, {"keepdim", {1}}}},
          {{make({2, 3, 4})}, {{"dim", {-1}}}}, {{make({5})}, {{"dim", {0}}}},
          {{make({1})}, {{"dim", {0}}}},        {{make({})}, {{"dim", {0}}}},
          {{make({0, 3})}, {{"dim", {1}}}}};
}

Row reduction(const std::string& name, Reduction op, ReductionMethod method, std::vector<Case> cases) {
  return {.name = name,
          .call = [op](const Tensors& x, const Args& a) { return op(x[0], a.dims(), a.reduce()); },
          .cases = std::move(cases),
          .bad_calls = {{[op] {
                           op(zeros({2, 3}), {0, -2}, {});
                         },
                         name + ": a dim is named twice: (0, -2)"}},
          .method = [method](const Tensors& x, const Args& a) { return (x[0].*method)(a.dims(), a.reduce()); }};
}

Row extreme(const std::string& name, Reduction op, ReductionMethod method) {
  Row row = reduction(name, op, method, dims_cases(distinct));
  row.cases.push_back({{distinct({})}});
  row.bad_calls.push_back({[op] {
                             op(zeros({2, 0}), 1, {});
                           },
                           name + ": an empty tensor of shape (2, 0) has no extreme"});
  return row;
}

Row question(const std::string& name, Reduction op, ReductionMethod method) {
  Row row = reduction(name, op, method, dims_cases(mask));
  row.cases.push_back({{normal({2, 3})}});
  row.cases.push_back({{index({2, 3}, 2)}, {{"dims", {0}}}});
  row.cases.push_back({{mask({0})}});
  row.differentiable = false;
  return row;
}

VarOptions var_options(const Args& a) {
  return {.correction = a.number("correction", 1), .keepdim = a.integer("keepdim", 0) != 0};
}

Row variance(const std::string& name, Variance op, VarianceMethod method) {
  std::vector<Case> cases = dims_cases(normal);
  cases.push_back({{normal({2, 3})}, {{"dims", {1}}, {"correction", {0}}}});
  cases.push_back({{normal({7})}, {{"correction", {1.5}}}});
  return {.name = name,
          .call = [op](const Tensors& x, const Args& a) { return op(x[0], a.dims(), var_options(a)); },
          .cases = cases,
          .bad_calls = {{[op] {
                           op(tensor({1, 2}), {}, {});
                         },
                         name + ": a floating dtype is needed, got int64"},
                        {[op] {
                           op(zeros({2, 3}), 2, {});
                         },
                         name + ": dim must be in [-2, 1] for a tensor of 2 dims, got 2"}},
          .method = [method](const Tensors& x, const Args& a) { return (x[0].*method)(a.dims(), var_options(a)); }};
}

Row running(const std::string& name, Running op, RunningMethod method) {
  return {.name = name,
          .call = [op](const Tensors& x, const Args& a) { return op(x[0], a.integer("dim")); },
          .cases = dim_cases(normal),
          .bad_calls = {{[op] {
                           op(zeros({2, 3}), 2);
                         },
                         name + ": dim must be in [-2, 1] for a tensor of 2 dims, got 2"}},
          .method = [method](const Tensors& x, const Args& a) { return (x[0].*method)(a.integer("dim")); }};
}

// Zeros by ones and twos in a line: a derivative that divides by an element fails here.
Input with_zeros(const Shape& shape) { return {Fill::zeros, shape}; }

}  // namespace

std::vector<Row> statistics_rows() {
  std::vector<Row> rows = {
      reduction("prod", prod, &Tensor::prod, dims_cases(normal)),
      variance("var", var, &Tensor::var),
      variance("std", std, &Tensor::std),
      extreme("amax", amax, &Tensor::amax),
      extreme("amin", amin, &Tensor::amin),
      question("all", all, &Tensor::all),
      question("any", any, &Tensor::any),
      running("cumsum", cumsum, &Tensor::cumsum),
      running("cumprod", cumprod, &Tensor::cumprod),
      {.name = "median",
       .call = [](const Tensors& x, const Args&) { return median(x[0]); },
       .cases = {{{distinct({7})}}, {{distinct({2, 3})}}, {{distinct({})}}},
       .bad_calls = {{[] { median(zeros({0})); }, "median: dim 0 of shape (0,) is empty"}},
       .method = [](const Tensors& x, const Args&) { return x[0].median(); }},
      {.name = "median:dim",
       .call = [](const Tensors& x, const Args& a) { return median(x[0], a.integer("dim"), a.reduce()).values; },
       .cases = dim_cases(distinct),
       .bad_calls = {{[] {
                        median(zeros({2, 0}), 1);
                      },
                      "median: dim 1 of shape (2, 0) is empty"}},
       .method = [](const Tensors& x, const Args& a) { return x[0].median(a.integer("dim"), a.reduce()).values; }},
      {.name = "median:indices",
       .call = [](const Tensors& x, const Args& a) { return median(x[0], a.integer("dim"), a.reduce()).indices; },
       .cases = dim_cases(distinct),
       .bad_calls = {{[] {
                        median(zeros({2, 3}), 2);
                      },
                      "median: dim must be in [-2, 1] for a tensor of 2 dims, got 2"}},
       .differentiable = false},
  };
  for (Row& row : rows) {
    if (row.name == "prod") {
      row.cases.push_back({{with_zeros({4, 5})}, {{"dims", {1}}}});
      row.cases.push_back({{normal({3, 0})}, {{"dims", {1}}}});
      row.cases.push_back({{normal({})}});
    }
    if (row.name == "cumprod") row.cases.push_back({{with_zeros({4, 5})}, {{"dim", {1}}}});
  }
  return rows;
}

}  // namespace gradus::test
