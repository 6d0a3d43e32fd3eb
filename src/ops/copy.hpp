// Copies between any strides and dtypes. Nothing here is recorded.
#pragma once

#include "gradus/tensor.hpp"

namespace gradus {

// destination[...] = source[...], the source broadcast and converted; they must not overlap.
void copy_values(const Tensor& destination, const Tensor& source);

// x itself if it is contiguous, else a contiguous copy without history.
Tensor dense(const Tensor& x);

}  // namespace gradus
