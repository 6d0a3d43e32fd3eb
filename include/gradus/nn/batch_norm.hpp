// Norms over channels that may keep running statistics: batch norm and instance norm.
#pragma once

#include <cstdint>
#include <optional>

#include "gradus/nn/members.hpp"
#include "gradus/nn/module.hpp"
#include "gradus/nn/parameter.hpp"

namespace gradus::nn {

struct BatchNormOptions {
  double eps = 1e-5;
  std::optional<double> momentum = 0.1;  // std::nullopt: running statistics are plain averages over all batches
  bool affine = true;                    // learn a weight and a bias for each channel
  bool track_running_stats = true;       // false: batch statistics in evaluation, too
  Dtype dtype = float32;
};

struct InstanceNormOptions {
  double eps = 1e-5;
  double momentum = 0.1;
  bool affine = false;               // learn a weight and a bias for each channel
  bool track_running_stats = false;  // and use them in evaluation
  Dtype dtype = float32;
};

// What the two have in common: a weight that starts at 1, a bias at 0, running statistics of mean 0 and variance 1, and
// PyTorch's names for them. What is switched off is undefined.
class ChannelNorm : public Module {
 public:
  // Mean 0 and variance 1 again, and no batches seen. Does nothing without running statistics.
  void reset_running_stats();

  std::int64_t num_features() const { return num_features_; }

  Parameter weight;
  Parameter bias;
  Buffer running_mean;
  Buffer running_var;
  Buffer num_batches_tracked;  // () int64
  GRADUS_MODULE(weight, bias, running_mean, running_var, num_batches_tracked)

 protected:
  ChannelNorm(const char* name, std::int64_t num_features, bool affine, bool track_running_stats, Dtype dtype);

  // Throws unless x has one of these numbers of dims, and num_features channels in channel_dim.
  void check_input(const Tensor& x, std::int64_t least_dims, std::int64_t most_dims, std::int64_t channel_dim) const;

 private:
  const char* name_;
  std::int64_t num_features_;
};

// What BatchNorm1d and BatchNorm2d have in common. In training it normalises by the statistics of the batch and updates
// the running ones, in evaluation by the running ones.
class BatchNorm : public ChannelNorm {
 public:
  std::optional<double> momentum;  // std::nullopt: running statistics are plain averages over all batches

 protected:
  BatchNorm(const char* name, std::int64_t num_features, const BatchNormOptions& options);
  Tensor normalized(const Tensor& x);

 private:
  double eps_;
};

// (batch, num_features) or (batch, num_features, length) -> the same. Throws if training has one value per channel.
class BatchNorm1d : public BatchNorm {
 public:
  explicit BatchNorm1d(std::int64_t num_features, const BatchNormOptions& options = {})
      : BatchNorm("BatchNorm1d", num_features, options) {}
  Tensor forward(const Tensor& x) override;
};

// (batch, num_features, height, width) -> the same. Throws if training has one value per channel.
class BatchNorm2d : public BatchNorm {
 public:
  explicit BatchNorm2d(std::int64_t num_features, const BatchNormOptions& options = {})
      : BatchNorm("BatchNorm2d", num_features, options) {}
  Tensor forward(const Tensor& x) override;
};

// What InstanceNorm1d and InstanceNorm2d have in common: each channel of each sample is normalised on its own.
class InstanceNorm : public ChannelNorm {
 protected:
  InstanceNorm(const char* name, std::int64_t num_features, const InstanceNormOptions& options);
  Tensor normalized(const Tensor& x);

 private:
  double momentum_;
  double eps_;
};

// (batch, num_features, length) or (num_features, length) -> the same
class InstanceNorm1d : public InstanceNorm {
 public:
  explicit InstanceNorm1d(std::int64_t num_features, const InstanceNormOptions& options = {})
      : InstanceNorm("InstanceNorm1d", num_features, options) {}
  Tensor forward(const Tensor& x) override;
};

// (batch, num_features, height, width) or (num_features, height, width) -> the same
class InstanceNorm2d : public InstanceNorm {
 public:
  explicit InstanceNorm2d(std::int64_t num_features, const InstanceNormOptions& options = {})
      : InstanceNorm("InstanceNorm2d", num_features, options) {}
  Tensor forward(const Tensor& x) override;
};

}  // namespace gradus::nn
