// Schedules that warm up: the base rate times t / warmup_steps at first.
#pragma once

#include <cstdint>

#include "gradus/optim/schedules/schedule.hpp"

namespace gradus::optim {

struct WarmupCosineOptions {
  std::int64_t warmup_steps = 0;
  std::int64_t total_steps = 0;  // warmup included, more than warmup_steps
  double eta_min = 0;
};
// Up to base linearly, then down to eta_min along half a cosine, and there it stays.
class WarmupCosine final : public Schedule {
 public:
  WarmupCosine(Optimizer& optimizer, const WarmupCosineOptions& options);
};

enum class DecayShape : std::uint8_t { linear, cosine, one_minus_sqrt };

struct WarmupStableDecayOptions {
  std::int64_t warmup_steps = 0;
  std::int64_t stable_steps = 0;
  std::int64_t decay_steps = 0;  // at least 1
  DecayShape decay = DecayShape::linear;
  double eta_min = 0;
};
// Up to base linearly, there for stable_steps, down to eta_min within decay_steps, and there it stays.
// one_minus_sqrt decays by 1 - sqrt(share of decay_steps).
// [Hu et al., MiniCPM, 2024; Haegele et al., Scaling laws and compute-optimal training beyond fixed training durations,
// NeurIPS 2024]
class WarmupStableDecay final : public Schedule {
 public:
  WarmupStableDecay(Optimizer& optimizer, const WarmupStableDecayOptions& options);
};

struct InverseSquareRootOptions {
  std::int64_t warmup_steps = 0;  // at least 1
};
// base * min(t / warmup_steps, sqrt(warmup_steps / t))
// [Vaswani et al., Attention is all you need, NeurIPS 2017]
class InverseSquareRoot final : public Schedule {
 public:
  InverseSquareRoot(Optimizer& optimizer, const InverseSquareRootOptions& options);
};

}  // namespace gradus::optim
