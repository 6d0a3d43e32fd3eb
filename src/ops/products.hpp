// The product of two matrices, either of them transposed on the fly.
#pragma once

#include "gradus/tensor.hpp"

namespace gradus {

// Throws unless both have the same floating dtype.
void check_product_dtypes(const char* op, const Tensor& a, const Tensor& b);

// op(a) op(b), not recorded and not checked.
Tensor product(const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b);

// The same, recorded.
Tensor mm(const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b);

}  // namespace gradus
