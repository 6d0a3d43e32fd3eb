#include "gradus/optim/schedules/plateau.hpp"

#include <algorithm>
#include <limits>

#include "gradus/factory.hpp"
#include "optim/schedules/check.hpp"
#include "optim/schedules/state.hpp"

namespace gradus::optim {
namespace {

constexpr const char* plateau = "ReduceLROnPlateau";

void check(const ReduceLROnPlateauOptions& o, const Optimizer& optimizer) {
  if (!(o.factor >= 0 && o.factor < 1)) fail("{}: factor must be in [0, 1), got {}", plateau, o.factor);
  check_at_least(plateau, "patience", o.patience, 0);
  check_at_least(plateau, "cooldown", o.cooldown, 0);
  check_not_negative_number(plateau, "threshold", o.threshold);
  check_not_negative_number(plateau, "eps", o.eps);
  check_rates(plateau, "min_lr", o.min_lr, optimizer);
}

double worst(PlateauMode mode) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  return mode == PlateauMode::min ? infinity : -infinity;
}

}  // namespace

ReduceLROnPlateau::ReduceLROnPlateau(Optimizer& optimizer, const ReduceLROnPlateauOptions& options)
    : LRScheduler(plateau, optimizer), options_(options), best_(worst(options.mode)) {
  check(options, optimizer);
}

void ReduceLROnPlateau::step() { fail("{}: step needs a metric", plateau); }

// The rates, which may be refused, come first, and the counters last: a step that throws has not been.
void ReduceLROnPlateau::step(double metric) {
  const bool better = is_better(metric);
  std::int64_t bad_steps = better ? 0 : bad_steps_ + 1, cooldown_left = cooldown_left_;
  if (cooldown_left > 0) {
    --cooldown_left;
    bad_steps = 0;
  }
  if (bad_steps > options_.patience) {
    set_rates(reduced());
    cooldown_left = options_.cooldown;
    bad_steps = 0;
  }
  ++t_;
  if (better) best_ = metric;
  bad_steps_ = bad_steps;
  cooldown_left_ = cooldown_left;
}

bool ReduceLROnPlateau::is_better(double metric) const {
  const bool relative = options_.threshold_mode == ThresholdMode::rel;
  const double margin = options_.threshold;
  if (options_.mode == PlateauMode::min) return metric < (relative ? best_ * (1 - margin) : best_ - margin);
  return metric > (relative ? best_ * (1 + margin) : best_ + margin);
}

std::vector<double> ReduceLROnPlateau::reduced() const {
  std::vector<double> rates = last_lr();
  for (std::size_t g = 0; g < rates.size(); ++g) {
    const double after = std::max(rates[g] * options_.factor, options_.min_lr[g]);
    if (rates[g] - after > options_.eps) rates[g] = after;
  }
  return rates;
}

std::map<std::string, Tensor> ReduceLROnPlateau::state_dict() const {
  return {{"last_epoch", tensor(t_)},
          {"best", tensor(best_, {.dtype = float64})},
          {"num_bad_epochs", tensor(bad_steps_)},
          {"cooldown_counter", tensor(cooldown_left_)},
          {"_last_lr", tensor(last_lr(), {.dtype = float64})}};
}

void ReduceLROnPlateau::load_state_dict(const std::map<std::string, Tensor>& state) {
  StateReader reader(plateau, state);
  const std::int64_t t = reader.count("last_epoch");
  const double best = reader.number("best");
  const std::int64_t bad_steps = reader.count("num_bad_epochs"), cooldown_left = reader.count("cooldown_counter");
  const std::vector<double> rates = reader.numbers("_last_lr", optimizer_.group_count());
  reader.finish();
  for (const double rate : rates) check_not_negative_number(plateau, "_last_lr", rate);

  set_rates(rates);
  t_ = t;
  best_ = best;
  bad_steps_ = bad_steps;
  cooldown_left_ = cooldown_left;
}

}  // namespace gradus::optim
