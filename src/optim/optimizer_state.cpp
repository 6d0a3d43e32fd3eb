// What an optimizer's state holds, and how a foreign one is judged.

#include <algorithm>
#include <cmath>

#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "gradus/optim/optimizer.hpp"
#include "storage/format.hpp"
#include "tensor/impl.hpp"

namespace gradus::optim {
namespace {

using StateDict = std::map<std::string, Tensor>;

std::string group_key(std::size_t group, std::string_view name) { return formatted("param_groups.{}.{}", group, name); }
std::string state_prefix(std::size_t parameter) { return formatted("state.{}.", parameter); }

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

void check_finite(const std::string& key, double value) {
  if (!std::isfinite(value)) fail("load_state_dict: {} must be finite, got {}", key, value);
}

double take_finite(StateDict& unread, const std::string& key) {
  const double value = take_number(unread, key);
  check_finite(key, value);
  return value;
}

std::vector<double> take_numbers(StateDict& unread, const std::string& key, std::size_t count) {
  const Tensor value = take(unread, key);
  if (static_cast<std::size_t>(value.numel()) != count) {
    fail("load_state_dict: {} must be {} numbers, its shape is {}", key, count, value.shape());
  }
  const Tensor numbers = value.detach().to(float64).contiguous();
  for (const double number : numbers.data<double>()) check_finite(key, number);
  return {numbers.data<double>().begin(), numbers.data<double>().end()};
}

// Of the state that a rule keeps for the parameter, if it keeps it.
std::optional<Shape> shape_of(const Optimizer::StateName& kept, const Tensor& param) {
  return kept.shape_for ? kept.shape_for(param.shape()) : param.shape();
}

}  // namespace

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
    if (g < initial_lrs_.size()) {
      dict.emplace(group_key(g, "initial_lr"), tensor(initial_lrs_[g], {.dtype = float64}));
    }
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
  std::vector<double> initial_lrs = read_initial_lrs(unread);
  std::vector<State> states;
  for (std::size_t i = 0; i < slots_.size(); ++i) states.push_back(read_state(i, unread));
  if (!unread.empty()) fail("load_state_dict: unexpected key: {}", unread.begin()->first);

  set_rates(rates);
  if (!initial_lrs.empty()) initial_lrs_ = std::move(initial_lrs);
  for (std::size_t i = 0; i < slots_.size(); ++i) slots_[i].state = std::move(states[i]);
}

// Of the first groups, or of none if nobody had asked for them.
std::vector<double> Optimizer::read_initial_lrs(StateDict& unread) const {
  std::vector<double> rates;
  for (std::size_t g = 0; g < group_sizes_.size(); ++g) {
    const std::string key = group_key(g, "initial_lr");
    if (!unread.contains(key)) break;
    rates.push_back(take_finite(unread, key));
  }
  return rates;
}

// The rate and momenta of each group, after a look at whether it is the same group.
std::vector<Optimizer::Rates> Optimizer::read_rates(StateDict& unread) const {
  std::vector<Rates> rates;
  for (std::size_t g = 0; g < group_sizes_.size(); ++g) {
    rates.push_back({take_finite(unread, group_key(g, "lr")), {}});
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
  if (parameter > 0 && steps_jointly()) fail("load_state_dict: unexpected key: {}", next());
  const double step = take_number(unread, prefix + "step");
  if (!(step >= 1 && step < 9e15 && step == std::floor(step))) {
    fail("load_state_dict: {}step must be a whole number of at least 1, got {}", prefix, step);
  }
  state.step_ = static_cast<std::int64_t>(step);
  for (std::string key = next(); !key.empty(); key = next()) {
    state.entries_.push_back({key.substr(prefix.size()), take(unread, key).detach().contiguous().clone()});
  }
  check_state(prefix, state, param);
  if (parameter == 0) check_joint_state(state, total_size(), param.dtype());
  return state;
}

void Optimizer::check_state(const std::string& prefix, const State& state, const Tensor& param) const {
  const auto names = state_names();
  if (names.empty() && !steps_jointly()) return;
  for (const State::Entry& entry : state.entries_) {
    const auto known = std::ranges::find(names, entry.name, &StateName::name);
    if (known == names.end()) fail("load_state_dict: unexpected key: {}{}", prefix, entry.name);
    if (known->is_number) {
      if (entry.value.dim() == 0 && is_floating_point(entry.value.dtype())) continue;
      fail("load_state_dict: {}{} must be a number, got {} {}", prefix, entry.name, entry.value.dtype(),
           entry.value.shape());
    }
    if (steps_jointly()) continue;
    const std::optional<Shape> shape = shape_of(*known, param);
    if (!shape) fail("load_state_dict: unexpected key: {}{}", prefix, entry.name);
    if (entry.value.shape() != *shape || entry.value.dtype() != param.dtype()) {
      const std::string wanted = known->shape_for ? formatted("; it needs {}", *shape) : "";
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
