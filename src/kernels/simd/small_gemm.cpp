// Products of tiny matrices, where the fixed cost of BLAS would dominate, and products with a packed matrix.
#include "kernels/simd/fold.hpp"
#include "kernels/simd/table.hpp"

namespace gradus::kernels::GRADUS_ISA {
namespace {

template <class T>
struct Matrix {
  const T* p;
  Size row, col;
};

template <class T>
struct Output {
  T alpha, beta;
  T* c;
  Size ld;

  template <class Lanes>
  GRADUS_INLINE void put(Size i, Size j, Vec<T> product, Lanes lanes) const {
    T* to = c + i * ld + j;
    Vec<T> y = product * broadcast(alpha);
    if (beta != T(0)) y = multiply_add(broadcast(beta), load(to, lanes), y);
    store(to, y, lanes);
  }
};

// Some rows of the output from row i on, for `batches` batches of columns from j on; b's rows are contiguous.
template <class T, int rows, int batches, class Lanes, class OutLanes>
GRADUS_INLINE void rows_times_panel(const Output<T>& out, Size i, Size j, Size k, const Matrix<T>& a, const T* b,
                                    Size ldb, Lanes lanes, OutLanes out_lanes) {
  Vec<T> sum[rows][batches];
  for (auto& row : sum)
    for (auto& s : row) s = Vec<T>(T(0));
  const T* left = a.p + i * a.row;
  for (Size p = 0; p < k; ++p, left += a.col, b += ldb)
    for (int q = 0; q < batches; ++q) {
      const Vec<T> right = load(b + q * width<T>, lanes);
      for (int r = 0; r < rows; ++r) sum[r][q] = multiply_add(broadcast(left[r * a.row]), right, sum[r][q]);
    }
  for (int r = 0; r < rows; ++r)
    for (int q = 0; q < batches; ++q) out.put(i + r, j + q * width<T>, sum[r][q], out_lanes);
}

// The same for all rows.
template <class T, int batches, class Lanes, class OutLanes>
GRADUS_INLINE void times_panel(const Output<T>& out, Size m, Size j, Size k, const Matrix<T>& a, const T* b, Size ldb,
                               Lanes lanes, OutLanes out_lanes) {
  Size i = 0;
  if constexpr (has_masked_loads)  // AVX-512 has registers for more sums
    for (; i + 8 <= m; i += 8) rows_times_panel<T, 8, batches>(out, i, j, k, a, b, ldb, lanes, out_lanes);
  for (; i + 4 <= m; i += 4) rows_times_panel<T, 4, batches>(out, i, j, k, a, b, ldb, lanes, out_lanes);
  for (; i < m; ++i) rows_times_panel<T, 1, batches>(out, i, j, k, a, b, ldb, lanes, out_lanes);
}

// Both operands are contiguous along k and there are few columns: one dot product per element.
template <class T>
void dots(const Output<T>& out, Size m, Size n, Size k, const Matrix<T>& a, const Matrix<T>& b) {
  for (Size i = 0; i < m; ++i)
    for (Size j = 0; j < n; ++j) {
      const T* left = a.p + i * a.row;
      const T* right = b.p + j * b.col;
      const T dot = fold_run<T, SumFold>(
          0, k, [=](Size p, auto lanes) GRADUS_LAMBDA { return load(left + p, lanes) * load(right + p, lanes); });
      T& c = out.c[i * out.ld + j];
      c = out.beta != T(0) ? out.alpha * dot + out.beta * c : out.alpha * dot;
    }
}

// Rows of b whose elements are not contiguous, or are fewer than a batch, are packed a panel at a time.
template <class T>
struct Panel {
  static constexpr Size rows = 128, columns = 2 * width<T>;
  T data[rows * columns];

  GRADUS_INLINE void pack(const Matrix<T>& b, Size depth, Size n, Size ld) {
    for (Size p = 0; p < depth; ++p) {
      T* row = data + p * ld;
      for (Size j = 0; j < n; ++j) row[j] = b.p[p * b.row + j * b.col];
      for (Size j = n; j < ld; ++j) row[j] = T(0);
    }
  }
};

template <class T>
void small_gemm(Size m, Size n, Size k, T alpha, const T* a, Size a_row, Size a_col, const T* b, Size b_row, Size b_col,
                T beta, T* c, Size ldc) {
  constexpr Size w = width<T>;
  if (a_col == 1 && b_row == 1 && n < 4 && k >= w && k <= run_length)
    return dots(Output<T>{alpha, beta, c, ldc}, m, n, k, Matrix<T>{a, a_row, a_col}, Matrix<T>{b, b_row, b_col});

  Panel<T> panel;
  Size p = 0;
  do {
    const Size depth = k - p < Panel<T>::rows ? k - p : Panel<T>::rows;
    const Output<T> out{alpha, p == 0 ? beta : T(1), c, ldc};
    const Matrix<T> left{a + p * a_col, a_row, a_col};
    for (Size j = 0, columns; j < n; j += columns) {
      columns = n - j >= 2 * w ? 2 * w : n - j >= w ? w : n - j;
      Matrix<T> right{b + p * b_row + j * b_col, b_row, b_col};
      const bool packed = b_col != 1 || (columns < w && !has_masked_loads);
      if (packed) {
        const Size ld = columns < w ? w : columns;
        panel.pack(right, depth, columns, ld);
        right = {panel.data, ld, 1};
      }
      if (columns == 2 * w)
        times_panel<T, 2>(out, m, j, depth, left, right.p, right.row, Full{}, Full{});
      else if (columns == w)
        times_panel<T, 1>(out, m, j, depth, left, right.p, right.row, Full{}, Full{});
      else if (packed)
        times_panel<T, 1>(out, m, j, depth, left, right.p, right.row, Full{}, First{columns});
      else
        times_panel<T, 1>(out, m, j, depth, left, right.p, right.row, First{columns}, First{columns});
    }
    p += depth;
  } while (p < k);
}

// A panel's rows are taken a part at a time, which stays in the nearest cache while all rows of a pass by.
template <class T>
void packed_gemm(Size m, Size n, Size k, const T* a, Size lda, const T* packed, T beta, T* c, Size ldc) {
  constexpr Size w = width<T>, panel = 2 * w;
  for (Size p = 0; p < k; p += Panel<T>::rows) {
    const Size depth = k - p < Panel<T>::rows ? k - p : Panel<T>::rows;
    const Output<T> out{T(1), p == 0 ? beta : T(1), c, ldc};
    const Matrix<T> left{a + p, lda, 1};
    for (Size j = 0; j < n; j += panel) {
      const T* const right = packed + j * k + p * panel;
      const Size columns = n - j;
      if (columns >= panel) {
        times_panel<T, 2>(out, m, j, depth, left, right, panel, Full{}, Full{});
        continue;
      }
      if (columns >= w)
        times_panel<T, 1>(out, m, j, depth, left, right, panel, Full{}, Full{});
      else
        times_panel<T, 1>(out, m, j, depth, left, right, panel, Full{}, First{columns});
      if (columns > w) times_panel<T, 1>(out, m, j + w, depth, left, right + w, panel, Full{}, First{columns - w});
    }
  }
}

template <class T>
void fill_floating(Table<T>& table) {
  table.small_gemm = small_gemm<T>;
  table.panel_width = 2 * width<T>;
  table.packed_gemm = packed_gemm<T>;
}

}  // namespace

template <>
void fill_gemm(Table<float>& table) {
  fill_floating(table);
}
template <>
void fill_gemm(Table<double>& table) {
  fill_floating(table);
}

}  // namespace gradus::kernels::GRADUS_ISA
