#pragma once

#include <array>

#include "gradus/optim/bias_correction.hpp"
#include "gradus/optim/optimizer.hpp"

namespace gradus::optim {

struct LAMBOptions {
  double lr = 1e-3;
  std::array<double, 2> betas = {0.9, 0.999};
  double eps = 1e-6;
  double weight_decay = 0;
  bool maximize = false;

  // Throws unless lr, eps and weight_decay are at least 0 and both betas in [0, 1).
  void validate() const;
};

// Adam's m and v; u = (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps) + weight_decay * p;
// p -= lr * |p| / |u| * u, so that each tensor moves by the same share of its length; if |p| or |u| is 0, p -= lr * u.
// [You et al., Large batch optimization for deep learning: training BERT in 76 minutes, ICLR 2020]
class LAMB : public OptimizerOf<LAMBOptions> {
 public:
  using OptimizerOf::OptimizerOf;

 protected:
  void update(Tensor& param, const Tensor& grad, State& state, const LAMBOptions& options) override;
  std::span<const StateName> state_names() const override;

 private:
  BiasCorrection bias_correction_;
};

}  // namespace gradus::optim
