#pragma once

#include <concepts>
#include <cstdint>

#include "gradus/optim/joint.hpp"

namespace gradus::optim {

struct ArmijoGDOptions {
  double lr = 1;                      // the first step that is tried
  double sufficient_decrease = 1e-4;  // c
  double shrink = 0.5;                // what a step that is too long is multiplied by
  std::int64_t max_backtracks = 60;

  // Throws unless lr is at least 0, sufficient_decrease and shrink are in (0, 1) and max_backtracks at least 0.
  void validate() const;
};

// Gradient descent that finds its own step: p -= t * g with the first t of lr, lr * shrink, lr * shrink^2, ... that
// satisfies Armijo's condition f(x - t g) <= f(x) - c * t * |g|^2, to within the loss's rounding. If none does, p
// stays. The closure computes the loss and nothing more: no zero_grad, no backward. Throws if the loss or gradient is
// NaN or infinite where the parameters are; a trial that ends so was too long. [Armijo, Minimization of functions
// having Lipschitz continuous first partial derivatives, Pacific J. Math. 1966; Nocedal and Wright, Numerical
// optimization, 2006, algorithm 3.1]
class ArmijoGD : public JointOptimizerOf<ArmijoGDOptions> {
 public:
  explicit ArmijoGD(const std::vector<Tensor>& params, const ArmijoGDOptions& options = {})
      : JointOptimizerOf("ArmijoGD", params, options) {}
  template <std::same_as<NamedTensors> Named>
  explicit ArmijoGD(const Named& params, const ArmijoGDOptions& options = {})
      : JointOptimizerOf("ArmijoGD", params, options) {}
  explicit ArmijoGD(const std::vector<Group>& groups) : JointOptimizerOf("ArmijoGD", groups) {}

 protected:
  Tensor move(const std::vector<Tensor>& params, Closure loss, State& state, const ArmijoGDOptions& options) override;
};

}  // namespace gradus::optim
