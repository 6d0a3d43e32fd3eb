// Norms: (sum |x|^p)^(1/p) and its limits.

#include <cmath>

#include "autograd/observer.hpp"
#include "autograd/record.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "ops/elementwise.hpp"
#include "ops/reduction.hpp"

namespace gradus {
namespace {

using kernels::Binary;
using kernels::Reduce;
using kernels::Unary;

Tensor value_of(const Tensor& x, double p, const Dims& dims, bool keepdim) {
  if (p == 2) {
    Tensor y = reduce("norm", Reduce::sum_square, x, dims, keepdim);
    apply_into(y, Unary::sqrt, y);
    return y;
  }
  if (p == 0) {
    const Tensor counted = apply("norm", kernels::Compare::ne, x, 0.0).to(x.dtype());
    return reduce("norm", Reduce::sum, counted, dims, keepdim);
  }
  const Tensor size = apply("norm", Unary::abs, x);
  if (std::isinf(p)) {
    const Tensor y = reduce("norm", p > 0 ? Reduce::max : Reduce::min, size, dims, keepdim);
    return p > 0 ? apply("norm", Binary::maximum, y, 0.0) : y;  // of no elements: 0
  }
  if (p == 1) return reduce("norm", Reduce::sum, size, dims, keepdim);
  const Tensor total = reduce("norm", Reduce::sum, apply("norm", Binary::pow, size, p), dims, keepdim);
  return apply("norm", Binary::pow, total, 1 / p);
}

// An element's kink at 0 shows up to p = 1; beyond, only if all others of its group are 0, or it is the one that
// counts.
Tensor sides(const Tensor& x, const Tensor& y, double p) {
  return p <= 1 && std::isfinite(p) ? sign(x) : sign(x) * equals(abs(x), y).to(x.dtype());
}

// dy/dx = sign(x) (|x| / y)^(p - 1), and 0 where that has no meaning; g and y of the kept shape. What is divided by or
// raised to a power is never 0: the infinities of its own derivative would make NaN of the zeros.
Tensor derivative(const Tensor& g, const Tensor& x, const Tensor& y, double p, const Dims& dims) {
  if (p == 0) return zeros_like(x);
  if (p == 1) return g * sign(x);
  if (std::isinf(p)) return sign(x) * share_evenly(g, equals(abs(x), y), dims);
  const Tensor flat = eq(y, 0.0);
  if (p == 2) return x * where(flat, 0.0, g / where(flat, 1.0, y));
  const Tensor none = eq(x, 0.0);
  const Tensor ratio = where(none, 1.0, abs(x)) / where(flat, 1.0, y);
  return where(flat, 0.0, where(none, 0.0, g * sign(x) * pow(ratio, p - 1)));
}

}  // namespace

Tensor norm(const Tensor& x, double p, const Dims& dims, const ReduceOptions& options) {
  if (!is_floating_point(x.dtype())) fail("norm: a floating dtype is needed, got {}", x.dtype());
  if (std::isnan(p)) fail("norm: p must be a number, got {}", p);
  const Shape kept = kept_shape("norm", x, dims);
  const Tensor y = value_of(x.detach(), p, dims, options.keepdim);
  note_branches("norm", [&] { return sides(x, reshape(y, kept), p); });
  return record("norm", y, wrt(x, [x = Saved(x), p, dims, kept](const Tensor& g, const Tensor& y_saved) {
                  return derivative(reshape(g, kept), x, reshape(y_saved, kept), p, dims);
                }));
}

Tensor Tensor::norm(double p, const Dims& dims, const ReduceOptions& options) const {
  return gradus::norm(*this, p, dims, options);
}

}  // namespace gradus
