#pragma once

#include "optim/schedules/check.hpp"

namespace gradus::optim {

// For schedules that cycle the momentum from `low` to `high`.
inline void check_momentum(const char* name, const PerGroup<double>& low, const PerGroup<double>& high,
                           const Optimizer& optimizer) {
  check_fits(name, "base_momentum", low, optimizer);
  check_fits(name, "max_momentum", high, optimizer);
  for (const PerGroup<double>* values : {&low, &high}) {
    for (const double value : values->values()) {
      if (!(value >= 0 && value < 1)) {
        fail("{}: {} must be in [0, 1), got {}", name, values == &low ? "base_momentum" : "max_momentum", value);
      }
    }
  }
  for (std::int64_t g = 0; g < optimizer.group_count(); ++g) {
    if (!optimizer.momentum(g)) fail("{}: cycle_momentum needs an optimizer that has momentum or betas", name);
  }
}

}  // namespace gradus::optim
