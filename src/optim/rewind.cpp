#include "optim/rewind.hpp"

#include <utility>

#include "gradus/autograd.hpp"
#include "gradus/ops.hpp"
#include "tensor/impl.hpp"

namespace gradus::optim {

Rewind::Rewind(Optimizer& optimizer)
    : optimizer_(optimizer),
      skipped_steps_(optimizer.skipped_steps_),
      tracks_updates_(optimizer.tracks_updates_),
      nonfinite_(optimizer.nonfinite_) {
  const NoGrad guard;
  for (const Optimizer::Slot& slot : optimizer.slots_) {
    State copy = slot.state;
    for (State::Entry& entry : copy.entries_) entry.value = entry.value.clone();
    before_.push_back({slot.param.detach().clone(), {}, std::move(copy)});
  }
  for (std::int64_t g = 0; g < optimizer.group_count(); ++g) rates_.push_back(optimizer.lr(g));
  // From here on nothing throws. The copies take the steps: tensors of the state that others hold stay as they are.
  for (std::size_t i = 0; i < before_.size(); ++i) {
    std::swap(before_[i].state, optimizer.slots_[i].state);
    before_[i].grad = std::exchange(impl(optimizer.slots_[i].param).grad, Tensor());
  }
  optimizer.tracks_updates_ = false;
  // A gradient that bursts is what the sweep looks for.
  if (nonfinite_ == NonFinite::error) optimizer.nonfinite_ = NonFinite::allow;
}

Rewind::~Rewind() {
  const NoGrad guard;
  for (std::size_t i = 0; i < before_.size(); ++i) {
    Optimizer::Slot& slot = optimizer_.slots_[i];
    slot.param.copy_(before_[i].values);
    impl(slot.param).grad = std::move(before_[i].grad);
    slot.state = std::move(before_[i].state);
  }
  for (std::size_t g = 0; g < rates_.size(); ++g) optimizer_.set_lr(static_cast<std::int64_t>(g), rates_[g]);
  optimizer_.skipped_steps_ = skipped_steps_;
  optimizer_.tracks_updates_ = tracks_updates_;
  optimizer_.nonfinite_ = nonfinite_;
}

}  // namespace gradus::optim
