#include <algorithm>
#include <cstring>

#include "kernels/kernels.hpp"

namespace gradus::kernels {
namespace {

using Size = std::int64_t;

// A tile fits into the first-level cache, read by column as well as written by row.
constexpr Size tile = 32;

// y (size, size) = the transpose of x, in registers. 16-byte vectors, which every processor has.
template <class T>
constexpr Size block = 16 / static_cast<Size>(sizeof(T));

template <class T>
using Row [[gnu::vector_size(16)]] = T;

inline void transpose_block(float* y, Size ldy, const float* x, Size ldx) {
  Row<float> r[4];
  for (Size i = 0; i < 4; ++i) std::memcpy(&r[i], x + i * ldx, 16);
  const Row<float> ab_low = __builtin_shufflevector(r[0], r[1], 0, 4, 1, 5);
  const Row<float> ab_high = __builtin_shufflevector(r[0], r[1], 2, 6, 3, 7);
  const Row<float> cd_low = __builtin_shufflevector(r[2], r[3], 0, 4, 1, 5);
  const Row<float> cd_high = __builtin_shufflevector(r[2], r[3], 2, 6, 3, 7);
  r[0] = __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5);
  r[1] = __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7);
  r[2] = __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5);
  r[3] = __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7);
  for (Size i = 0; i < 4; ++i) std::memcpy(y + i * ldy, &r[i], 16);
}

template <class T>  // 8 bytes
inline void transpose_block(T* y, Size ldy, const T* x, Size ldx) {
  Row<T> a, b;
  std::memcpy(&a, x, 16);
  std::memcpy(&b, x + ldx, 16);
  const Row<T> first = __builtin_shufflevector(a, b, 0, 2), second = __builtin_shufflevector(a, b, 1, 3);
  std::memcpy(y, &first, 16);
  std::memcpy(y + ldy, &second, 16);
}

template <class T>
void copy_tile(T* y, Size ldy, const T* x, Size rows, Size cols, Size row_stride, Size col_stride) {
  for (Size i = 0; i < rows; ++i)
    for (Size j = 0; j < cols; ++j) y[i * ldy + j] = x[i * row_stride + j * col_stride];
}

// y[i, j] = x[i + j * ldx], for tiles of which many columns share a cache set (a stride near a power of two): read once
// by whole lines into a dense tile, then written by whole lines.
template <class T>
void transpose_full_tile(T* y, Size ldy, const T* x, Size ldx) {
  alignas(64) T dense[tile * tile];
  for (Size j = 0; j < tile; j += block<T>)
    for (Size i = 0; i < tile; i += block<T>) transpose_block(dense + i * tile + j, tile, x + i + j * ldx, ldx);
  for (Size i = 0; i < tile; ++i) std::memcpy(y + i * ldy, dense + i * tile, sizeof(T) * tile);
}

// y[i, j] = x[i + j * ldx]
template <class T>
void transpose_tile(T* y, Size ldy, const T* x, Size rows, Size cols, Size ldx) {
  Size i = 0;
  for (; i + block<T> <= rows; i += block<T>) {
    Size j = 0;
    for (; j + block<T> <= cols; j += block<T>) transpose_block(y + i * ldy + j, ldy, x + i + j * ldx, ldx);
    copy_tile(y + i * ldy + j, ldy, x + i + j * ldx, block<T>, cols - j, 1, ldx);
  }
  copy_tile(y + i * ldy, ldy, x + i, rows - i, cols, 1, ldx);
}

template <class T>
void copy_rows(T* y, const T* x, Size rows, Size cols, Size row_stride) {
  if (row_stride == cols) {
    std::memcpy(y, x, static_cast<std::size_t>(rows * cols) * sizeof(T));
    return;
  }
  for (Size i = 0; i < rows; ++i)
    std::memcpy(y + i * cols, x + i * row_stride, static_cast<std::size_t>(cols) * sizeof(T));
}

}  // namespace

template <class T>
void copy_matrix(T* y, const T* x, Size rows, Size cols, Size row_stride, Size col_stride) {
  if (rows == 0 || cols == 0) return;
  if (col_stride == 1) return copy_rows(y, x, rows, cols, row_stride);
  for (Size i = 0; i < rows; i += tile)
    for (Size j = 0; j < cols; j += tile) {
      const Size height = std::min(tile, rows - i), breadth = std::min(tile, cols - j);
      T* to = y + i * cols + j;
      const T* from = x + i * row_stride + j * col_stride;
      if constexpr (sizeof(T) >= 4) {
        if (row_stride == 1 && height == tile && breadth == tile &&
            col_stride % (512 / static_cast<Size>(sizeof(T))) == 0) {
          transpose_full_tile(to, cols, from, col_stride);
          continue;
        }
        if (row_stride == 1) {
          transpose_tile(to, cols, from, height, breadth, col_stride);
          continue;
        }
      }
      copy_tile(to, cols, from, height, breadth, row_stride, col_stride);
    }
}

template void copy_matrix(float*, const float*, Size, Size, Size, Size);
template void copy_matrix(double*, const double*, Size, Size, Size, Size);
template void copy_matrix(std::int64_t*, const std::int64_t*, Size, Size, Size, Size);
template void copy_matrix(bool*, const bool*, Size, Size, Size, Size);

}  // namespace gradus::kernels
