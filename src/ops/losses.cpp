// Distances. Where a fused kernel pays, the value has one; its derivative falls back to ops when it is itself recorded.

#include "autograd/record.hpp"
#include "gradus/ops.hpp"
#include "kernels/kernels.hpp"
#include "ops/copy.hpp"
#include "ops/loss.hpp"

namespace gradus {
namespace {

using kernels::table;

// g * factor * (a - b), g 0-d: the derivative of a squared distance.
Tensor scaled_difference(const Tensor& a, const Tensor& b, const Tensor& g, double factor) {
  if (grad_enabled) return (a - b) * (g * factor);
  Tensor out = make_tensor(a.shape(), a.dtype());
  const Tensor x = dense(a);
  const Tensor y = dense(b);
  dispatch_floating("mse_loss", a.dtype(), [&]<class T>() {
    const T scale = static_cast<T>(factor * g.item());
    table<T>().scaled_difference(data_of<T>(out), data_of<T>(x), data_of<T>(y), scale, a.numel());
  });
  return out;
}

Tensor squared_distance(const Tensor& input, const Tensor& target, double scale) {
  const Tensor a = dense(input);
  const Tensor b = dense(target);
  Tensor out = make_tensor({}, input.dtype());
  dispatch_floating("mse_loss", input.dtype(), [&]<class T>() {
    *data_of<T>(out) = static_cast<T>(scale * table<T>().squared_distance(data_of<T>(a), data_of<T>(b), a.numel()));
  });
  return out;
}

}  // namespace

Tensor mse_loss(const Tensor& input, const Tensor& target, const LossOptions& options) {
  check_same_dtype("mse_loss", input, target);
  check_reduction("mse_loss", options.reduction);
  if (options.reduction == Reduction::none || input.shape() != target.shape() || input.numel() == 0) {
    broadcast_shapes("mse_loss", input.shape(), target.shape());
    return reduced("mse_loss", square(input - target), options.reduction);
  }
  const double scale = options.reduction == Reduction::mean ? 1.0 / static_cast<double>(input.numel()) : 1.0;
  const auto vjp = [scale](const Tensor& a, const Tensor& b) {
    return [a = Saved(a), b = Saved(b), scale](const Tensor& g) { return scaled_difference(a, b, g, 2 * scale); };
  };
  return record("mse_loss", squared_distance(input, target, scale), wrt(input, vjp(input, target)),
                wrt(target, vjp(target, input)));
}

Tensor l1_loss(const Tensor& input, const Tensor& target, const LossOptions& options) {
  check_pair("l1_loss", input, target);
  return reduced("l1_loss", abs(input - target), options.reduction);
}

}  // namespace gradus
