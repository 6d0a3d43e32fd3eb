// What all schedules share: LRScheduler, and Schedule for those that are a closed form of time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gradus/optim/optimizer.hpp"
#include "gradus/tensor.hpp"

namespace gradus::optim {

// Sets the learning rates of an optimizer, at once and whenever it steps. It refers to the optimizer, which must
// neither go away nor be moved while the schedule is used; so a schedule can't be copied, and takes no temporary.
//
// One schedule at a time: of two that are stepped side by side each overwrites what the other has set. Make one of them
// by ChainedScheduler or SequentialLR; where one takes over from another, load the state of the active one last.
class LRScheduler {
 public:
  virtual ~LRScheduler() = default;
  LRScheduler(const LRScheduler&) = delete;
  LRScheduler& operator=(const LRScheduler&) = delete;

  // One step of time: call it after the optimizer's step().
  virtual void step() = 0;

  // How many steps there were.
  std::int64_t last_epoch() const { return t_; }
  // The rate of each group.
  std::vector<double> last_lr() const;

  virtual std::map<std::string, Tensor> state_dict() const = 0;
  // Continues from such a state, rates included. Throws, and changes nothing, if it is not one of a schedule like this.
  virtual void load_state_dict(const std::map<std::string, Tensor>& state) = 0;

  const Optimizer& optimizer() const { return optimizer_; }

 protected:
  LRScheduler(const char* name, Optimizer& optimizer) : name_(name), optimizer_(optimizer) {}

  // What a group is set to; without a momentum, that stays.
  struct Setting {
    double lr;
    std::optional<double> momentum = {};
  };
  // Sets the first groups, as many as there are settings. All or none: what the optimizer refuses changes nothing.
  void set(const std::vector<Setting>& settings);
  void set_rates(const std::vector<double>& rates);

  const char* name_;
  Optimizer& optimizer_;
  std::int64_t t_ = 0;

 private:
  void apply(std::size_t group, const Setting& setting);

  std::vector<Setting> before_;  // kept, so that a step allocates nothing
};

// Rates as functions of time.
struct ClosedForm {
  // The rate of a group after t steps, given the rate that it had before any schedule.
  std::function<double(std::int64_t t, double base_lr, std::size_t group)> lr;
  // Its momentum, or first beta, likewise. Empty if the schedule leaves it alone.
  std::function<double(std::int64_t t, std::size_t group)> momentum = {};
};

// A schedule that computes each rate from t alone, never from the rate before: it can't drift, and to resume is to set
// t. `Schedule("name", optimizer, {.lr = f})` makes one of any function.
class Schedule : public LRScheduler {
 public:
  // Throws if a rate at t = 0 is negative or not finite, as any later step does.
  Schedule(const char* name, Optimizer& optimizer, ClosedForm form);

  void step() final { set_last_epoch(t_ + 1); }
  // As after t steps.
  void set_last_epoch(std::int64_t t);

  const ClosedForm& closed_form() const { return form_; }

  // "last_epoch" and "base_lrs", those of groups added since the last step excepted.
  std::map<std::string, Tensor> state_dict() const override;
  void load_state_dict(const std::map<std::string, Tensor>& state) override;

 private:
  void take_in_groups();
  void move_to(std::int64_t t);
  Setting setting_at(std::int64_t t, std::size_t group) const;

  ClosedForm form_;
  std::vector<double> base_lrs_;  // of the groups that there were at the last step
  std::vector<Setting> after_;    // kept, as before_
};

}  // namespace gradus::optim
