#include "gradus/optim/schedules/warmup.hpp"

#include <algorithm>
#include <cmath>

#include "optim/schedules/check.hpp"
#include "optim/schedules/cosine.hpp"

namespace gradus::optim {
namespace {

double ratio(std::int64_t t, std::int64_t total) { return static_cast<double>(t) / static_cast<double>(total); }

// Linear up to `base`, and after the warmup low + (base - low) * share(steps since then).
template <class Share>
ClosedForm warm_up_then(std::int64_t warmup_steps, double low, Share share) {
  return {.lr = [=](std::int64_t t, double base, std::size_t) {
    if (t < warmup_steps) return base * ratio(t, warmup_steps);
    return low + (base - low) * share(t - warmup_steps);
  }};
}

ClosedForm cosine_form(const WarmupCosineOptions& o) {
  check_at_least("WarmupCosine", "warmup_steps", o.warmup_steps, 0);
  check_not_negative_number("WarmupCosine", "eta_min", o.eta_min);
  if (o.total_steps <= o.warmup_steps) {
    fail("WarmupCosine: total_steps must be more than warmup_steps, got {} and {}", o.total_steps, o.warmup_steps);
  }
  return warm_up_then(o.warmup_steps, o.eta_min, [steps = o.total_steps - o.warmup_steps](std::int64_t t) {
    return half_cosine(std::min(ratio(t, steps), 1.0));
  });
}

double remaining(DecayShape shape, double share) {
  switch (shape) {
    case DecayShape::linear:
      return 1 - share;
    case DecayShape::cosine:
      return half_cosine(share);
    case DecayShape::one_minus_sqrt:
      break;
  }
  return 1 - std::sqrt(share);
}

ClosedForm stable_form(const WarmupStableDecayOptions& o) {
  check_at_least("WarmupStableDecay", "warmup_steps", o.warmup_steps, 0);
  check_at_least("WarmupStableDecay", "stable_steps", o.stable_steps, 0);
  check_at_least("WarmupStableDecay", "decay_steps", o.decay_steps, 1);
  check_not_negative_number("WarmupStableDecay", "eta_min", o.eta_min);
  return warm_up_then(o.warmup_steps, o.eta_min, [o](std::int64_t t) {
    return remaining(o.decay, std::clamp(ratio(t - o.stable_steps, o.decay_steps), 0.0, 1.0));
  });
}

ClosedForm inverse_form(const InverseSquareRootOptions& o) {
  check_at_least("InverseSquareRoot", "warmup_steps", o.warmup_steps, 1);
  return warm_up_then(o.warmup_steps, 0,
                      [warmup = o.warmup_steps](std::int64_t t) { return 1 / std::sqrt(ratio(t + warmup, warmup)); });
}

}  // namespace

WarmupCosine::WarmupCosine(Optimizer& optimizer, const WarmupCosineOptions& options)
    : Schedule("WarmupCosine", optimizer, cosine_form(options)) {}
WarmupStableDecay::WarmupStableDecay(Optimizer& optimizer, const WarmupStableDecayOptions& options)
    : Schedule("WarmupStableDecay", optimizer, stable_form(options)) {}
InverseSquareRoot::InverseSquareRoot(Optimizer& optimizer, const InverseSquareRootOptions& options)
    : Schedule("InverseSquareRoot", optimizer, inverse_form(options)) {}

}  // namespace gradus::optim
