// Schedules made of schedules. They copy the closed forms of their parts, which need not live on; the parts are not
// stepped, neither by their owner nor by the whole. The parts are functions of time alone, as all schedules here are.
// PyTorch lets each step change the rate that it finds, which gives other rates where a part looks at that rate or sets
// one of its own: a chain with CosineAnnealingLR, LambdaLR or CyclicLR in it, and a sequence with OneCycleLR or
// MultiplicativeLR after another part.
#pragma once

#include <cstdint>
#include <vector>

#include "gradus/optim/schedules/schedule.hpp"

namespace gradus::optim {

// A part of a composition: made of a schedule.
struct SchedulePart {
  SchedulePart(const Schedule& schedule) : form(schedule.closed_form()), optimizer(&schedule.optimizer()) {}

  ClosedForm form;
  const Optimizer* optimizer;  // of which it was made
};

struct SequentialLROptions {
  std::vector<SchedulePart> schedulers;
  std::vector<std::int64_t> milestones;  // one less than the schedulers, increasing
};
// The first until t reaches milestones[0], then the second with a time of its own from 0, and so on.
class SequentialLR final : public Schedule {
 public:
  SequentialLR(Optimizer& optimizer, const SequentialLROptions& options);
};

struct ChainedSchedulerOptions {
  std::vector<SchedulePart> schedulers;
};
// Each scales what the one before gives: rate_n(t, ... rate_2(t, rate_1(t, base))). The last that has one sets the
// momentum.
class ChainedScheduler final : public Schedule {
 public:
  ChainedScheduler(Optimizer& optimizer, const ChainedSchedulerOptions& options);
};

}  // namespace gradus::optim
