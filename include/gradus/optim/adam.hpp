#pragma once

#include <array>

#include "gradus/optim/bias_correction.hpp"
#include "gradus/optim/optimizer.hpp"

namespace gradus::optim {

struct AdamOptions {
  double lr = 1e-3;
  std::array<double, 2> betas = {0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 0;
  bool amsgrad = false;
  bool maximize = false;

  // Throws unless lr, eps and weight_decay are at least 0 and both betas in [0, 1).
  void validate() const;
};

struct AdamWOptions {
  double lr = 1e-3;
  std::array<double, 2> betas = {0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 1e-2;
  bool amsgrad = false;
  bool maximize = false;

  void validate() const;
};

// g += weight_decay * p; m = beta1 * m + (1 - beta1) * g; v = beta2 * v + (1 - beta2) * g^2;
// p -= lr * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps).
// With amsgrad the largest v so far stands in the place of v.
// [Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015; amsgrad: Reddi, Kale and Kumar, On the
// convergence of Adam and beyond, ICLR 2018]
class Adam : public OptimizerOf<AdamOptions> {
 public:
  using OptimizerOf::OptimizerOf;

 protected:
  void update(Tensor& param, const Tensor& grad, State& state, const AdamOptions& options) override;
  std::span<const StateName> state_names() const override;

 private:
  BiasCorrection bias_correction_;
};

// Adam with decoupled decay: p *= 1 - lr * weight_decay instead of g += weight_decay * p.
// [Loshchilov and Hutter, Decoupled weight decay regularization, ICLR 2019]
class AdamW : public OptimizerOf<AdamWOptions> {
 public:
  using OptimizerOf::OptimizerOf;

 protected:
  void update(Tensor& param, const Tensor& grad, State& state, const AdamWOptions& options) override;
  std::span<const StateName> state_names() const override;

 private:
  BiasCorrection bias_correction_;
};

}  // namespace gradus::optim
