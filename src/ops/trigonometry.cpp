// Trigonometric and hyperbolic functions beyond sin, cos and tanh.

#include <cmath>

#include "autograd/observer.hpp"
#include "autograd/record.hpp"
#include "gradus/ops.hpp"
#include "ops/elementwise.hpp"
#include "ops/map.hpp"

namespace gradus {

Tensor tan(const Tensor& x) {
  return record("tan", map("tan", x, [](auto v) { return std::tan(v); }),
                wrt(x, [](const Tensor& g, const Tensor& y) { return g * (1.0 + square(y)); }));
}

Tensor asin(const Tensor& x) {
  return record("asin", map("asin", x, [](auto v) { return std::asin(v); }),
                wrt(x, [x = Saved(x)](const Tensor& g) { return g * rsqrt(1.0 - square(x)); }));
}

Tensor acos(const Tensor& x) {
  return record("acos", map("acos", x, [](auto v) { return std::acos(v); }),
                wrt(x, [x = Saved(x)](const Tensor& g) { return -(g * rsqrt(1.0 - square(x))); }));
}

Tensor atan(const Tensor& x) {
  return record("atan", map("atan", x, [](auto v) { return std::atan(v); }),
                wrt(x, [x = Saved(x)](const Tensor& g) { return g / (1.0 + square(x)); }));
}

Tensor atan2(const Tensor& y, const Tensor& x) {
  const auto [v, u] = promoted("atan2", y, x);
  note_branches("atan2", [&] { return where(lt(u, 0.0), sign(v), 0.0); });  // a jump at the negative half of the x axis
  return record("atan2", map("atan2", v, u, [](auto p, auto q) { return std::atan2(p, q); }),
                wrt(y, [y = Saved(v), x = Saved(u)](const Tensor& g) { return g * x / (square(x) + square(y)); }),
                wrt(x, [y = Saved(v), x = Saved(u)](const Tensor& g) { return -(g * y / (square(x) + square(y))); }));
}

Tensor sinh(const Tensor& x) {
  return record("sinh", map("sinh", x, [](auto v) { return std::sinh(v); }),
                wrt(x, [x = Saved(x)](const Tensor& g) { return g * cosh(x); }));
}

Tensor cosh(const Tensor& x) {
  return record("cosh", map("cosh", x, [](auto v) { return std::cosh(v); }),
                wrt(x, [x = Saved(x)](const Tensor& g) { return g * sinh(x); }));
}

}  // namespace gradus
