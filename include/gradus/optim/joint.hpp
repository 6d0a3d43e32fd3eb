// Methods that move all parameters as one vector, and evaluate the loss as often as they need.
#pragma once

#include <vector>

#include "gradus/optim/optimizer.hpp"

namespace gradus::optim {

namespace detail {
[[noreturn]] void refuse_plain_step(const char* rule);
[[noreturn]] void refuse_groups(const char* rule, std::int64_t count);
// Throws unless there is one group, of one dtype.
void check_parameters(const char* rule, const Optimizer& optimizer);
}  // namespace detail

// The base of such a method, which is `move`. All parameters are one group, of one dtype. step(closure) is all or
// nothing: if the closure throws, the parameters are put back. step() without a closure throws. Where the loss or its
// derivatives are not finite, step(closure) throws; by NonFinite::skip it leaves the step out and returns the loss.
template <class Options>
class JointOptimizerOf : public OptimizerOf<Options> {
 public:
  using typename OptimizerOf<Options>::Group;

  void step() final { detail::refuse_plain_step(rule_); }
  Tensor step(Closure closure) final {
    return this->step_jointly(
        [&](const std::vector<Tensor>& params, State& state) { return move(params, closure, state, this->options()); });
  }
  void add_param_group(const Group&) final { detail::refuse_groups(rule_, this->group_count() + 1); }

 protected:
  // The others are those of OptimizerOf.
  template <class... Arguments>
  explicit JointOptimizerOf(const char* rule, const Arguments&... arguments)
      : OptimizerOf<Options>(arguments...), rule_(rule) {
    detail::check_parameters(rule, *this);
  }

  // Moves the parameters in place and returns the loss before. Runs without recording.
  virtual Tensor move(const std::vector<Tensor>& params, Closure closure, State& state, const Options& options) = 0;

  bool steps_jointly() const final { return true; }

 private:
  void update(Tensor&, const Tensor&, State&, const Options&) final { detail::refuse_plain_step(rule_); }

  const char* rule_;
};

}  // namespace gradus::optim
