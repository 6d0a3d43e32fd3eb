#include "ops/linear.hpp"

#include "autograd/observer.hpp"
#include "autograd/record.hpp"
#include "gradus/ops.hpp"
#include "ops/copy.hpp"
#include "ops/derivatives.hpp"
#include "ops/products.hpp"
#include "ops/rows.hpp"

namespace gradus {
namespace {

using kernels::Activation;

void check_linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  if (weight.dim() != 2 || x.dim() == 0 || x.size(-1) != weight.size(1)) {
    fail("linear: the last dim of x must be that of the weight (out, in): {} and {}", x.shape(), weight.shape());
  }
  check_product_dtypes("linear", x, weight);
  if (!bias.defined()) return;
  check_product_dtypes("linear", x, bias);
  if (bias.shape() != Shape{weight.size(0)})
    fail("linear: the bias must be {}, got {}", Shape{weight.size(0)}, bias.shape());
}

// activation(x W^T + b) for (batch, in): GEMM, then one pass while the result is warm.
Tensor value(const Tensor& x, const Tensor& weight, const Tensor& bias, Activation activation) {
  Tensor y = product(x, false, weight, true);
  if (!bias.defined() && activation == Activation::identity) return y;
  const Tensor b = bias.defined() ? dense(bias) : bias;
  const std::int64_t cols = y.shape()[1];
  dispatch_floating("linear", x.dtype(), [&]<class T>() {
    const auto finish = kernels::table<T>().bias_activation[static_cast<std::size_t>(activation)];
    const T* const addend = b.defined() ? data_of<T>(b) : nullptr;
    T* const rows = data_of<T>(y);
    kernels::parallel_for(
        0, y.shape()[0], std::max<std::int64_t>(1, parallel_grain / std::max<std::int64_t>(1, cols)),
        [=](std::int64_t begin, std::int64_t end) { finish(rows + begin * cols, addend, end - begin, cols); });
  });
  return y;
}

Tensor record_linear(Tensor y, const Tensor& x, const Tensor& weight, const Tensor& bias) {
  return record("linear", std::move(y), wrt(x, [w = Saved(weight)](const Tensor& g) { return mm(g, false, w, false); }),
                wrt(weight, [x = Saved(x)](const Tensor& g) { return mm(g, true, x, false); }),
                wrt(bias, [](const Tensor& g) { return g; }));
}

}  // namespace

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  check_linear(x, weight, bias);
  if (x.dim() == 2) return record_linear(value(x, weight, bias, Activation::identity), x, weight, bias);
  Shape shape = x.shape();
  shape[shape.size() - 1] = 1;
  const std::int64_t rows = shape.numel();
  shape[shape.size() - 1] = weight.size(0);
  return reshape(linear(reshape(x, {rows, weight.size(1)}), weight, bias), shape);
}

Tensor linear_activation(const Tensor& x, const Tensor& weight, const Tensor& bias, Activation activation) {
  check_linear(x, weight, bias);
  const bool fused = x.dim() == 2 && observer == nullptr;  // an observer is to see both ops
  const Tensor y = fused ? value(x, weight, bias, activation) : linear(x, weight, bias);
  // The sum before the activation is never stored: its node hangs on an alias of the result, whose values nobody reads.
  const Tensor z = fused ? record_linear(alias(y), x, weight, bias) : y;
  switch (activation) {
    case Activation::relu:
      return fused ? record("relu", y, wrt(z, [](const Tensor& g, const Tensor& v) { return relu_backward(g, v); }))
                   : relu(z);
    case Activation::tanh:
      return fused ? record("tanh", y, wrt(z, [](const Tensor& g, const Tensor& v) { return tanh_backward(g, v); }))
                   : tanh(z);
    case Activation::sigmoid:
      return fused
                 ? record("sigmoid", y, wrt(z, [](const Tensor& g, const Tensor& v) { return sigmoid_backward(g, v); }))
                 : sigmoid(z);
    default:
      fail("linear_activation: this activation cannot be fused");
  }
}

}  // namespace gradus
