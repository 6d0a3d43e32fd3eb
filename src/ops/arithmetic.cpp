// Functions of two tensors, with broadcasting. The derivatives are the textbook's: the engine sums each down to the
// shape of its input.

#include "autograd/accumulate.hpp"
#include "autograd/observer.hpp"
#include "autograd/record.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "ops/elementwise.hpp"

namespace gradus {

using kernels::Binary;

namespace {

Tensor as_float(const Tensor& x) { return is_floating_point(x.dtype()) ? x : x.to(float32); }

void check_integer_power(const Tensor& a, double exponent) {
  if (a.dtype() == int64 && exponent < 0) {
    fail("pow: an int64 base has no negative power in int64: {}; convert it with to(float32)", exponent);
  }
}

// Half of the gradient where both operands are equal, all of it where `mine` won.
Tensor share_of_winner(const Tensor& g, const Tensor& won, const Tensor& mine, const Tensor& other) {
  return where(eq(mine, other), g * 0.5, where(won, g, 0.0));
}

}  // namespace

Tensor add(const Tensor& a, const Tensor& b, double alpha) {
  if (alpha != 1) {
    return record("add", apply_add_scaled("add", a, b, alpha), wrt(a, [](const Tensor& g) { return g; }),
                  wrt(b, [alpha](const Tensor& g) { return g * alpha; }));
  }
  return record("add", apply("add", Binary::add, a, b), wrt(a, [](const Tensor& g) { return g; }),
                wrt(b, [](const Tensor& g) { return g; }));
}

Tensor sub(const Tensor& a, const Tensor& b, double alpha) {
  if (alpha != 1) {
    return record("sub", apply_add_scaled("sub", a, b, -alpha), wrt(a, [](const Tensor& g) { return g; }),
                  wrt(b, [alpha](const Tensor& g) { return g * -alpha; }));
  }
  return record("sub", apply("sub", Binary::sub, a, b), wrt(a, [](const Tensor& g) { return g; }),
                wrt(b, [](const Tensor& g) { return -g; }));
}

Tensor mul(const Tensor& a, const Tensor& b) {
  return record("mul", apply("mul", Binary::mul, a, b), wrt(a, [b = Saved(b)](const Tensor& g) { return g * b; }),
                wrt(b, [a = Saved(a)](const Tensor& g) { return g * a; }));
}

Tensor div(const Tensor& a, const Tensor& b) {
  if (!is_floating_point(a.dtype()) && !is_floating_point(b.dtype())) return div(as_float(a), as_float(b));
  return record("div", apply("div", Binary::div, a, b), wrt(a, [b = Saved(b)](const Tensor& g) { return g / b; }),
                wrt(b, [b = Saved(b)](const Tensor& g, const Tensor& y) { return -(g * y / b); }));
}

Tensor pow(const Tensor& a, const Tensor& b) {
  if (b.dtype() == boolean) return pow(a, b.to(int64));
  if (a.dtype() == int64 && b.dtype() == int64 && b.numel() > 0) {
    check_integer_power(a, static_cast<double>(min(b).item<std::int64_t>()));
  }
  return record(
      "pow", apply("pow", Binary::pow, a, b),
      wrt(a, [a = Saved(a), b = Saved(b)](const Tensor& g) { return where(eq(b, 0.0), 0.0, g * b * pow(a, b - 1.0)); }),
      wrt(b, [a = Saved(a), b = Saved(b)](const Tensor& g, const Tensor& y) {
        // 0^b is flat for b >= 0, although log 0 is not finite.
        const Tensor flat = (eq(a, 0.0).to(y.dtype()) * ge(b, 0.0).to(y.dtype())).to(boolean);
        return where(flat, 0.0, g * y * log(a));
      }));
}

Tensor pow(const Tensor& a, double exponent) {
  check_integer_power(a, exponent);
  return record("pow", apply("pow", Binary::pow, a, exponent), wrt(a, [a = Saved(a), exponent](const Tensor& g) {
                  return exponent == 0 ? zeros_like(g) : g * (exponent * pow(a, exponent - 1));
                }));
}

Tensor pow(double base, const Tensor& exponent) {
  return record("pow", apply("pow", Binary::pow, base, exponent),
                wrt(exponent, [base, b = Saved(exponent)](const Tensor& g, const Tensor& y) {
                  if (base == 0) return where(ge(b, 0.0), 0.0, g * y * log(full_like(y, base)));
                  return g * y * log(full({}, base, {.dtype = y.dtype()}));
                }));
}

Tensor maximum(const Tensor& a, const Tensor& b) {
  note_branches("maximum", [&] { return sign(a - b); });
  return record("maximum", apply("maximum", Binary::maximum, a, b),
                wrt(a, [a = Saved(a), b = Saved(b)](const Tensor& g) { return share_of_winner(g, gt(a, b), a, b); }),
                wrt(b, [a = Saved(a), b = Saved(b)](const Tensor& g) { return share_of_winner(g, gt(b, a), b, a); }));
}

Tensor minimum(const Tensor& a, const Tensor& b) {
  note_branches("minimum", [&] { return sign(a - b); });
  return record("minimum", apply("minimum", Binary::minimum, a, b),
                wrt(a, [a = Saved(a), b = Saved(b)](const Tensor& g) { return share_of_winner(g, lt(a, b), a, b); }),
                wrt(b, [a = Saved(a), b = Saved(b)](const Tensor& g) { return share_of_winner(g, lt(b, a), b, a); }));
}

Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b) {
  if (condition.dtype() != boolean) fail("where: the condition must be bool, got {}", condition.dtype());
  note_branches("where", [&] { return condition; });
  const auto [x, y] = promoted("where", a, b);
  return record("where", apply_where(condition, x, y),
                wrt(a, [c = Saved(condition)](const Tensor& g) { return where(c, g, 0.0); }),
                wrt(b, [c = Saved(condition)](const Tensor& g) { return where(c, 0.0, g); }));
}

