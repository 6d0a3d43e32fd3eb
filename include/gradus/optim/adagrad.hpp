#pragma once

#include "gradus/optim/optimizer.hpp"

namespace gradus::optim {

struct AdagradOptions {
  double lr = 1e-2;
  double lr_decay = 0;
  double weight_decay = 0;
  double initial_accumulator_value = 0;
  double eps = 1e-10;
  bool maximize = false;

  // Throws unless all of them are at least 0.
  void validate() const;
};

// g += weight_decay * p; s = s + g^2, at first initial_accumulator_value + g^2;
// p -= lr / (1 + (t - 1) * lr_decay) * g / (sqrt(s) + eps).
// [Duchi, Hazan and Singer, Adaptive subgradient methods for online learning and stochastic optimization, JMLR 2011]
class Adagrad : public OptimizerOf<AdagradOptions> {
 public:
  using OptimizerOf::OptimizerOf;

 protected:
  void update(Tensor& param, const Tensor& grad, State& state, const AdagradOptions& options) override;
  std::span<const StateName> state_names() const override;
};

}  // namespace gradus::optim
