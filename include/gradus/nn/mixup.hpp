#pragma once

#include <cstdint>

#include "gradus/random.hpp"
#include "gradus/tensor.hpp"

namespace gradus {

struct MixupOptions {
  std::int64_t num_classes = -1;  // of int64 targets; -1 counts those that occur
  Generator* generator = nullptr;
};
struct Mixup {
  Tensor inputs;
  Tensor targets;
  double lambda;  // the share of each example itself; 1 - lambda is that of its partner
};
// Blends each example, and its target, with another one of the batch by one share lambda from a Beta(alpha, alpha)
// distribution (Zhang et al., 2018): (batch, ...), int64 (batch) -> (batch, ...), (batch, classes), which cross_entropy
// takes as probabilities; floating targets (batch, ...) are blended as they are. alpha 0 changes nothing. Throws if
// alpha is negative.
Mixup mixup(const Tensor& x, const Tensor& y, double alpha, const MixupOptions& options = {});

}  // namespace gradus
