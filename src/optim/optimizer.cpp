#include "gradus/optim/optimizer.hpp"

#include <algorithm>
#include <unordered_map>

#include "gradus/autograd.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "nn/gradients.hpp"
#include "optim/measure.hpp"
#include "tensor/impl.hpp"

namespace gradus::optim {
namespace {

using StateDict = std::map<std::string, Tensor>;

std::string group_key(std::size_t group, std::string_view name) {
  return fmt::format("param_groups.{}.{}", group, name);
}
std::string state_prefix(std::size_t parameter) { return fmt::format("state.{}.", parameter); }

// Moves the tensor of this key out of the map.
Tensor take(StateDict& unread, const std::string& key) {
  auto node = unread.extract(key);
  if (node.empty()) fail("load_state_dict: missing key: {}", key);
  if (!node.mapped().defined()) fail("load_state_dict: {} is undefined", key);
  return std::move(node.mapped());
}

double take_number(StateDict& unread, const std::string& key) {
  const Tensor value = take(unread, key);
  if (value.numel() != 1) fail("load_state_dict: {} must be one number, its shape is {}", key, value.shape());
  return value.item();
}

std::vector<double> take_numbers(StateDict& unread, const std::string& key, std::size_t count) {
  const Tensor value = take(unread, key);
  if (static_cast<std::size_t>(value.numel()) != count) {
    fail("load_state_dict: {} must be {} numbers, its shape is {}", key, count, value.shape());
  }
  const Tensor numbers = value.detach().to(float64).contiguous();
  return {numbers.data<double>().begin(), numbers.data<double>().end()};
}

// Of the state that a rule keeps for the parameter, if it keeps it.
std::optional<Shape> shape_of(const Optimizer::StateName& kept, const Tensor& param) {
  return kept.shape_for ? kept.shape_for(param.shape()) : param.shape();
}

Tensor independent_copy(const Tensor& tensor) { return tensor.detach().contiguous().clone(); }

// An error's or a table's name for a parameter.
std::string name_at(const ParameterList& params, std::size_t i, std::size_t index) {
  return params.names.empty() ? fmt::format("parameter {}", index) : params.names[i];
}

}  // namespace

void Optimizer::add_parameters(const ParameterList& params) {
  if (params.empty()) fail("optimizer: got an empty parameter list");
  if (!params.names.empty() && params.names.size() != params.size()) {
    fail("optimizer: got {} names for {} parameters", params.names.size(), params.size());
  }
  std::unordered_map<const void*, std::string> known;
  for (const Slot& slot : slots_) known.emplace(slot.param.handle(), slot.name);
  for (std::size_t i = 0; i < params.size(); ++i) {
    const Tensor& param = params[i];
    const std::string name = name_at(params, i, slots_.size() + i);
    if (!param.defined()) fail("optimizer: {} is undefined", name);
    if (!param.is_leaf()) fail("optimizer: {}, {}, is not a leaf but the result of an op", name, param.shape());
    const auto [it, is_new] = known.emplace(param.handle(), name);
    if (!is_new) fail("optimizer: {}, {}, is {} again", name, param.shape(), it->second);
  }
  slots_.reserve(slots_.size() + params.size());
  for (std::size_t i = 0; i < params.size(); ++i) {
    slots_.push_back({params[i], group_sizes_.size(), {}, name_at(params, i, slots_.size())});
  }
  group_sizes_.push_back(params.size());
}

std::size_t Optimizer::checked(std::int64_t group) const {
  if (group < 0 || group >= group_count()) fail("optimizer: there is no group {} among {}", group, group_count());
  return static_cast<std::size_t>(group);
}

double Optimizer::initial_lr(std::int64_t group) {
  const std::size_t index = checked(group);
  // All groups at once: one that is added later joins with the rate it then has.
  for (auto g = static_cast<std::int64_t>(initial_lrs_.size()); g < group_count(); ++g) initial_lrs_.push_back(lr(g));
  return initial_lrs_[index];
}

std::optional<double> Optimizer::momentum(std::int64_t group) const {
  checked(group);
  return std::nullopt;
}

void Optimizer::set_momentum(std::int64_t group, double) {
  fail("optimizer: group {} has neither momentum nor betas", checked(group));
}

void Optimizer::zero_grad() {
  for (Slot& slot : slots_) impl(slot.param).grad = Tensor();
}

std::vector<Tensor> Optimizer::parameters() const {
  std::vector<Tensor> params;
  for (const Slot& slot : slots_) params.push_back(slot.param);
  return params;
}

void Optimizer::step() {
  NoGrad guard;
  if (!begin_step()) return;
  for (Slot& slot : slots_) {
    const TensorImpl& param = impl(slot.param);
    if (!param.grad.defined()) continue;
    ++slot.state.step_;
    try {
      update_in_group(slot.group, slot.param, param.grad, slot.state);
    } catch (...) {
      --slot.state.step_;  // an update that failed does not count
      throw;
    }
  }
  end_step();
}

Tensor Optimizer::step(Closure closure) {
  Tensor loss = closure();
  step();
  return loss;
}

Tensor Optimizer::step_jointly(const JointMove& move) {
  NoGrad guard;
  std::vector<Tensor> params, before;
  for (const Slot& slot : slots_) {
    params.push_back(slot.param);
    before.push_back(independent_copy(slot.param));
  }
  State& state = slots_.front().state;
  ++state.step_;
  if (tracks_updates_) weights_before_ = before;
  try {
    Tensor loss = move(params, state);
    end_step();
    return loss;
  } catch (...) {
    --state.step_;
    for (std::size_t i = 0; i < params.size(); ++i) params[i].copy_(before[i]);
    throw;
  }
}

void Optimizer::check_joint_state(const State&, std::int64_t) const {}

bool Optimizer::begin_step() {
  if (nonfinite_ == NonFinite::error) check_gradients();
  const bool skips = nonfinite_ == NonFinite::skip && !gradients_are_finite();
  if (skips) ++skipped_steps_;
  if (tracks_updates_) {
    weights_before_.clear();
    for (const Slot& slot : slots_) weights_before_.push_back(independent_copy(slot.param));
    if (skips) measure();
    if (skips) diagnostics_->skipped = true;
  }
  return !skips;
}

void Optimizer::end_step() {
  if (tracks_updates_) measure();
}

bool Optimizer::gradients_are_finite() const {
  return std::ranges::all_of(slots_, [](const Slot& slot) {
    const Tensor& grad = impl(slot.param).grad;
    return !grad.defined() || is_finite(grad);
  });
}

void Optimizer::check_gradients() const {
  for (const Slot& slot : slots_) {
    const Tensor& grad = impl(slot.param).grad;
    if (!grad.defined() || is_finite(grad)) continue;
    fail("optimizer: the gradient of {}, {}, is not finite, its largest entry is {}", slot.name, slot.param.shape(),
         largest(grad));
  }
}

void Optimizer::track_updates(bool track) {
  tracks_updates_ = track;
  weights_before_.clear();
  diagnostics_.reset();
}

void Optimizer::measure() {
  Diagnostics result;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    result.parameters.push_back(measure_update(slots_[i].name, slots_[i].param, weights_before_[i]));
  }
  weights_before_.clear();
  diagnostics_ = std::move(result);
}

