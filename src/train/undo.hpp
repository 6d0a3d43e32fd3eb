#pragma once

#include "gradus/optim/schedules/schedule.hpp"
#include "gradus/random.hpp"
#include "gradus/train/callback.hpp"
#include "train/state.hpp"

namespace gradus::train {

// Puts weights, optimizer, schedule and random numbers back unless they are kept.
class Undo {
 public:
  Undo(Run& run, optim::LRScheduler* schedule, const Generator& generator)
      : run_(run),
        schedule_(schedule),
        model_(copies(run.model.state_dict())),
        optimizer_(copies(run.optimizer.state_dict())),
        generator_(generator) {
    if (schedule) schedule_state_ = schedule->state_dict();
  }
  ~Undo() {
    if (kept_) return;
    run_.model.load_state_dict(model_);
    run_.optimizer.load_state_dict(optimizer_);
    if (schedule_) schedule_->load_state_dict(schedule_state_);
    default_generator() = generator_;
  }
  Undo(const Undo&) = delete;
  Undo& operator=(const Undo&) = delete;

  void keep() { kept_ = true; }

 private:
  Run& run_;
  optim::LRScheduler* schedule_;
  StateDict model_, optimizer_, schedule_state_;
  Generator generator_;
  bool kept_ = false;
};

}  // namespace gradus::train
