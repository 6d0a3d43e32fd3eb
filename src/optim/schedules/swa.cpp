#include "gradus/optim/schedules/swa.hpp"

#include <cmath>
#include <numbers>

#include "gradus/factory.hpp"
#include "optim/schedules/check.hpp"
#include "optim/schedules/state.hpp"

namespace gradus::optim {
namespace {

constexpr const char* swa = "SWALR";

void check(const SWALROptions& o, const Optimizer& optimizer) {
  check_rates(swa, "swa_lr", o.swa_lr, optimizer);
  check_at_least(swa, "anneal_epochs", o.anneal_epochs, 0);
}

// How much of swa_lr there is after t steps.
double share_at(std::int64_t t, const SWALROptions& o) {
  if (t == 0) return 0;
  if (t >= o.anneal_epochs) return 1;
  const double x = static_cast<double>(t) / static_cast<double>(o.anneal_epochs);
  return o.anneal_strategy == AnnealStrategy::linear ? x : (1 - std::cos(std::numbers::pi * x)) / 2;
}

}  // namespace

SWALR::SWALR(Optimizer& optimizer, const SWALROptions& options) : LRScheduler(swa, optimizer), options_(options) {
  check(options, optimizer);
  if (options.anneal_epochs > 0) return;
  std::vector<double> rates;
  for (std::int64_t g = 0; g < optimizer.group_count(); ++g)
    rates.push_back(options.swa_lr[static_cast<std::size_t>(g)]);
  set_rates(rates);
}

void SWALR::step() {
  std::vector<double> first = t_ == 0 ? last_lr() : first_lrs_;
  // A group that was added since then starts from its own rate.
  for (std::int64_t g = static_cast<std::int64_t>(first.size()); g < optimizer_.group_count(); ++g) {
    first.push_back(optimizer_.lr(g));
  }
  move_to(t_ + 1, first);
  first_lrs_ = std::move(first);
}

// All or none: an option that has no value for a new group throws before a rate is set. A group that has come since the
// last step, and so has no first rate, waits for the next one.
void SWALR::move_to(std::int64_t t, const std::vector<double>& first_lrs) {
  const double share = share_at(t, options_);
  std::vector<double> rates;
  for (std::size_t g = 0; g < first_lrs.size(); ++g) {
    rates.push_back(options_.swa_lr[g] * share + first_lrs[g] * (1 - share));
  }
  set_rates(rates);
  t_ = t;
}

std::map<std::string, Tensor> SWALR::state_dict() const {
  return {{"last_epoch", tensor(t_)}, {"first_lrs", tensor(t_ == 0 ? last_lr() : first_lrs_, {.dtype = float64})}};
}

void SWALR::load_state_dict(const std::map<std::string, Tensor>& state) {
  StateReader reader(swa, state);
  const std::int64_t t = reader.count("last_epoch");
  std::vector<double> first = reader.first_numbers("first_lrs", optimizer_.group_count());
  reader.finish();
  for (const double rate : first) check_not_negative_number(swa, "first_lrs", rate);
  move_to(t, first);
  first_lrs_ = std::move(first);
}

}  // namespace gradus::optim
