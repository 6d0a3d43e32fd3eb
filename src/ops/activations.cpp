// Activations beyond relu, tanh, sigmoid, gelu and softplus, made of the kernels of those.

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

// min(x, 0). What differs on both sides of 0 is the sum of a function of max(x, 0) and one of this: no branch.
Tensor negative_part(const char* op, const Tensor& x) {
  if (!is_floating_point(x.dtype())) fail("{}: a floating dtype is needed, got {}", op, x.dtype());
  return apply(op, Binary::minimum, x, 0.0);
}

// scale * (x > 0 ? x : alpha (e^x - 1)), whose slope jumps at 0 unless alpha is 1.
Tensor exponential_linear(const char* op, const Tensor& x, double alpha, double scale) {
  const Tensor negative = negative_part(op, x);
  apply_into(negative, Unary::expm1, negative);
  const Tensor y = apply_add_scaled(op, apply(op, Unary::relu, x), negative, alpha);
  if (scale != 1) apply_into(y, op, Binary::mul, y, scale);
  if (alpha != 1) note_branches(op, [&] { return sign(x); });
  return record(op, y, wrt(x, [x = Saved(x), alpha, scale](const Tensor& g) {
                  const Tensor below = exp(clamp(x, {}, 0.0));  // finite on the other side too
                  return where(gt(x, 0.0), g * scale, g * (scale * alpha * below));
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
  note_branches("hardtanh", [&] { return sign(x - min_val) + 3 * sign(x - max_val); });
  const Tensor y = apply("hardtanh", Binary::maximum, x, min_val);
  apply_into(y, "hardtanh", Binary::minimum, y, max_val);
  return record("hardtanh", y, wrt(x, [x = Saved(x), min_val, max_val](const Tensor& g) {
                  return where(gt(x, min_val), where(lt(x, max_val), g, 0.0), 0.0);
                }));
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

}  // namespace gradus
