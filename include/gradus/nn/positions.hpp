// Positions: attention alone does not know the order of what it sees.
#pragma once

#include <cstdint>

#include "gradus/nn/module.hpp"
#include "gradus/ops/attention.hpp"

namespace gradus::nn {

struct SinusoidalPositionsOptions {
  std::int64_t max_len = 5000;
  bool batch_first = false;  // (batch, positions, d_model) instead of (positions, batch, d_model)
};

// x + P with P[p, 2i] = sin(p / 10000^(2i / d_model)) and P[p, 2i + 1] = cos of the same (Vaswani et al. 2017):
// (positions, batch, d_model) -> the same, also without batch. Throws beyond max_len positions.
class SinusoidalPositions : public Module {
 public:
  explicit SinusoidalPositions(std::int64_t d_model, const SinusoidalPositionsOptions& options = {});

  Tensor forward(const Tensor& x) override;

 private:
  Tensor table_;  // (max_len, d_model) in float64; it follows from its shape, so that no state need hold it
  bool batch_first_;
};

// rotary_embedding as a layer: (..., positions, width) -> the same. For queries and keys, split into heads.
class RotaryPositions : public Module {
 public:
  explicit RotaryPositions(const RotaryOptions& options = {}) : options_(options) {}

  Tensor forward(const Tensor& x) override;

 private:
  RotaryOptions options_;
};

}  // namespace gradus::nn
