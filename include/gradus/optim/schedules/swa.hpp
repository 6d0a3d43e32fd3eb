// The schedule for averaging weights.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "gradus/optim/schedules/cycles.hpp"
#include "gradus/optim/schedules/per_group.hpp"
#include "gradus/optim/schedules/schedule.hpp"

namespace gradus::optim {

struct SWALROptions {
  PerGroup<double> swa_lr = std::numeric_limits<double>::quiet_NaN();  // must be given
  std::int64_t anneal_epochs = 10;
  AnnealStrategy anneal_strategy = AnnealStrategy::cos;
};
// From the rate that its first step() finds, whoever set it, to swa_lr in anneal_epochs steps, and there it stays:
// lr = (1 - a) * first + a * swa_lr with a = t / anneal_epochs or its half cosine. So another schedule can come before:
// step that one until the averaging starts, then this one. anneal_epochs = 0 sets swa_lr at once.
// [Izmailov et al., Averaging weights leads to wider optima and better generalization, UAI 2018]
class SWALR final : public LRScheduler {
 public:
  SWALR(Optimizer& optimizer, const SWALROptions& options);

  void step() override;

  // "last_epoch" and "first_lrs", which are the rates of today before the first step.
  std::map<std::string, Tensor> state_dict() const override;
  void load_state_dict(const std::map<std::string, Tensor>& state) override;

 private:
  void move_to(std::int64_t t, const std::vector<double>& first_lrs);

  SWALROptions options_;
  std::vector<double> first_lrs_;  // of the groups that there were at the first step
};

}  // namespace gradus::optim
