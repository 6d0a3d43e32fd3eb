#include "ops/op_table.hpp"

namespace gradus::test {
namespace {

using Op = Tensor (*)(const Tensor&);
using Method = Tensor (Tensor::*)() const;
using Maker = Input (*)(const Shape&);

// A function of one floating tensor; `make` keeps its inputs off kinks and poles.
Row unary(const std::string& name, Op op, Maker make, Method method) {
  return {.name = name,
          .call = [op](const Tensors& x, const Args&) { return op(x[0]); },
          .cases = {{{make({2, 3})}}, {{make({37})}}},
          .bad_calls = {{[op] { op(Tensor()); }, "tensor: an undefined tensor was used"}},
          .elementwise = true,
          .method = [method](const Tensors& x, const Args&) { return (x[0].*method)(); }};
}

Row refusing(Row row, const Tensor& input, const std::string& message) {
  row.bad_calls.push_back({[call = row.call, input] { call({input}, {}); }, row.name + message});
  return row;
}

// Not for integers.
Row floating(const std::string& name, Op op, Maker make, Method method) {
  return refusing(unary(name, op, make, method), tensor({1}), ": a floating dtype is needed, got int64");
}

Row rounding(const std::string& name, Op op, Method method) {
  return refusing(unary(name, op, distinct, method), tensor({true}), ": a floating dtype is needed, got bool");
}

}  // namespace

std::vector<Row> function_rows() {
  return {
      floating("exp2", exp2, normal, &Tensor::exp2),
      floating("expm1", expm1, normal, &Tensor::expm1),
      floating("log1p", log1p, fraction, &Tensor::log1p),
      floating("log2", log2, positive, &Tensor::log2),
      floating("log10", log10, positive, &Tensor::log10),
      floating("rsqrt", rsqrt, positive, &Tensor::rsqrt),
      unary("reciprocal", reciprocal, away_from_zero, &Tensor::reciprocal),
      floating("erf", erf, normal, &Tensor::erf),
      floating("tan", tan, fraction, &Tensor::tan),
      floating("asin", asin, fraction, &Tensor::asin),
      floating("acos", acos, fraction, &Tensor::acos),
      floating("atan", atan, normal, &Tensor::atan),
      floating("sinh", sinh, normal, &Tensor::sinh),
      floating("cosh", cosh, normal, &Tensor::cosh),
      rounding("floor", floor, &Tensor::floor),
      rounding("ceil", ceil, &Tensor::ceil),
      rounding("round", round, &Tensor::round),
      rounding("trunc", trunc, &Tensor::trunc),
      {.name = "atan2",
       .call = [](const Tensors& x, const Args&) { return atan2(x[0], x[1]); },
       .cases = {{{away_from_zero({2, 3}), away_from_zero({2, 3})}}, {{away_from_zero({3}), positive({2, 1})}}},
       .bad_calls = {{[] { atan2(tensor({1}), tensor({2})); }, "atan2: a floating dtype is needed, got int64"}},
       .elementwise = true,
       .broadcasts = true,
       .method = [](const Tensors& x, const Args&) { return x[0].atan2(x[1]); }},
      {.name = "remainder",
       .call = [](const Tensors& x, const Args&) { return remainder(x[0], x[1]); },
       .cases = {{{distinct({2, 3}), away_from_zero({2, 3})}}, {{distinct({4, 5}), positive({5})}}},
       .bad_calls = {{[] {
                        remainder(tensor({1, 2}), tensor({3, 0}));
                      },
                      "remainder: an int64 divisor is 0"},
                     {[] { remainder(tensor({true}), tensor({true})); },
                      "remainder: a numeric dtype is needed, got bool"}},
       .elementwise = true,
       .broadcasts = true,
       .method = [](const Tensors& x, const Args&) { return x[0].remainder(x[1]); }},
      {.name = "remainder:scalar",
       .call = [](const Tensors& x, const Args& a) { return remainder(x[0], a.number("b")); },
       .cases = {{{distinct({2, 3})}, {{"b", {1.5}}}}, {{distinct({4, 5})}, {{"b", {-0.75}}}}},
       .bad_calls = {{[] {
                        remainder(tensor({1, 2}), 0);
                      },
                      "remainder: an int64 divisor is 0"},
                     {[] {
                        remainder(tensor({1, 2}), 0.5);
                      },
                      "remainder: the scalar 0.5 is no integer, but the tensor is int64; convert it with to(float32)"}},
       .elementwise = true,
       .method = [](const Tensors& x, const Args& a) { return x[0].remainder(a.number("b")); }},
      {.name = "lerp",
       .call = [](const Tensors& x, const Args&) { return lerp(x[0], x[1], x[2]); },
       .cases = {{{normal({2, 3}), normal({2, 3}), normal({2, 3})}}, {{normal({3}), normal({2, 3}), positive({2, 1})}}},
       .bad_calls = {{[] { lerp(tensor({1}), tensor({2}), tensor({3})); },
                      "lerp: a floating dtype is needed, got int64"}},
       .elementwise = true,
       .broadcasts = true,
       .method = [](const Tensors& x, const Args&) { return x[0].lerp(x[1], x[2]); }},
      {.name = "lerp:scalar",
       .call = [](const Tensors& x, const Args& a) { return lerp(x[0], x[1], a.number("weight")); },
       .cases = {{{normal({2, 3}), normal({2, 3})}, {{"weight", {0.25}}}},
                 {{normal({3}), normal({2, 3})}, {{"weight", {0.875}}}}},
       .bad_calls = {{[] { lerp(zeros({1}), tensor({2}), 0.5); }, "lerp: dtypes differ: float32 and int64"}},
       .elementwise = true,
       .broadcasts = true,
       .method = [](const Tensors& x, const Args& a) { return x[0].lerp(x[1], a.number("weight")); }},
  };
}

}  // namespace gradus::test
