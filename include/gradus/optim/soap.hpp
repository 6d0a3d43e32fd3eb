#pragma once

#include <array>
#include <cstdint>

#include "gradus/optim/bias_correction.hpp"
#include "gradus/optim/optimizer.hpp"

namespace gradus::optim {

struct SOAPOptions {
  double lr = 3e-3;
  std::array<double, 2> betas = {0.95, 0.95};
  double shampoo_beta = -1;  // of the preconditioner's averages; below 0 the second of the betas
  double eps = 1e-8;
  double weight_decay = 1e-2;
  std::int64_t precondition_frequency = 10;  // steps from one eigenbasis to the next
  std::int64_t max_precond_dim = 10000;      // a larger dim is left as it is
  bool precondition_1d = false;              // precondition vectors, too
  bool maximize = false;

  // Throws unless lr, eps, weight_decay and max_precond_dim are at least 0, both betas in [0, 1), shampoo_beta below 1
  // and precondition_frequency at least 1.
  void validate() const;
};

// Adam in the eigenbasis of Shampoo's preconditioner. For a matrix, with Q_L and Q_R orthonormal:
// m = beta1 * m + (1 - beta1) * g; g' = Q_L^T g Q_R; v = beta2 * v + (1 - beta2) * g'^2;
// p -= lr * sqrt(1 - beta2^t) / (1 - beta1^t) * Q_L ((Q_L^T m Q_R) / (sqrt(v) + eps)) Q_R^T; p *= 1 - lr *
// weight_decay; L = shampoo_beta * L + (1 - shampoo_beta) * g g^T, and R with g^T g; Q_L and Q_R are the eigenvectors
// of L and R, at first exactly, then every precondition_frequency steps a power iteration nearer: Q_L = qr(L Q_L), its
// columns in the order of their eigenvalues. Any number of dims is treated likewise. Without preconditioning it is
// Adam. The first gradient only sets up the bases: the parameter does not move, and t counts from the next. [Vyas et
// al., SOAP: improving and stabilizing Shampoo using Adam, ICLR 2025]
class SOAP : public OptimizerOf<SOAPOptions> {
 public:
  using OptimizerOf::OptimizerOf;

 protected:
  // Throws, and nothing has changed, if the gradient of a preconditioned parameter is not finite.
  bool begin_step() override;
  void update(Tensor& param, const Tensor& grad, State& state, const SOAPOptions& options) override;
  std::span<const StateName> state_names() const override;

 private:
  BiasCorrection bias_correction_;
};

}  // namespace gradus::optim
