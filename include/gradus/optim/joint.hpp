// Methods that move all parameters as one vector, and evaluate the loss as often as they need.
#pragma once

#include <vector>

#include "gradus/optim/optimizer.hpp"

namespace gradus::optim {

namespace detail {
[[noreturn]] void refuse_plain_step(const char* rule);
[[noreturn]] void refuse_groups(const char* rule, std::int64_t count);
}  // namespace detail

// The base of such a method, which is `move`. All parameters are one group. step(closure) is all or nothing: if the
// closure throws, the parameters are put back. step() without a closure throws.
template <class Options>
class JointOptimizerOf : public OptimizerOf<Options> {
 public:
  using typename OptimizerOf<Options>::Group;

  void step() final { detail::refuse_plain_step(rule_); }
  Tensor step(Closure closure) final {
    return this->step_jointly(
        [&](const std::vector<Tensor>& params, State& state) { return move(params, closure, state, this->options()); });
  }
  void add_param_group(const Group&) { detail::refuse_groups(rule_, this->group_count() + 1); }

 protected:
  JointOptimizerOf(const char* rule, const std::vector<Tensor>& params, const Options& options)
      : OptimizerOf<Options>(params, options), rule_(rule) {}
  JointOptimizerOf(const char* rule, const std::vector<Group>& groups) : OptimizerOf<Options>(groups), rule_(rule) {
    if (groups.size() != 1) detail::refuse_groups(rule, this->group_count());
  }

  // Moves the parameters in place and returns the loss before. Runs without recording.
  virtual Tensor move(const std::vector<Tensor>& params, Closure closure, State& state, const Options& options) = 0;

 private:
  void update(Tensor&, const Tensor&, State&, const Options&) final { detail::refuse_plain_step(rule_); }

  const char* rule_;
};

}  // namespace gradus::optim
