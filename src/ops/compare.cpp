// Comparisons: boolean results, never recorded.

#include <algorithm>
#include <cmath>

#include "autograd/observer.hpp"
#include "gradus/autograd.hpp"
#include "gradus/ops.hpp"
#include "ops/elementwise.hpp"
#include "tensor/impl.hpp"

namespace gradus {

using kernels::Compare;

namespace {

template <class B>
Tensor compare(const char* op, Compare relation, const Tensor& a, const B& b) {
  const Tensor holds = apply(op, relation, a, b);
  note_branches(op, [&] { return holds; });
  return holds;
}

}  // namespace

Tensor eq(const Tensor& a, const Tensor& b) { return compare("eq", Compare::eq, a, b); }
Tensor ne(const Tensor& a, const Tensor& b) { return compare("ne", Compare::ne, a, b); }
Tensor lt(const Tensor& a, const Tensor& b) { return compare("lt", Compare::lt, a, b); }
Tensor le(const Tensor& a, const Tensor& b) { return compare("le", Compare::le, a, b); }
Tensor gt(const Tensor& a, const Tensor& b) { return compare("gt", Compare::gt, a, b); }
Tensor ge(const Tensor& a, const Tensor& b) { return compare("ge", Compare::ge, a, b); }

Tensor eq(const Tensor& a, double b) { return compare("eq", Compare::eq, a, b); }
Tensor ne(const Tensor& a, double b) { return compare("ne", Compare::ne, a, b); }
Tensor lt(const Tensor& a, double b) { return compare("lt", Compare::lt, a, b); }
Tensor le(const Tensor& a, double b) { return compare("le", Compare::le, a, b); }
Tensor gt(const Tensor& a, double b) { return compare("gt", Compare::gt, a, b); }
Tensor ge(const Tensor& a, double b) { return compare("ge", Compare::ge, a, b); }

Tensor operator<(const Tensor& a, const Tensor& b) { return lt(a, b); }
Tensor operator<(const Tensor& a, double b) { return lt(a, b); }
Tensor operator<(double a, const Tensor& b) { return gt(b, a); }
Tensor operator<=(const Tensor& a, const Tensor& b) { return le(a, b); }
Tensor operator<=(const Tensor& a, double b) { return le(a, b); }
Tensor operator<=(double a, const Tensor& b) { return ge(b, a); }
Tensor operator>(const Tensor& a, const Tensor& b) { return gt(a, b); }
Tensor operator>(const Tensor& a, double b) { return gt(a, b); }
Tensor operator>(double a, const Tensor& b) { return lt(b, a); }
Tensor operator>=(const Tensor& a, const Tensor& b) { return ge(a, b); }
Tensor operator>=(const Tensor& a, double b) { return ge(a, b); }
Tensor operator>=(double a, const Tensor& b) { return le(b, a); }

bool allclose(const Tensor& a, const Tensor& b, const CloseOptions& options) {
  if (a.dtype() != b.dtype()) fail("allclose: dtypes differ: {} and {}", a.dtype(), b.dtype());
  const NoGrad guard;
  const Shape shape = broadcast_shapes("allclose", a.shape(), b.shape());
  const Tensor x = a.expand(shape).to(float64).contiguous();
  const Tensor y = b.expand(shape).to(float64).contiguous();
  const auto close = [&](double p, double q) {
    if (p == q) return true;  // equal infinities are close
    if (std::isnan(p) || std::isnan(q)) return options.equal_nan && std::isnan(p) && std::isnan(q);
    return std::isfinite(p) && std::isfinite(q) && std::abs(p - q) <= options.atol + options.rtol * std::abs(q);
  };
  return std::ranges::equal(x.data<double>(), y.data<double>(), close);
}

bool equal(const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape()) return false;
  if (a.dtype() != b.dtype()) fail("equal: dtypes differ: {} and {}", a.dtype(), b.dtype());
  const NoGrad guard;
  return dispatch(a.dtype(), [&]<class T>() {
    const Tensor x = a.contiguous();
    const Tensor y = b.contiguous();
    return std::ranges::equal(x.data<T>(), y.data<T>());
  });
}

}  // namespace gradus
