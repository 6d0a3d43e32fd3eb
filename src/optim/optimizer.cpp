#include "gradus/optim/optimizer.hpp"

#include <algorithm>
#include <unordered_map>

#include "gradus/autograd.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
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

Tensor independent_copy(const Tensor& tensor) { return tensor.detach().contiguous().clone(); }

}  // namespace

void Optimizer::add_parameters(const std::vector<Tensor>& params) {
  if (params.empty()) fail("optimizer: got an empty parameter list");
  std::unordered_map<const void*, std::size_t> known;
  for (std::size_t i = 0; i < slots_.size(); ++i) known.emplace(slots_[i].param.handle(), i);
  for (std::size_t i = slots_.size(); const Tensor& param : params) {
    if (!param.defined()) fail("optimizer: parameter {} is undefined", i);
    if (!param.is_leaf()) fail("optimizer: parameter {}, {}, is not a leaf but the result of an op", i, param.shape());
    const auto [it, is_new] = known.emplace(param.handle(), i);
    if (!is_new) fail("optimizer: parameter {}, {}, is parameter {} again", i, param.shape(), it->second);
    ++i;
  }
  slots_.reserve(slots_.size() + params.size());
  for (const Tensor& param : params) slots_.push_back({param, group_sizes_.size(), {}});
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

void Optimizer::step() {
  NoGrad guard;
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
  try {
    return move(params, state);
  } catch (...) {
    --state.step_;
    for (std::size_t i = 0; i < params.size(); ++i) params[i].copy_(before[i]);
    throw;
  }
}

void Optimizer::check_joint_state(const State&, std::int64_t) const {}

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
  const std::vector<double> rates = read_rates(unread);
  std::vector<State> states;
  for (std::size_t i = 0; i < slots_.size(); ++i) states.push_back(read_state(i, unread));
  if (!unread.empty()) fail("load_state_dict: unexpected key: {}", unread.begin()->first);

  set_rates(rates);
  for (std::size_t i = 0; i < slots_.size(); ++i) slots_[i].state = std::move(states[i]);
}

// The learning rate of each group, after a look at whether it is the same group.
std::vector<double> Optimizer::read_rates(StateDict& unread) const {
  std::vector<double> rates;
  for (std::size_t g = 0; g < group_sizes_.size(); ++g) {
    rates.push_back(take_number(unread, group_key(g, "lr")));
    const Tensor indices = take(unread, group_key(g, "params"));
    if (!equal(indices, indices_of(g))) {
      fail("load_state_dict: group {} has {} parameters, which are not the optimizer's {}", g, indices.numel(),
           group_sizes_[g]);
    }
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
    if (entry.value.shape() != param.shape() || entry.value.dtype() != param.dtype()) {
      fail("load_state_dict: {}{} is {} {}, the parameter is {} {}", prefix, entry.name, entry.value.dtype(),
           entry.value.shape(), param.dtype(), param.shape());
    }
  }
  for (const StateName& known : names) {
    const auto is_it = [&](const State::Entry& entry) { return entry.name == known.name; };
    if (known.required && std::ranges::none_of(state.entries_, is_it)) {
      fail("load_state_dict: missing key: {}{}", prefix, known.name);
    }
  }
}

// All or none: a rate that the rule refuses leaves the others as they were.
void Optimizer::set_rates(const std::vector<double>& rates) {
  std::vector<double> before;
  try {
    for (std::int64_t g = 0; g < group_count(); ++g) {
      before.push_back(lr(g));
      set_lr(g, rates[static_cast<std::size_t>(g)]);
    }
  } catch (...) {
    for (std::size_t g = 0; g < before.size(); ++g) set_lr(static_cast<std::int64_t>(g), before[g]);
    throw;
  }
}

}  // namespace gradus::optim
