#include "gradus/optim/schedule_free.hpp"

#include <algorithm>
#include <cmath>

#include "gradus/autograd.hpp"
#include "gradus/ops.hpp"
#include "optim/fused.hpp"

namespace gradus::optim {
namespace {

constexpr Optimizer::StateName number(std::string_view name) { return {.name = name, .is_number = true}; }

constexpr Optimizer::StateName adamw_state[] = {
    {"z"}, {"exp_avg_sq"}, number("weight_sum"), number("lr_max"), number("train_mode")};
constexpr Optimizer::StateName sgd_state[] = {{"z"}, number("weight_sum"), number("lr_max"), number("train_mode")};

// The share of x in y.
double interpolation(const ScheduleFreeAdamWOptions& o) { return o.betas[0]; }
double interpolation(const ScheduleFreeSGDOptions& o) { return o.momentum; }

bool trains(const State& state) { return state.number_or("train_mode", 1) != 0; }

// The rate of this step, and the weight that it gives z in the average.
struct Averaging {
  double lr, weight;
};

template <class Options>
Averaging next_averaging(State& state, const Options& o) {
  const double step = static_cast<double>(state.step()), warmup = static_cast<double>(o.warmup_steps);
  const double lr = step < warmup ? o.lr * (step / warmup) : o.lr;
  double& largest = state.number("lr_max", -1);
  double& sum = state.number("weight_sum", 0);
  state.number("train_mode", 1);
  largest = std::max(largest, lr);
  const double weight = std::pow(step, o.r) * std::pow(largest, o.weight_lr_power);
  sum += weight;
  return {lr, sum == 0 ? 0 : weight / sum};
}

// x is nowhere: y goes towards the old z by the new z's weight, then by what the step adds to y itself.
template <class Options>
kernels::ScheduleFreeStep step_of(const Averaging& next, const Options& o) {
  return {.direction = {.maximize = o.maximize},
          .lr = next.lr,
          .decay = o.weight_decay,
          .average_weight = next.weight,
          .y_rate = next.lr * (1 - interpolation(o) * (1 - next.weight)),
          .adaptive = false,
          .beta2 = 0,
          .eps = 0,
          .bias_correction2 = 1};
}

const Tensor& z_of(State& state, const Tensor& param) {
  const bool is_new = !state.has("z");
  Tensor& z = state.tensor("z", param);
  if (is_new) z.copy_(param);
  return z;
}

template <class Options>
void check_averaging(const char* rule, const Options& o) {
  if (o.warmup_steps < 0) fail("{}: warmup_steps must be at least 0, got {}", rule, o.warmup_steps);
  check_not_negative(rule, "r", o.r);
  check_not_negative(rule, "weight_lr_power", o.weight_lr_power);
}

}  // namespace

void ScheduleFreeAdamWOptions::validate() const {
  check_common("ScheduleFreeAdamW", *this);
  if (betas[0] == 0) fail("ScheduleFreeAdamW: the first of the betas must be above 0, got 0");
  check_averaging("ScheduleFreeAdamW", *this);
}

void ScheduleFreeSGDOptions::validate() const {
  check_common("ScheduleFreeSGD", *this);
  if (!(momentum > 0 && momentum < 1)) fail("ScheduleFreeSGD: momentum must be in (0, 1), got {}", momentum);
  check_averaging("ScheduleFreeSGD", *this);
}

template <class Options>
void ScheduleFree<Options>::train() {
  set_mode(true);
}

template <class Options>
void ScheduleFree<Options>::eval() {
  set_mode(false);
}

// y = x + (1 - beta) (z - x), and so x = y + (1 - 1 / beta) (z - y).
template <class Options>
void ScheduleFree<Options>::set_mode(bool training) {
  NoGrad guard;
  this->for_each_parameter([&](std::size_t group, Tensor& param, State& state) {
    if (trains(state) == training) return;
    if (state.has("z")) {
      const double beta = interpolation(this->options(static_cast<std::int64_t>(group)));
      param.add_(state.tensor("z", param) - param, training ? 1 - beta : 1 - 1 / beta);
    }
    state.number("train_mode", 1) = training ? 1 : 0;
  });
}

template <class Options>
bool ScheduleFree<Options>::is_training() const {
  bool all = true;
  this->for_each_parameter([&](std::size_t, const Tensor&, const State& state) { all = all && trains(state); });
  return all;
}

template <class Options>
void ScheduleFree<Options>::set_momentum(std::int64_t group, double) {
  fail("optimizer: group {} is schedule-free, its momentum is fixed", this->checked(group));
}

template <class Options>
void ScheduleFree<Options>::step() {
  if (!is_training()) fail("optimizer: step() after eval(); call train() first");
  Optimizer::step();
}

template class ScheduleFree<ScheduleFreeAdamWOptions>;
template class ScheduleFree<ScheduleFreeSGDOptions>;

std::span<const Optimizer::StateName> ScheduleFreeAdamW::state_names() const { return adamw_state; }
std::span<const Optimizer::StateName> ScheduleFreeSGD::state_names() const { return sgd_state; }

void ScheduleFreeAdamW::update(Tensor& param, const Tensor& grad, State& state, const ScheduleFreeAdamWOptions& o) {
  check_gradient("ScheduleFreeAdamW", param, grad);
  kernels::ScheduleFreeStep step = step_of(next_averaging(state, o), o);
  step.adaptive = true;
  step.beta2 = o.betas[1];
  step.eps = o.eps;
  step.bias_correction2 = bias_correction_.at(state.step(), o.betas)[1];
  update_fused("ScheduleFreeAdamW", param, grad, {&z_of(state, param), &state.tensor("exp_avg_sq", param)}, step);
}

void ScheduleFreeSGD::update(Tensor& param, const Tensor& grad, State& state, const ScheduleFreeSGDOptions& o) {
  check_gradient("ScheduleFreeSGD", param, grad);
  update_fused("ScheduleFreeSGD", param, grad, {&z_of(state, param)}, step_of(next_averaging(state, o), o));
}

}  // namespace gradus::optim
