#include <cmath>
#include <limits>

#include "ops/op_table.hpp"

namespace gradus::test {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

// Over all dims, one dim, several, kept and dropped; and of something empty.
std::vector<Case> dims_cases() {
  return {{{normal({5})}},
          {{normal({})}},
          {{normal({2, 3})}},
          {{normal({2, 3})}, {{"dims", {0}}}},
          {{normal({2, 3})}, {{"dims", {-1}}, {"keepdim", {1}}}},
          {{normal({2, 3, 4})}, {{"dims", {0, 2}}}},
          {{normal({2, 3, 4})}, {{"dims", {1}}, {"keepdim", {1}}}},
          {{normal({2, 3, 4})}, {{"dims", {1}}}},
          {{normal({3, 0})}, {{"dims", {0}}}}};
}

std::vector<Case> one_dim_cases(Fill fill) {
  return {{{Input{fill, {2, 3, 4}}}, {{"dim", {0}}}},  {{Input{fill, {2, 3, 4}}}, {{"dim", {1}}, {"keepdim", {1}}}},
          {{Input{fill, {2, 3, 4}}}, {{"dim", {-1}}}}, {{Input{fill, {5}}}, {{"dim", {0}}}},
          {{Input{fill, {}}}, {{"dim", {0}}}},         {{Input{fill, {0, 3}}}, {{"dim", {1}}}}};
}

std::vector<Case> arg_cases() {
  std::vector<Case> cases = one_dim_cases(Fill::distinct);
  cases.push_back({{distinct({2, 3, 4})}});
  cases.push_back({{distinct({7})}});
  return cases;
}

using ExtremeOfAll = Tensor (*)(const Tensor&);
using ExtremeAlong = Extreme (*)(const Tensor&, std::int64_t, const ReduceOptions&);
using ArgExtreme = Tensor (*)(const Tensor&, std::optional<std::int64_t>, const ReduceOptions&);

void add_extremes(std::vector<Row>& rows, const std::string& name, ExtremeOfAll all, ExtremeAlong along,
                  ArgExtreme arg) {
  const bool largest = name == "max";
  rows.push_back({.name = name,
                  .call = [all](const Tensors& x, const Args&) { return all(x[0]); },
                  .cases = {{{distinct({2, 3, 4})}}, {{distinct({5})}}, {{distinct({})}}},
                  .bad_calls = {{[all] {
                                   all(zeros({0, 2}));
                                 },
                                 name + ": an empty tensor of shape (0, 2) has no extreme"}},
                  .method = [largest](const Tensors& x, const Args&) { return largest ? x[0].max() : x[0].min(); }});
  rows.push_back(
      {.name = name + ":dim",
       .call = [along](const Tensors& x, const Args& a) { return along(x[0], a.integer("dim"), a.reduce()).values; },
       .cases = one_dim_cases(Fill::distinct),
       .bad_calls = {{[along] {
                        along(zeros({2, 0}), 1, {});
                      },
                      name + ": dim 1 of shape (2, 0) is empty"}}});
  rows.push_back(
      {.name = name + ":indices",
       .call = [along](const Tensors& x, const Args& a) { return along(x[0], a.integer("dim"), a.reduce()).indices; },
       .cases = one_dim_cases(Fill::distinct),
       .bad_calls = {{[along] {
                        along(zeros({2, 3}), 2, {});
                      },
                      name + ": dim must be in [-2, 1] for a tensor of 2 dims, got 2"}},
       .differentiable = false});
  rows.push_back(
      {.name = "arg" + name,
       .call = [arg](const Tensors& x, const Args& a) { return arg(x[0], a.maybe_integer("dim"), a.reduce()); },
       .cases = arg_cases(),
       .bad_calls = {{[arg] { arg(zeros({0}), {}, {}); }, "arg" + name + ": dim 0 of shape (0,) is empty"}},
       .differentiable = false,
       .method =
           [largest](const Tensors& x, const Args& a) {
             return largest ? x[0].argmax(a.maybe_integer("dim"), a.reduce())
                            : x[0].argmin(a.maybe_integer("dim"), a.reduce());
           }});
}

}  // namespace

