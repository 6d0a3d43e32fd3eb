// A number that says how good predictions are, gathered from batch to batch.
#pragma once

#include <map>
#include <string>

#include "gradus/tensor.hpp"

namespace gradus::train {

class Metric {
 public:
  virtual ~Metric() = default;

  // The column of the history: "accuracy", with "valid_" before it for the validation set.
  virtual std::string name() const = 0;
  // Forgets all batches.
  virtual void reset() = 0;
  // One more batch: what the model said, detached from its graph, and what it should have said.
  virtual void update(const Tensor& prediction, const Tensor& target) = 0;
  // Over all batches since reset(). NaN if there was none.
  virtual double value() const = 0;

  // The sums so far, so that a run which is resumed in the middle of an epoch goes on from them. A metric without them
  // then tells only of the rest of that epoch.
  virtual std::map<std::string, Tensor> state_dict() const { return {}; }
  virtual void load_state_dict(const std::map<std::string, Tensor>&) {}
};

}  // namespace gradus::train
