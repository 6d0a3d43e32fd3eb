// Where PyTorch's layers start.
#pragma once

#include <cmath>

#include "gradus/autograd.hpp"
#include "gradus/factory.hpp"
#include "gradus/nn/parameter.hpp"
#include "gradus/random.hpp"

namespace gradus::nn {

// Uniform on +-1 / sqrt(fan_in).
inline Parameter uniform_parameter(const Shape& shape, std::int64_t fan_in, Dtype dtype) {
  NoGrad guard;
  const double bound = fan_in > 0 ? 1 / std::sqrt(static_cast<double>(fan_in)) : 0;
  Tensor values = rand(shape, {.dtype = dtype});
  values.mul_(2 * bound).sub_(bound);
  return Parameter(values);
}

}  // namespace gradus::nn
