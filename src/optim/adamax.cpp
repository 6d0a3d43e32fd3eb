#include "gradus/optim/adamax.hpp"

#include "optim/fused.hpp"

namespace gradus::optim {
namespace {

constexpr Optimizer::StateName adamax_state[] = {{"exp_avg"}, {"exp_inf"}};

}  // namespace

std::span<const Optimizer::StateName> Adamax::state_names() const { return adamax_state; }

void AdamaxOptions::validate() const { check_common("Adamax", *this); }

void Adamax::update(Tensor& param, const Tensor& grad, State& state, const AdamaxOptions& o) {
  update_fused("Adamax", param, grad, {&state.tensor("exp_avg", param), &state.tensor("exp_inf", param)},
               kernels::AdamaxStep{.direction = {.weight_decay = o.weight_decay, .maximize = o.maximize},
                                   .rate = o.lr / bias_correction_.at(state.step(), o.betas)[0],
                                   .beta1 = o.betas[0],
                                   .beta2 = o.betas[1],
                                   .eps = o.eps});
}

}  // namespace gradus::optim
