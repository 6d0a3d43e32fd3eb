// Exponentials, logarithms, roots and the error function beyond those that have a kernel of their own.

#include <cmath>
#include <numbers>

#include "autograd/record.hpp"
#include "gradus/ops.hpp"
#include "ops/elementwise.hpp"
#include "ops/map.hpp"

namespace gradus {

using kernels::Binary;
using kernels::Unary;

Tensor exp2(const Tensor& x) {
  return record("exp2", map("exp2", x, [](auto v) { return std::exp2(v); }),
                wrt(x, [](const Tensor& g, const Tensor& y) { return g * (std::numbers::ln2 * y); }));
}

Tensor expm1(const Tensor& x) {
  return record("expm1", apply("expm1", Unary::expm1, x),
                wrt(x, [](const Tensor& g, const Tensor& y) { return g * (y + 1.0); }));
}

Tensor log1p(const Tensor& x) {
  return record("log1p", map("log1p", x, [](auto v) { return std::log1p(v); }),
                wrt(x, [x = Saved(x)](const Tensor& g) { return g / (x + 1.0); }));
}

Tensor log2(const Tensor& x) {
  return record("log2", map("log2", x, [](auto v) { return std::log2(v); }),
                wrt(x, [x = Saved(x)](const Tensor& g) { return g / (std::numbers::ln2 * x); }));
}

Tensor log10(const Tensor& x) {
  return record("log10", map("log10", x, [](auto v) { return std::log10(v); }),
                wrt(x, [x = Saved(x)](const Tensor& g) { return g / (std::numbers::ln10 * x); }));
}

Tensor reciprocal(const Tensor& x) {
  if (x.dtype() == int64) return reciprocal(x.to(float32));
  return record("reciprocal", apply("reciprocal", Binary::div, 1.0, x),
                wrt(x, [](const Tensor& g, const Tensor& y) { return -(g * square(y)); }));
}

Tensor rsqrt(const Tensor& x) {
  return record("rsqrt", apply("rsqrt", Binary::div, 1.0, apply("rsqrt", Unary::sqrt, x)),
                wrt(x, [](const Tensor& g, const Tensor& y) { return g * (-0.5 * pow(y, 3)); }));
}

Tensor erf(const Tensor& x) {
  return record("erf", map("erf", x, [](auto v) { return std::erf(v); }), wrt(x, [x = Saved(x)](const Tensor& g) {
                  return g * (2 * std::numbers::inv_sqrtpi * exp(-square(x)));
                }));
}

namespace {

// From whichever end is nearer, so that both ends are met exactly.
template <class T>
T interpolate(T a, T b, T weight) {
  return weight < T(0.5) ? a + weight * (b - a) : b - (T(1) - weight) * (b - a);
}

void check_dtypes(const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype()) fail("lerp: dtypes differ: {} and {}", a.dtype(), b.dtype());
}

}  // namespace

Tensor lerp(const Tensor& start, const Tensor& end, const Tensor& weight) {
  check_dtypes(start, end);
  check_dtypes(start, weight);
  const auto value = [](auto a, auto b, auto w) { return interpolate(a, b, w); };
  return record("lerp", map("lerp", start, end, weight, value),
                wrt(start, [w = Saved(weight)](const Tensor& g) { return g * (1.0 - w); }),
                wrt(end, [w = Saved(weight)](const Tensor& g) { return g * w; }),
                wrt(weight, [a = Saved(start), b = Saved(end)](const Tensor& g) { return g * (b.get() - a.get()); }));
}

Tensor lerp(const Tensor& start, const Tensor& end, double weight) {
  check_dtypes(start, end);
  const auto value = [weight](auto a, auto b) { return interpolate(a, b, static_cast<decltype(a)>(weight)); };
  return record("lerp", map("lerp", start, end, value),
                wrt(start, [weight](const Tensor& g) { return g * (1 - weight); }),
                wrt(end, [weight](const Tensor& g) { return g * weight; }));
}

}  // namespace gradus
