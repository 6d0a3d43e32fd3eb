#include "gradus/optim/sgd.hpp"

#include "optim/fused.hpp"

namespace gradus::optim {
namespace {

constexpr const char* buffer_name = "momentum_buffer";
constexpr Optimizer::StateName sgd_state[] = {{buffer_name, /*required=*/false}};  // only with momentum

}  // namespace

std::span<const Optimizer::StateName> SGD::state_names() const { return sgd_state; }

void SGDOptions::validate() const {
  check_common("SGD", *this);
  check_not_negative("SGD", "momentum", momentum);
  if (nesterov && (momentum <= 0 || dampening != 0)) {
    fail("SGD: nesterov needs a momentum above 0 and a dampening of 0, got {} and {}", momentum, dampening);
  }
}

void SGD::update(Tensor& param, const Tensor& grad, State& state, const SGDOptions& o) {
  const bool has_momentum = o.momentum != 0;
  const kernels::SgdStep step{.direction = {.weight_decay = o.weight_decay, .maximize = o.maximize},
                              .lr = o.lr,
                              .momentum = o.momentum,
                              .dampening = o.dampening,
                              .nesterov = o.nesterov,
                              .first = has_momentum && !state.has(buffer_name)};
  update_fused("SGD", param, grad, {has_momentum ? &state.tensor(buffer_name, param) : nullptr}, step);
}

}  // namespace gradus::optim
