#include "ops/op_table.hpp"

namespace gradus::test {
namespace {

using Op = Tensor (*)(const Tensor&);
using Method = Tensor (Tensor::*)() const;
using InPlace = Tensor& (Tensor::*)();
using Maker = Input (*)(const Shape&);

// An op on one tensor; `make` keeps its inputs off kinks and poles.
Row unary(const std::string& name, Op op, Maker make, Method method = nullptr, InPlace in_place = nullptr) {
  Row row{.name = name,
          .call = [op](const Tensors& x, const Args&) { return op(x[0]); },
          .cases = {{{make({2, 3})}}, {{make({37})}}},
          .bad_calls = {{[op] { op(tensor({true})); }, name + ": a numeric dtype is needed, got bool"}},
          .elementwise = true};
  if (method) row.method = [method](const Tensors& x, const Args&) { return (x[0].*method)(); };
  if (in_place)
    row.in_place = [in_place](Tensor& y, const Tensors&, const Args&) -> Tensor& { return (y.*in_place)(); };
  return row;
}

}  // namespace

std::vector<Row> pointwise_rows() {
  return {
      unary("neg", neg, normal, &Tensor::neg, &Tensor::neg_),
      unary("abs", abs, away_from_zero, &Tensor::abs),
      unary("sign", sign, away_from_zero, &Tensor::sign),
      unary("square", square, normal, &Tensor::square),
      unary("sqrt", sqrt, positive, &Tensor::sqrt, &Tensor::sqrt_),
      unary("exp", exp, normal, &Tensor::exp, &Tensor::exp_),
      unary("log", log, positive, &Tensor::log),
      unary("sin", sin, normal, &Tensor::sin),
      unary("cos", cos, normal, &Tensor::cos),
      unary("tanh", tanh, normal, &Tensor::tanh, &Tensor::tanh_),
      unary("sigmoid", sigmoid, normal, &Tensor::sigmoid, &Tensor::sigmoid_),
      unary("relu", relu, away_from_zero, &Tensor::relu, &Tensor::relu_),
      unary("gelu", gelu, normal),
      unary("softplus", softplus, normal),
      {.name = "clamp",
       .call = [](const Tensors& x,
                  const Args& a) { return clamp(x[0], a.maybe_number("min"), a.maybe_number("max")); },
       .cases = {{{distinct({4, 5})}, {{"min", {-0.6}}, {"max", {0.3}}}},
                 {{distinct({4, 5})}, {{"min", {0.1}}}},
                 {{distinct({4, 5})}, {{"max", {-0.1}}}}},
       .bad_calls = {{[] { clamp(zeros({2}), {}, {}); }, "clamp: at least one of min and max is needed"}},
       .elementwise = true,
       .method = [](const Tensors& x,
                    const Args& a) { return x[0].clamp(a.maybe_number("min"), a.maybe_number("max")); },
       .in_place = [](Tensor& y, const Tensors&, const Args& a) -> Tensor& {
         return y.clamp_(a.maybe_number("min"), a.maybe_number("max"));
       }},
      {.name = "where",
       .call = [](const Tensors& x, const Args&) { return where(x[0], x[1], x[2]); },
       .cases = {{{mask({2, 3}), normal({2, 3}), normal({2, 3})}},
                 {{mask({3}), normal({2, 3}), normal({2, 1})}},
                 {{mask({2, 1}), normal({3}), normal({})}}},
       .elementwise = true,
       .broadcasts = true},
      {.name = "where:b",
       .call = [](const Tensors& x, const Args& a) { return where(x[0], x[1], a.number("b")); },
       .cases = {{{mask({2, 3}), normal({2, 3})}, {{"b", {-7}}}}, {{mask({3}), normal({2, 3})}, {{"b", {0.5}}}}},
       .elementwise = true,
       .broadcasts = true},
      {.name = "where:a",
       .call = [](const Tensors& x, const Args& a) { return where(x[0], a.number("a"), x[1]); },
       .cases = {{{mask({2, 3}), normal({2, 3})}, {{"a", {-7}}}}, {{mask({2, 1}), normal({3})}, {{"a", {0.5}}}}},
       .elementwise = true,
       .broadcasts = true},
  };
}

}  // namespace gradus::test
