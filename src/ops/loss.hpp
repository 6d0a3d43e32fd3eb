// What losses share.
#pragma once

#include <cstdint>
#include <optional>

#include "gradus/ops/losses.hpp"
#include "gradus/ops/reduce.hpp"
#include "storage/format.hpp"

namespace gradus {

inline void check_reduction(const char* op, Reduction reduction) {
  if (reduction == Reduction::batchmean) fail("{}: the reduction must be none, mean or sum, got batchmean", op);
}

inline Tensor reduced(const char* op, const Tensor& loss, Reduction reduction) {
  check_reduction(op, reduction);
  if (reduction == Reduction::none) return loss;
  return reduction == Reduction::sum ? sum(loss) : mean(loss);
}

inline void check_same_dtype(const char* op, const Tensor& input, const Tensor& target) {
  if (input.dtype() != target.dtype()) {
    fail("{}: dtypes differ: {} and {}; convert one with to()", op, input.dtype(), target.dtype());
  }
  if (!is_floating_point(input.dtype())) fail("{}: a floating dtype is needed, got {}", op, input.dtype());
}

// Two tensors of one floating dtype whose shapes broadcast.
inline void check_pair(const char* op, const Tensor& input, const Tensor& target) {
  check_same_dtype(op, input, target);
  broadcast_shapes(op, input.shape(), target.shape());
}

// (batch, classes, ...), int64 (batch, ...), and a weight (classes) or none
void check_classes(const char* op, const Tensor& input, const Tensor& target, const Tensor& weight);

void check_class_weight(const char* op, const Tensor& input, const Tensor& weight);

// Throws at a target that is no class, unless it is the one to be ignored; true if there is one such.
bool any_ignored(const char* op, const Tensor& target, std::int64_t classes, std::optional<std::int64_t> ignore_index);

}  // namespace gradus
