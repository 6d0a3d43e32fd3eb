#pragma once

#include <array>
#include <cstdint>

#include "gradus/optim/bias_correction.hpp"
#include "gradus/optim/optimizer.hpp"

namespace gradus::optim {

// What the learning rate is multiplied by, for a parameter (m, n).
enum class AdjustLr {
  original,         // sqrt(max(1, m / n))
  match_rms_adamw,  // 0.2 sqrt(max(m, n)): elements move as far as AdamW's, whose learning rate suits
};

struct MuonOptions {
  double lr = 1e-3;
  double weight_decay = 0.1;
  double momentum = 0.95;
  bool nesterov = true;
  std::array<double, 3> ns_coefficients = {3.4445, -4.7750, 2.0315};
  double eps = 1e-7;
  std::int64_t ns_steps = 5;
  AdjustLr adjust_lr = AdjustLr::original;
  // For parameters that are not matrices. Their learning rate is lr * adamw_scale: a schedule moves both.
  double adamw_scale = 1;
  std::array<double, 2> adamw_betas = {0.9, 0.999};
  double adamw_eps = 1e-8;
  double adamw_weight_decay = 1e-2;
  bool maximize = false;

  // Throws unless lr, the eps, the weight decays and adamw_scale are at least 0, momentum and adamw_betas in [0, 1),
  // ns_coefficients are finite and ns_steps in [0, 100).
  void validate() const;
};

// Momentum orthogonalized by Newton and Schulz's iteration. For a parameter (m, n):
// b += (1 - momentum) * (g - b); x = b, or with nesterov g + momentum * (b - g); x /= max(|x|, eps);
// ns_steps times x = (c1 + c2 * x x^T + c3 * (x x^T)^2) x, which brings every singular value near 1;
// p *= 1 - lr * weight_decay; p -= lr * adjustment * x.
// Parameters of any other number of dims get AdamW. An embedding or a last layer, though a matrix, is better left to an
// AdamW of its own.
// [Jordan et al., Muon: an optimizer for hidden layers in neural networks, 2024; match_rms_adamw: Liu et al., Muon is
// scalable for LLM training, 2025]
class Muon : public OptimizerOf<MuonOptions> {
 public:
  using OptimizerOf::OptimizerOf;

 protected:
  void update(Tensor& param, const Tensor& grad, State& state, const MuonOptions& options) override;
  std::span<const StateName> state_names() const override;

 private:
  void update_by_adamw(Tensor& param, const Tensor& grad, State& state, const MuonOptions& options);

  BiasCorrection bias_correction_;
};

}  // namespace gradus::optim
