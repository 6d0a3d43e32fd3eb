// The three sums that the engine needs; the ops floor defines them, so that a recorded backward pass records them too.
#pragma once

#include "gradus/tensor.hpp"

namespace gradus {

// Sums a broadcast gradient down to the shape of the input it belongs to.
Tensor sum_to_shape(const Tensor& gradient, const Shape& shape);

// a + b, recorded if gradients are on.
Tensor sum_of(const Tensor& a, const Tensor& b);

// a += b on exclusive, contiguous memory; never recorded.
void accumulate(const Tensor& a, const Tensor& b);

}  // namespace gradus
