#include "gradus/optim/armijo_gd.hpp"

#include "functional/recorded.hpp"
#include "gradus/autograd.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "optim/backtracking.hpp"

namespace gradus::optim {
namespace {

Downhill evaluate(Closure loss, const std::vector<Tensor>& params) {
  EnableGrad guard;
  const functional::Recorded recorded = functional::run("ArmijoGD", LossFunction(loss), params);
  if (recorded.output.numel() != 1) fail("ArmijoGD: the loss must be one number, got {}", recorded.output.shape());
  return {recorded.output.detach(),
          joined(functional::derivatives(recorded, ones_like(recorded.output), false, false))};
}

}  // namespace

void ArmijoGDOptions::validate() const { check_backtracking("ArmijoGD", *this); }

Tensor ArmijoGD::move(const std::vector<Tensor>& params, Closure loss, State&, const ArmijoGDOptions& o) {
  const std::vector<Tensor> moved = trainable("ArmijoGD", params);
  const Downhill here = evaluate(loss, moved);
  check_finite("ArmijoGD", here);
  backtrack(FlatParameters(moved), loss, here, -here.gradient, backtracking_of(o));
  return here.loss;
}

}  // namespace gradus::optim
