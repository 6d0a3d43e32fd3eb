#pragma once

#include "gradus/optim/optimizer.hpp"

namespace gradus::optim {

struct AdadeltaOptions {
  double lr = 1;
  double rho = 0.9;
  double eps = 1e-6;
  double weight_decay = 0;
  bool maximize = false;

  // Throws unless lr, eps and weight_decay are at least 0 and rho in [0, 1].
  void validate() const;
};

// g += weight_decay * p; v = rho * v + (1 - rho) * g^2; d = sqrt(u + eps) / sqrt(v + eps) * g;
// u = rho * u + (1 - rho) * d^2; p -= lr * d.
// [Zeiler, ADADELTA: an adaptive learning rate method, 2012]
class Adadelta : public OptimizerOf<AdadeltaOptions> {
 public:
  using OptimizerOf::OptimizerOf;

 protected:
  void update(Tensor& param, const Tensor& grad, State& state, const AdadeltaOptions& options) override;
  std::span<const StateName> state_names() const override;
};

}  // namespace gradus::optim
