#include <algorithm>
#include <limits>

#include "gradus/optim/schedules/cycles.hpp"
#include "optim/schedules/cosine.hpp"
#include "optim/schedules/momentum.hpp"

namespace gradus::optim {
namespace {

constexpr const char* name = "OneCycleLR";

// The cycle has corners: the rates and momenta between which it moves.
enum class Corner { initial, peak, final };

struct Phase {
  double end;  // its last step, which may be a fraction
  Corner from, to;
};

std::vector<Phase> phases_of(const OneCycleLROptions& o) {
  const auto steps = static_cast<double>(o.total_steps);
  const double rise = o.pct_start * steps;
  if (!o.three_phase) return {{rise - 1, Corner::initial, Corner::peak}, {steps - 1, Corner::peak, Corner::final}};
  return {{rise - 1, Corner::initial, Corner::peak},
          {2 * rise - 2, Corner::peak, Corner::initial},
          {steps - 1, Corner::initial, Corner::final}};
}

class OneCycle {
 public:
  explicit OneCycle(const OneCycleLROptions& options) : o_(options), phases_(phases_of(options)) {}

  double lr(std::int64_t t, std::size_t group) const {
    return value(t, [&](Corner corner) {
      const double peak = o_.max_lr[group];
      if (corner == Corner::peak) return peak;
      const double initial = peak / o_.div_factor;
      return corner == Corner::initial ? initial : initial / o_.final_div_factor;
    });
  }

  double momentum(std::int64_t t, std::size_t group) const {
    return value(t,
                 [&](Corner corner) { return (corner == Corner::peak ? o_.base_momentum : o_.max_momentum)[group]; });
  }

 private:
  template <class ValueAt>
  double value(std::int64_t t, const ValueAt& value_at) const {
    if (t > o_.total_steps) fail("{}: there are {} steps in the cycle, got t = {}", name, o_.total_steps, t);
    const auto time = static_cast<double>(t);
    double start = 0;
    auto phase = phases_.begin();
    for (; time > phase->end && phase + 1 != phases_.end(); ++phase) start = phase->end;
    const double length = phase->end - start;
    const double share = length > 0 ? std::min((time - start) / length, 1.0) : 1.0;
    const double from = value_at(phase->from), to = value_at(phase->to);
    if (o_.anneal_strategy == AnnealStrategy::linear) return from + (to - from) * share;
    return to + (from - to) * half_cosine(share);
  }

  OneCycleLROptions o_;
  std::vector<Phase> phases_;
};

std::int64_t steps_of(const OneCycleLROptions& o) {
  if (o.total_steps > 0 && o.epochs == 0 && o.steps_per_epoch == 0) return o.total_steps;
  if (o.total_steps != 0 || o.epochs <= 0 || o.steps_per_epoch <= 0 ||
      o.epochs > std::numeric_limits<std::int64_t>::max() / o.steps_per_epoch) {
    fail("{}: total_steps, or both epochs and steps_per_epoch, must be at least 1, got {}, {} and {}", name,
         o.total_steps, o.epochs, o.steps_per_epoch);
  }
  return o.epochs * o.steps_per_epoch;
}

OneCycleLROptions checked(const Optimizer& optimizer, const OneCycleLROptions& options) {
  OneCycleLROptions o = options;
  check_rates(name, "max_lr", o.max_lr, optimizer);
  o.total_steps = steps_of(o);
  check_fraction(name, "pct_start", o.pct_start);
  if (o.three_phase && o.pct_start > 0.5)
    fail("{}: three_phase needs a pct_start of at most 0.5, got {}", name, o.pct_start);
  if (!(o.div_factor > 0)) fail("{}: div_factor must be above 0, got {}", name, o.div_factor);
  if (!(o.final_div_factor > 0)) fail("{}: final_div_factor must be above 0, got {}", name, o.final_div_factor);
  if (o.cycle_momentum) check_momentum(name, o.base_momentum, o.max_momentum, optimizer);
  return o;
}

ClosedForm form(const OneCycleLROptions& o) {
  const OneCycle cycle(o);
  ClosedForm form{.lr = [cycle](std::int64_t t, double, std::size_t group) { return cycle.lr(t, group); }};
  if (o.cycle_momentum) {
    form.momentum = [cycle](std::int64_t t, std::size_t group) { return cycle.momentum(t, group); };
  }
  return form;
}

}  // namespace

OneCycleLR::OneCycleLR(Optimizer& optimizer, const OneCycleLROptions& options)
    : Schedule(name, optimizer, form(checked(optimizer, options))) {}

}  // namespace gradus::optim
