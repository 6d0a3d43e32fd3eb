#include "optim/backtracking.hpp"

#include <cmath>
#include <limits>

#include "gradus/ops.hpp"

namespace gradus::optim {

double rounding(const Tensor& loss) {
  const double epsilon =
      loss.dtype() == float32 ? std::numeric_limits<float>::epsilon() : std::numeric_limits<double>::epsilon();
  return 4 * epsilon * std::abs(loss.item());
}

void check_finite(const char* rule, const Downhill& here) {
  check_finite(rule, "the loss is", here.loss.item());
  check_finite(rule, "the gradient has an element that is", largest(here.gradient));
}

void backtrack(FlatParameters x, Closure loss, const Downhill& here, const Tensor& direction,
               const Backtracking& rule) {
  const Tensor start = x.point();
  const double slope = dot(here.gradient, direction).item();
  const double limit = here.loss.item() + rounding(here.loss);
  double t = rule.first;
  for (std::int64_t tries = 0; tries <= rule.max_backtracks; ++tries, t *= rule.shrink) {
    x.move_to(start.add(direction, t));
    if (loss().item() <= limit + rule.sufficient_decrease * t * slope) return;
  }
  x.move_to(start);
}

}  // namespace gradus::optim
