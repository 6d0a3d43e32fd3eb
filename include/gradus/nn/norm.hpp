// Normalisation layers: each is the op of the same name with weights, and perhaps running statistics, of its own.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>

#include "gradus/nn/members.hpp"
#include "gradus/nn/module.hpp"
#include "gradus/nn/parameter.hpp"

namespace gradus::nn {

struct LayerNormOptions {
  double eps = 1e-5;
  bool elementwise_affine = true;  // learn a weight and a bias
  bool bias = true;                // false: a weight only
  Dtype dtype = float32;
};

// Normalises the last dims: (..., normalized_shape) -> the same. The weight starts at 1, the bias at 0.
class LayerNorm : public Module {
 public:
  explicit LayerNorm(const Shape& normalized_shape, const LayerNormOptions& options = {});
  explicit LayerNorm(std::initializer_list<std::int64_t> normalized_shape, const LayerNormOptions& options = {})
      : LayerNorm(Shape(normalized_shape), options) {}
  explicit LayerNorm(std::int64_t size, const LayerNormOptions& options = {}) : LayerNorm(Shape{size}, options) {}

  Tensor forward(const Tensor& x) override;

  Parameter weight;
  Parameter bias;
  GRADUS_MODULE(weight, bias)

 private:
  Shape normalized_shape_;
  double eps_;
};

struct RMSNormOptions {
  std::optional<double> eps = {};  // by default the machine epsilon of the dtype
  bool elementwise_affine = true;  // learn a weight
  Dtype dtype = float32;
};

// Divides the last dims by their root mean square: (..., normalized_shape) -> the same. The weight starts at 1.
class RMSNorm : public Module {
 public:
  explicit RMSNorm(const Shape& normalized_shape, const RMSNormOptions& options = {});
  explicit RMSNorm(std::initializer_list<std::int64_t> normalized_shape, const RMSNormOptions& options = {})
      : RMSNorm(Shape(normalized_shape), options) {}
  explicit RMSNorm(std::int64_t size, const RMSNormOptions& options = {}) : RMSNorm(Shape{size}, options) {}

  Tensor forward(const Tensor& x) override;

  Parameter weight;
  GRADUS_MODULE(weight)

 private:
  Shape normalized_shape_;
  std::optional<double> eps_;
};

struct GroupNormOptions {
  double eps = 1e-5;
  bool affine = true;  // learn a weight and a bias for each channel
  Dtype dtype = float32;
};

// Normalises groups of neighbouring channels of each sample: (batch, num_channels, ...) -> the same. Throws unless
// num_groups divides num_channels.
class GroupNorm : public Module {
 public:
  GroupNorm(std::int64_t num_groups, std::int64_t num_channels, const GroupNormOptions& options = {});

  Tensor forward(const Tensor& x) override;

  Parameter weight;
  Parameter bias;
  GRADUS_MODULE(weight, bias)

 private:
  std::int64_t num_groups_, num_channels_;
  double eps_;
};

}  // namespace gradus::nn
