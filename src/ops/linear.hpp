// linear followed by an activation in one pass over the output.
#pragma once

#include "gradus/tensor.hpp"
#include "kernels/kernels.hpp"

namespace gradus {

// activation(x W^T + b). The tape holds a node for each of the two, so that nothing is hidden from whoever reads it.
// Only activations whose derivative follows from their value can be fused: relu, tanh and sigmoid.
Tensor linear_activation(const Tensor& x, const Tensor& weight, const Tensor& bias, kernels::Activation activation);

}  // namespace gradus
