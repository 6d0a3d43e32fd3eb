#include "train/moving_average.hpp"

#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "gradus/optim/averaged_model.hpp"
#include "optim/schedules/state.hpp"

namespace gradus::train {

Weights::Weights(const nn::Module& model) {
  for (const auto& [name, value] : model.named_parameters()) {
    parameters_.emplace_back(name, nn::Parameter(value.detach().clone(), false));
  }
  for (const auto& [name, value] : model.named_buffers()) {
    buffers_.emplace_back(name, nn::Buffer(value.detach().clone()));
  }
}

void Weights::visit_members(nn::MemberVisitor& visitor, const nn::MemberPath& path) {
  for (auto& [name, parameter] : parameters_) visitor.parameter({.parent = &path, .name = name}, parameter);
  for (auto& [name, buffer] : buffers_) visitor.buffer({.parent = &path, .name = name}, buffer);
}

void MovingAverage::update(const nn::Module& model) {
  optim::detail::update_average(weights_, model, count_++, {.decay = decay_});
}

StateDict MovingAverage::state_dict() const {
  StateDict state{{"count", tensor(count_)}};
  add_part(state, "weights.", weights_.state_dict());
  return state;
}

void MovingAverage::load_state_dict(const StateDict& state) {
  StateDict rest = state;
  const StateDict weights = take_part(rest, "weights.");
  optim::StateReader reader("ema_decay", rest);
  const std::int64_t count = reader.count("count");
  reader.finish();
  weights_.load_state_dict(weights);
  count_ = count;
}

}  // namespace gradus::train
