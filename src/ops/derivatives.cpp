#include "ops/derivatives.hpp"

#include <cmath>
#include <numbers>

#include "autograd/record.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "ops/elementwise.hpp"

namespace gradus {

using kernels::Binary;

Tensor relu_backward(const Tensor& g, const Tensor& y) {
  return record("relu_backward", apply("relu_backward", Binary::relu_backward, g, y),
                wrt(g, [y = Saved(y)](const Tensor& gg) { return relu_backward(gg, y); }),
                wrt(y, [](const Tensor& gg) { return zeros_like(gg); }));
}

Tensor tanh_backward(const Tensor& g, const Tensor& y) {
  return record("tanh_backward", apply("tanh_backward", Binary::tanh_backward, g, y),
                wrt(g, [y = Saved(y)](const Tensor& gg) { return tanh_backward(gg, y); }),
                wrt(y, [g = Saved(g), y = Saved(y)](const Tensor& gg) { return -2.0 * gg * g * y; }));
}

Tensor sigmoid_backward(const Tensor& g, const Tensor& y) {
  return record("sigmoid_backward", apply("sigmoid_backward", Binary::sigmoid_backward, g, y),
                wrt(g, [y = Saved(y)](const Tensor& gg) { return sigmoid_backward(gg, y); }),
                wrt(y, [g = Saved(g), y = Saved(y)](const Tensor& gg) { return gg * g * (1.0 - 2.0 * y); }));
}

Tensor gelu_backward(const Tensor& g, const Tensor& x) {
  return record("gelu_backward", apply("gelu_backward", Binary::gelu_backward, g, x),
                wrt(g, [x = Saved(x)](const Tensor& gg) { return gelu_backward(gg, x); }),
                wrt(x, [g = Saved(g), x = Saved(x)](const Tensor& gg) {
                  // (x Phi(x))'' = (2 - x^2) phi(x)
                  const Tensor phi = exp(-0.5 * square(x)) * (0.5 * std::numbers::inv_sqrtpi * std::numbers::sqrt2);
                  return gg * g * (2.0 - square(x)) * phi;
                }));
}

Tensor softplus_backward(const Tensor& g, const Tensor& x) {
  return record(
      "softplus_backward", apply("softplus_backward", Binary::softplus_backward, g, x),
      wrt(g, [x = Saved(x)](const Tensor& gg) { return softplus_backward(gg, x); }),
      wrt(x, [g = Saved(g), x = Saved(x)](const Tensor& gg) { return sigmoid_backward(gg * g, sigmoid(x)); }));
}

}  // namespace gradus
