#pragma once

#include "gradus/optim/optimizer.hpp"

namespace gradus::optim {

struct RMSpropOptions {
  double lr = 1e-2;
  double alpha = 0.99;
  double eps = 1e-8;
  double weight_decay = 0;
  double momentum = 0;
  bool centered = false;
  bool maximize = false;

  // Throws unless lr, eps, weight_decay and momentum are at least 0 and alpha in [0, 1].
  void validate() const;
};

// g += weight_decay * p; v = alpha * v + (1 - alpha) * g^2; if centered, also m = alpha * m + (1 - alpha) * g and
// s = v - m^2, else s = v; d = g / (sqrt(s) + eps); with momentum b = momentum * b + d, else b = d; p -= lr * b.
// [Tieleman and Hinton, Lecture 6.5 of Neural networks for machine learning, Coursera 2012; centered: Graves,
// Generating sequences with recurrent neural networks, 2013]
class RMSprop : public OptimizerOf<RMSpropOptions> {
 public:
  using OptimizerOf::OptimizerOf;

 protected:
  void update(Tensor& param, const Tensor& grad, State& state, const RMSpropOptions& options) override;
  std::span<const StateName> state_names() const override;
};

}  // namespace gradus::optim
