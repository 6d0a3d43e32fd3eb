// What the rules on whole tensors share.
#pragma once

#include <cmath>

#include "gradus/ops.hpp"
#include "optim/fused.hpp"

namespace gradus::optim {

// The gradient that a rule goes down along, dense: so that strided parameters move like others, bit for bit.
inline Tensor descent(const char* rule, const Tensor& param, const Tensor& grad, bool maximize) {
  check_gradient(rule, param, grad);
  const Tensor dense = grad.contiguous();
  return maximize ? -dense : dense;
}

// The length of a tensor, in the same order of summation whatever its strides.
inline double length(const Tensor& x) { return norm(x.contiguous()).item(); }

inline double root_mean_square(const Tensor& x) { return length(x) / std::sqrt(static_cast<double>(x.numel())); }

}  // namespace gradus::optim
