#pragma once

#include <concepts>
#include <cstdint>

#include "gradus/optim/joint.hpp"

namespace gradus::optim {

struct NewtonOptions {
  double lr = 1;                      // the first step that is tried: 1 converges quadratically
  double damping = 0;                 // added to every eigenvalue
  double min_curvature = 1e-8;        // the least eigenvalue, as a share of the largest
  double sufficient_decrease = 1e-4;  // as those of ArmijoGD
  double shrink = 0.5;
  std::int64_t max_backtracks = 60;

  // Throws unless lr, damping and max_backtracks are at least 0 and the others in (0, 1).
  void validate() const;
};

// Newton's method with backtracking: p += t * d, d = -V * (V^T g / (|w| + damping)) for the Hessian V diag(w) V^T.
// Absolute eigenvalues, at least min_curvature * max |w|, make d point downhill where the Hessian is not positive
// definite, and away from saddles. t is found as by ArmijoGD, starting from lr. The closure computes the loss and
// nothing more: no zero_grad, no backward. Forms the Hessian of all n elements: n + 1 backward passes and about n^3
// operations. Throws if the loss, its gradient or its Hessian is NaN or infinite where the parameters are.
// [Nocedal and Wright, Numerical optimization, 2006, section 3.4; absolute eigenvalues: Dauphin et al., Identifying and
// attacking the saddle point problem in high-dimensional non-convex optimization, NIPS 2014]
class Newton : public JointOptimizerOf<NewtonOptions> {
 public:
  explicit Newton(const std::vector<Tensor>& params, const NewtonOptions& options = {})
      : JointOptimizerOf("Newton", params, options) {}
  template <std::same_as<NamedTensors> Named>
  explicit Newton(const Named& params, const NewtonOptions& options = {})
      : JointOptimizerOf("Newton", params, options) {}
  explicit Newton(const std::vector<Group>& groups) : JointOptimizerOf("Newton", groups) {}

 protected:
  Tensor move(const std::vector<Tensor>& params, Closure loss, State& state, const NewtonOptions& options) override;
};

}  // namespace gradus::optim
