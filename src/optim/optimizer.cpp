#include "gradus/optim/optimizer.hpp"

#include <algorithm>
#include <unordered_map>

#include "gradus/autograd.hpp"
#include "nn/gradients.hpp"
#include "optim/flat_parameters.hpp"
#include "optim/measure.hpp"
#include "storage/format.hpp"
#include "tensor/impl.hpp"

namespace gradus::optim {
namespace {

// An error's or a table's name for a parameter.
std::string name_at(const ParameterList& params, std::size_t i, std::size_t index) {
  return params.names.empty() ? formatted("parameter {}", index) : params.names[i];
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
  Tensor loss;
  {
    EnableGrad guard;  // the caller may record nothing
    loss = closure();
  }
  step();
  return loss;
}

Tensor Optimizer::step_jointly(const JointMove& move) {
  NoGrad guard;
  std::vector<Tensor> params, before;
  for (const Slot& slot : slots_) {
    params.push_back(slot.param);
    before.push_back(slot.param.contiguous().clone());
  }
  State& state = slots_.front().state;
  const auto put_back = [&] {
    --state.step_;
    for (std::size_t i = 0; i < params.size(); ++i) params[i].copy_(before[i]);
  };
  ++state.step_;
  if (tracks_updates_) weights_before_ = before;
  try {
    Tensor loss = move(params, state);
    end_step();
    return loss;
  } catch (const NotFinite& error) {
    put_back();
    if (nonfinite_ != NonFinite::skip) throw;
    skip_step();
    return error.loss;
  } catch (...) {
    put_back();
    throw;
  }
}

void Optimizer::check_joint_state(const State&, std::int64_t, Dtype) const {}

bool Optimizer::begin_step() {
  if (nonfinite_ == NonFinite::error) check_gradients();
  if (tracks_updates_) {
    weights_before_.clear();
    for (const Slot& slot : slots_) weights_before_.push_back(slot.param.contiguous().clone());
  }
  if (nonfinite_ != NonFinite::skip || gradients_are_finite()) return true;
  skip_step();
  return false;
}

void Optimizer::skip_step() {
  ++skipped_steps_;
  if (!tracks_updates_) return;
  measure();
  diagnostics_->skipped = true;
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

}  // namespace gradus::optim
