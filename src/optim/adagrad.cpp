#include "gradus/optim/adagrad.hpp"

#include "optim/fused.hpp"

namespace gradus::optim {
namespace {

constexpr Optimizer::StateName adagrad_state[] = {{"sum"}};

}  // namespace

std::span<const Optimizer::StateName> Adagrad::state_names() const { return adagrad_state; }

void AdagradOptions::validate() const {
  check_common("Adagrad", *this);
  check_not_negative("Adagrad", "lr_decay", lr_decay);
  check_not_negative("Adagrad", "initial_accumulator_value", initial_accumulator_value);
}

void Adagrad::update(Tensor& param, const Tensor& grad, State& state, const AdagradOptions& o) {
  const double age = static_cast<double>(state.step() - 1);
  update_fused("Adagrad", param, grad, {&state.tensor("sum", param, o.initial_accumulator_value)},
               kernels::AdagradStep{.direction = {.weight_decay = o.weight_decay, .maximize = o.maximize},
                                    .rate = o.lr / (1 + age * o.lr_decay),
                                    .eps = o.eps});
}

}  // namespace gradus::optim
