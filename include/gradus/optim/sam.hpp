#pragma once

#include <utility>
#include <vector>

#include "gradus/optim/optimizer.hpp"

namespace gradus::optim {

struct SAMOptions {
  double rho = 0.05;      // how far to climb
  bool adaptive = false;  // in units of each element's size
};

// Sharpness-aware minimization: steps by the gradient at the worst point nearby, so as to find flat minima.
// e = rho * g / |g|, with the norm of all gradients as one vector; the optimizer steps from p by the gradient at p + e.
// Adaptive: e = rho * p^2 * g / |p * g|, which does not depend on the scale of the parameters. SAM always climbs: with
// an optimizer that maximizes, it looks at where the objective is better, not worse. Minimize the negative one instead.
//
//   optim::SGD base(model.parameters(), {.lr = 0.1, .momentum = 0.9});
//   optim::SAM sam(base, {.rho = 0.05});
//   sam.step([&] {
//     base.zero_grad();
//     Tensor loss = cross_entropy(model(x), y);
//     loss.backward();
//     return loss;
//   });
//
// [Foret et al., Sharpness-aware minimization for efficiently improving generalization, ICLR 2021; adaptive: Kwon et
// al., ASAM: adaptive sharpness-aware minimization for scale-invariant learning, ICML 2021]
class SAM {
 public:
  // The optimizer, which must outlive this, has the parameters and the state. Throws if rho is below 0.
  explicit SAM(Optimizer& optimizer, const SAMOptions& options = {});

  // Evaluates the closure (zero_grad, forward, backward) at p and, if that is another point, at p + e, and steps.
  // Returns the loss at p. If the closure throws, parameters are as they were.
  Tensor step(Closure closure);

  // The two halves of it, each after a backward(): p becomes p + e; p is back, bit for bit, and the optimizer steps.
  // There is no climb where |g| is 0, or so small that rho / |g| is more than a float holds. Throws if the other half
  // is due, or the norm is not finite; if the optimizer looks at its gradients, by set_nonfinite(), there is no climb
  // instead, and it has the say.
  void first_step();
  void second_step();

  const SAMOptions& options() const { return options_; }
  const Optimizer& optimizer() const { return optimizer_; }

 private:
  double gradient_norm() const;
  void come_back();

  Optimizer& optimizer_;
  SAMOptions options_;
  bool climbed_ = false;
  std::vector<std::pair<Tensor, Tensor>> before_;  // what has climbed, and its values from before
};

}  // namespace gradus::optim
