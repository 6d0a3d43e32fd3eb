// Functions of one tensor: the value, and next to it the derivative.

#include "autograd/observer.hpp"
#include "autograd/record.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "ops/derivatives.hpp"
#include "ops/elementwise.hpp"

namespace gradus {

using kernels::Unary;

Tensor neg(const Tensor& x) {
  return record("neg", apply("neg", Unary::neg, x), wrt(x, [](const Tensor& g) { return -g; }));
}

Tensor abs(const Tensor& x) {
  note_branches("abs", [&] { return sign(x); });
  return record("abs", apply("abs", Unary::abs, x), wrt(x, [x = Saved(x)](const Tensor& g) { return g * sign(x); }));
}

Tensor sign(const Tensor& x) {
  const Tensor y = apply("sign", Unary::sign, x);
  note_branches("sign", [&] { return y; });
  return record("sign", y, wrt(x, [](const Tensor& g) { return zeros_like(g); }));
}

Tensor square(const Tensor& x) {
  return record("square", apply("square", Unary::square, x),
                wrt(x, [x = Saved(x)](const Tensor& g) { return g * (2.0 * x); }));
}

Tensor sqrt(const Tensor& x) {
  return record("sqrt", apply("sqrt", Unary::sqrt, x),
                wrt(x, [](const Tensor& g, const Tensor& y) { return g / (2.0 * y); }));
}

Tensor exp(const Tensor& x) {
  return record("exp", apply("exp", Unary::exp, x), wrt(x, [](const Tensor& g, const Tensor& y) { return g * y; }));
}

Tensor log(const Tensor& x) {
  return record("log", apply("log", Unary::log, x), wrt(x, [x = Saved(x)](const Tensor& g) { return g / x; }));
}

Tensor sin(const Tensor& x) {
  return record("sin", apply("sin", Unary::sin, x), wrt(x, [x = Saved(x)](const Tensor& g) { return g * cos(x); }));
}

Tensor cos(const Tensor& x) {
  return record("cos", apply("cos", Unary::cos, x), wrt(x, [x = Saved(x)](const Tensor& g) { return -(g * sin(x)); }));
}

Tensor tanh(const Tensor& x) {
  return record("tanh", apply("tanh", Unary::tanh, x),
                wrt(x, [](const Tensor& g, const Tensor& y) { return tanh_backward(g, y); }));
}

Tensor sigmoid(const Tensor& x) {
  return record("sigmoid", apply("sigmoid", Unary::sigmoid, x),
                wrt(x, [](const Tensor& g, const Tensor& y) { return sigmoid_backward(g, y); }));
}

Tensor relu(const Tensor& x) {
  note_branches("relu", [&] { return sign(x); });
  return record("relu", apply("relu", Unary::relu, x),
                wrt(x, [](const Tensor& g, const Tensor& y) { return relu_backward(g, y); }));
}

Tensor gelu(const Tensor& x) {
  return record("gelu", apply("gelu", Unary::gelu, x),
                wrt(x, [x = Saved(x)](const Tensor& g) { return gelu_backward(g, x); }));
}

Tensor softplus(const Tensor& x) {
  return record("softplus", apply("softplus", Unary::softplus, x),
                wrt(x, [x = Saved(x)](const Tensor& g) { return softplus_backward(g, x); }));
}

Tensor clamp(const Tensor& x, std::optional<double> min, std::optional<double> max) {
  if (!min && !max) fail("clamp: at least one of min and max is needed");
  note_branches("clamp", [&] { return sign(x - min.value_or(0)) + 3 * sign(x - max.value_or(0)); });
  Tensor y = min ? apply("clamp", kernels::Binary::maximum, x, *min) : x;
  if (max) y = apply("clamp", kernels::Binary::minimum, y, *max);
  return record("clamp", y, wrt(x, [x = Saved(x), min, max](const Tensor& g) {
                  Tensor inside = min ? where(ge(x, *min), g, 0.0) : g;
                  return max ? where(le(x, *max), inside, 0.0) : inside;
                }));
}

}  // namespace gradus
