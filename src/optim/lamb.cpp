#include "gradus/optim/lamb.hpp"

#include "gradus/factory.hpp"
#include "optim/whole.hpp"

namespace gradus::optim {
namespace {

constexpr Optimizer::StateName lamb_state[] = {{"exp_avg"}, {"exp_avg_sq"}};

double trust_ratio(const Tensor& param, const Tensor& direction) {
  const double of_param = length(param), of_direction = length(direction);
  return of_param == 0 || of_direction == 0 ? 1 : of_param / of_direction;
}

}  // namespace

std::span<const Optimizer::StateName> LAMB::state_names() const { return lamb_state; }

void LAMBOptions::validate() const { check_common("LAMB", *this); }

void LAMB::update(Tensor& param, const Tensor& grad, State& state, const LAMBOptions& o) {
  check_gradient("LAMB", param, grad);
  const auto& [correction1, correction2] = bias_correction_.at(state.step(), o.betas);
  Tensor direction = zeros(param.shape(), {.dtype = param.dtype()});
  // Adam's step from 0 at the rate -1 is the direction.
  update_fused("LAMB", direction, grad, {&state.tensor("exp_avg", param), &state.tensor("exp_avg_sq", param)},
               kernels::AdamStep{.direction = {.maximize = o.maximize},
                                 .lr = -1,
                                 .beta1 = o.betas[0],
                                 .beta2 = o.betas[1],
                                 .eps = o.eps,
                                 .decay_factor = 1,
                                 .bias_correction1 = correction1,
                                 .bias_correction2 = correction2,
                                 .amsgrad = false});
  if (o.weight_decay != 0) direction.add_(param, o.weight_decay);
  param.sub_(direction, o.lr * trust_ratio(param, direction));
}

}  // namespace gradus::optim
