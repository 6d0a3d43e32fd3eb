// Triangles and diagonals of matrices.

#include <algorithm>

#include "autograd/record.hpp"
#include "gradus/autograd.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "ops/copy.hpp"
#include "ops/parts.hpp"

namespace gradus {
namespace {

// x with row i of each matrix cleared from column begin(i) up to end(i).
template <class Begin, class End>
Tensor cleared(const char* op, const Tensor& x, const Begin& begin, const End& end) {
  if (x.dim() < 2) fail("{}: a matrix or a batch of them is needed, got shape {}", op, x.shape());
  const std::int64_t rows = x.size(-2), cols = x.size(-1);
  Tensor out = make_tensor(x.shape(), x.dtype());
  copy_values(out, x);
  dispatch(x.dtype(), [&]<class T>() {
    T* row = data_of<T>(out);
    for (std::int64_t i = 0; cols > 0 && i < x.numel() / cols; ++i, row += cols) {
      const auto column = [&](std::int64_t at) { return row + std::clamp<std::int64_t>(at, 0, cols); };
      std::fill(column(begin(i % rows)), column(end(i % rows)), T{});
    }
  });
  return out;
}

// Zeros of the given shape with g on a diagonal: the derivative of diagonal.
Tensor diagonal_backward(const Tensor& g, const Shape& shape, std::int64_t offset, std::int64_t dim1,
                         std::int64_t dim2) {
  const Tensor whole = zeros(shape, {.dtype = g.dtype()});
  {
    const NoGrad guard;
    copy_values(diagonal(whole, offset, dim1, dim2), g);
  }
  return record("diagonal_backward", whole,
                wrt(g, [offset, dim1, dim2](const Tensor& gg) { return diagonal(gg, offset, dim1, dim2); }));
}

}  // namespace

Tensor tril(const Tensor& x, std::int64_t diagonal) {
  const auto begin = [diagonal](std::int64_t row) { return row + diagonal + 1; };
  const auto end = [&x](std::int64_t) { return x.size(-1); };
  return record("tril", cleared("tril", x, begin, end),
                wrt(x, [diagonal](const Tensor& g) { return tril(g, diagonal); }));
}

Tensor triu(const Tensor& x, std::int64_t diagonal) {
  const auto begin = [](std::int64_t) { return 0; };
  const auto end = [diagonal](std::int64_t row) { return row + diagonal; };
  return record("triu", cleared("triu", x, begin, end),
                wrt(x, [diagonal](const Tensor& g) { return triu(g, diagonal); }));
}

Tensor diagonal(const Tensor& x, std::int64_t offset, std::int64_t dim1, std::int64_t dim2) {
  const TensorImpl& t = impl(x);
  if (t.shape.size() < 2) fail("diagonal: at least two dims are needed, got shape {}", t.shape);
  const std::int64_t i = wrap_dim("diagonal", dim1, t.shape.size());
  const std::int64_t j = wrap_dim("diagonal", dim2, t.shape.size());
  if (i == j) fail("diagonal: dim1 and dim2 must differ, got {} and {}", dim1, dim2);
  const std::int64_t length = std::max<std::int64_t>(
      0, offset >= 0 ? std::min(t.shape[i], t.shape[j] - offset) : std::min(t.shape[i] + offset, t.shape[j]));
  const std::int64_t start = length == 0 ? 0 : offset >= 0 ? offset * t.strides[j] : -offset * t.strides[i];
  Shape shape, strides;
  for (std::int64_t dim = 0; dim < t.shape.size(); ++dim) {
    if (dim == i || dim == j) continue;
    shape.push_back(t.shape[dim]);
    strides.push_back(t.strides[dim]);
  }
  shape.push_back(length);
  strides.push_back(t.strides[i] + t.strides[j]);
  return record(
      "diagonal", make_view_of(x, shape, strides, t.offset + start),
      wrt(x, [whole = t.shape, offset, i, j](const Tensor& g) { return diagonal_backward(g, whole, offset, i, j); }));
}

Tensor diag(const Tensor& x, std::int64_t diagonal) {
  if (x.dim() == 2) return clone(gradus::diagonal(x, diagonal));
  if (x.dim() != 1) fail("diag: one or two dims are needed, got shape {}", x.shape());
  const std::int64_t n = x.numel() + std::abs(diagonal);
  return diagonal_backward(x, {n, n}, diagonal, 0, 1);
}

Tensor Tensor::tril(std::int64_t diagonal) const { return gradus::tril(*this, diagonal); }
Tensor Tensor::triu(std::int64_t diagonal) const { return gradus::triu(*this, diagonal); }
Tensor Tensor::diagonal(std::int64_t offset, std::int64_t dim1, std::int64_t dim2) const {
  return gradus::diagonal(*this, offset, dim1, dim2);
}

}  // namespace gradus
