// Products.
#pragma once

#include "gradus/tensor.hpp"

namespace gradus {

// 1-d @ 1-d: dot product; 2-d @ 2-d: (m, k) x (k, n) -> (m, n); a 1-d operand is a row on the left, a column on the
// right, and its dim vanishes; beyond two dims the leading ones broadcast as batches.
Tensor matmul(const Tensor& a, const Tensor& b);
// x W^T + b: (..., in), (out, in), (out) -> (..., out); bias may be undefined
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

}  // namespace gradus
