// Options of schedules: each check names the schedule, the option, the rule and what came.
#pragma once

#include <cmath>
#include <cstdint>

#include "gradus/optim/optimizer.hpp"
#include "gradus/optim/schedules/per_group.hpp"
#include "storage/format.hpp"

namespace gradus::optim {

inline void check_at_least(const char* name, const char* option, std::int64_t value, std::int64_t least) {
  if (value < least) fail("{}: {} must be at least {}, got {}", name, option, least, value);
}

inline void check_not_negative_number(const char* name, const char* option, double value) {
  if (!(value >= 0 && std::isfinite(value))) fail("{}: {} must be at least 0 and finite, got {}", name, option, value);
}

inline void check_fraction(const char* name, const char* option, double value) {
  if (!(value >= 0 && value <= 1)) fail("{}: {} must be in [0, 1], got {}", name, option, value);
}

template <class T>
void check_fits(const char* name, const char* option, const PerGroup<T>& values, const Optimizer& optimizer) {
  if (!values.fits(optimizer.group_count())) {
    fail("{}: {} has {} values for {} groups", name, option, values.values().size(), optimizer.group_count());
  }
}

inline void check_rates(const char* name, const char* option, const PerGroup<double>& rates,
                        const Optimizer& optimizer) {
  check_fits(name, option, rates, optimizer);
  for (const double rate : rates.values()) check_not_negative_number(name, option, rate);
}

}  // namespace gradus::optim
