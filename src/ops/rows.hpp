// Rows: walks several operands of one shape as few long rows as possible.
//
// Dims over which all operands are evenly spaced are merged, so that contiguous data of any shape is a single row and a
// broadcast row or column costs one kernel call per row. Large work is split over threads.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "gradus/shape.hpp"
#include "kernels/parallel.hpp"
#include "tensor/impl.hpp"

namespace gradus {

// Elements below which another thread costs more than it brings.
inline constexpr std::int64_t parallel_grain = 32768;

// The strides that read x as if it had the (broadcast) shape.
inline Shape broadcast_strides(const Tensor& x, const Shape& shape) {
  const TensorImpl& t = impl(x);
  Shape strides = shape;
  const std::int64_t missing = shape.size() - t.shape.size();
  for (std::int64_t i = 0; i < shape.size(); ++i) {
    const bool repeated = i < missing || (t.shape[i - missing] == 1 && shape[i] != 1);
    strides[i] = repeated ? 0 : t.strides[i - missing];
  }
  return strides;
}

template <std::size_t N>
class Rows {
 public:
  using Offsets = std::array<std::int64_t, N>;

  Rows(const Shape& shape, const std::array<Shape, N>& strides) {
    for (std::int64_t dim = shape.size(); dim-- > 0;) {
      if (shape[dim] == 1) continue;
      Offsets steps;
      for (std::size_t k = 0; k < N; ++k) steps[k] = strides[k][dim];
      append(shape[dim], steps);
    }
    if (count_ == 0) append(1, Offsets{});
  }

  std::int64_t length() const { return sizes_[0]; }
  // Distance between neighbours of operand k within a row.
  std::int64_t stride(std::size_t k) const { return steps_[0][k]; }

  // Calls f(offsets, n): n neighbours starting at these offsets into the operands.
  template <class F>
  void run(const F& f) const {
    std::int64_t rows = 1;
    for (std::size_t dim = 1; dim < count_; ++dim) rows *= sizes_[dim];
    const std::int64_t n = sizes_[0];
    if (rows == 0 || n == 0) return;
    if (rows == 1) {
      kernels::parallel_for(0, n, parallel_grain, [&](std::int64_t begin, std::int64_t end) {
        Offsets offsets;
        for (std::size_t k = 0; k < N; ++k) offsets[k] = begin * steps_[0][k];
        f(offsets, end - begin);
      });
      return;
    }
    kernels::parallel_for(0, rows, std::max<std::int64_t>(1, parallel_grain / n),
                          [&](std::int64_t begin, std::int64_t end) { run_rows(begin, end, f); });
  }

 private:
  // Adds the next outer dim, or merges it into the one below if every operand continues evenly.
  void append(std::int64_t size, const Offsets& steps) {
    if (count_ > 0) {
      bool even = true;
      for (std::size_t k = 0; k < N; ++k) even = even && steps[k] == steps_[count_ - 1][k] * sizes_[count_ - 1];
      if (even) {
        sizes_[count_ - 1] *= size;
        return;
      }
    }
    sizes_[count_] = size;
    steps_[count_] = steps;
    ++count_;
  }

  template <class F>
  void run_rows(std::int64_t begin, std::int64_t end, const F& f) const {
    std::array<std::int64_t, 8> index{};
    Offsets offsets{};
    std::int64_t rest = begin;
    for (std::size_t dim = 1; dim < count_; ++dim) {
      index[dim] = rest % sizes_[dim];
      rest /= sizes_[dim];
      for (std::size_t k = 0; k < N; ++k) offsets[k] += index[dim] * steps_[dim][k];
    }
    for (std::int64_t row = begin; row < end; ++row) {
      f(offsets, sizes_[0]);
      advance(index, offsets);
    }
  }

  void advance(std::array<std::int64_t, 8>& index, Offsets& offsets) const {
    for (std::size_t dim = 1; dim < count_; ++dim) {
      for (std::size_t k = 0; k < N; ++k) offsets[k] += steps_[dim][k];
      if (++index[dim] < sizes_[dim]) return;
      for (std::size_t k = 0; k < N; ++k) offsets[k] -= sizes_[dim] * steps_[dim][k];
      index[dim] = 0;
    }
  }

  std::size_t count_ = 0;  // dims after merging, innermost first
  std::array<std::int64_t, 8> sizes_{};
  std::array<Offsets, 8> steps_{};
};

}  // namespace gradus
