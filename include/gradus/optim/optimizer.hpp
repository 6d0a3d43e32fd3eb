// Optimizer: owns the loop over parameters, step counts, groups, state and saving. A rule derives from OptimizerOf.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gradus/error.hpp"
#include "gradus/optim/closure.hpp"
#include "gradus/optim/diagnostics.hpp"
#include "gradus/optim/parameter_list.hpp"
#include "gradus/optim/state.hpp"
#include "gradus/tensor.hpp"

namespace gradus::optim {

// What a step does when a gradient has an entry that is NaN or infinite. Methods that move all parameters jointly, and
// SAM, cannot go on from there: what they throw by themselves is thrown for `allow`, too. Their step is left out if the
// loss, or a point on the way, is not finite.
enum class NonFinite : std::uint8_t {
  allow,  // it does not look
  error,  // throws, naming the parameter; nothing has changed
  skip,   // leaves out the whole step, and counts it
};

class Optimizer {
 public:
  // What a rule keeps for each parameter: a tensor, or a number.
  struct StateName {
    std::string_view name;
    bool required = true;  // present after the first step, whatever the options
    bool is_number = false;
    // The tensor's shape for a parameter of this one, and none if such a parameter has no state of the name. Without
    // it a tensor is shaped like its parameter. What a rule keeps for all parameters jointly it looks at itself, in
    // check_joint_state().
    std::optional<Shape> (*shape_for)(const Shape& param) = nullptr;
  };

  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  // Every parameter's grad() becomes undefined. backward() adds to the gradients that are there: several calls of
  // (loss / n).backward() between zero_grad() and step() are one step with a batch n times as large.
  void zero_grad();

  // One update of every parameter that has a gradient. Gradients are only read; other parameters stay as they are.
  virtual void step();
  // Evaluates the closure (zero_grad, forward, backward), then steps. Returns the closure's loss.
  virtual Tensor step(Closure closure);

  void set_nonfinite(NonFinite policy) { nonfinite_ = policy; }
  NonFinite nonfinite() const { return nonfinite_; }
  // The steps that were left out, for NonFinite::skip.
  std::int64_t skipped_steps() const { return skipped_steps_; }

  // From now on each step measures what it does, at the price of a copy of the parameters.
  void track_updates(bool track = true);
  // What the last step did. Throws unless one was tracked.
  const Diagnostics& diagnostics() const;

  // All of them, as the groups list them.
  std::vector<Tensor> parameters() const;
  std::int64_t group_count() const { return static_cast<std::int64_t>(group_sizes_.size()); }
  virtual double lr(std::int64_t group = 0) const = 0;
  virtual void set_lr(std::int64_t group, double lr) = 0;
  // The rate that the group had when this was first asked. A schedule asks before it changes the rate.
  double initial_lr(std::int64_t group = 0);
  // The momentum of a group, or its first beta; none if the rule has neither.
  virtual std::optional<double> momentum(std::int64_t group = 0) const;
  // Throws if the rule has neither.
  virtual void set_momentum(std::int64_t group, double momentum);

  // "state.<parameter>.<name>" and "state.<parameter>.step", parameters counted through all groups, and
  // "param_groups.<group>.lr", ".params", what else schedules change, ".momentum" or ".betas", and ".initial_lr" once
  // it was asked for. Tensors are shared, as in PyTorch: clone() what shall not change.
  std::map<std::string, Tensor> state_dict() const;
  // Continues from a copy of such a state, bit for bit if the options are the same; one without initial_lr leaves that
  // as it is. Throws, and changes nothing, if the state is not one of an optimizer with the same groups and shapes.
  void load_state_dict(const std::map<std::string, Tensor>& state);

 protected:
  Optimizer() = default;
  Optimizer(Optimizer&&) noexcept = default;
  Optimizer& operator=(Optimizer&&) noexcept = default;

  // What schedules change besides the rate, by PyTorch's name: "momentum" or "betas". No values if the rule has
  // neither.
  struct Momenta {
    std::string_view name;
    std::vector<double> values;
  };

  // Throws if there is no parameter, or one is undefined, not a leaf, or is here already.
  void add_parameters(const ParameterList& params);
  // Throws if there is no such group.
  std::size_t checked(std::int64_t group) const;

  // A rule with a step() of its own asks first whether to go on, and tells the end: so it obeys set_nonfinite() and
  // can be tracked. Its override may check more, after these: nothing has changed yet.
  virtual bool begin_step();
  void end_step();

  virtual void update_in_group(std::size_t group, Tensor& param, const Tensor& grad, State& state) = 0;
  // What the rule keeps. A rule that says so has every loaded state checked against it; one that doesn't may load any,
  // or, if it steps jointly, none.
  virtual std::span<const StateName> state_names() const { return {}; }

  // One update of all parameters together, with the state that is kept with the first one. If `move` throws, they are
  // put back and the update does not count; `move` shall write its state last. Nothing is recorded.
  using JointMove = std::function<Tensor(const std::vector<Tensor>& params, State& state)>;
  Tensor step_jointly(const JointMove& move);
  virtual bool steps_jointly() const { return false; }
  // Throws if a loaded state doesn't fit a rule that steps jointly. `size` is that of all parameters together.
  virtual void check_joint_state(const State& state, std::int64_t size, Dtype dtype) const;
  // Calls function(group, parameter, state) for every parameter.
  template <class Function>
  void for_each_parameter(const Function& function) {
    for (Slot& slot : slots_) function(slot.group, slot.param, slot.state);
  }
  template <class Function>
  void for_each_parameter(const Function& function) const {
    for (const Slot& slot : slots_) function(slot.group, slot.param, slot.state);
  }

