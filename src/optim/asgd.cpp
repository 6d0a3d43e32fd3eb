#include "gradus/optim/asgd.hpp"

#include <algorithm>
#include <cmath>

#include "optim/fused.hpp"

namespace gradus::optim {
namespace {

constexpr Optimizer::StateName asgd_state[] = {
    {"ax"}, {"eta", /*required=*/false, /*is_number=*/true}, {"mu", /*required=*/false, /*is_number=*/true}};

double eta_at(double age, const ASGDOptions& o) { return o.lr / std::pow(1 + o.lambd * o.lr * age, o.alpha); }
double mu_at(double age, const ASGDOptions& o) { return 1 / std::max(1.0, age - o.t0); }

}  // namespace

std::span<const Optimizer::StateName> ASGD::state_names() const { return asgd_state; }

void ASGDOptions::validate() const {
  check_common("ASGD", *this);
  check_not_negative("ASGD", "lambd", lambd);
  if (std::isnan(alpha) || std::isnan(t0)) fail("ASGD: alpha and t0 must be numbers, got {} and {}", alpha, t0);
}

void ASGD::update(Tensor& param, const Tensor& grad, State& state, const ASGDOptions& o) {
  const double age = static_cast<double>(state.step() - 1);
  const double eta = eta_at(age, o);
  update_fused("ASGD", param, grad, {&state.tensor("ax", param)},
               kernels::AsgdStep{.direction = {.weight_decay = o.weight_decay, .maximize = o.maximize},
                                 .eta = eta,
                                 .decay_factor = 1 - o.lambd * eta,
                                 .mu = mu_at(age, o)});
  // Only for PyTorch to read: it keeps the next step's, which follow from the number of steps.
  state.number("eta", o.lr) = eta_at(age + 1, o);
  state.number("mu", 1) = mu_at(age + 1, o);
}

}  // namespace gradus::optim
