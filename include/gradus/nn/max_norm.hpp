#pragma once

#include <cstdint>
#include <vector>

#include "gradus/tensor.hpp"

namespace gradus {

struct MaxNormOptions {
  std::int64_t dim = 0;  // counts the units: 0 for Linear and Conv2d, 1 for ConvTranspose2d
};
// Rescales the incoming weights of each unit to a norm of at most max_norm, in place: to be called after each step of
// the optimizer (Srebro and Shraibman, 2005; Hinton et al., 2012). Parameters of less than two dims, biases and scales,
// are left as they are. Throws if max_norm is negative.
void max_norm_(const std::vector<Tensor>& parameters, double max_norm, const MaxNormOptions& options = {});

}  // namespace gradus
