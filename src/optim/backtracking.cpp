#include "optim/backtracking.hpp"

#include <cmath>
#include <limits>

#include "gradus/ops.hpp"
#include "nn/gradients.hpp"

namespace gradus::optim {

double rounding(const Tensor& loss) {
  const double epsilon =
      loss.dtype() == float32 ? std::numeric_limits<float>::epsilon() : std::numeric_limits<double>::epsilon();
  return 4 * epsilon * std::abs(loss.item());
}

void check_finite(const char* rule, const Downhill& here) {
  check_finite(rule, "the loss is", here.loss.item(), here.loss);
  check_finite(rule, "the gradient has an element that is", largest(here.gradient), here.loss);
}

void backtrack(FlatParameters x, Closure loss, const Downhill& here, const Tensor& direction,
               const Backtracking& rule) {
  const Tensor start = x.point();
  // In float32 the square of a large gradient is infinite.
  const double slope = dot(here.gradient.to(float64), direction.to(float64)).item();
  const double limit = here.loss.item() + rounding(here.loss);
  double t = rule.first;
  for (std::int64_t tries = 0; tries <= rule.max_backtracks; ++tries, t *= rule.shrink) {
    x.move_to(start.add(direction, t));
    const double there = loss().item();
    if (std::isfinite(there) && there <= limit + rule.sufficient_decrease * t * slope) return;
  }
  x.move_to(start);
}

}  // namespace gradus::optim
