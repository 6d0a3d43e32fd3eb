// Schedules that cycle the momentum (or first beta) against the rate.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>

#include "gradus/optim/schedules/per_group.hpp"
#include "gradus/optim/schedules/schedule.hpp"

namespace gradus::optim {

enum class CycleMode : std::uint8_t {
  triangular,   // every cycle as high
  triangular2,  // each half as high as the one before
  exp_range,    // times gamma^t
};
enum class ScaleMode : std::uint8_t { cycle, iterations };  // what scale_fn gets: 1, 2, ... or t

struct CyclicLROptions {
  PerGroup<double> base_lr = std::numeric_limits<double>::quiet_NaN();  // must be given, as max_lr
  PerGroup<double> max_lr = std::numeric_limits<double>::quiet_NaN();
  std::int64_t step_size_up = 2000;
  std::int64_t step_size_down = 0;  // 0: as step_size_up
  CycleMode mode = CycleMode::triangular;
  double gamma = 1;
  std::function<double(double)> scale_fn = {};  // instead of mode, if given
  ScaleMode scale_mode = ScaleMode::cycle;
  bool cycle_momentum = true;
  PerGroup<double> base_momentum = 0.8;
  PerGroup<double> max_momentum = 0.9;
};
// base_lr + (max_lr - base_lr) * triangle(t) * scale, and max_momentum - (max_momentum - base_momentum) * the same.
// Throws if the momentum shall be cycled and the optimizer has neither momentum nor betas.
// [Smith, Cyclical learning rates for training neural networks, WACV 2017]
class CyclicLR final : public Schedule {
 public:
  CyclicLR(Optimizer& optimizer, const CyclicLROptions& options);
};

enum class AnnealStrategy : std::uint8_t { cos, linear };

struct OneCycleLROptions {
  PerGroup<double> max_lr = std::numeric_limits<double>::quiet_NaN();  // must be given
  std::int64_t total_steps = 0;                                        // or epochs and steps_per_epoch
  std::int64_t epochs = 0;
  std::int64_t steps_per_epoch = 0;
  double pct_start = 0.3;  // the share of steps in which the rate grows
  AnnealStrategy anneal_strategy = AnnealStrategy::cos;
  bool cycle_momentum = true;
  PerGroup<double> base_momentum = 0.85;
  PerGroup<double> max_momentum = 0.95;
  double div_factor = 25;
  double final_div_factor = 1e4;
  bool three_phase = false;
};
// From max_lr / div_factor up to max_lr and down to max_lr / div_factor / final_div_factor, momentum the other way
// round; three_phase comes down as it went up, then ends. After the last step, t = total_steps, the rates stay; one
// more throws, as does an optimizer without momentum and betas whose momentum shall be cycled. [Smith and Topin,
// Super-convergence: very fast training of neural networks using large learning rates, 2018]
class OneCycleLR final : public Schedule {
 public:
  OneCycleLR(Optimizer& optimizer, const OneCycleLROptions& options);
};

}  // namespace gradus::optim
