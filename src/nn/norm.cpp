#include "gradus/nn/norm.hpp"

#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "storage/format.hpp"

namespace gradus::nn {
namespace {

void check_floating(const char* layer, Dtype dtype) {
  if (!is_floating_point(dtype)) fail("{}: a floating dtype is needed, got {}", layer, dtype);
}

void check_normalized_shape(const char* layer, const Shape& shape, Dtype dtype) {
  if (shape.empty()) fail("{}: the normalized shape needs a dim", layer);
  check_floating(layer, dtype);
}

}  // namespace

LayerNorm::LayerNorm(const Shape& normalized_shape, const LayerNormOptions& options)
    : normalized_shape_(normalized_shape), eps_(options.eps) {
  check_normalized_shape("LayerNorm", normalized_shape, options.dtype);
  if (!options.elementwise_affine) return;
  weight = Parameter(ones(normalized_shape, {.dtype = options.dtype}));
  if (options.bias) bias = Parameter(zeros(normalized_shape, {.dtype = options.dtype}));
}

Tensor LayerNorm::forward(const Tensor& x) {
  return layer_norm(x, normalized_shape_, {.weight = weight, .bias = bias, .eps = eps_});
}

RMSNorm::RMSNorm(const Shape& normalized_shape, const RMSNormOptions& options)
    : normalized_shape_(normalized_shape), eps_(options.eps) {
  check_normalized_shape("RMSNorm", normalized_shape, options.dtype);
  if (options.elementwise_affine) weight = Parameter(ones(normalized_shape, {.dtype = options.dtype}));
}

Tensor RMSNorm::forward(const Tensor& x) { return rms_norm(x, normalized_shape_, {.weight = weight, .eps = eps_}); }

GroupNorm::GroupNorm(std::int64_t num_groups, std::int64_t num_channels, const GroupNormOptions& options)
    : num_groups_(num_groups), num_channels_(num_channels), eps_(options.eps) {
  if (num_groups < 1 || num_channels % num_groups != 0) {
    fail("GroupNorm: {} channels cannot be split into {} groups", num_channels, num_groups);
  }
  check_floating("GroupNorm", options.dtype);
  if (!options.affine) return;
  weight = Parameter(ones({num_channels}, {.dtype = options.dtype}));
  bias = Parameter(zeros({num_channels}, {.dtype = options.dtype}));
}

Tensor GroupNorm::forward(const Tensor& x) {
  if (x.dim() >= 2 && x.size(1) != num_channels_) {
    fail("GroupNorm: the input needs {} channels in dim 1, got {}", num_channels_, x.shape());
  }
  return group_norm(x, num_groups_, {.weight = weight, .bias = bias, .eps = eps_});
}

}  // namespace gradus::nn
