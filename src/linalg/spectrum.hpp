// What the derivatives of eigenvectors and singular vectors share.
#pragma once

#include "gradus/tensor.hpp"

namespace gradus::linalg {

// x_ij / (w_j - w_i), and 0 on the diagonal: (..., n, n), (..., n) -> (..., n, n)
Tensor over_gaps(const Tensor& x, const Tensor& w);

}  // namespace gradus::linalg
