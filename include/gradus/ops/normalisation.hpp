// Normalisation: values of mean 0 and variance 1, over different parts of a tensor. Weights and biases are optional.
#pragma once

#include <cstdint>
#include <optional>

#include "gradus/tensor.hpp"

namespace gradus {

struct LayerNormOptions {
  Tensor weight = {};  // of the normalised shape
  Tensor bias = {};    // the same
  double eps = 1e-5;
};

struct RMSNormOptions {
  Tensor weight = {};              // of the normalised shape
  std::optional<double> eps = {};  // by default the machine epsilon of the dtype
};

struct BatchNormOptions {
  Tensor weight = {};  // (channels)
  Tensor bias = {};    // (channels)
  bool training = false;
  double momentum = 0.1;
  double eps = 1e-5;
};

struct GroupNormOptions {
  Tensor weight = {};  // (channels)
  Tensor bias = {};    // (channels)
  double eps = 1e-5;
};

struct InstanceNormOptions {
  Tensor weight = {};  // (channels)
  Tensor bias = {};    // (channels)
  bool use_input_stats = true;
  double momentum = 0.1;
  double eps = 1e-5;
};

// (x - mean) / sqrt(var + eps) * weight + bias, with mean and biased variance over the last dims, those of
// normalized_shape. Throws unless x ends in them.
Tensor layer_norm(const Tensor& x, const Shape& normalized_shape, const LayerNormOptions& options = {});
// x / sqrt(mean(x^2) + eps) * weight, the mean over the last dims, those of normalized_shape
Tensor rms_norm(const Tensor& x, const Shape& normalized_shape, const RMSNormOptions& options = {});
// (x - mean) / sqrt(var + eps) * weight + bias: (batch, channels, ...) -> the same. In training the mean and the biased
// variance are those of each channel, and where running statistics are given these become
// (1 - momentum) * running + momentum * new, with the unbiased variance; else they are the running ones. Throws if
// training has one value per channel.
Tensor batch_norm(const Tensor& x, const Tensor& running_mean, const Tensor& running_var,
                  const BatchNormOptions& options = {});
// The same with the statistics of each sample over channels / num_groups neighbouring channels
Tensor group_norm(const Tensor& x, std::int64_t num_groups, const GroupNormOptions& options = {});
// The same with the statistics of each sample and channel: (batch, channels, ...). Running statistics are updated as
// batch_norm's, with the mean over the batch, and used without use_input_stats.
Tensor instance_norm(const Tensor& x, const Tensor& running_mean = {}, const Tensor& running_var = {},
                     const InstanceNormOptions& options = {});

}  // namespace gradus