const Diagnostics& Optimizer::diagnostics() const {
  if (!tracks_updates_) fail("diagnostics: call track_updates() before the step");
  if (!diagnostics_) fail("diagnostics: there was no step since track_updates()");
  return *diagnostics_;
}

Tensor Optimizer::indices_of(std::size_t group) const {
  std::vector<std::int64_t> indices;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].group == group) indices.push_back(static_cast<std::int64_t>(i));
  }
  return tensor(indices);
}

StateDict Optimizer::state_dict() const {
  StateDict dict;
  for (std::size_t g = 0; g < group_sizes_.size(); ++g) {
    dict.emplace(group_key(g, "lr"), tensor(lr(static_cast<std::int64_t>(g)), {.dtype = float64}));
    const auto [name, values] = momenta(static_cast<std::int64_t>(g));
    if (values.size() == 1) dict.emplace(group_key(g, name), tensor(values[0], {.dtype = float64}));
    if (values.size() > 1) dict.emplace(group_key(g, name), tensor(values, {.dtype = float64}));
    dict.emplace(group_key(g, "params"), indices_of(g));
  }
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const State& state = slots_[i].state;
    if (state.step_ == 0) continue;
    dict.emplace(state_prefix(i) + "step", tensor(state.step_));
    for (const State::Entry& entry : state.entries_) dict.emplace(state_prefix(i) + entry.name, entry.value);
  }
  return dict;
}

void Optimizer::load_state_dict(const StateDict& dict) {
  StateDict unread = dict;
  const std::vector<Rates> rates = read_rates(unread);
  std::vector<State> states;
  for (std::size_t i = 0; i < slots_.size(); ++i) states.push_back(read_state(i, unread));
  if (!unread.empty()) fail("load_state_dict: unexpected key: {}", unread.begin()->first);

  set_rates(rates);
  for (std::size_t i = 0; i < slots_.size(); ++i) slots_[i].state = std::move(states[i]);
}

