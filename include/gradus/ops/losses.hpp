// Losses.
#pragma once

#include <cstdint>

#include "gradus/tensor.hpp"

namespace gradus {

enum class Reduction : std::uint8_t { none, mean, sum };

struct LossOptions {
  Reduction reduction = Reduction::mean;
};

struct CrossEntropyOptions {
  Tensor weight = {};  // (classes), a factor for each class
  std::int64_t ignore_index = -100;
  Reduction reduction = Reduction::mean;
  double label_smoothing = 0;
};

// (input - target)^2
Tensor mse_loss(const Tensor& input, const Tensor& target, const LossOptions& options = {});
// |input - target|
Tensor l1_loss(const Tensor& input, const Tensor& target, const LossOptions& options = {});
// -log_softmax(input)[target]: (batch, classes), int64 (batch) -> (); also (classes), () -> ().
// Throws unless every target is in [0, classes) or ignore_index.
Tensor cross_entropy(const Tensor& input, const Tensor& target, const CrossEntropyOptions& options = {});
// -(t ln sigmoid(x) + (1 - t) ln(1 - sigmoid(x))), stable for any x
Tensor binary_cross_entropy_with_logits(const Tensor& input, const Tensor& target, const LossOptions& options = {});

}  // namespace gradus
