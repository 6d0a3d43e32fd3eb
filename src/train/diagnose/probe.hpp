// What kind of loss is it? Asked by handing it predictions whose loss is known.
#pragma once

#include <cstdint>
#include <optional>

#include "train/diagnose/examination.hpp"

namespace gradus::train::doctor {

struct LossKind {
  std::int64_t classes = 0;        // of the targets: 2 for 0 and 1; 0 if they aren't classes
  bool is_cross_entropy = false;   // of logits: zeros cost log(classes), and a shift costs nothing
  bool is_binary_entropy = false;  // of logits: zeros cost log(2)
  bool is_log_likelihood = false;  // of log probabilities: a shift by 1 gains 1
  bool is_distance = false;        // a prediction that equals the target costs nothing
  // log(classes) where one of the entropies is meant.
  std::optional<double> chance() const;
};

// The loss of a prediction; NaN if it refuses to take it.
double cost(const LossFunction& loss, const Tensor& prediction, const Tensor& target);

LossKind probe(const Patient& patient, const Tensor& output);

// The loss of the best prediction that is the same for all samples; none if it can't be found, as where the loss has
// no minimum or accepts but probabilities.
std::optional<double> constant_loss(const LossFunction& loss, const Tensor& output, const Tensor& target);

}  // namespace gradus::train::doctor
