#pragma once

#include "gradus/optim/optimizer.hpp"

namespace gradus::optim {

struct ASGDOptions {
  double lr = 1e-2;
  double lambd = 1e-4;
  double alpha = 0.75;
  double t0 = 1e6;
  double weight_decay = 0;
  bool maximize = false;

  // Throws unless lr, lambd and weight_decay are at least 0 and alpha and t0 are numbers.
  void validate() const;
};

// eta = lr / (1 + lambd * lr * (t - 1))^alpha; g += weight_decay * p; p = (1 - lambd * eta) * p - eta * g;
// a = p while t <= t0 + 2, then a = a + (p - a) / (t - 1 - t0): the average, which the state keeps as "ax".
// eta looks at today's lr; PyTorch's is a step late if lr changes.
// [Polyak and Juditsky, Acceleration of stochastic approximation by averaging, SIAM J. Control Optim. 1992]
class ASGD : public OptimizerOf<ASGDOptions> {
 public:
  using OptimizerOf::OptimizerOf;

 protected:
  void update(Tensor& param, const Tensor& grad, State& state, const ASGDOptions& options) override;
  std::span<const StateName> state_names() const override;
};

}  // namespace gradus::optim
