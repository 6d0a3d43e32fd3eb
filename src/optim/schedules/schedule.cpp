#include "gradus/optim/schedules/schedule.hpp"

#include <cmath>

#include "gradus/factory.hpp"
#include "optim/schedules/state.hpp"
#include "storage/format.hpp"

namespace gradus::optim {

std::vector<double> LRScheduler::last_lr() const {
  std::vector<double> rates;
  for (std::int64_t g = 0; g < optimizer_.group_count(); ++g) rates.push_back(optimizer_.lr(g));
  return rates;
}

void LRScheduler::apply(std::size_t group, const Setting& setting) {
  const auto g = static_cast<std::int64_t>(group);
  optimizer_.set_lr(g, setting.lr);
  if (setting.momentum) optimizer_.set_momentum(g, *setting.momentum);
}

void LRScheduler::set(const std::vector<Setting>& settings) {
  before_.clear();
  for (std::size_t g = 0; g < settings.size(); ++g) {
    const auto index = static_cast<std::int64_t>(g);
    before_.push_back({optimizer_.lr(index), settings[g].momentum ? optimizer_.momentum(index) : std::nullopt});
  }
  try {
    for (std::size_t g = 0; g < settings.size(); ++g) apply(g, settings[g]);
  } catch (...) {
    for (std::size_t g = 0; g < settings.size(); ++g) apply(g, before_[g]);
    throw;
  }
}

void LRScheduler::set_rates(const std::vector<double>& rates) {
  std::vector<Setting> settings;
  for (const double rate : rates) settings.push_back({rate});
  set(settings);
}

Schedule::Schedule(const char* name, Optimizer& optimizer, ClosedForm form)
    : LRScheduler(name, optimizer), form_(std::move(form)) {
  if (!form_.lr) fail("{}: the closed form has no function for the rate", name);
  set_last_epoch(0);
}

void Schedule::set_last_epoch(std::int64_t t) {
  if (t < 0) fail("{}: last_epoch must be at least 0, got {}", name_, t);
  take_in_groups();
  move_to(t);
}

void Schedule::take_in_groups() {
  for (auto g = static_cast<std::int64_t>(base_lrs_.size()); g < optimizer_.group_count(); ++g) {
    base_lrs_.push_back(optimizer_.initial_lr(g));
  }
}

Schedule::Setting Schedule::setting_at(std::int64_t t, std::size_t group) const {
  Setting setting{form_.lr(t, base_lrs_[group], group), {}};
  if (!(setting.lr >= 0 && std::isfinite(setting.lr))) {
    fail("{}: the rate of group {} must be at least 0 and finite, got {} at t = {}", name_, group, setting.lr, t);
  }
  if (form_.momentum) setting.momentum = form_.momentum(t, group);
  return setting;
}

// All or none: whatever refuses, a function, the optimizer or the end of the schedule, leaves all as it was.
void Schedule::move_to(std::int64_t t) {
  after_.clear();
  for (std::size_t g = 0; g < base_lrs_.size(); ++g) after_.push_back(setting_at(t, g));
  set(after_);
  t_ = t;
}

std::map<std::string, Tensor> Schedule::state_dict() const {
  return {{"last_epoch", tensor(t_)}, {"base_lrs", tensor(base_lrs_, {.dtype = float64})}};
}

void Schedule::load_state_dict(const std::map<std::string, Tensor>& state) {
  StateReader reader(name_, state);
  const std::int64_t t = reader.count("last_epoch");
  std::vector<double> base_lrs = reader.first_numbers("base_lrs", optimizer_.group_count());
  reader.finish();
  std::swap(base_lrs_, base_lrs);
  try {
    move_to(t);
  } catch (...) {
    std::swap(base_lrs_, base_lrs);
    throw;
  }
}

}  // namespace gradus::optim
