#include "ops/op_table.hpp"

namespace gradus::test {
namespace {

using Compare = Tensor (*)(const Tensor&, const Tensor&);
using CompareScalar = Tensor (*)(const Tensor&, double);

void add_rows(std::vector<Row>& rows, const std::string& name, Compare compare, CompareScalar compare_scalar) {
  rows.push_back(
      {.name = name,
       .call = [compare](const Tensors& x, const Args&) { return compare(x[0], x[1]); },
       .cases = {{{index({2, 3}, 3), index({2, 3}, 3)}}, {{normal({4, 5}), normal({5})}}, {{mask({4}), mask({4})}}},
       .elementwise = true,
       .broadcasts = true,
       .differentiable = false});
  rows.push_back(
      {.name = name + ":scalar",
       .call = [compare_scalar](const Tensors& x, const Args& a) { return compare_scalar(x[0], a.number("b")); },
       .cases = {{{index({2, 3}, 3)}, {{"b", {1}}}}, {{normal({4, 5})}, {{"b", {0.25}}}}},
       .bad_calls = {{[compare_scalar] { compare_scalar(Tensor(), 1); }, "tensor: an undefined tensor was used"}},
       .elementwise = true,
       .differentiable = false});
}

void add_operator_rows(std::vector<Row>& rows, const std::string& name, Compare compare, CompareScalar right,
                       Tensor (*left)(double, const Tensor&)) {
  rows.push_back({.name = name,
                  .call = [compare](const Tensors& x, const Args&) { return compare(x[0], x[1]); },
                  .cases = {{{normal({2, 3}), normal({2, 3})}}, {{index({2, 3}, 3), index({3}, 3)}}},
                  .elementwise = true,
                  .broadcasts = true,
                  .differentiable = false});
  const auto add = [&](const std::string& side, const std::function<Tensor(const Tensor&)>& call) {
    rows.push_back({.name = name + side,
                    .call = [call](const Tensors& x, const Args&) { return call(x[0]); },
                    .cases = {{{index({2, 3}, 3)}}, {{normal({4, 5})}}},
                    .bad_calls = {{[call] { call(Tensor()); }, "tensor: an undefined tensor was used"}},
                    .elementwise = true,
                    .differentiable = false});
  };
  add(":right", [right](const Tensor& x) { return right(x, 1); });
  add(":left", [left](const Tensor& x) { return left(1, x); });
}

}  // namespace

std::vector<Row> comparison_rows() {
  std::vector<Row> rows;
  add_rows(rows, "eq", eq, eq);
  add_rows(rows, "ne", ne, ne);
  add_rows(rows, "lt", lt, lt);
  add_rows(rows, "le", le, le);
  add_rows(rows, "gt", gt, gt);
  add_rows(rows, "ge", ge, ge);
  add_operator_rows(rows, "operator<", operator<, operator<, operator<);
  add_operator_rows(rows, "operator<=", operator<=, operator<=, operator<=);
  add_operator_rows(rows, "operator>", operator>, operator>, operator>);
  add_operator_rows(rows, "operator>=", operator>=, operator>=, operator>=);
  rows.push_back(
      {.name = "allclose",
       .call = [](const Tensors& x, const Args&) { return tensor(allclose(x[0], x[1])); },
       .cases = {{{normal({2, 3}), normal({2, 3})}}},
       .bad_calls = {{[] { allclose(zeros({2}), zeros({3})); }, "allclose: shapes do not broadcast: (2,) and (3,)"}},
       .differentiable = false});
  rows.push_back({.name = "equal",
                  .call = [](const Tensors& x, const Args&) { return tensor(equal(x[0], x[1])); },
                  .cases = {{{normal({2, 3}), normal({2, 3})}}, {{index({4}, 2), index({4}, 2)}}},
                  .bad_calls = {{[] { equal(zeros({2}), zeros({2}, {.dtype = float64})); },
                                 "equal: dtypes differ: float32 and float64"}},
                  .differentiable = false});
  return rows;
}

}  // namespace gradus::test
