// Normalisation: means, variances and what is made of them. Variances are sums of squared deviations from the mean,
// never differences of squares: these would cancel.
#include "kernels/simd/fold.hpp"
#include "kernels/simd/table.hpp"

namespace gradus::kernels::GRADUS_ISA {
namespace {

// --- groups of runs: batch, group and instance norm -----------------------------------------------------------------

// The sum of term(start of the run, i, lanes) over all elements of a group.
template <class T, class Op, class Term>
GRADUS_INLINE T fold_group(Runs runs, const Term& term) {
  T total = 0;
  for (Size r = 0; r < runs.count; ++r) {
    const Size start = r * runs.stride;
    total +=
        fold_range<T, Op>(0, runs.length, [=](Size i, auto lanes) GRADUS_LAMBDA { return term(start + i, lanes); });
  }
  return total;
}

template <class T, class Body>
GRADUS_INLINE void for_each_in_group(Runs runs, Body body) {
  for (Size r = 0; r < runs.count; ++r) {
    const Size start = r * runs.stride;
    for_each_batch<T>(runs.length, [=](Size i, auto lanes) GRADUS_LAMBDA { body(start + i, lanes); });
  }
}

template <class T>
void moments(T* mean, T* variance, const T* x, Runs runs) {
  const T n = static_cast<T>(runs.count * runs.length);
  const T m = fold_group<T, SumFold>(runs, [=](Size i, auto lanes) GRADUS_LAMBDA { return load(x + i, lanes); }) / n;
  *mean = m;
  *variance = fold_group<T, SumSquareFold>(
                  runs, [=](Size i, auto lanes)
                            GRADUS_LAMBDA { return keep(load(x + i, lanes) - broadcast(m), lanes, T(0)); }) /
              n;
}

template <class T>
void normalize(T* y, const T* x, T mean, T scale, T shift, Runs runs) {
  for_each_in_group<T>(runs, [=](Size i, auto lanes) GRADUS_LAMBDA {
    store(y + i, multiply_add(load(x + i, lanes) - broadcast(mean), broadcast(scale), broadcast(shift)), lanes);
  });
}

// Run by run: the second sum finds its run in the nearest cache.
template <class T>
void norm_sums(T* sum, T* dot, const T* g, const T* x, T mean, Runs runs) {
  T slopes = 0, products = 0;
  for (Size r = 0; r < runs.count; ++r, g += runs.stride, x += runs.stride) {
    slopes += fold_row<T, SumFold>(g, runs.length);
    products += fold_range<T, SumFold>(0, runs.length, [=](Size i, auto lanes) GRADUS_LAMBDA {
      return load(g + i, lanes) * (load(x + i, lanes) - broadcast(mean));
    });
  }
  *sum = slopes;
  *dot = products;
}

template <class T>
void normalize_backward(T* dx, const T* g, const T* x, T mean, T a, T b, T c, Runs runs) {
  for_each_in_group<T>(runs, [=](Size i, auto lanes) GRADUS_LAMBDA {
    const Vec<T> deviation = multiply_add(load(x + i, lanes) - broadcast(mean), broadcast(b), broadcast(c));
    store(dx + i, multiply_add(load(g + i, lanes), broadcast(a), deviation), lanes);
  });
}

// --- columns of a matrix: batch norm of (batch, channels) -----------------------------------------------------------

template <class T>
void column_moments(T* mean, T* variance, const T* x, Size rows, Size cols, Size stride) {
  const Vec<T> n(static_cast<T>(rows));
  for_each_batch<T>(cols, [=](Size c, auto lanes) GRADUS_LAMBDA {
    Vec<T> sum(T(0));
    for (Size r = 0; r < rows; ++r) sum = sum + load(x + r * stride + c, lanes);
    const Vec<T> rough = sum / n;
    // The rounding of so long a sum shows in the mean of the deviations, which would be zero.
    Vec<T> rest(T(0)), squares(T(0));
    for (Size r = 0; r < rows; ++r) {
      const Vec<T> deviation = load(x + r * stride + c, lanes) - rough;
      rest = rest + deviation;
      squares = multiply_add(deviation, deviation, squares);
    }
    rest = rest / n;
    store(mean + c, rough + rest, lanes);
    store(variance + c, maximum(squares / n - rest * rest, Vec<T>(T(0))), lanes);
  });
}

template <class T>
void column_normalize(T* y, const T* x, const T* mean, const T* scale, const T* shift, Size rows, Size cols,
                      Size stride) {
  for_each_batch<T>(cols, [=](Size c, auto lanes) GRADUS_LAMBDA {
    const Vec<T> m = load(mean + c, lanes), a = load(scale + c, lanes), b = load(shift + c, lanes);
    for (Size r = 0; r < rows; ++r) {
      const Size i = r * stride + c;
      store(y + i, multiply_add(load(x + i, lanes) - m, a, b), lanes);
    }
  });
}

template <class T>
void column_norm_sums(T* sum, T* dot, const T* g, const T* x, const T* mean, Size rows, Size cols, Size stride) {
  for_each_batch<T>(cols, [=](Size c, auto lanes) GRADUS_LAMBDA {
    const Vec<T> m = load(mean + c, lanes);
    Vec<T> s(T(0)), d(T(0));
    for (Size r = 0; r < rows; ++r) {
      const Vec<T> slope = load(g + r * stride + c, lanes);
      s = s + slope;
      d = multiply_add(slope, load(x + r * stride + c, lanes) - m, d);
    }
    store(sum + c, s, lanes);
    store(dot + c, d, lanes);
  });
}

template <class T>
void column_normalize_backward(T* dx, const T* g, const T* x, const T* mean, const T* a, const T* b, const T* c,
                               Size rows, Size cols, Size stride) {
  for_each_batch<T>(cols, [=](Size col, auto lanes) GRADUS_LAMBDA {
    const Vec<T> m = load(mean + col, lanes), slope = load(a + col, lanes), bend = load(b + col, lanes),
                 shift = load(c + col, lanes);
    for (Size r = 0; r < rows; ++r) {
      const Size i = r * stride + col;
      store(dx + i, multiply_add(load(g + i, lanes), slope, multiply_add(load(x + i, lanes) - m, bend, shift)), lanes);
    }
  });
}

// --- rows with weights along them: layer norm, and rms norm, which takes no mean off --------------------------------

// The weights of a batch of columns; a null pointer stands for all the same.
template <class T, class Lanes>
GRADUS_INLINE Vec<T> weights(const T* p, Size i, Lanes lanes, T otherwise) {
  return p == nullptr ? broadcast(otherwise) : load(p + i, lanes);
}

template <class T, bool centered>
void layer_norm(T* y, T* mean, T* rstd, const T* x, const T* weight, const T* bias, T eps, Size rows, Size n) {
  for (Size r = 0; r < rows; ++r, x += n, y += n) {
    const T m = centered ? fold_row<T, SumFold>(x, n) / static_cast<T>(n) : T(0);
    const T squares = fold_range<T, SumSquareFold>(
        0, n, [=](Size i, auto lanes) GRADUS_LAMBDA { return keep(load(x + i, lanes) - broadcast(m), lanes, T(0)); });
    const T s = static_cast<T>(1 / __builtin_sqrt(squares / static_cast<T>(n) + eps));
    for_each_batch<T>(n, [=](Size i, auto lanes) GRADUS_LAMBDA {
      const Vec<T> normal = (load(x + i, lanes) - broadcast(m)) * broadcast(s);
      store(y + i, multiply_add(normal, weights(weight, i, lanes, T(1)), weights(bias, i, lanes, T(0))), lanes);
    });
    if constexpr (centered) mean[r] = m;
    rstd[r] = s;
  }
}

// One row: dx, and what the row adds to the gradients of weight and bias.
template <class T, bool centered>
GRADUS_INLINE void layer_norm_row_backward(T* dx, T* dweight, T* dbias, const T* g, const T* x, T m, T s,
                                           const T* weight, Size n) {
  const T mean_slope = centered ? fold_range<T, SumFold>(0, n,
                                                         [=](Size i, auto lanes) GRADUS_LAMBDA {
                                                           return load(g + i, lanes) * weights(weight, i, lanes, T(1));
                                                         }) /
                                      static_cast<T>(n)
                                : T(0);
  const T dot = fold_range<T, SumFold>(0, n, [=](Size i, auto lanes) GRADUS_LAMBDA {
    return load(g + i, lanes) * weights(weight, i, lanes, T(1)) * (load(x + i, lanes) - broadcast(m));
  });
  const T bend = -dot * s * s / static_cast<T>(n);
  for_each_batch<T>(n, [=](Size i, auto lanes) GRADUS_LAMBDA {
    const Vec<T> slope = load(g + i, lanes), deviation = load(x + i, lanes) - broadcast(m);
    if (dweight) store(dweight + i, multiply_add(slope, deviation * broadcast(s), load(dweight + i, lanes)), lanes);
    if (dbias) store(dbias + i, load(dbias + i, lanes) + slope, lanes);
    const Vec<T> through = multiply_add(slope, weights(weight, i, lanes, T(1)), broadcast(-mean_slope));
    if (dx) store(dx + i, multiply_add(deviation, broadcast(bend), through) * broadcast(s), lanes);
  });
}

template <class T, bool centered>
void layer_norm_backward(T* dx, T* dweight, T* dbias, const T* g, const T* x, const T* mean, const T* rstd,
                         const T* weight, Size rows, Size n) {
  for (Size r = 0; r < rows; ++r, g += n, x += n) {
    const T m = centered ? mean[r] : T(0);
    layer_norm_row_backward<T, centered>(dx ? dx + r * n : nullptr, dweight, dbias, g, x, m, rstd[r], weight, n);
  }
}

template <class T>
void fill_floating(Table<T>& table) {
  table.moments = moments<T>;
  table.normalize = normalize<T>;
  table.norm_sums = norm_sums<T>;
  table.normalize_backward = normalize_backward<T>;
  table.column_moments = column_moments<T>;
  table.column_normalize = column_normalize<T>;
  table.column_norm_sums = column_norm_sums<T>;
  table.column_normalize_backward = column_normalize_backward<T>;
  table.layer_norm[0] = layer_norm<T, false>;
  table.layer_norm[1] = layer_norm<T, true>;
  table.layer_norm_backward[0] = layer_norm_backward<T, false>;
  table.layer_norm_backward[1] = layer_norm_backward<T, true>;
}

}  // namespace

template <>
void fill_norm(Table<float>& table) {
  fill_floating(table);
}
template <>
void fill_norm(Table<double>& table) {
  fill_floating(table);
}

}  // namespace gradus::kernels::GRADUS_ISA
