// Rounding, and the remainder that belongs to it. Between its jumps a rounded value is constant: its derivative is 0.

#include <cmath>
#include <limits>
#include <type_traits>

#include "autograd/observer.hpp"
#include "autograd/record.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "ops/elementwise.hpp"
#include "ops/map.hpp"

namespace gradus {
namespace {

template <class F>
Tensor rounded(const char* op, const Tensor& x, const F& f) {
  if (x.dtype() == int64) return x.clone();
  const Tensor y = map(op, x, f);
  note_branches(op, [&] { return y; });
  return record(op, y, wrt(x, [](const Tensor& g) { return zeros_like(g); }));
}

// a - b floor(a / b), exactly.
template <class T>
T remainder_of(T a, T b) {
  T r;
  if constexpr (std::is_integral_v<T>)
    r = b == -1 ? 0 : a % b;  // INT64_MIN % -1 traps
  else
    r = std::fmod(a, b);
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

// How many times b goes into a. The remainder is exact, so rounding the quotient recovers it.
// Where b is infinite, that is none if the remainder is a, else -1.
Tensor whole_quotient(const Tensor& a, const Tensor& r, const Tensor& b) {
  const Tensor quotient = round((a - r) / b);
  if (!is_floating_point(b.dtype())) return quotient;
  const Tensor beyond = neg(ne(a, r).to(b.dtype()));
  return where(eq(abs(b), std::numeric_limits<double>::infinity()), beyond, quotient);
}

}  // namespace

Tensor floor(const Tensor& x) {
  return rounded("floor", x, [](auto v) { return std::floor(v); });
}
Tensor ceil(const Tensor& x) {
  return rounded("ceil", x, [](auto v) { return std::ceil(v); });
}
Tensor trunc(const Tensor& x) {
  return rounded("trunc", x, [](auto v) { return std::trunc(v); });
}
Tensor round(const Tensor& x) {
  return rounded("round", x, [](auto v) { return std::nearbyint(v); });  // half to even
}

Tensor remainder(const Tensor& a, const Tensor& b) {
  const auto [x, d] = promoted("remainder", a, b);
  if (d.dtype() == int64 && sum(eq(d, 0.0)).item<std::int64_t>() > 0) fail("remainder: an int64 divisor is 0");
  const auto value = [](auto u, auto v) { return remainder_of(u, v); };
  const Tensor &dividend = x, &divisor = d;
  const Tensor y = dispatch_numeric("remainder", x.dtype(),
                                    [&]<class T>() { return map_as<T>("remainder", value, dividend, divisor); });
  note_branches("remainder", [&] { return whole_quotient(dividend, y, divisor); });
  return record("remainder", y, wrt(a, [](const Tensor& g) { return g; }),
                wrt(b, [a = Saved(x), b = Saved(d)](const Tensor& g, const Tensor& r) {
                  return -(g * whole_quotient(a.get(), r, b.get()));
                }));
}

Tensor remainder(const Tensor& a, double b) {
  if (a.dtype() == int64 && b == 0) fail("remainder: an int64 divisor is 0");
  const Tensor y = dispatch_numeric("remainder", a.dtype(), [&]<class T>() {
    const T divisor = scalar_as<T>("remainder", b);
    const auto value = [divisor](T v) { return remainder_of(v, divisor); };
    return map_as<T>("remainder", value, a);
  });
  note_branches("remainder", [&] { return whole_quotient(a, y, full({}, b, {.dtype = a.dtype()})); });
  return record("remainder", y, wrt(a, [](const Tensor& g) { return g; }));
}

}  // namespace gradus
