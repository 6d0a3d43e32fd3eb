#pragma once

#include <array>

#include "gradus/optim/optimizer.hpp"

namespace gradus::optim {

struct LionOptions {
  double lr = 1e-4;
  std::array<double, 2> betas = {0.9, 0.99};
  double weight_decay = 0;
  bool maximize = false;

  // Throws unless lr and weight_decay are at least 0 and both betas in [0, 1).
  void validate() const;
};

// p *= 1 - lr * weight_decay; p -= lr * sign(beta1 * m + (1 - beta1) * g); m = beta2 * m + (1 - beta2) * g.
// [Chen et al., Symbolic discovery of optimization algorithms, NeurIPS 2023]
class Lion : public OptimizerOf<LionOptions> {
 public:
  using OptimizerOf::OptimizerOf;

 protected:
  void update(Tensor& param, const Tensor& grad, State& state, const LionOptions& options) override;
  std::span<const StateName> state_names() const override;
};

}  // namespace gradus::optim
