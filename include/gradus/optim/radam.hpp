#pragma once

#include <array>

#include "gradus/optim/bias_correction.hpp"
#include "gradus/optim/optimizer.hpp"

namespace gradus::optim {

struct RAdamOptions {
  double lr = 1e-3;
  std::array<double, 2> betas = {0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 0;
  bool maximize = false;

  // Throws unless lr, eps and weight_decay are at least 0 and both betas in [0, 1).
  void validate() const;
};

// Adam's m and v; R = 2 / (1 - beta2) - 1; r = R - 2 * t * beta2^t / (1 - beta2^t). While r <= 5 the variance of v is
// not known well enough: p -= lr * m / (1 - beta1^t). Then p -= c * lr * m / (1 - beta1^t) * sqrt(1 - beta2^t) /
// (sqrt(v) + eps) with c = sqrt((r - 4) * (r - 2) * R / ((R - 4) * (R - 2) * r)).
// [Liu et al., On the variance of the adaptive learning rate and beyond, ICLR 2020]
class RAdam : public OptimizerOf<RAdamOptions> {
 public:
  using OptimizerOf::OptimizerOf;

 protected:
  void update(Tensor& param, const Tensor& grad, State& state, const RAdamOptions& options) override;
  std::span<const StateName> state_names() const override;

 private:
  BiasCorrection bias_correction_;
};

}  // namespace gradus::optim
