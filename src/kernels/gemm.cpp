#include <cblas.h>

#include <algorithm>
#include <limits>

#include "kernels/blas.hpp"
#include "kernels/kernels.hpp"
#include "kernels/parallel.hpp"

namespace gradus::kernels {
namespace {

// Below this many multiplications a call of BLAS costs more than the product itself.
constexpr std::int64_t small_work = 4096;
// About 50 us of one core: with less, threads wait for each other longer than they compute.
constexpr std::int64_t parallel_work = 4 << 20;
// What a thread takes is whole tiles of every BLAS kernel, so that no sum depends on the number of threads.
constexpr std::int64_t tile = 64;

void blas(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, int m, int n, int k, float alpha, const float* a, int lda,
          const float* b, int ldb, float beta, float* c, int ldc) {
  cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

void blas(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, int m, int n, int k, double alpha, const double* a, int lda,
          const double* b, int ldb, double beta, double* c, int ldc) {
  cblas_dgemm(CblasRowMajor, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

// One product on one thread.
template <class T>
void multiply(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, T alpha, const T* a,
              std::int64_t lda, const T* b, std::int64_t ldb, T beta, T* c, std::int64_t ldc) {
  const auto to_int = [](std::int64_t v) { return static_cast<int>(v); };
  blas(transpose_a ? CblasTrans : CblasNoTrans, transpose_b ? CblasTrans : CblasNoTrans, to_int(m), to_int(n),
       to_int(k), alpha, a, to_int(lda), b, to_int(ldb), beta, c, to_int(ldc));
}

// Calls f(begin, end) for ranges of [0, size) that begin at whole tiles.
template <class F>
void for_tiles(std::int64_t size, const F& f) {
  parallel_for(0, (size + tile - 1) / tile, 1,
               [&](std::int64_t first, std::int64_t last) { f(first * tile, std::min(size, last * tile)); });
}

template <class T>
void scale(T* c, std::int64_t ldc, std::int64_t m, std::int64_t n, T beta) {
  for (std::int64_t i = 0; i < m; ++i)
    for (std::int64_t j = 0; j < n; ++j) c[i * ldc + j] = beta == T(0) ? T(0) : beta * c[i * ldc + j];
}

}  // namespace

template <class T>
void gemm(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, T alpha, const T* a,
          std::int64_t lda, const T* b, std::int64_t ldb, T beta, T* c, std::int64_t ldc) {
  if (m == 0 || n == 0) return;
  if (k == 0) return scale(c, ldc, m, n, beta);
  // BLAS wants these even where a matrix has one row, whose stride means nothing.
  lda = std::max(lda, transpose_a ? m : k);
  ldb = std::max(ldb, transpose_b ? k : n);
  ldc = std::max(ldc, n);
  const bool fits_int = std::max({m, n, k, lda, ldb, ldc}) <= std::numeric_limits<int>::max();
  if (m * n * k <= small_work || !fits_int) {
    table<T>().small_gemm(m, n, k, alpha, a, transpose_a ? 1 : lda, transpose_a ? lda : 1, b, transpose_b ? 1 : ldb,
                          transpose_b ? ldb : 1, beta, c, ldc);
    return;
  }
  choose_blas_threads(0);
  const auto part = [=](std::int64_t rows, std::int64_t row, std::int64_t cols, std::int64_t col) {
    multiply(transpose_a, transpose_b, rows, cols, k, alpha, a + row * (transpose_a ? 1 : lda), lda,
             b + col * (transpose_b ? ldb : 1), ldb, beta, c + row * ldc + col, ldc);
  };
  // The rows or columns of the result are shared out among our own threads: those of BLAS go on waiting for work when
  // a product is done, and would be in the way of what comes next.
  if (m * n * k < parallel_work)
    part(m, 0, n, 0);
  else if (m >= n)
    for_tiles(m, [&](std::int64_t begin, std::int64_t end) { part(end - begin, begin, n, 0); });
  else
    for_tiles(n, [&](std::int64_t begin, std::int64_t end) { part(m, 0, end - begin, begin); });
}

template <class T>
std::int64_t packed_size(std::int64_t k, std::int64_t n) {
  const std::int64_t width = table<T>().panel_width;
  return k * ((n + width - 1) / width * width);
}

template <class T>
void pack(T* packed, const T* b, std::int64_t b_row, std::int64_t b_col, std::int64_t k, std::int64_t n) {
  const std::int64_t width = table<T>().panel_width;
  for (std::int64_t j = 0; j < n; j += width, packed += k * width) {
    if (j + width <= n) {
      copy_matrix(packed, b + j * b_col, k, width, b_row, b_col);
      continue;
    }
    std::fill_n(packed, k * width, T(0));
    for (std::int64_t p = 0; p < k; ++p)
      for (std::int64_t i = 0; i < n - j; ++i) packed[p * width + i] = b[p * b_row + (j + i) * b_col];
  }
}

template std::int64_t packed_size<float>(std::int64_t, std::int64_t);
template std::int64_t packed_size<double>(std::int64_t, std::int64_t);
template void pack(float*, const float*, std::int64_t, std::int64_t, std::int64_t, std::int64_t);
template void pack(double*, const double*, std::int64_t, std::int64_t, std::int64_t, std::int64_t);
template void gemm(bool, bool, std::int64_t, std::int64_t, std::int64_t, float, const float*, std::int64_t,
                   const float*, std::int64_t, float, float*, std::int64_t);
template void gemm(bool, bool, std::int64_t, std::int64_t, std::int64_t, double, const double*, std::int64_t,
                   const double*, std::int64_t, double, double*, std::int64_t);

}  // namespace gradus::kernels
