// The exponential moving average of a model's weights.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "gradus/nn/module.hpp"
#include "train/state.hpp"

namespace gradus::train {

// Parameters and buffers of the same names as another module's, and no function. So the average of a model whose class
// is not known can be kept, lent and saved.
class Weights final : public nn::Module {
 public:
  explicit Weights(const nn::Module& model);
  void visit_members(nn::MemberVisitor& visitor, const nn::MemberPath& path) override;

 private:
  std::vector<std::pair<std::string, nn::Parameter>> parameters_;
  std::vector<std::pair<std::string, nn::Buffer>> buffers_;
};

class MovingAverage {
 public:
  MovingAverage(const nn::Module& model, double decay) : weights_(model), decay_(decay) {}

  // The model has made a step.
  void update(const nn::Module& model);
  const Weights& weights() const { return weights_; }

  // "count" and the weights by name.
  StateDict state_dict() const;
  void load_state_dict(const StateDict& state);

 private:
  Weights weights_;
  double decay_;
  std::int64_t count_ = 0;
};

}  // namespace gradus::train
