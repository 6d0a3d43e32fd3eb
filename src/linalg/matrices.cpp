#include "linalg/matrices.hpp"

#include <cmath>

#include "gradus/ops.hpp"
#include "ops/copy.hpp"
#include "tensor/impl.hpp"

namespace gradus::linalg {
namespace {

// LAPACK's iterations may never end on a NaN.
void check_finite(const char* op, const Tensor& x) {
  const Tensor values = dense(x);
  dispatch_floating(op, x.dtype(), [&]<class T>() {
    const T* const data = data_of<T>(values);
    for (std::int64_t i = 0; i < values.numel(); ++i) {
      if (!std::isfinite(data[i]))
        fail("{}: the input must be finite, got {} at {}", op, data[i], unravel_index(i, x.shape()));
    }
  });
}

Tensor swapped(const Tensor& x) {
  Shape shape = x.shape(), strides = x.strides();
  const std::int64_t n = shape.size();
  std::swap(shape[n - 2], shape[n - 1]);
  std::swap(strides[n - 2], strides[n - 1]);
  return make_view(x, shape, strides, impl(x).offset);
}

Tensor copied(const Tensor& x) {
  Tensor copy = make_tensor(x.shape(), x.dtype());
  copy_values(copy, x);
  return copy;
}

}  // namespace

Matrices sizes_of(const Tensor& x) { return {x.size(-2), x.size(-1), batch_shape(x).numel()}; }

Matrices matrices(const char* op, const Tensor& x) {
  check_matrices(op, x);
  check_finite(op, x);
  return sizes_of(x);
}

Matrices square_matrices(const char* op, const Tensor& x) {
  check_square(op, x);
  return matrices(op, x);
}

void check_matrices(const char* op, const Tensor& x) {
  if (x.dim() < 2) fail("{}: a matrix or a batch of them is needed, got shape {}", op, x.shape());
}

void check_square(const char* op, const Tensor& x) {
  check_matrices(op, x);
  if (x.size(-2) != x.size(-1)) fail("{}: a square matrix is needed, got shape {}", op, x.shape());
}

Shape batch_shape(const Tensor& x) { return with_batch(x, {}); }

Shape with_batch(const Tensor& x, std::initializer_list<std::int64_t> sizes) {
  Shape shape;
  for (std::int64_t i = 0; i + 2 < x.dim(); ++i) shape.push_back(x.shape()[i]);
  for (const std::int64_t size : sizes) shape.push_back(size);
  return shape;
}

Tensor to_columns(const Tensor& x) { return copied(swapped(x)); }
Tensor from_columns(const Tensor& columns) { return copied(swapped(columns)); }

std::string subject(const Tensor& x, std::int64_t i) {
  return x.dim() == 2 ? "the matrix" : "matrix " + std::to_string(i);
}

Tensor transposed(const Tensor& x) { return transpose(x, -2, -1); }
Tensor mirrored_lower(const Tensor& x) { return tril(x) + transposed(tril(x, -1)); }
Tensor scale_columns(const Tensor& x, const Tensor& d) { return x * unsqueeze(d, -2); }

}  // namespace gradus::linalg
