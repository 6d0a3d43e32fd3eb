#include "gradus/optim/lion.hpp"

#include "optim/fused.hpp"

namespace gradus::optim {
namespace {

constexpr Optimizer::StateName lion_state[] = {{"exp_avg"}};

}  // namespace

std::span<const Optimizer::StateName> Lion::state_names() const { return lion_state; }

void LionOptions::validate() const { check_common("Lion", *this); }

void Lion::update(Tensor& param, const Tensor& grad, State& state, const LionOptions& o) {
  update_fused("Lion", param, grad, {&state.tensor("exp_avg", param)},
               kernels::LionStep{.direction = {.maximize = o.maximize},
                                 .lr = o.lr,
                                 .beta1 = o.betas[0],
                                 .beta2 = o.betas[1],
                                 .decay_factor = 1 - o.lr * o.weight_decay});
}

}  // namespace gradus::optim
