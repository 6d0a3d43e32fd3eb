#include "gradus/optim/rmsprop.hpp"

#include "optim/fused.hpp"

namespace gradus::optim {
namespace {

constexpr Optimizer::StateName rmsprop_state[] = {
    {"square_avg"}, {"grad_avg", /*required=*/false}, {"momentum_buffer", /*required=*/false}};

}  // namespace

std::span<const Optimizer::StateName> RMSprop::state_names() const { return rmsprop_state; }

void RMSpropOptions::validate() const {
  check_common("RMSprop", *this);
  check_not_negative("RMSprop", "momentum", momentum);
  if (!(alpha >= 0 && alpha <= 1)) fail("RMSprop: alpha must be in [0, 1], got {}", alpha);
}

void RMSprop::update(Tensor& param, const Tensor& grad, State& state, const RMSpropOptions& o) {
  const Tensor* square = &state.tensor("square_avg", param);
  const Tensor* mean = o.centered ? &state.tensor("grad_avg", param) : nullptr;
  const Tensor* buffer = o.momentum > 0 ? &state.tensor("momentum_buffer", param) : nullptr;
  update_fused("RMSprop", param, grad, {square, mean, buffer},
               kernels::RmspropStep{.direction = {.weight_decay = o.weight_decay, .maximize = o.maximize},
                                    .lr = o.lr,
                                    .alpha = o.alpha,
                                    .eps = o.eps,
                                    .momentum = o.momentum,
                                    .centered = o.centered});
}

}  // namespace gradus::optim
