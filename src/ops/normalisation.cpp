#include "ops/normalisation.hpp"

#include "gradus/autograd.hpp"
#include "gradus/ops.hpp"
#include "storage/format.hpp"

namespace gradus {

void check_norm_input(const char* op, const Tensor& x) {
  if (!is_floating_point(x.dtype())) fail("{}: a floating dtype is needed, got {}", op, x.dtype());
}

void check_affine(const char* op, const Tensor& x, const char* what, const Tensor& weight, const Shape& shape) {
  if (!weight.defined()) return;
  if (weight.dtype() != x.dtype()) {
    fail("{}: dtypes differ: {} and {}; convert one with to()", op, x.dtype(), weight.dtype());
  }
  if (weight.shape() != shape) fail("{}: the {} must be {}, got {}", op, what, shape, weight.shape());
}

void composed_norm_backward(const Tensor& g, const Tensor& x, const Tensor& weight, const NormLayout& layout,
                            double eps, Gradients& gradients) {
  const ReduceOptions keep{.keepdim = true};
  const Tensor slope = reshape(g, layout.view), values = reshape(x, layout.view);
  const Tensor centered = layout.centered ? values - mean(values, layout.over, keep) : values;
  const Tensor rstd = rsqrt(mean(square(centered), layout.over, keep) + eps);
  const Tensor y = centered * rstd;
  const auto of_weights = [&](const Tensor& t) { return reshape(sum(t, layout.repeated, keep), layout.weights); };
  if (gradients.wanted(0)) {
    const Tensor h = weight.defined() ? slope * reshape(weight, layout.affine) : slope;
    Tensor dx = h - y * mean(h * y, layout.over, keep);
    if (layout.centered) dx = dx - mean(h, layout.over, keep);
    gradients[0] = reshape(dx * rstd, x.shape());
  }
  if (gradients.wanted(1)) gradients[1] = of_weights(slope * y);
  if (gradients.wanted(2)) gradients[2] = of_weights(slope);
}

void update_running(const Tensor& running, const Tensor& value, double momentum, double factor) {
  const NoGrad guard;
  Tensor target = running.detach();
  target.mul_(1 - momentum).add_(value, momentum * factor);
}

}  // namespace gradus
