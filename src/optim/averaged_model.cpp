#include "gradus/optim/averaged_model.hpp"

#include "gradus/autograd.hpp"
#include "gradus/ops.hpp"
#include "storage/format.hpp"

namespace gradus::optim {
namespace {

using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

// What there is on both sides, pairwise.
void check_alike(const NamedTensors& average, const NamedTensors& model) {
  if (average.size() != model.size()) {
    fail("AveragedModel: the average has {} tensors, the model {}", average.size(), model.size());
  }
  for (std::size_t i = 0; i < model.size(); ++i) {
    const auto& [name, a] = average[i];
    if (name != model[i].first) fail("AveragedModel: the average has {} where the model has {}", name, model[i].first);
    const Tensor& m = model[i].second;
    if (a.shape() != m.shape() || a.dtype() != m.dtype()) {
      fail("AveragedModel: {} is {} {}, the average's {} {}", name, m.dtype(), m.shape(), a.dtype(), a.shape());
    }
  }
}

void average_into(Tensor average, const Tensor& value, std::int64_t count, const AveragedModelOptions& o) {
  const double weight = o.decay && count > 0 ? 1 - *o.decay : 1 / static_cast<double>(count + 1);
  // a + (p - a) is p only but for rounding.
  if (weight == 1 || !is_floating_point(average.dtype()))
    average.copy_(value);
  else
    average.add_(value - average, weight);
}

}  // namespace

void detail::check(const AveragedModelOptions& o) {
  if (o.decay && !(*o.decay >= 0 && *o.decay <= 1)) fail("AveragedModel: decay must be in [0, 1], got {}", *o.decay);
}

void detail::update_average(nn::Module& average, const nn::Module& model, std::int64_t count,
                            const AveragedModelOptions& o) {
  const NamedTensors averages = average.named_parameters(), parameters = model.named_parameters();
  const NamedTensors kept = average.named_buffers(), buffers = model.named_buffers();
  check_alike(averages, parameters);
  check_alike(kept, buffers);
  const NoGrad guard;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    average_into(averages[i].second.detach(), parameters[i].second.detach(), count, o);
  }
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    average_into(kept[i].second.detach(), buffers[i].second, o.use_buffers ? count : 0, o);
  }
}

SwapWeights::SwapWeights(nn::Module& model, const nn::Module& other) {
  for (const auto& [name, weight] : model.state_dict()) weights_.emplace_back(weight, weight.clone());
  model.load_state_dict(other.state_dict());
}

SwapWeights::~SwapWeights() {
  const NoGrad guard;
  for (auto& [weight, before] : weights_) weight.copy_(before);
}

}  // namespace gradus::optim
