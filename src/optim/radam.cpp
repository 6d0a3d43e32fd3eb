#include "gradus/optim/radam.hpp"

#include <cmath>

#include "optim/fused.hpp"

namespace gradus::optim {
namespace {

constexpr Optimizer::StateName radam_state[] = {{"exp_avg"}, {"exp_avg_sq"}};

// c of the formula, and 0 while r <= 5.
double rectification(std::int64_t step, double beta2, double correction2) {
  const double most = 2 / (1 - beta2) - 1;
  const double length = most - 2 * static_cast<double>(step) * (1 - correction2) / correction2;
  if (length <= 5) return 0;
  return std::sqrt((length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * length));
}

}  // namespace

std::span<const Optimizer::StateName> RAdam::state_names() const { return radam_state; }

void RAdamOptions::validate() const { check_common("RAdam", *this); }

void RAdam::update(Tensor& param, const Tensor& grad, State& state, const RAdamOptions& o) {
  const auto& [correction1, correction2] = bias_correction_.at(state.step(), o.betas);
  const double factor = rectification(state.step(), o.betas[1], correction2);
  const double rate = o.lr / correction1;
  update_fused("RAdam", param, grad, {&state.tensor("exp_avg", param), &state.tensor("exp_avg_sq", param)},
               kernels::RadamStep{.direction = {.weight_decay = o.weight_decay, .maximize = o.maximize},
                                  .rate = factor > 0 ? rate * factor * std::sqrt(correction2) : rate,
                                  .beta1 = o.betas[0],
                                  .beta2 = o.betas[1],
                                  .eps = o.eps,
                                  .adaptive = factor > 0});
}

}  // namespace gradus::optim
