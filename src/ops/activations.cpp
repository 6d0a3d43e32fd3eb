// Activations beyond relu, tanh, sigmoid, gelu and softplus, made of the kernels of those.

#include <algorithm>
#include <cmath>

#include "autograd/observer.hpp"
#include "autograd/record.hpp"
#include "gradus/ops.hpp"
#include "ops/derivatives.hpp"
#include "ops/elementwise.hpp"
#include "ops/map.hpp"

namespace gradus {

using kernels::Binary;
using kernels::Unary;

namespace {

void check_floating(const char* op, const Tensor& x) {
  if (!is_floating_point(x.dtype())) fail("{}: a floating dtype is needed, got {}", op, x.dtype());
}

// min(x, 0). What differs on both sides of 0 is the sum of a function of max(x, 0) and one of this: no branch.
Tensor negative_part(const char* op, const Tensor& x) {
  check_floating(op, x);
  return apply(op, Binary::minimum, x, 0.0);
}

// scale * (x > 0 ? x : alpha (e^(x / divisor) - 1)), whose slope jumps at 0 unless alpha is the divisor.
Tensor exponential_linear(const char* op, const Tensor& x, double alpha, double scale, double divisor = 1) {
  const Tensor negative = negative_part(op, x);
  if (divisor != 1) apply_into(negative, op, Binary::div, negative, divisor);
  apply_into(negative, Unary::expm1, negative);
  const Tensor y = apply_add_scaled(op, apply(op, Unary::relu, x), negative, alpha);
  if (scale != 1) apply_into(y, op, Binary::mul, y, scale);
  if (alpha != divisor) note_branches(op, [&] { return sign(x); });
  return record(op, y, wrt(x, [x = Saved(x), alpha, scale, divisor](const Tensor& g) {
                  const Tensor below = exp(clamp(x, {}, 0.0) / divisor);  // finite on the other side too
                  return where(gt(x, 0.0), g * scale, g * (scale * (alpha / divisor) * below));
                }));
}

// min(max(x, low), high)
Tensor clipped(const char* op, const Tensor& x, double low, double high) {
  check_floating(op, x);
  note_branches(op, [&] { return sign(x - low) + 3 * sign(x - high); });
  const Tensor y = apply(op, Binary::maximum, x, low);
  apply_into(y, op, Binary::minimum, y, high);
  return record(op, y, wrt(x, [x = Saved(x), low, high](const Tensor& g) {
                  return where(gt(x, low), where(lt(x, high), g, 0.0), 0.0);
                }));
}

}  // namespace

Tensor leaky_relu(const Tensor& x, double negative_slope) {
  const Tensor negative = negative_part("leaky_relu", x);
  const Tensor y = apply_add_scaled("leaky_relu", apply("leaky_relu", Unary::relu, x), negative, negative_slope);
  note_branches("leaky_relu", [&] { return sign(x); });
  return record("leaky_relu", y, wrt(x, [x = Saved(x), negative_slope](const Tensor& g) {
                  return where(gt(x, 0.0), g, g * negative_slope);
                }));
}

Tensor elu(const Tensor& x, double alpha) { return exponential_linear("elu", x, alpha, 1); }

Tensor celu(const Tensor& x, double alpha) {
  if (alpha == 0) fail("celu: alpha must not be 0, got {}", alpha);
  return exponential_linear("celu", x, alpha, 1, alpha);
}

Tensor selu(const Tensor& x) {
  // The fixed point of mean 0 and variance 1 (Klambauer et al., 2017).
  return exponential_linear("selu", x, 1.6732632423543772848170429916717, 1.0507009873554804934193349852946);
}

Tensor silu(const Tensor& x) {
  return record("silu", apply("silu", Binary::mul, x, apply("silu", Unary::sigmoid, x)),
                wrt(x, [x = Saved(x)](const Tensor& g) {
                  const Tensor s = sigmoid(x);
                  return g * (s * (1.0 + x * (1.0 - s)));
                }));
}

Tensor mish(const Tensor& x) {
  const Tensor gate = apply("mish", Unary::softplus, x);
  apply_into(gate, Unary::tanh, gate);
  return record("mish", apply("mish", Binary::mul, x, gate), wrt(x, [x = Saved(x)](const Tensor& g) {
                  const Tensor t = tanh(softplus(x));
                  return g * (t + x * (1.0 - square(t)) * sigmoid(x));
                }));
}

Tensor hardtanh(const Tensor& x, double min_val, double max_val) {
  if (!(min_val <= max_val)) fail("hardtanh: min_val {} must not exceed max_val {}", min_val, max_val);
  return clipped("hardtanh", x, min_val, max_val);
}

Tensor relu6(const Tensor& x) { return clipped("relu6", x, 0, 6); }

Tensor hardsigmoid(const Tensor& x) {
  check_floating("hardsigmoid", x);
  return relu6(x + 3.0) / 6.0;
}

Tensor hardswish(const Tensor& x) {
  check_floating("hardswish", x);
  note_branches("hardswish", [&] { return sign(x + 3.0) + 3 * sign(x - 3.0); });
  const auto value = [](auto v) { return v * std::min<decltype(v)>(std::max<decltype(v)>(v + 3, 0), 6) / 6; };
  return record("hardswish", map("hardswish", x, value), wrt(x, [x = Saved(x)](const Tensor& g) {
                  const Tensor between = where(le(x, 3.0), g * (x / 3.0 + 0.5), g);
                  return where(lt(x, -3.0), 0.0, between);
                }));
}

Tensor threshold(const Tensor& x, double threshold, double value) {
  check_floating("threshold", x);
  note_branches("threshold", [&] { return sign(x - threshold); });
  return where(le(x, threshold), value, x);
}

Tensor prelu(const Tensor& x, const Tensor& weight) {
  check_floating("prelu", x);
  const std::int64_t channels = x.dim() > 1 ? x.size(1) : 1;
  if (weight.dim() > 1 || (weight.numel() != 1 && weight.numel() != channels)) {
    fail("prelu: the weight must be (1,) or {}, got {}", Shape{channels}, weight.shape());
  }
  note_branches("prelu", [&] { return sign(x); });
  Shape along{weight.numel()};
  while (along.size() + 1 < x.dim()) along.push_back(1);
  return where(gt(x, 0.0), x, reshape(weight, x.dim() > 1 ? along : Shape{}) * x);
}

Tensor softsign(const Tensor& x) {
  return record("softsign", map("softsign", x, [](auto v) { return v / (1 + std::abs(v)); }),
                wrt(x, [x = Saved(x)](const Tensor& g) { return g / square(1.0 + abs(x)); }));
}

Tensor logsigmoid(const Tensor& x) {
  const Tensor y = apply("logsigmoid", Unary::softplus, apply("logsigmoid", Unary::neg, x));
  apply_into(y, Unary::neg, y);
  return record("logsigmoid", y, wrt(x, [x = Saved(x)](const Tensor& g) { return softplus_backward(g, -x.get()); }));
}

Tensor glu(const Tensor& x, std::int64_t dim) {
  check_floating("glu", x);
  const std::int64_t size = x.size(dim);
  if (size % 2 != 0) fail("glu: dim {} must have an even size, got {}", dim, x.shape());
  return narrow(x, dim, 0, size / 2) * sigmoid(narrow(x, dim, size / 2, size / 2));
}

}  // namespace gradus
