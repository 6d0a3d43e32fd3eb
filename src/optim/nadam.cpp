#include "gradus/optim/nadam.hpp"

#include <cmath>

#include "optim/fused.hpp"

namespace gradus::optim {
namespace {

constexpr Optimizer::StateName nadam_state[] = {{"exp_avg"}, {"exp_avg_sq"}, {.name = "mu_product", .is_number = true}};

double momentum_at(std::int64_t step, const NAdamOptions& o) {
  return o.betas[0] * (1 - 0.5 * std::pow(0.96, static_cast<double>(step) * o.momentum_decay));
}

}  // namespace

std::span<const Optimizer::StateName> NAdam::state_names() const { return nadam_state; }

void NAdamOptions::validate() const {
  check_common("NAdam", *this);
  check_not_negative("NAdam", "momentum_decay", momentum_decay);
}

void NAdam::update(Tensor& param, const Tensor& grad, State& state, const NAdamOptions& o) {
  const double now = momentum_at(state.step(), o), next = momentum_at(state.step() + 1, o);
  double& product = state.number("mu_product", 1);
  const double product_now = product * now;
  update_fused("NAdam", param, grad, {&state.tensor("exp_avg", param), &state.tensor("exp_avg_sq", param)},
               kernels::NadamStep{.direction = {.weight_decay = o.weight_decay, .maximize = o.maximize},
                                  .beta1 = o.betas[0],
                                  .beta2 = o.betas[1],
                                  .eps = o.eps,
                                  .bias_correction2 = bias_correction_.at(state.step(), o.betas)[1],
                                  .gradient_rate = o.lr * (1 - now) / (1 - product_now),
                                  .mean_rate = o.lr * next / (1 - product_now * next)});
  product = product_now;
}

}  // namespace gradus::optim