// The rate and momenta of each group, after a look at whether it is the same group.
std::vector<Optimizer::Rates> Optimizer::read_rates(StateDict& unread) const {
  std::vector<Rates> rates;
  for (std::size_t g = 0; g < group_sizes_.size(); ++g) {
    rates.push_back({take_number(unread, group_key(g, "lr")), {}});
    const Tensor indices = take(unread, group_key(g, "params"));
    if (!equal(indices, indices_of(g))) {
      fail("load_state_dict: group {} has {} parameters, which are not the optimizer's {}", g, indices.numel(),
           group_sizes_[g]);
    }
    const auto [name, values] = momenta(static_cast<std::int64_t>(g));
    const std::string key = group_key(g, name);
    if (!values.empty()) rates.back().momenta = take_numbers(unread, key, values.size());
  }
  return rates;
}

std::int64_t Optimizer::total_size() const {
  std::int64_t size = 0;
  for (const Slot& slot : slots_) size += slot.param.numel();
  return size;
}

// What the dict holds about a parameter: nothing if it had not been updated.
State Optimizer::read_state(std::size_t parameter, StateDict& unread) const {
  const std::string prefix = state_prefix(parameter);
  const Tensor& param = slots_[parameter].param;
  const auto next = [&] {
    const auto it = unread.lower_bound(prefix);
    return it != unread.end() && it->first.starts_with(prefix) ? it->first : std::string();
  };
  State state;
  if (next().empty()) return state;
  const double step = take_number(unread, prefix + "step");
  if (!(step >= 1 && step < 9e15)) fail("load_state_dict: {}step must be at least 1, got {}", prefix, step);
  state.step_ = static_cast<std::int64_t>(step);
  for (std::string key = next(); !key.empty(); key = next()) {
    state.entries_.push_back({key.substr(prefix.size()), independent_copy(take(unread, key))});
  }
  check_state(prefix, state, param);
  if (parameter == 0) check_joint_state(state, total_size());
  return state;
}

void Optimizer::check_state(const std::string& prefix, const State& state, const Tensor& param) const {
  const auto names = state_names();
  if (names.empty()) return;
  for (const State::Entry& entry : state.entries_) {
    const auto known = std::ranges::find(names, entry.name, &StateName::name);
    if (known == names.end()) fail("load_state_dict: unexpected key: {}{}", prefix, entry.name);
    if (known->is_number) {
      if (entry.value.dim() == 0 && is_floating_point(entry.value.dtype())) continue;
      fail("load_state_dict: {}{} must be a number, got {} {}", prefix, entry.name, entry.value.dtype(),
           entry.value.shape());
    }
    if (known->has_any_shape) continue;
    const std::optional<Shape> shape = shape_of(*known, param);
    if (!shape) fail("load_state_dict: unexpected key: {}{}", prefix, entry.name);
    if (entry.value.shape() != *shape || entry.value.dtype() != param.dtype()) {
      const std::string wanted = known->shape_for ? fmt::format("; it needs {}", *shape) : "";
      fail("load_state_dict: {}{} is {} {}, the parameter is {} {}{}", prefix, entry.name, entry.value.dtype(),
           entry.value.shape(), param.dtype(), param.shape(), wanted);
    }
  }
  for (const StateName& known : names) {
    const auto is_it = [&](const State::Entry& entry) { return entry.name == known.name; };
    if (known.required && shape_of(known, param) && std::ranges::none_of(state.entries_, is_it)) {
      fail("load_state_dict: missing key: {}{}", prefix, known.name);
    }
  }
}

void Optimizer::set_rates(std::int64_t group, const Rates& rates) {
  set_lr(group, rates.lr);
  if (!rates.momenta.empty()) set_momenta(group, rates.momenta);
}

// All or none: what the rule refuses leaves all groups as they were.
void Optimizer::set_rates(const std::vector<Rates>& rates) {
  std::vector<Rates> before;
  try {
    for (std::int64_t g = 0; g < group_count(); ++g) {
      before.push_back({lr(g), momenta(g).values});
      set_rates(g, rates[static_cast<std::size_t>(g)]);
    }
  } catch (...) {
    for (std::size_t g = 0; g < before.size(); ++g) set_rates(static_cast<std::int64_t>(g), before[g]);
    throw;
  }
}

}  // namespace gradus::optim
