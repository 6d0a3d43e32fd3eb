#include <cmath>

#include "gradus/optim/schedules/cycles.hpp"
#include "optim/schedules/momentum.hpp"

namespace gradus::optim {
namespace {

constexpr const char* name = "CyclicLR";

double scale(const CyclicLROptions& o, std::int64_t t, double cycle) {
  const auto time = static_cast<double>(t);
  if (o.scale_fn) return o.scale_fn(o.scale_mode == ScaleMode::cycle ? cycle : time);
  switch (o.mode) {
    case CycleMode::triangular:
      return 1;
    case CycleMode::triangular2:
      return std::exp2(1 - cycle);
    case CycleMode::exp_range:
      break;
  }
  return std::pow(o.gamma, time);
}

// From 0 up to the scale and down again.
double height(const CyclicLROptions& o, std::int64_t t) {
  const auto up = static_cast<double>(o.step_size_up);
  const double total = up + static_cast<double>(o.step_size_down);
  const double cycle = std::floor(1 + static_cast<double>(t) / total);
  const double x = 1 + static_cast<double>(t) / total - cycle;
  const double peak = up / total;
  const double triangle = x <= peak ? x / peak : (x - 1) / (peak - 1);
  return triangle * scale(o, t, cycle);
}

CyclicLROptions checked(const Optimizer& optimizer, const CyclicLROptions& options) {
  CyclicLROptions o = options;
  check_rates(name, "base_lr", o.base_lr, optimizer);
  check_rates(name, "max_lr", o.max_lr, optimizer);
  check_at_least(name, "step_size_up", o.step_size_up, 1);
  check_at_least(name, "step_size_down", o.step_size_down, 0);
  check_not_negative_number(name, "gamma", o.gamma);
  if (o.cycle_momentum) check_momentum(name, o.base_momentum, o.max_momentum, optimizer);
  if (o.step_size_down == 0) o.step_size_down = o.step_size_up;
  return o;
}

ClosedForm form(const CyclicLROptions& o) {
  ClosedForm form{.lr = [o](std::int64_t t, double, std::size_t g) {
    return o.base_lr[g] + (o.max_lr[g] - o.base_lr[g]) * height(o, t);
  }};
  if (o.cycle_momentum) {
    form.momentum = [o](std::int64_t t, std::size_t g) {
      return o.max_momentum[g] - (o.max_momentum[g] - o.base_momentum[g]) * height(o, t);
    };
  }
  return form;
}

}  // namespace

CyclicLR::CyclicLR(Optimizer& optimizer, const CyclicLROptions& options)
    : Schedule(name, optimizer, form(checked(optimizer, options))) {}

}  // namespace gradus::optim
