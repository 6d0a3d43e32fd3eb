#include "ops/op_table.hpp"

namespace gradus::test {

std::vector<Row> arithmetic_rows() {
  return {
      {.name = "add",
       .call = [](const Tensors& x, const Args& a) { return add(x[0], x[1], a.number("alpha", 1)); },
       .cases = {{{normal({2, 3}), normal({2, 3})}}, {{normal({2, 3}), normal({3})}, {{"alpha", {-0.5}}}}},
       .elementwise = true,
       .broadcasts = true,
       .method = [](const Tensors& x, const Args& a) { return x[0].add(x[1], a.number("alpha", 1)); },
       .in_place = [](Tensor& y, const Tensors& x, const Args& a) -> Tensor& {
         return y.add_(x[1], a.number("alpha", 1));
       }},
      {.name = "sub",
       .call = [](const Tensors& x, const Args& a) { return sub(x[0], x[1], a.number("alpha", 1)); },
       .cases = {{{normal({2, 3}), normal({2, 3})}}, {{normal({2, 3}), normal({2, 1})}, {{"alpha", {3}}}}},
       .elementwise = true,
       .broadcasts = true,
       .method = [](const Tensors& x, const Args& a) { return x[0].sub(x[1], a.number("alpha", 1)); },
       .in_place = [](Tensor& y, const Tensors& x, const Args& a) -> Tensor& {
         return y.sub_(x[1], a.number("alpha", 1));
       }},
      {.name = "mul",
       .call = [](const Tensors& x, const Args&) { return mul(x[0], x[1]); },
       .cases = {{{normal({2, 3}), normal({2, 3})}}, {{normal({4, 5}), normal({5})}}, {{normal({70}), normal({70})}}},
       .elementwise = true,
       .broadcasts = true,
       .method = [](const Tensors& x, const Args&) { return x[0].mul(x[1]); },
       .in_place = [](Tensor& y, const Tensors& x, const Args&) -> Tensor& { return y.mul_(x[1]); }},
      {.name = "div",
       .call = [](const Tensors& x, const Args&) { return div(x[0], x[1]); },
       .cases = {{{normal({2, 3}), away_from_zero({2, 3})}}, {{normal({4, 5}), away_from_zero({4, 1})}}},
       .elementwise = true,
       .broadcasts = true,
       .method = [](const Tensors& x, const Args&) { return x[0].div(x[1]); },
       .in_place = [](Tensor& y, const Tensors& x, const Args&) -> Tensor& { return y.div_(x[1]); }},
      {.name = "pow",
       .call = [](const Tensors& x, const Args&) { return pow(x[0], x[1]); },
       .cases = {{{positive({2, 3}), normal({2, 3})}}, {{positive({2, 3}), normal({3})}}},
       .elementwise = true,
       .broadcasts = true},
      {.name = "pow:exponent",
       .call = [](const Tensors& x, const Args& a) { return pow(x[0], a.number("exponent")); },
       .cases = {{{positive({2, 3})}, {{"exponent", {2.5}}}},
                 {{normal({2, 3})}, {{"exponent", {3}}}},
                 {{normal({2, 3})}, {{"exponent", {2}}}},
                 {{normal({2, 3})}, {{"exponent", {1}}}},
                 {{normal({2, 3})}, {{"exponent", {0}}}},
                 {{away_from_zero({2, 3})}, {{"exponent", {-2}}}},
                 {{positive({5})}, {{"exponent", {0.5}}}}},
       .bad_calls = {{[] {
                        pow(tensor({1, 2}), 0.5);
                      },
                      "pow: the scalar 0.5 is no integer, but the tensor is int64; convert it with to(float32)"}},
       .elementwise = true,
       .method = [](const Tensors& x, const Args& a) { return x[0].pow(a.number("exponent")); },
       .in_place = [](Tensor& y, const Tensors&, const Args& a) -> Tensor& { return y.pow_(a.number("exponent")); }},
      {.name = "pow:base",
       .call = [](const Tensors& x, const Args& a) { return pow(a.number("base"), x[0]); },
       .cases = {{{normal({2, 3})}, {{"base", {2}}}}, {{normal({2, 3})}, {{"base", {0.5}}}}},
       .bad_calls = {{[] {
                        pow(0.5, tensor({1, 2}));
                      },
                      "pow: the scalar 0.5 is no integer, but the tensor is int64; convert it with to(float32)"}},
       .elementwise = true},
      {.name = "maximum",
       .call = [](const Tensors& x, const Args&) { return maximum(x[0], x[1]); },
       .cases = {{{distinct({2, 3}), distinct({2, 3})}}, {{distinct({4, 5}), distinct({5})}}},
       .elementwise = true,
       .broadcasts = true},
      {.name = "minimum",
       .call = [](const Tensors& x, const Args&) { return minimum(x[0], x[1]); },
       .cases = {{{distinct({2, 3}), distinct({2, 3})}}, {{distinct({4, 5}), distinct({4, 1})}}},
       .elementwise = true,
       .broadcasts = true},
  };
}

}  // namespace gradus::test
