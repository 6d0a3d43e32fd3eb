// Dropout. Both draw their masks from `generator`, by default the thread's own.
#pragma once

#include "gradus/random.hpp"
#include "gradus/tensor.hpp"

namespace gradus {

// In training each element is 0 with probability p, else x / (1 - p); otherwise x. Throws unless p is in [0, 1].
Tensor dropout(const Tensor& x, double p = 0.5, bool training = true, Generator* generator = nullptr);
// The same for whole channels: (batch, channels, ...)
Tensor dropout2d(const Tensor& x, double p = 0.5, bool training = true, Generator* generator = nullptr);

}  // namespace gradus