 private:
  friend class Rewind;  // of lr_find

  struct Slot {
    Tensor param;
    std::size_t group;
    State state;
    std::string name;
  };
  // The numbers of a group that a state holds.
  struct Rates {
    double lr;
    std::vector<double> momenta;  // none: as they are
  };

  virtual Momenta momenta(std::int64_t) const { return {}; }
  virtual void set_momenta(std::int64_t, const std::vector<double>&) {}

  void skip_step();
  void check_gradients() const;
  bool gradients_are_finite() const;
  void measure();
  Tensor indices_of(std::size_t group) const;
  std::int64_t total_size() const;
  std::vector<Rates> read_rates(std::map<std::string, Tensor>& unread) const;
  std::vector<double> read_initial_lrs(std::map<std::string, Tensor>& unread) const;
  State read_state(std::size_t parameter, std::map<std::string, Tensor>& unread) const;
  void check_state(const std::string& prefix, const State& state, const Tensor& param) const;
  void set_rates(const std::vector<Rates>& rates);
  void set_rates(std::int64_t group, const Rates& rates);

  std::vector<Slot> slots_;
  std::vector<std::size_t> group_sizes_;
  std::vector<double> initial_lrs_;
  NonFinite nonfinite_ = NonFinite::allow;
  std::int64_t skipped_steps_ = 0;
  bool tracks_updates_ = false;
  std::vector<Tensor> weights_before_;
  std::optional<Diagnostics> diagnostics_;
};

// Parameters that share options: `.params = model.parameters()`, or named_parameters().
template <class Options>
struct ParamGroup {
  ParameterList params;
  Options options = {};
};

// The base of a rule, which is `update` and a plain struct of options with a `double lr`. If the struct has
// `void validate() const`, that is called on all options that come in. The rule takes over the constructors by `using`.
template <class Options>
requires requires(Options options) { options.lr = 1.0; }
class OptimizerOf : public Optimizer {
 public:
  using Group = ParamGroup<Options>;

  explicit OptimizerOf(const std::vector<Tensor>& params, const Options& options = {}) {
    add_param_group({params, options});
  }
  // With names, as model.named_parameters() gives them. A template, so that `{}` is no list of names.
  template <std::same_as<NamedTensors> Named>
  explicit OptimizerOf(const Named& params, const Options& options = {}) {
    add_param_group({params, options});
  }
  explicit OptimizerOf(const std::vector<Group>& groups) {
    if (groups.empty()) throw Error("optimizer: got an empty list of groups");
    for (const Group& group : groups) add_param_group(group);
  }

  virtual void add_param_group(const Group& group) {
    validate(group.options);
    options_.reserve(options_.size() + 1);
    add_parameters(group.params);
    options_.push_back(group.options);
  }

  const Options& options(std::int64_t group = 0) const { return options_[checked(group)]; }
  void set_options(std::int64_t group, const Options& options) {
    validate(options);
    options_[checked(group)] = options;
  }

  double lr(std::int64_t group = 0) const final { return options(group).lr; }
  void set_lr(std::int64_t group, double lr) final {
    Options changed = options(group);
    changed.lr = lr;
    set_options(group, changed);
  }

  std::optional<double> momentum(std::int64_t group = 0) const override {
    Options now = options(group);
    if (double* momentum = momentum_of(now)) return *momentum;
    return std::nullopt;
  }
  void set_momentum(std::int64_t group, double momentum) override {
    Options changed = options(group);
    if (double* old = momentum_of(changed)) {
      *old = momentum;
      set_options(group, changed);
    } else {
      Optimizer::set_momentum(group, momentum);
    }
  }

 protected:
  // Changes `param` in place. Runs without recording; `grad` is as backward() left it and must not be written.
  virtual void update(Tensor& param, const Tensor& grad, State& state, const Options& options) = 0;

 private:
  static void validate([[maybe_unused]] const Options& options) {
    if constexpr (requires { options.validate(); }) options.validate();
  }

  static constexpr bool takes_betas = requires(Options o, double* p) { p = &o.betas[0]; };
  static constexpr bool takes_momentum = requires(Options o, double* p) { p = &o.momentum; };

  static double* momentum_of([[maybe_unused]] Options& options) {
    if constexpr (takes_betas)
      return &options.betas[0];
    else if constexpr (takes_momentum)
      return &options.momentum;
    else
      return nullptr;
  }

  Momenta momenta([[maybe_unused]] std::int64_t group) const final {
    if constexpr (takes_betas) {
      const auto& betas = options(group).betas;
      return {"betas", {std::begin(betas), std::end(betas)}};
    } else if constexpr (takes_momentum) {
      return {"momentum", {options(group).momentum}};
    } else {
      return {};
    }
  }
  void set_momenta([[maybe_unused]] std::int64_t group, [[maybe_unused]] const std::vector<double>& values) final {
    Options changed = options(group);
    if constexpr (takes_betas)
      std::copy(values.begin(), values.end(), std::begin(changed.betas));
    else if constexpr (takes_momentum)
      changed.momentum = values.front();
    set_options(group, changed);
  }

  void update_in_group(std::size_t group, Tensor& param, const Tensor& grad, State& state) final {
    update(param, grad, state, options_[group]);
  }

  std::vector<Options> options_;
};

}  // namespace gradus::optim
