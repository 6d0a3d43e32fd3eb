// Schedules that anneal along half a cosine.
// [Loshchilov and Hutter, SGDR: stochastic gradient descent with warm restarts, ICLR 2017]
#pragma once

#include <cstdint>

#include "gradus/optim/schedules/schedule.hpp"

namespace gradus::optim {

struct CosineAnnealingLROptions {
  std::int64_t T_max = 0;  // at least 1
  double eta_min = 0;
};
// eta_min + (base - eta_min) * (1 + cos(pi * t / T_max)) / 2: up again after T_max.
class CosineAnnealingLR final : public Schedule {
 public:
  CosineAnnealingLR(Optimizer& optimizer, const CosineAnnealingLROptions& options);
};

struct CosineAnnealingWarmRestartsOptions {
  std::int64_t T_0 = 0;     // steps to the first restart, at least 1
  std::int64_t T_mult = 1;  // each cycle is as many times longer than the one before
  double eta_min = 0;
};
// eta_min + (base - eta_min) * (1 + cos(pi * t_i / T_i)) / 2 with t_i the steps since the last restart, T_i to the
// next.
class CosineAnnealingWarmRestarts final : public Schedule {
 public:
  CosineAnnealingWarmRestarts(Optimizer& optimizer, const CosineAnnealingWarmRestartsOptions& options);
};

}  // namespace gradus::optim
