// Derivatives that are worth a kernel of their own: g * f'(x) in one pass. They are ops too, with derivatives.
#pragma once

#include "gradus/tensor.hpp"

namespace gradus {

Tensor relu_backward(const Tensor& g, const Tensor& y);      // g where y > 0, else 0
Tensor tanh_backward(const Tensor& g, const Tensor& y);      // g (1 - y^2)
Tensor sigmoid_backward(const Tensor& g, const Tensor& y);   // g y (1 - y)
Tensor gelu_backward(const Tensor& g, const Tensor& x);      // g (Phi(x) + x phi(x))
Tensor softplus_backward(const Tensor& g, const Tensor& x);  // g sigmoid(x)

// Zeros of the given shape, to which g is added at the places that `index` names along dim: the derivative of gather.
Tensor scatter_add_zeros(const Tensor& g, const Shape& shape, std::int64_t dim, const Tensor& index);
// The same for index_select.
Tensor index_add_zeros(const Tensor& g, const Shape& shape, std::int64_t dim, const Tensor& index);

}  // namespace gradus
