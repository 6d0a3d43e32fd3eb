#pragma once

#include <concepts>
#include <cstdint>

#include "gradus/optim/joint.hpp"

namespace gradus::optim {

struct LevenbergMarquardtOptions {
  double lr = 1;                // the share of each step that is taken
  double tau = 1e-3;            // the first lambda, as a share of the largest diagonal element of J^T J / D
  bool marquardt = false;       // D = diag(J^T J): the same path in any units of the parameters; else D = I
  std::int64_t max_tries = 30;  // values of lambda per step

  // Throws unless lr is in [0, 1], tau above 0 and max_tries at least 1.
  void validate() const;
};

// Least squares: minimises F = |r|^2 / 2 over the residuals r of any shape that the closure returns, with J = dr / dp.
// p += lr * h, (J^T J + lambda * D) h = -J^T r. The gain ratio q = (decrease of F) / (decrease of |r + J h|^2 / 2)
// rules lambda: q > 0 takes the step and lambda *= max(1/3, 1 - (2 q - 1)^3), nu = 2; else lambda *= nu, nu *= 2, try
// again. If max_tries values do not help, p stays and the next step goes on with lambda and nu. step() returns F before
// the step. The closure computes the residuals and nothing more: no zero_grad, no backward. One backward pass per
// residual. Throws if a residual or derivative is NaN or infinite where the parameters are; a trial that ends so gets a
// larger lambda. [Levenberg, Quart. Appl. Math. 1944; Marquardt, J. SIAM 1963; the rule of lambda: Nielsen, Damping
// parameter in Marquardt's method, IMM-REP-1999-05; Madsen, Nielsen and Tingleff, Methods for non-linear least squares
// problems, 2004, algorithm 3.16]
class LevenbergMarquardt : public JointOptimizerOf<LevenbergMarquardtOptions> {
 public:
  explicit LevenbergMarquardt(const std::vector<Tensor>& params, const LevenbergMarquardtOptions& options = {})
      : JointOptimizerOf("LevenbergMarquardt", params, options) {}
  template <std::same_as<NamedTensors> Named>
  explicit LevenbergMarquardt(const Named& params, const LevenbergMarquardtOptions& options = {})
      : JointOptimizerOf("LevenbergMarquardt", params, options) {}
  explicit LevenbergMarquardt(const std::vector<Group>& groups) : JointOptimizerOf("LevenbergMarquardt", groups) {}

 protected:
  Tensor move(const std::vector<Tensor>& params, Closure residuals, State& state,
              const LevenbergMarquardtOptions& options) override;
  std::span<const StateName> state_names() const override;
  void check_joint_state(const State& state, std::int64_t size, Dtype dtype) const override;
};

}  // namespace gradus::optim
