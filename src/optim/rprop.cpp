#include "gradus/optim/rprop.hpp"

#include "optim/fused.hpp"

namespace gradus::optim {
namespace {

constexpr Optimizer::StateName rprop_state[] = {{"prev"}, {"step_size"}};

}  // namespace

std::span<const Optimizer::StateName> Rprop::state_names() const { return rprop_state; }

void RpropOptions::validate() const {
  check_common("Rprop", *this);
  if (!(0 < etas[0] && etas[0] < 1 && 1 < etas[1])) {
    fail("Rprop: etas must be in (0, 1) and above 1, got {} and {}", etas[0], etas[1]);
  }
  if (!(0 <= step_sizes[0] && step_sizes[0] <= step_sizes[1])) {
    fail("Rprop: step_sizes must be at least 0 and in order, got {} and {}", step_sizes[0], step_sizes[1]);
  }
}

void Rprop::update(Tensor& param, const Tensor& grad, State& state, const RpropOptions& o) {
  update_fused("Rprop", param, grad, {&state.tensor("prev", param), &state.tensor("step_size", param, o.lr)},
               kernels::RpropStep{.direction = {.weight_decay = o.weight_decay, .maximize = o.maximize},
                                  .eta_minus = o.etas[0],
                                  .eta_plus = o.etas[1],
                                  .smallest = o.step_sizes[0],
                                  .largest = o.step_sizes[1]});
}

}  // namespace gradus::optim