std::vector<Row> reduction_rows() {
  std::vector<Row> rows = {
      {.name = "sum",
       .call = [](const Tensors& x, const Args& a) { return sum(x[0], a.dims(), a.reduce()); },
       .cases = dims_cases(),
       .bad_calls = {{[] {
                        sum(zeros({2, 3}), 2);
                      },
                      "sum: dim must be in [-2, 1] for a tensor of 2 dims, got 2"},
                     {[] {
                        sum(zeros({2, 3}), {0, -2});
                      },
                      "sum: a dim is named twice: (0, -2)"}},
       .method = [](const Tensors& x, const Args& a) { return x[0].sum(a.dims(), a.reduce()); }},
      {.name = "mean",
       .call = [](const Tensors& x, const Args& a) { return mean(x[0], a.dims(), a.reduce()); },
       .cases = dims_cases(),
       .bad_calls = {{[] {
                        mean(tensor({1, 2}));
                      },
                      "mean: a floating dtype is needed, got int64"}},
       .method = [](const Tensors& x, const Args& a) { return x[0].mean(a.dims(), a.reduce()); }},
      {.name = "norm",
       .call = [](const Tensors& x, const Args& a) { return norm(x[0], a.number("p", 2), a.dims(), a.reduce()); },
       .cases = {{{normal({2, 3})}},
                 {{normal({2, 3, 4})}, {{"dims", {0, 2}}}},
                 {{normal({2, 3})}, {{"dims", {1}}, {"keepdim", {1}}}},
                 {{away_from_zero({2, 3})}, {{"p", {1}}, {"dims", {0}}}},
                 {{away_from_zero({2, 3})}, {{"p", {3}}}},
                 {{away_from_zero({2, 3})}, {{"p", {0}}, {"dims", {1}}}},
                 {{away_from_zero({5})}, {{"p", {2.5}}}},
                 {{away_from_zero({5})}, {{"p", {0.5}}}},
                 {{away_from_zero({2, 3})}, {{"p", {-2}}, {"dims", {-1}}}},
                 {{distinct({2, 3})}, {{"p", {infinity}}}},
                 {{distinct({2, 3, 2})}, {{"p", {-infinity}}, {"dims", {1}}}}},
       .bad_calls = {{[] { norm(zeros({2}), NAN); }, "norm: p must be a number, got nan"},
                     {[] {
                        norm(zeros({2, 3}), 2, {1, 1});
                      },
                      "norm: a dim is named twice: (1, 1)"}},
       .method = [](const Tensors& x, const Args& a) { return x[0].norm(a.number("p", 2), a.dims(), a.reduce()); }},
      {.name = "logsumexp",
       .call = [](const Tensors& x, const Args& a) { return logsumexp(x[0], a.dims(), a.reduce()); },
       .cases = {{{normal({4})}, {{"dims", {0}}}},
                 {{normal({2, 3})}, {{"dims", {1}}}},
                 {{normal({2, 3})}, {{"dims", {0}}, {"keepdim", {1}}}},
                 {{normal({2, 3, 4})}, {{"dims", {0, -1}}}}},
       .bad_calls = {{[] {
                        logsumexp(zeros({2, 3}), {1, 1});
                      },
                      "logsumexp: a dim is named twice: (1, 1)"}},
       .method = [](const Tensors& x, const Args& a) { return x[0].logsumexp(a.dims(), a.reduce()); }},
      {.name = "softmax",
       .call = [](const Tensors& x, const Args& a) { return softmax(x[0], a.integer("dim")); },
       .cases = one_dim_cases(Fill::normal),
       .bad_calls = {{[] {
                        softmax(zeros({2, 3}), 2);
                      },
                      "softmax: dim must be in [-2, 1] for a tensor of 2 dims, got 2"}},
       .method = [](const Tensors& x, const Args& a) { return x[0].softmax(a.integer("dim")); }},
      {.name = "softmin",
       .call = [](const Tensors& x, const Args& a) { return softmin(x[0], a.integer("dim")); },
       .cases = one_dim_cases(Fill::normal),
       .bad_calls = {{[] {
                        softmin(zeros({2, 3}), -3);
                      },
                      "softmin: dim must be in [-2, 1] for a tensor of 2 dims, got -3"}}},
      {.name = "log_softmax",
       .call = [](const Tensors& x, const Args& a) { return log_softmax(x[0], a.integer("dim")); },
       .cases = one_dim_cases(Fill::normal),
       .bad_calls = {{[] {
                        log_softmax(tensor({1, 2}), 0);
                      },
                      "log_softmax: a floating dtype is needed, got int64"}},
       .method = [](const Tensors& x, const Args& a) { return x[0].log_softmax(a.integer("dim")); }},
  };
  add_extremes(rows, "max", max, max, argmax);
  add_extremes(rows, "min", min, min, argmin);
  return rows;
}

}  // namespace gradus::test
