#include "gradus/nn/activation.hpp"

#include "gradus/ops.hpp"
#include "storage/format.hpp"

namespace gradus::nn {

Tensor Identity::forward(const Tensor& x) { return x; }
Tensor ReLU::forward(const Tensor& x) { return relu(x); }
Tensor Tanh::forward(const Tensor& x) { return tanh(x); }
Tensor Sigmoid::forward(const Tensor& x) { return sigmoid(x); }
Tensor GELU::forward(const Tensor& x) { return gelu(x); }
Tensor SiLU::forward(const Tensor& x) { return silu(x); }
Tensor Mish::forward(const Tensor& x) { return mish(x); }
Tensor Hardsigmoid::forward(const Tensor& x) { return hardsigmoid(x); }
Tensor Hardswish::forward(const Tensor& x) { return hardswish(x); }
Tensor Softsign::forward(const Tensor& x) { return softsign(x); }
Tensor LogSigmoid::forward(const Tensor& x) { return logsigmoid(x); }
Tensor Hardtanh::forward(const Tensor& x) { return hardtanh(x, min_val_, max_val_); }
Tensor GLU::forward(const Tensor& x) { return glu(x, dim_); }
Tensor Softmax::forward(const Tensor& x) { return softmax(x, dim_); }
Tensor Softmin::forward(const Tensor& x) { return softmin(x, dim_); }
Tensor LogSoftmax::forward(const Tensor& x) { return log_softmax(x, dim_); }
Tensor Flatten::forward(const Tensor& x) { return flatten(x, start_dim_, end_dim_); }

Softplus::Softplus(double beta) : beta_(beta) {
  if (!(beta > 0)) fail("Softplus: beta must be above 0, got {}", beta);
}

Tensor Softplus::forward(const Tensor& x) { return beta_ == 1 ? softplus(x) : softplus(x * beta_) / beta_; }

Tensor Softmax2d::forward(const Tensor& x) {
  if (x.dim() != 3 && x.dim() != 4) fail("Softmax2d: images (batch, channels, h, w) are needed, got {}", x.shape());
  return softmax(x, -3);
}

Tensor Unflatten::forward(const Tensor& x) {
  const std::int64_t dim = dim_ < 0 ? dim_ + x.dim() : dim_;
  if (dim < 0 || dim >= x.dim()) fail("Unflatten: dim {} is out of range for shape {}", dim_, x.shape());
  // One size may be -1: what the others leave.
  Shape sizes = unflattened_size_;
  std::int64_t known = 1, open = -1;
  for (std::int64_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] == -1 && open < 0)
      open = i;
    else
      known *= sizes[i];
  }
  if (open >= 0) sizes[open] = known > 0 ? x.size(dim) / known : 0;
  if (sizes.numel() != x.size(dim) || known < 0) {
    fail("Unflatten: dim {} of {} does not split into {}", dim_, x.shape(), unflattened_size_);
  }
  Shape shape;
  for (std::int64_t i = 0; i < x.dim(); ++i) {
    if (i != dim)
      shape.push_back(x.size(i));
    else
      for (const std::int64_t size : sizes) shape.push_back(size);
  }
  return reshape(x, shape);
}

}  // namespace gradus::nn
