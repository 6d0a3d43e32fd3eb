#pragma once

#include <array>

#include "gradus/optim/optimizer.hpp"

namespace gradus::optim {

struct RpropOptions {
  double lr = 1e-2;                               // the first step size; later steps do not look at it
  std::array<double, 2> etas = {0.5, 1.2};        // what a step size is multiplied by on a change of sign, and else
  std::array<double, 2> step_sizes = {1e-6, 50};  // the least and the largest
  double weight_decay = 0;
  bool maximize = false;

  // Throws unless lr and weight_decay are at least 0, 0 < etas[0] < 1 < etas[1] and 0 <= step_sizes[0] <=
  // step_sizes[1].
  void validate() const;
};

// Per element: g += weight_decay * p; s = clamp(s * (eta of the sign of g * previous g), step_sizes); if the sign
// changed, g = 0, so that this step stays and the next one changes no step size; p -= sign(g) * s.
// For gradients of the whole data: noise in their signs ruins it.
// [Riedmiller and Braun, A direct adaptive method for faster backpropagation learning: the RPROP algorithm, ICNN 1993]
class Rprop : public OptimizerOf<RpropOptions> {
 public:
  using OptimizerOf::OptimizerOf;

 protected:
  void update(Tensor& param, const Tensor& grad, State& state, const RpropOptions& options) override;
  std::span<const StateName> state_names() const override;
};

}  // namespace gradus::optim
