#include "gradus/optim/adadelta.hpp"

#include "optim/fused.hpp"

namespace gradus::optim {
namespace {

constexpr Optimizer::StateName adadelta_state[] = {{"square_avg"}, {"acc_delta"}};

}  // namespace

std::span<const Optimizer::StateName> Adadelta::state_names() const { return adadelta_state; }

void AdadeltaOptions::validate() const {
  check_common("Adadelta", *this);
  if (!(rho >= 0 && rho <= 1)) fail("Adadelta: rho must be in [0, 1], got {}", rho);
}

void Adadelta::update(Tensor& param, const Tensor& grad, State& state, const AdadeltaOptions& o) {
  update_fused("Adadelta", param, grad, {&state.tensor("square_avg", param), &state.tensor("acc_delta", param)},
               kernels::AdadeltaStep{.direction = {.weight_decay = o.weight_decay, .maximize = o.maximize},
                                     .lr = o.lr,
                                     .rho = o.rho,
                                     .eps = o.eps});
}

}  // namespace gradus::optim
