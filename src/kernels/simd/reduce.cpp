// Reductions over the middle axis of (outer, size, inner), and the index of the extreme.
#include "kernels/simd/fold.hpp"
#include "kernels/simd/pointwise.hpp"
#include "kernels/simd/table.hpp"

namespace gradus::kernels::GRADUS_ISA {
namespace {

// With inner > 1, rows are folded into a row of totals. Columns are taken in tiles, so that the totals of a tile stay
// in the first-level cache, and rows a few at a time, each read from end to end as the prefetcher likes it.
inline constexpr Size tile_columns = 512;
inline constexpr Size run_rows = 32;

// total[c] = the fold of x[r * stride + c] over `rows` rows, and of total[c] itself unless it is fresh.
template <class T, class Op, int rows>
GRADUS_INLINE void fold_few_rows(T* total, const T* x, Size stride, Size columns, bool fresh) {
  for_each_batch<T>(columns, [=](Size c, auto lanes) GRADUS_LAMBDA {
    Vec<T> t = fresh ? Vec<T>(Op::template empty<T>()) : load(total + c, lanes);
    for (int r = 0; r < rows; ++r) t = Op::add(t, load(x + r * stride + c, lanes));
    store(total + c, t, lanes);
  });
}

template <class T, class Op>
void fold_column_run(T* total, const T* x, Size rows, Size stride, Size columns) {
  if (rows == 0) return fold_few_rows<T, Op, 0>(total, x, stride, columns, true);
  constexpr int together = 8;
  if (rows == 0) return fold_few_rows<T, Op, 0>(total, x, stride, columns, true);
  Size r = 0;
  for (; r + together <= rows; r += together)
    fold_few_rows<T, Op, together>(total, x + r * stride, stride, columns, r == 0);
  for (; r < rows; ++r) fold_few_rows<T, Op, 1>(total, x + r * stride, stride, columns, r == 0);
}

template <class T, class Op>
void fold_column_tile(T* total, const T* x, Size rows, Size stride, Size columns) {
  if (rows <= run_rows) return fold_column_run<T, Op>(total, x, rows, stride, columns);
  const Size half = (rows / 2 + run_rows - 1) / run_rows * run_rows;
  T other[tile_columns];
  fold_column_tile<T, Op>(total, x, half, stride, columns);
  fold_column_tile<T, Op>(other, x + half * stride, rows - half, stride, columns);
  map(total, total, 1, other, 1, columns, [](Vec<T> a, Vec<T> b) GRADUS_LAMBDA { return Op::merge(a, b); });
}

// --------------------------------------------------------------------------------------------------------------------

template <class T, class Op>
void reduce(T* out, const T* x, Size outer, Size size, Size inner) {
  for (Size o = 0; o < outer; ++o, x += size * inner, out += inner) {
    if (inner == 1) {
      *out = fold_row<T, Op>(x, size);
    } else {
      for (Size c = 0; c < inner; c += tile_columns)
        fold_column_tile<T, Op>(out + c, x + c, size, inner, inner - c < tile_columns ? inner - c : tile_columns);
    }
  }
}

// --- argmax and argmin ----------------------------------------------------------------------------------------------

template <class T>
Size first_equal(const T* x, Size n, T value) {  // or the first NaN, if the value is NaN
  Size i = 0;
  if (value != value) {
    while (i < n && x[i] == x[i]) ++i;
  } else {
    while (i < n && x[i] != value) ++i;
  }
  return i;
}

template <class T, class Op>
GRADUS_INLINE bool better(T x, T best) {  // the first NaN is better than any number
  return (merge_totals<T, Op>(x, best) != best) & (best == best);
}

template <class T, class Op>
void arg_columns(std::int64_t* index, const T* x, Size rows, Size stride, Size columns) {
  T best[tile_columns];
  for (Size c = 0; c < columns; ++c) best[c] = x[c], index[c] = 0;
  for (Size r = 1; r < rows; ++r) {
    x += stride;
    for (Size c = 0; c < columns; ++c) {
      const bool found = better<T, Op>(x[c], best[c]);
      best[c] = found ? x[c] : best[c];
      index[c] = found ? r : index[c];
    }
  }
}

template <class T, class Op>
void arg(std::int64_t* index, const T* x, Size outer, Size size, Size inner) {
  for (Size o = 0; o < outer; ++o, x += size * inner, index += inner) {
    if (inner == 1) {
      *index = first_equal(x, size, fold_row<T, Op>(x, size));
    } else {
      for (Size c = 0; c < inner; c += tile_columns)
        arg_columns<T, Op>(index + c, x + c, size, inner, inner - c < tile_columns ? inner - c : tile_columns);
    }
  }
}

template <class T>
void fill_any(Table<T>& table) {
  table.reduce[index(Reduce::sum)] = reduce<T, SumFold>;
  table.reduce[index(Reduce::max)] = reduce<T, MaxFold>;
  table.reduce[index(Reduce::min)] = reduce<T, MinFold>;
  table.reduce[index(Reduce::sum_square)] = reduce<T, SumSquareFold>;
  table.argmax = arg<T, MaxFold>;
  table.argmin = arg<T, MinFold>;
}

}  // namespace

template <>
void fill_reduce(Table<float>& table) {
  fill_any(table);
}
template <>
void fill_reduce(Table<double>& table) {
  fill_any(table);
}
template <>
void fill_reduce(Table<std::int64_t>& table) {
  fill_any(table);
}

}  // namespace gradus::kernels::GRADUS_ISA
