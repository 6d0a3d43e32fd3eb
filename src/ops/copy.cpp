#include "ops/copy.hpp"

#include <cstring>

#include "autograd/record.hpp"
#include "gradus/ops.hpp"
#include "kernels/kernels.hpp"
#include "ops/rows.hpp"

namespace gradus {
namespace {

// The last two dims of a copy into dense memory, as one tiled matrix copy per leading index.
template <class T>
void copy_matrices(T* y, const T* x, const Shape& shape, const Shape& strides) {
  const std::int64_t rows = shape[shape.size() - 2];
  const std::int64_t cols = shape.back();
  Shape outer = shape;
  Shape outer_strides = strides;
  for (int k = 0; k < 2; ++k) {
    outer.erase(outer.size() - 1);
    outer_strides.erase(outer_strides.size() - 1);
  }
  const std::int64_t row_stride = strides[shape.size() - 2];
  const std::int64_t col_stride = strides.back();
  if (outer.numel() == 1) {
    kernels::parallel_for(
        0, rows, std::max<std::int64_t>(1, parallel_grain / cols), [&](std::int64_t begin, std::int64_t end) {
          kernels::copy_matrix(y + begin * cols, x + begin * row_stride, end - begin, cols, row_stride, col_stride);
        });
    return;
  }
  Shape dense_strides = contiguous_strides(outer);
  for (std::int64_t i = 0; i < outer.size(); ++i) dense_strides[i] *= rows * cols;
  const Rows<2> walk(outer, {dense_strides, outer_strides});
  walk.run([&](const auto& offset, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) {
      kernels::copy_matrix(y + offset[0] + i * walk.stride(0), x + offset[1] + i * walk.stride(1), rows, cols,
                           row_stride, col_stride);
    }
  });
}

template <class To, class From>
void copy_rows(To* y, const From* x, const Shape& shape, const Shape& y_strides, const Shape& x_strides) {
  const Rows<2> rows(shape, {y_strides, x_strides});
  const std::int64_t sy = rows.stride(0);
  const std::int64_t sx = rows.stride(1);
  rows.run([&](const auto& offset, std::int64_t n) {
    To* const to = y + offset[0];
    const From* const from = x + offset[1];
    if (sy == 1) {
      if constexpr (std::is_same_v<To, From>) {
        if (sx == 1) {
          std::memcpy(to, from, static_cast<std::size_t>(n) * sizeof(To));
          return;
        }
      }
      kernels::convert(to, from, sx, n);
      return;
    }
    for (std::int64_t i = 0; i < n; ++i) kernels::convert(to + i * sy, from + i * sx, 1, 1);
  });
}

}  // namespace

void copy_values(const Tensor& destination, const Tensor& source) {
  const TensorImpl& y = impl(destination);
  const TensorImpl& x = impl(source);
  if (y.numel == 0) return;
  const Shape x_strides = broadcast_strides(source, y.shape);
  dispatch(y.dtype, [&]<class To>() {
    dispatch(x.dtype, [&]<class From>() {
      if constexpr (std::is_same_v<To, From>) {
        if (y.shape.size() >= 2 && destination.is_contiguous() && !is_contiguous(y.shape, x_strides) &&
            x_strides.back() != 1) {
          copy_matrices(y.data<To>(), x.data<From>(), y.shape, x_strides);
          return;
        }
      }
      copy_rows(y.data<To>(), x.data<From>(), y.shape, y.strides, x_strides);
    });
  });
}

Tensor dense(const Tensor& x) {
  if (x.is_contiguous()) return x;
  Tensor copy = make_tensor(x.shape(), x.dtype());
  copy_values(copy, x);
  return copy;
}

Tensor clone(const Tensor& x) {
  Tensor copy = make_tensor(x.shape(), x.dtype());
  copy_values(copy, x);
  return record("clone", copy, wrt(x, [](const Tensor& g) { return g; }));
}

Tensor Tensor::clone() const { return gradus::clone(*this); }
Tensor Tensor::contiguous() const { return is_contiguous() ? *this : gradus::clone(*this); }

Tensor Tensor::to(Dtype dtype) const {
  const Dtype from = this->dtype();
  if (from == dtype) return *this;
  Tensor converted = make_tensor(shape(), dtype);
  copy_values(converted, *this);
  if (!is_floating_point(dtype)) return converted;
  return record("to", converted, wrt(*this, [from](const Tensor& g) { return g.to(from); }));
}

}  // namespace gradus
