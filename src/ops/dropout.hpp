// What dropout multiplies by.
#pragma once

#include "gradus/random.hpp"
#include "gradus/tensor.hpp"

namespace gradus {

// 1 / (1 - p) with probability 1 - p, else 0. Both dtypes decide by the same float32 numbers.
Tensor dropout_factors(const Shape& shape, Dtype dtype, double p, Generator* generator);

}  // namespace gradus
