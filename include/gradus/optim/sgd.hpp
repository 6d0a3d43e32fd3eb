#pragma once

#include "gradus/optim/optimizer.hpp"

namespace gradus::optim {

struct SGDOptions {
  double lr = 1e-3;
  double momentum = 0;
  double dampening = 0;
  double weight_decay = 0;
  bool nesterov = false;
  bool maximize = false;

  // Throws unless lr, momentum and weight_decay are at least 0; nesterov needs momentum and no dampening.
  void validate() const;
};

// Stochastic gradient descent: g += weight_decay * p; b = momentum * b + (1 - dampening) * g, at first b = g;
// p -= lr * b, or with nesterov p -= lr * (g + momentum * b).
// [Nesterov's form: Sutskever et al., On the importance of initialization and momentum in deep learning, ICML 2013]
class SGD : public OptimizerOf<SGDOptions> {
 public:
  using OptimizerOf::OptimizerOf;

 protected:
  void update(Tensor& param, const Tensor& grad, State& state, const SGDOptions& options) override;
  std::span<const StateName> state_names() const override;
};

}  // namespace gradus::optim
