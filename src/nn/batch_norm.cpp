#include "gradus/nn/batch_norm.hpp"

#include "gradus/autograd.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "storage/format.hpp"

namespace gradus::nn {

ChannelNorm::ChannelNorm(const char* name, std::int64_t num_features, bool affine, bool track_running_stats,
                         Dtype dtype)
    : name_(name), num_features_(num_features) {
  if (num_features < 0) fail("{}: num_features must be at least 0, got {}", name, num_features);
  if (!is_floating_point(dtype)) fail("{}: a floating dtype is needed, got {}", name, dtype);
  if (affine) {
    weight = Parameter(ones({num_features}, {.dtype = dtype}));
    bias = Parameter(zeros({num_features}, {.dtype = dtype}));
  }
  if (track_running_stats) {
    running_mean = Buffer(zeros({num_features}, {.dtype = dtype}));
    running_var = Buffer(ones({num_features}, {.dtype = dtype}));
    num_batches_tracked = Buffer(zeros({}, {.dtype = int64}));
  }
}

void ChannelNorm::reset_running_stats() {
  if (!running_mean.defined()) return;
  const NoGrad guard;
  running_mean.zero_();
  running_var.fill_(1);
  num_batches_tracked.zero_();
}

void ChannelNorm::check_input(const Tensor& x, std::int64_t least_dims, std::int64_t most_dims,
                              std::int64_t channel_dim) const {
  if (x.dim() != least_dims && x.dim() != most_dims) {
    if (least_dims == most_dims) fail("{}: the input needs {} dims, got {}", name_, least_dims, x.shape());
    fail("{}: the input needs {} or {} dims, got {}", name_, least_dims, most_dims, x.shape());
  }
  if (x.size(channel_dim) != num_features_) {
    fail("{}: the input needs {} channels, got {}", name_, num_features_, x.shape());
  }
}

BatchNorm::BatchNorm(const char* name, std::int64_t num_features, const BatchNormOptions& options)
    : ChannelNorm(name, num_features, options.affine, options.track_running_stats, options.dtype),
      momentum(options.momentum),
      eps_(options.eps) {}

Tensor BatchNorm::normalized(const Tensor& x) {
  const bool tracked = running_mean.defined(), updates = is_training() && tracked;
  const double batches = updates ? num_batches_tracked.item() + 1 : 1;
  Tensor y = batch_norm(x, running_mean, running_var,
                        {.weight = weight,
                         .bias = bias,
                         .training = is_training() || !tracked,
                         .momentum = momentum.value_or(1 / batches),
                         .eps = eps_});
  if (updates) num_batches_tracked.add_(1);  // only now: a batch that the op refuses leaves no trace
  return y;
}

Tensor BatchNorm1d::forward(const Tensor& x) {
  check_input(x, 2, 3, 1);
  return normalized(x);
}

Tensor BatchNorm2d::forward(const Tensor& x) {
  check_input(x, 4, 4, 1);
  return normalized(x);
}

InstanceNorm::InstanceNorm(const char* name, std::int64_t num_features, const InstanceNormOptions& options)
    : ChannelNorm(name, num_features, options.affine, options.track_running_stats, options.dtype),
      momentum_(options.momentum),
      eps_(options.eps) {}

Tensor InstanceNorm::normalized(const Tensor& x) {
  return instance_norm(x, running_mean, running_var,
                       {.weight = weight,
                        .bias = bias,
                        .use_input_stats = is_training() || !running_mean.defined(),
                        .momentum = momentum_,
                        .eps = eps_});
}

Tensor InstanceNorm1d::forward(const Tensor& x) {
  check_input(x, 2, 3, -2);
  return x.dim() == 3 ? normalized(x) : squeeze(normalized(unsqueeze(x, 0)), 0);
}

Tensor InstanceNorm2d::forward(const Tensor& x) {
  check_input(x, 3, 4, -3);
  return x.dim() == 4 ? normalized(x) : squeeze(normalized(unsqueeze(x, 0)), 0);
}

}  // namespace gradus::nn
