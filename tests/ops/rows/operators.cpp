#include "ops/op_table.hpp"

namespace gradus::test {
namespace {

using Call = std::function<Tensor(const Tensors&, const Args&)>;
using InPlace = std::function<Tensor&(Tensor&, const Tensors&, const Args&)>;

Row binary(const std::string& name, const Call& call, const InPlace& in_place) {
  return {.name = name,
          .call = call,
          .cases = {{{normal({2, 3}), away_from_zero({2, 3})}}},
          .elementwise = true,
          .broadcasts = true,
          .in_place = in_place};
}

Row unary(const std::string& name, const Call& call, const InPlace& in_place = {}) {
  return {.name = name,
          .call = call,
          .cases = {{{away_from_zero({2, 3})}}},
          .bad_calls = {{[call] { call({Tensor()}, {}); }, "tensor: an undefined tensor was used"}},
          .elementwise = true,
          .in_place = in_place};
}

}  // namespace

std::vector<Row> operator_rows() {
  return {
      unary("add:scalar", [](const Tensors& x, const Args&) { return add(x[0], 1.5); }),
      unary("sub:scalar", [](const Tensors& x, const Args&) { return x[0].sub(1.5); }),
      unary("mul:scalar", [](const Tensors& x, const Args&) { return x[0].mul(-2.5); }),
      unary("div:scalar", [](const Tensors& x, const Args&) { return div(x[0], 2.5); }),
      unary("operator-:negative", [](const Tensors& x, const Args&) { return -x[0]; }),
      binary(
          "operator+", [](const Tensors& x, const Args&) { return x[0] + x[1]; },
          [](Tensor& y, const Tensors& x, const Args&) -> Tensor& { return y += x[1]; }),
      unary(
          "operator+:right", [](const Tensors& x, const Args&) { return x[0] + 1.5; },
          [](Tensor& y, const Tensors&, const Args&) -> Tensor& { return y += 1.5; }),
      unary(
          "operator+:left", [](const Tensors& x, const Args&) { return 1.5 + x[0]; },
          [](Tensor& y, const Tensors&, const Args&) -> Tensor& { return y.add_(1.5); }),
      binary(
          "operator-", [](const Tensors& x, const Args&) { return x[0] - x[1]; },
          [](Tensor& y, const Tensors& x, const Args&) -> Tensor& { return y -= x[1]; }),
      unary(
          "operator-:right", [](const Tensors& x, const Args&) { return x[0] - 1.5; },
          [](Tensor& y, const Tensors&, const Args&) -> Tensor& { return y -= 1.5; }),
      unary("operator-:left", [](const Tensors& x, const Args&) { return 1.5 - x[0]; }),
      binary(
          "operator*", [](const Tensors& x, const Args&) { return x[0] * x[1]; },
          [](Tensor& y, const Tensors& x, const Args&) -> Tensor& { return y *= x[1]; }),
      unary(
          "operator*:right", [](const Tensors& x, const Args&) { return x[0] * 1.5; },
          [](Tensor& y, const Tensors&, const Args&) -> Tensor& { return y *= 1.5; }),
      unary(
          "operator*:left", [](const Tensors& x, const Args&) { return 1.5 * x[0]; },
          [](Tensor& y, const Tensors&, const Args&) -> Tensor& { return y.mul_(1.5); }),
      binary(
          "operator/", [](const Tensors& x, const Args&) { return x[0] / x[1]; },
          [](Tensor& y, const Tensors& x, const Args&) -> Tensor& { return y /= x[1]; }),
      unary(
          "operator/:right", [](const Tensors& x, const Args&) { return x[0] / 1.5; },
          [](Tensor& y, const Tensors&, const Args&) -> Tensor& { return y /= 1.5; }),
      unary("operator/:left", [](const Tensors& x, const Args&) { return 1.5 / x[0]; }),
  };
}

}  // namespace gradus::test
