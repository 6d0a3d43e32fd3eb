// The derivatives of softmax and log_softmax along the last dim, fused: ops with derivatives of their own.
#pragma once

#include "gradus/tensor.hpp"

namespace gradus {

Tensor softmax_backward(const Tensor& g, const Tensor& y);      // y (g - sum(g y))
Tensor log_softmax_backward(const Tensor& g, const Tensor& y);  // g - e^y sum(g)

}  // namespace gradus
