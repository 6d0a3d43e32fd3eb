#pragma once

#include <array>

#include "gradus/optim/bias_correction.hpp"
#include "gradus/optim/optimizer.hpp"

namespace gradus::optim {

struct AdamaxOptions {
  double lr = 2e-3;
  std::array<double, 2> betas = {0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 0;
  bool maximize = false;

  // Throws unless lr, eps and weight_decay are at least 0 and both betas in [0, 1).
  void validate() const;
};

// g += weight_decay * p; m = beta1 * m + (1 - beta1) * g; u = max(beta2 * u, |g| + eps);
// p -= lr / (1 - beta1^t) * m / u.
// [Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015, section 7.1]
class Adamax : public OptimizerOf<AdamaxOptions> {
 public:
  using OptimizerOf::OptimizerOf;

 protected:
  void update(Tensor& param, const Tensor& grad, State& state, const AdamaxOptions& options) override;
  std::span<const StateName> state_names() const override;

 private:
  BiasCorrection bias_correction_;
};

}  // namespace gradus::optim
