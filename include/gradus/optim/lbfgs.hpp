#pragma once

#include <concepts>
#include <cstdint>
#include <optional>

#include "gradus/optim/joint.hpp"

namespace gradus::optim {

enum class LineSearch : std::uint8_t { none, strong_wolfe };

struct LBFGSOptions {
  double lr = 1;                              // the step's length, or the first that the line search tries
  std::int64_t max_iter = 20;                 // directions per step()
  std::optional<std::int64_t> max_eval = {};  // closure calls per step(), roughly; default: max_iter * 5 / 4
  double tolerance_grad = 1e-7;               // stop when no element of the gradient is larger
  double tolerance_change = 1e-9;             // or the loss, or every parameter, changes by no more
  std::int64_t history_size = 100;
  LineSearch line_search_fn = LineSearch::none;

  // Throws unless lr and tolerances are at least 0 and the numbers at least 1, max_iter at most 1e15.
  void validate() const;
};

// p += t * d, d = -H * g: H approximates the inverse Hessian by the last pairs s = t * d, y = change of g. By the
// two-loop recursion it starts from (s y / y y) * I, and satisfies H y = s for the newest pair. t is lr, on the very
// first iteration lr * min(1, 1 / sum |g|), or what satisfies the strong Wolfe conditions
//   f(x + t d) <= f(x) + 1e-4 t g d  and  |g(x + t d) d| <= 0.9 |g d|.
// One step(closure) makes up to max_iter such iterations. The closure is zero_grad, forward, backward; step returns its
// first loss. Throws if the loss or gradient becomes NaN or infinite, with the parameters as they were before the step;
// the line search avoids such points.
// [Nocedal, Updating quasi-Newton matrices with limited storage, Math. Comp. 1980; Nocedal and Wright, Numerical
// optimization, 2006, algorithms 3.5 and 7.5]
class LBFGS : public JointOptimizerOf<LBFGSOptions> {
 public:
  explicit LBFGS(const std::vector<Tensor>& params, const LBFGSOptions& options = {})
      : JointOptimizerOf("LBFGS", params, options) {}
  template <std::same_as<NamedTensors> Named>
  explicit LBFGS(const Named& params, const LBFGSOptions& options = {}) : JointOptimizerOf("LBFGS", params, options) {}
  explicit LBFGS(const std::vector<Group>& groups) : JointOptimizerOf("LBFGS", groups) {}

 protected:
  Tensor move(const std::vector<Tensor>& params, Closure closure, State& state, const LBFGSOptions& options) override;
  std::span<const StateName> state_names() const override;
  void check_joint_state(const State& state, std::int64_t size, Dtype dtype) const override;
};

}  // namespace gradus::optim
