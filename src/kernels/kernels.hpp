// The kernels floor: tight loops on typed buffers. They know no tensor, no shape checks and no autograd.
//
// Everything in `Table` is written once (src/kernels/simd/*.cpp), compiled once per instruction set, and picked at run
// time by `table<T>()`. Sizes are element counts, strides are in elements. Unless a comment says so, outputs are
// contiguous and never overlap an input partially: an output may be exactly one of its inputs (in place).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gradus::kernels {

enum class Unary : std::uint8_t {
  neg,
  abs,
  sign,
  square,
  sqrt,
  exp,
  expm1,
  log,
  sin,
  cos,
  tanh,
  sigmoid,
  relu,
  gelu,
  softplus,
  count
};

// The *_backward entries are derivatives: (g, y) -> g * f'(x), with y = f(x) for relu, tanh and sigmoid, and (g, x) for
// gelu and softplus.
enum class Binary : std::uint8_t {
  add,
  sub,
  mul,
  div,
  pow,
  maximum,
  minimum,
  relu_backward,
  tanh_backward,
  sigmoid_backward,
  gelu_backward,
  softplus_backward,
  count
};

enum class Compare : std::uint8_t { eq, ne, lt, le, gt, ge, count };

enum class Reduce : std::uint8_t { sum, max, min, sum_square, count };

enum class Activation : std::uint8_t { identity, relu, tanh, sigmoid, gelu, count };

template <class Enum>
inline constexpr std::size_t count_of = static_cast<std::size_t>(Enum::count);

// An entry of an array is `table.unary[index(Unary::exp)]`.
template <class Enum>
constexpr std::size_t index(Enum e) {
  return static_cast<std::size_t>(e);
}

// A group of elements that share a mean and a variance: `count` runs of `length` neighbours, the runs `stride` apart.
struct Runs {
  std::int64_t count, stride, length;
};

// What a convolution of stride 1 reads of padded images: x(k, row, i) = image[n * step + offset[k] + row * pitch + i]
// for tap k of `count` and the pixel (row, i) of a result of rows * columns.
template <class T>
struct Taps {
  const T* image;
  std::int64_t pitch;          // of an image's rows
  std::int64_t images, step;   // so many, so far apart
  const std::int64_t* offset;  // of a tap: of its channel, row and column
  std::int64_t count;
  std::int64_t rows, columns;
};

// Plain arrays, not std::array: its inline functions would be compiled once per instruction set under one name, and the
// linker might keep the AVX-512 one for everybody.
template <class T>
struct Table {
  using Size = std::int64_t;

  // y[i] = f(x[i * sx]);  sx is 1, 0 or any stride.
  using UnaryFn = void (*)(T* y, const T* x, Size sx, Size n);
  UnaryFn unary[count_of<Unary>];

  // y[i] = f(a[i * sa], b[i * sb]);  each stride is 1, 0 (a broadcast scalar) or any.
  using BinaryFn = void (*)(T* y, const T* a, Size sa, const T* b, Size sb, Size n);
  BinaryFn binary[count_of<Binary>];

  // y[i] = f(a[i * sa], b[i * sb]) as 0 or 1.
  using CompareFn = void (*)(bool* y, const T* a, Size sa, const T* b, Size sb, Size n);
  CompareFn compare[count_of<Compare>];

  // y[i] = a[i * sa] + alpha * b[i * sb]
  void (*add_scaled)(T* y, const T* a, Size sa, const T* b, Size sb, T alpha, Size n);

  // y[i] = c[i * sc] ? a[i * sa] : b[i * sb]
  void (*where)(T* y, const bool* c, Size sc, const T* a, Size sa, const T* b, Size sb, Size n);

  // out[i, j] = reduce over r of x[i, r, j], for x of shape (outer, size, inner). The result does not depend on how a
  // caller splits `outer`; sums are blocked, so that their rounding error does not grow with n. NaN wins in max and
  // min.
  using ReduceFn = void (*)(T* out, const T* x, Size outer, Size size, Size inner);
  ReduceFn reduce[count_of<Reduce>];

  // As reduce, with the first index that attains the extreme (a NaN counts as the extreme).
  using ArgFn = void (*)(std::int64_t* index, const T* x, Size outer, Size size, Size inner);
  ArgFn argmax, argmin;

