// What the functions of linalg share: checks of their inputs, and the way to LAPACK's memory layout and back.
#pragma once

#include <cstdint>
#include <string>

#include "gradus/tensor.hpp"

namespace gradus::linalg {

// A tensor (..., m, n) as `count` matrices.
struct Matrices {
  std::int64_t rows, cols, count;
};

Matrices sizes_of(const Tensor& x);

// Throws unless x has at least two dims; the last two of them equal.
void check_matrices(const char* op, const Tensor& x);
void check_square(const char* op, const Tensor& x);

// Throws unless x is floating, of at least two dims, and finite.
Matrices matrices(const char* op, const Tensor& x);
// Besides, throws unless the matrices are square.
Matrices square_matrices(const char* op, const Tensor& x);

// The dims before the last two.
Shape batch_shape(const Tensor& x);
// The same, followed by others.
Shape with_batch(const Tensor& x, std::initializer_list<std::int64_t> sizes);

// Column-major copies of the matrices, one behind the other, for LAPACK to overwrite: (..., m, n) -> (..., n, m) as we
// count. Not recorded, as everything that touches memory.
Tensor to_columns(const Tensor& x);
Tensor from_columns(const Tensor& columns);

// "the matrix" or, in a batch, "matrix 3": the subject of an error.
std::string subject(const Tensor& x, std::int64_t i);

// The last two dims swapped.
Tensor transposed(const Tensor& x);
// The symmetric matrix with the lower triangle of x.
Tensor mirrored_lower(const Tensor& x);
// x diag(d): scales the columns of (..., m, n) by d, (..., n).
Tensor scale_columns(const Tensor& x, const Tensor& d);

}  // namespace gradus::linalg
