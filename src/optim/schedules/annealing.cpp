#include "gradus/optim/schedules/annealing.hpp"

#include <limits>

#include "optim/schedules/check.hpp"
#include "optim/schedules/cosine.hpp"

namespace gradus::optim {
namespace {

double ratio(std::int64_t t, std::int64_t total) { return static_cast<double>(t) / static_cast<double>(total); }

ClosedForm cosine_form(const CosineAnnealingLROptions& o) {
  check_at_least("CosineAnnealingLR", "T_max", o.T_max, 1);
  check_not_negative_number("CosineAnnealingLR", "eta_min", o.eta_min);
  return {.lr = [o](std::int64_t t, double base, std::size_t) {
    return o.eta_min + (base - o.eta_min) * half_cosine(ratio(t, o.T_max));
  }};
}

ClosedForm restarts_form(const CosineAnnealingWarmRestartsOptions& o) {
  check_at_least("CosineAnnealingWarmRestarts", "T_0", o.T_0, 1);
  check_at_least("CosineAnnealingWarmRestarts", "T_mult", o.T_mult, 1);
  check_not_negative_number("CosineAnnealingWarmRestarts", "eta_min", o.eta_min);
  return {.lr = [o](std::int64_t t, double base, std::size_t) {
    std::int64_t length = o.T_0;
    if (o.T_mult == 1) t %= length;
    // Integers, where a logarithm would have to be lucky at a restart. There are few cycles: they grow.
    while (t >= length) {
      t -= length;
      if (length > std::numeric_limits<std::int64_t>::max() / o.T_mult) break;
      length *= o.T_mult;
    }
    return o.eta_min + (base - o.eta_min) * half_cosine(ratio(t, length));
  }};
}

}  // namespace

CosineAnnealingLR::CosineAnnealingLR(Optimizer& optimizer, const CosineAnnealingLROptions& options)
    : Schedule("CosineAnnealingLR", optimizer, cosine_form(options)) {}
CosineAnnealingWarmRestarts::CosineAnnealingWarmRestarts(Optimizer& optimizer,
                                                         const CosineAnnealingWarmRestartsOptions& options)
    : Schedule("CosineAnnealingWarmRestarts", optimizer, restarts_form(options)) {}

}  // namespace gradus::optim
