#include "gradus/optim/adam.hpp"

#include "optim/fused.hpp"

namespace gradus::optim {
namespace {

void update_adam(const char* rule, Tensor& param, const Tensor& grad, State& state, const kernels::AdamStep& step) {
  const Tensor* mean = &state.tensor("exp_avg", param);
  const Tensor* square = &state.tensor("exp_avg_sq", param);
  const Tensor* largest = step.amsgrad ? &state.tensor("max_exp_avg_sq", param) : nullptr;
  update_fused(rule, param, grad, {mean, square, largest}, step);
}

constexpr Optimizer::StateName adam_state[] = {{"exp_avg"}, {"exp_avg_sq"}, {"max_exp_avg_sq", /*required=*/false}};

}  // namespace

void AdamOptions::validate() const { check_common("Adam", *this); }
void AdamWOptions::validate() const { check_common("AdamW", *this); }

std::span<const Optimizer::StateName> Adam::state_names() const { return adam_state; }
std::span<const Optimizer::StateName> AdamW::state_names() const { return adam_state; }

void Adam::update(Tensor& param, const Tensor& grad, State& state, const AdamOptions& o) {
  const auto& [correction1, correction2] = bias_correction_.at(state.step(), o.betas);
  update_adam("Adam", param, grad, state,
              {.direction = {.weight_decay = o.weight_decay, .maximize = o.maximize},
               .lr = o.lr,
               .beta1 = o.betas[0],
               .beta2 = o.betas[1],
               .eps = o.eps,
               .decay_factor = 1,
               .bias_correction1 = correction1,
               .bias_correction2 = correction2,
               .amsgrad = o.amsgrad});
}

void AdamW::update(Tensor& param, const Tensor& grad, State& state, const AdamWOptions& o) {
  const auto& [correction1, correction2] = bias_correction_.at(state.step(), o.betas);
  update_adam("AdamW", param, grad, state,
              {.direction = {.maximize = o.maximize},
               .lr = o.lr,
               .beta1 = o.betas[0],
               .beta2 = o.betas[1],
               .eps = o.eps,
               .decay_factor = 1 - o.lr * o.weight_decay,
               .bias_correction1 = correction1,
               .bias_correction2 = correction2,
               .amsgrad = o.amsgrad});
}

}  // namespace gradus::optim
