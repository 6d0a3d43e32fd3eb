// Variance, standard deviation and median.

#include <algorithm>
#include <cmath>
#include <vector>

#include "autograd/observer.hpp"
#include "autograd/record.hpp"
#include "gradus/ops.hpp"
#include "ops/elementwise.hpp"
#include "ops/lines.hpp"
#include "ops/reduction.hpp"

namespace gradus {
namespace {

using kernels::Binary;

// x - mean(x), and by what the sum of its squares is to be divided.
struct Spread {
  Tensor centered;
  Shape kept;
  double count, divisor;
};

Spread spread_of(const char* op, const Tensor& x, const Dims& dims, double correction) {
  if (!is_floating_point(x.dtype())) fail("{}: a floating dtype is needed, got {}", op, x.dtype());
  const Groups g = groups(op, x.shape(), dims);
  const auto count = static_cast<double>(g.size);
  const Tensor values = x.detach();
  return {apply(op, Binary::sub, values, mean(values, dims, {.keepdim = true})), g.kept, count,
          std::max(0.0, count - correction)};
}

Tensor var_value(const char* op, const Spread& s, const Dims& dims, bool keepdim) {
  Tensor y = reduce(op, kernels::Reduce::sum_square, s.centered, dims, keepdim);
  apply_into(y, op, Binary::div, y, s.divisor);
  return y;
}

// d var / dx = 2 (x - mean(x)) / divisor: moving the mean changes nothing.
Tensor var_derivative(const Tensor& g, const Tensor& x, const Dims& dims, double divisor) {
  return g * ((x - mean(x, dims, {.keepdim = true})) * (2 / divisor));
}

// The deviation has a kink where a whole group is equal. An element can get there only if it differs from the mean
// while all the others are equal: then the sum of squares is its own square times n / (n - 1).
Tensor sides(const Spread& s, const Dims& dims) {
  const Tensor own = square(s.centered) * (s.count / (s.count - 1));
  return sign(s.centered) * ge(own * (1 + 1e-9), sum(square(s.centered), dims, {.keepdim = true})).to(own.dtype());
}

}  // namespace

Tensor var(const Tensor& x, const Dims& dims, const VarOptions& options) {
  const Spread s = spread_of("var", x, dims, options.correction);
  return record("var", var_value("var", s, dims, options.keepdim),
                wrt(x, [x = Saved(x), dims, kept = s.kept, divisor = s.divisor](const Tensor& g) {
                  return var_derivative(reshape(g, kept), x, dims, divisor);
                }));
}

Tensor std(const Tensor& x, const Dims& dims, const VarOptions& options) {
  const Spread s = spread_of("std", x, dims, options.correction);
  note_branches("std", [&] { return sides(s, dims); });
  const Tensor y = var_value("std", s, dims, options.keepdim);
  apply_into(y, kernels::Unary::sqrt, y);
  return record(
      "std", y,
      wrt(x, [x = Saved(x), dims, kept = s.kept, divisor = s.divisor](const Tensor& g, const Tensor& y_saved) {
        const Tensor flat = eq(y_saved, 0.0);
        const Tensor of_var = where(flat, 0.0, g / where(flat, 1.0, 2.0 * y_saved));
        return var_derivative(reshape(of_var, kept), x, dims, divisor);
      }));
}

// --- median ---------------------------------------------------------------------------------------------------------

namespace {

// The first place of the lower median, or of the first NaN.
template <class T>
std::int64_t median_place(std::span<const T> x) {
  const auto place = [&](const auto& found) { return std::find_if(x.begin(), x.end(), found) - x.begin(); };
  const std::int64_t first_nan = place([](T v) { return v != v; });
  if (first_nan < static_cast<std::int64_t>(x.size())) return first_nan;
  std::vector<T> values(x.begin(), x.end());
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
  std::nth_element(values.begin(), middle, values.end());
  return place([value = *middle](T v) { return v == value; });
}

Tensor median_places(const Tensor& x, std::int64_t dim) {
  if (x.dtype() == boolean) fail("median: a numeric dtype is needed, got bool");
  if (x.dim() > 0 && x.shape()[dim] == 0) fail("median: dim {} of shape {} is empty", dim, x.shape());
  return places_along(x, dim, 1, []<class T>(std::span<const T> values, std::span<std::int64_t> place) {
    place[0] = median_place(values);
  });
}

}  // namespace

Tensor median(const Tensor& x) {
  const Tensor values = reshape(x.detach(), {x.numel()});
  const Tensor y = reshape(gather(values, 0, median_places(values, 0)), {});
  note_branches("median", [&] { return equals(x, y); });
  return record("median", y, wrt(x, [x = Saved(x)](const Tensor& g, const Tensor& y_saved) {
                  return share_evenly(g, equals(x, y_saved), {});
                }));
}

Extreme median(const Tensor& x, std::int64_t dim, const ReduceOptions& options) {
  const std::int64_t d = wrap_dim("median", dim, x.dim());
  const Tensor places = median_places(x, d);
  note_branches("median", [&] { return places; });
  return pick(x, d, places, options.keepdim);
}

Tensor Tensor::var(const Dims& dims, const VarOptions& options) const { return gradus::var(*this, dims, options); }
Tensor Tensor::std(const Dims& dims, const VarOptions& options) const { return gradus::std(*this, dims, options); }
Tensor Tensor::median() const { return gradus::median(*this); }
Extreme Tensor::median(std::int64_t dim, const ReduceOptions& options) const {
  return gradus::median(*this, dim, options);
}

}  // namespace gradus