Tensor where(const Tensor& condition, const Tensor& a, double b) {
  return where(condition, a, full({}, b, {.dtype = a.dtype()}));
}

Tensor where(const Tensor& condition, double a, const Tensor& b) {
  return where(condition, full({}, a, {.dtype = b.dtype()}), b);
}

Tensor operator-(const Tensor& x) { return neg(x); }
Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
Tensor operator-(const Tensor& a, const Tensor& b) { return sub(a, b); }
Tensor operator*(const Tensor& a, const Tensor& b) { return mul(a, b); }
Tensor operator/(const Tensor& a, const Tensor& b) { return div(a, b); }

Tensor operator+(const Tensor& a, double b) {
  return record("add", apply("add", Binary::add, a, b), wrt(a, [](const Tensor& g) { return g; }));
}
Tensor operator+(double a, const Tensor& b) { return b + a; }

Tensor operator-(const Tensor& a, double b) {
  return record("sub", apply("sub", Binary::sub, a, b), wrt(a, [](const Tensor& g) { return g; }));
}
Tensor operator-(double a, const Tensor& b) {
  return record("sub", apply("sub", Binary::sub, a, b), wrt(b, [](const Tensor& g) { return -g; }));
}

Tensor operator*(const Tensor& a, double b) {
  return record("mul", apply("mul", Binary::mul, a, b), wrt(a, [b](const Tensor& g) { return g * b; }));
}
Tensor operator*(double a, const Tensor& b) { return b * a; }

Tensor operator/(const Tensor& a, double b) {
  if (!is_floating_point(a.dtype())) return a.to(float32) / b;
  return record("div", apply("div", Binary::div, a, b), wrt(a, [b](const Tensor& g) { return g / b; }));
}
Tensor add(const Tensor& a, double b) { return a + b; }
Tensor sub(const Tensor& a, double b) { return a - b; }
Tensor mul(const Tensor& a, double b) { return a * b; }
Tensor div(const Tensor& a, double b) { return a / b; }

Tensor operator/(double a, const Tensor& b) {
  if (!is_floating_point(b.dtype())) return a / b.to(float32);
  return record("div", apply("div", Binary::div, a, b),
                wrt(b, [b = Saved(b)](const Tensor& g, const Tensor& y) { return -(g * y / b); }));
}

// --- What the engine needs ------------------------------------------------------------------------------------------

Tensor sum_of(const Tensor& a, const Tensor& b) { return add(a, b); }

void accumulate(const Tensor& a, const Tensor& b) {
  apply_into(a, "accumulate", Binary::add, a, b);
  bump_version(a);
}

Tensor sum_to_shape(const Tensor& gradient, const Shape& shape) {
  const std::int64_t missing = gradient.dim() - shape.size();
  Dims dims;
  for (std::int64_t i = 0; i < gradient.dim(); ++i) {
    if (i < missing || (shape[i - missing] == 1 && gradient.size(i) != 1)) dims.push_back(i);
  }
  const Tensor summed = dims.empty() ? gradient : sum(gradient, dims, {.keepdim = true});
  return missing > 0 ? reshape(summed, shape) : summed;
}

}  // namespace gradus