  // sum over i of (a[i] - b[i])^2, blocked as above.
  T (*squared_distance)(const T* a, const T* b, Size n);

  // y[i] = scale * (a[i] - b[i])
  void (*scaled_difference)(T* y, const T* a, const T* b, T scale, Size n);

  // Rows of length n, each contiguous. Stable for any finite input; a row of -inf gives NaN, as in PyTorch.
  void (*softmax)(T* y, const T* x, Size rows, Size n);
  void (*log_softmax)(T* y, const T* x, Size rows, Size n);
  void (*logsumexp)(T* y, const T* x, Size rows, Size n);
  void (*softmax_backward)(T* dx, const T* g, const T* y, Size rows, Size n);      // y * (g - sum(g * y))
  void (*log_softmax_backward)(T* dx, const T* g, const T* y, Size rows, Size n);  // g - exp(y) * sum(g)

  // loss[r] = logsumexp(x[r]) - x[r, target[r]], and prob = softmax(x). Targets are already checked.
  void (*cross_entropy)(T* loss, T* prob, const T* x, const std::int64_t* target, Size rows, Size n);
  // dx[r, c] = (prob[r, c] - (c == target[r])) * scale[r * scale_stride]
  void (*cross_entropy_backward)(T* dx, const T* prob, const std::int64_t* target, const T* scale, Size scale_stride,
                                 T factor, Size rows, Size n);

  // y[r, c] = act(y[r, c] + bias[c]), in place; bias may be null.
  using BiasFn = void (*)(T* y, const T* bias, Size rows, Size cols);
  BiasFn bias_activation[count_of<Activation>];

  // c = alpha * op(a) op(b) + beta * c for matrices too small for BLAS to pay; op(a) is (m, k), element (i, p) at
  // a[i * a_row + p * a_col], likewise b (k, n); c is (m, n) with row stride ldc. With beta 0, c is only written.
  void (*small_gemm)(Size m, Size n, Size k, T alpha, const T* a, Size a_row, Size a_col, const T* b, Size b_row,
                     Size b_col, T beta, T* c, Size ldc);

  Size lanes;  // elements of a batch of the instruction set

  // result[o * channel + row * columns + i] = bias[o] + sum_k weight[o * count + k] * x(k, row, i) for the first image;
  // bias may be null. Up to a batch beyond the last element is read.
  void (*convolve)(const Taps<T>& x, T* result, Size channel, const T* weight, const T* bias, Size outputs);
  // weight[o * count + k] += the sum over all images n, rows and i
  // of g[n * step + o * channel + row * columns + i] * x(k, row, i)
  void (*correlate)(const Taps<T>& x, const T* g, Size channel, Size step, T* weight, Size outputs);

  // For max-pooling: where x[i * stride] > best[i], or is NaN, or places[i] < 0, it becomes best[i], and place + i *
  // stride its place.
  void (*keep_larger)(T* best, Size* places, const T* x, Size stride, Size place, Size n);

  // c = a b + beta * c for a b (k, n) that pack() has laid out in panels of `panel_width` columns. An element's result
  // does not depend on the other rows. With beta 0, c is only written.
  Size panel_width;
  void (*packed_gemm)(Size m, Size n, Size k, const T* a, Size lda, const T* packed, T beta, T* c, Size ldc);

  // One step of an LSTM, rows of n: (i, f, g, o) = gates + bias become (sigmoid, sigmoid, tanh, sigmoid) of themselves,
  // c = f * c_prev + i * g, h = o * tanh(c).
  void (*lstm_cell)(T* h, T* c, T* gates, const T* bias, const T* c_prev, Size rows, Size n);
  // From the gradient dh + dy of h and dc of c: dgates of the gates before bias and function; dc becomes that of
  // c_prev.
  void (*lstm_cell_backward)(T* dgates, T* dc, const T* gates, const T* c, const T* c_prev, const T* dh, const T* dy,
                             Size rows, Size n);

