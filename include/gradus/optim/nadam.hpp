#pragma once

#include <array>

#include "gradus/optim/bias_correction.hpp"
#include "gradus/optim/optimizer.hpp"

namespace gradus::optim {

struct NAdamOptions {
  double lr = 2e-3;
  std::array<double, 2> betas = {0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 0;
  double momentum_decay = 4e-3;
  bool maximize = false;

  // Throws unless lr, eps, weight_decay and momentum_decay are at least 0 and both betas in [0, 1).
  void validate() const;
};

// Adam's m and v; mu(t) = beta1 * (1 - 0.96^(t * momentum_decay) / 2); P = mu(1) * ... * mu(t);
// p -= lr * ((1 - mu(t)) / (1 - P) * g + mu(t + 1) / (1 - P * mu(t + 1)) * m) / (sqrt(v / (1 - beta2^t)) + eps).
// [Dozat, Incorporating Nesterov momentum into Adam, ICLR workshop 2016]
class NAdam : public OptimizerOf<NAdamOptions> {
 public:
  using OptimizerOf::OptimizerOf;

 protected:
  void update(Tensor& param, const Tensor& grad, State& state, const NAdamOptions& options) override;
  std::span<const StateName> state_names() const override;

 private:
  BiasCorrection bias_correction_;
};

}  // namespace gradus::optim