  // One step of a GRU: (r, z, n) = (sigmoid, sigmoid, tanh) of gates + bias + (1, 1, r) * hidden, where hn, the last
  // third of hidden plus the fourth part of the bias, is kept; h = (1 - z) * n + z * h_prev.
  void (*gru_cell)(T* h, T* hn, T* gates, const T* hidden, const T* bias, const T* h_prev, Size rows, Size n);
  // From the gradient dh + dy of h: dgates, dhidden; dh becomes its direct way to h_prev, dh = (dh + dy) * z.
  void (*gru_cell_backward)(T* dgates, T* dhidden, T* dh, const T* gates, const T* hn, const T* h_prev, const T* dy,
                            Size rows, Size n);

  // The mean of a group, and the mean of the squared deviations from it.
  void (*moments)(T* mean, T* variance, const T* x, Runs runs);
  // y = (x - mean) * scale + shift
  void (*normalize)(T* y, const T* x, T mean, T scale, T shift, Runs runs);
  // sum = sum of g, dot = sum of g * (x - mean)
  void (*norm_sums)(T* sum, T* dot, const T* g, const T* x, T mean, Runs runs);
  // dx = a * g + b * (x - mean) + c
  void (*normalize_backward)(T* dx, const T* g, const T* x, T mean, T a, T b, T c, Runs runs);

  // The same where each column of a matrix is a group; rows are `stride` apart.
  void (*column_moments)(T* mean, T* variance, const T* x, Size rows, Size cols, Size stride);
  void (*column_normalize)(T* y, const T* x, const T* mean, const T* scale, const T* shift, Size rows, Size cols,
                           Size stride);
  void (*column_norm_sums)(T* sum, T* dot, const T* g, const T* x, const T* mean, Size rows, Size cols, Size stride);
  void (*column_normalize_backward)(T* dx, const T* g, const T* x, const T* mean, const T* a, const T* b, const T* c,
                                    Size rows, Size cols, Size stride);

  // Each row is a group: y = (x - mean) * rstd * weight + bias, with rstd = 1 / sqrt(variance + eps). [0] takes the
  // mean for zero and does not write it, [1] computes it. weight and bias, one number per column, may be null.
  using LayerNormFn = void (*)(T* y, T* mean, T* rstd, const T* x, const T* weight, const T* bias, T eps, Size rows,
                               Size n);
  LayerNormFn layer_norm[2];
  // Writes dx and adds to dweight and dbias; each of the three may be null.
  using LayerNormBackwardFn = void (*)(T* dx, T* dweight, T* dbias, const T* g, const T* x, const T* mean,
                                       const T* rstd, const T* weight, Size rows, Size n);
  LayerNormBackwardFn layer_norm_backward[2];
};

// The table for float, double and int64 of the best instruction set this processor has; the environment variable
// GRADUS_ISA (sse2, avx2, avx512) asks for a lesser one. Entries that make no sense for int64 are null.
template <class T>
const Table<T>& table();

// "avx512", "avx2", "sse2" or "generic".
std::string_view isa();

// The table of the named instruction set; null where this build or this processor lacks it. For tests and benchmarks.
template <class T>
const Table<T>* table_for(std::string_view isa);

// y[i, j] = x[i * row_stride + j * col_stride]: a matrix copy, tiled so that either stride may be the small one; for
// float, double, int64_t and bool. y is contiguous and does not overlap x.
template <class T>
void copy_matrix(T* y, const T* x, std::int64_t rows, std::int64_t cols, std::int64_t row_stride,
                 std::int64_t col_stride);

// y[i] = To(x[i * sx]) between float, double, int64_t and bool. To bool: x != 0, so NaN is true. To int64_t: truncates,
// saturates, and NaN becomes 0.
template <class To, class From>
void convert(To* y, const From* x, std::int64_t sx, std::int64_t n);

// C = alpha * op(A) op(B) + beta * C, row major, op(A) (m, k), op(B) (k, n): BLAS, or small_gemm when tiny.
template <class T>
void gemm(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, T alpha, const T* a,
          std::int64_t lda, const T* b, std::int64_t ldb, T beta, T* c, std::int64_t ldc);

// Lays out a matrix b (k, n), element (p, j) at b[p * b_row + j * b_col], for table<T>().packed_gemm, which pays if it
// is multiplied by several times. The room is that of packed_size elements.
template <class T>
std::int64_t packed_size(std::int64_t k, std::int64_t n);
template <class T>
void pack(T* packed, const T* b, std::int64_t b_row, std::int64_t b_col, std::int64_t k, std::int64_t n);

}  // namespace gradus::kernels
