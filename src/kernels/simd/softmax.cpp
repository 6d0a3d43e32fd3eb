// Softmax, its relatives and the cross-entropy over contiguous rows. The maximum is subtracted first, so that no finite
// input overflows.
#include "kernels/simd/fold.hpp"
#include "kernels/simd/math.hpp"
#include "kernels/simd/table.hpp"

namespace gradus::kernels::GRADUS_ISA {
namespace {

template <class T>
struct RowSum {
  T max, sum;  // sum of exp(x - max)
};

// The sum of exp(x[i] - max), after write(i, lanes, exp(x[i] - max)).
template <class T, class Write>
GRADUS_INLINE T sum_exp(const T* x, T max, Size n, Write write) {
  return fold_range<T, SumFold>(0, n, [=](Size i, auto lanes) GRADUS_LAMBDA {
    const Vec<T> e = exp<T>(load(x + i, lanes) - broadcast(max));
    write(i, lanes, e);
    return keep(e, lanes, T(0));
  });
}

template <class T>
GRADUS_INLINE void scale_row(T* y, T factor, Size n) {
  for_each_batch<T>(
      n, [=](Size i, auto lanes) GRADUS_LAMBDA { store(y + i, load(y + i, lanes) * broadcast(factor), lanes); });
}

template <class T, class Lanes>
GRADUS_INLINE RowSum<T> softmax_batch(T* y, const T* x, Lanes lanes) {
  const Vec<T> v = load_for<T, MaxFold>(x, lanes);
  const T max = fold_lanes<T, MaxFold>(v);
  const Vec<T> e = exp<T>(v - broadcast(max));
  const T sum = fold_lanes<T, SumFold>(keep(e, lanes, T(0)));
  store(y, e * broadcast(T(1) / sum), lanes);
  return {max, sum};
}

template <class T>
GRADUS_INLINE RowSum<T> softmax_row(T* y, const T* x, Size n) {
  if (n == width<T>) return softmax_batch(y, x, Full{});
  if (n < width<T>) return softmax_batch(y, x, First{n});  // a few classes: the row stays in a register
  const T max = fold_row<T, MaxFold>(x, n);
  const T sum = sum_exp(x, max, n, [y](Size i, auto lanes, Vec<T> e) GRADUS_LAMBDA { store(y + i, e, lanes); });
  scale_row(y, T(1) / sum, n);
  return {max, sum};
}

template <class T>
void softmax(T* y, const T* x, Size rows, Size n) {
  if (n == 0) return;
  for (Size r = 0; r < rows; ++r) softmax_row(y + r * n, x + r * n, n);
}

template <class T>
GRADUS_INLINE T log_of(T x) {
  const typename Vec<T>::register_type lanes = log(broadcast(x));
  return lanes[0];
}

template <class T>
GRADUS_INLINE T log_sum_exp(const T* x, T max, Size n) {
  return log_of(sum_exp(x, max, n, [](Size, auto, Vec<T>) GRADUS_LAMBDA {}));
}

template <class T>
void log_softmax(T* y, const T* x, Size rows, Size n) {
  for (Size r = 0; r < rows; ++r, y += n, x += n) {
    const T max = fold_row<T, MaxFold>(x, n);
    const T log_sum = log_sum_exp(x, max, n);
    for_each_batch<T>(n, [=](Size i, auto lanes) GRADUS_LAMBDA {
      store(y + i, (load(x + i, lanes) - broadcast(max)) - broadcast(log_sum), lanes);
    });
  }
}

template <class T>
void logsumexp(T* y, const T* x, Size rows, Size n) {
  for (Size r = 0; r < rows; ++r, x += n) {
    const T max = fold_row<T, MaxFold>(x, n);
    y[r] = max - max != T(0) ? max : max + log_sum_exp(x, max, n);  // infinite or NaN, or finite
  }
}

template <class T>
void softmax_backward(T* dx, const T* g, const T* y, Size rows, Size n) {
  for (Size r = 0; r < rows; ++r, dx += n, g += n, y += n) {
    const T dot = fold_range<T, SumFold>(
        0, n, [=](Size i, auto lanes) GRADUS_LAMBDA { return load(g + i, lanes) * load(y + i, lanes); });
    for_each_batch<T>(n, [=](Size i, auto lanes) GRADUS_LAMBDA {
      store(dx + i, load(y + i, lanes) * (load(g + i, lanes) - broadcast(dot)), lanes);
    });
  }
}

template <class T>
void log_softmax_backward(T* dx, const T* g, const T* y, Size rows, Size n) {
  for (Size r = 0; r < rows; ++r, dx += n, g += n, y += n) {
    const T sum = fold_row<T, SumFold>(g, n);
    for_each_batch<T>(n, [=](Size i, auto lanes) GRADUS_LAMBDA {
      store(dx + i, load(g + i, lanes) - exp<T>(load(y + i, lanes)) * broadcast(sum), lanes);
    });
  }
}

// The logarithms are taken a batch of rows at a time.
template <class T>
void cross_entropy(T* loss, T* prob, const T* x, const std::int64_t* target, Size rows, Size n) {
  constexpr Size block = 64;
  T sum[block], rest[block];
  for (Size start = 0; start < rows; start += block) {
    const Size count = rows - start < block ? rows - start : block;
    for (Size r = 0; r < count; ++r) {
      const T* row = x + (start + r) * n;
      const T correct = row[target[start + r]];  // read first: prob may be x
      const auto [max, total] = softmax_row(prob + (start + r) * n, row, n);
      sum[r] = total;
      rest[r] = max - correct;
    }
    for_each_batch<T>(count, [&](Size i, auto lanes) GRADUS_LAMBDA {
      store(loss + start + i, log(load(sum + i, lanes)) + load(rest + i, lanes), lanes);
    });
  }
}

template <class T>
void cross_entropy_backward(T* dx, const T* prob, const std::int64_t* target, const T* scale, Size scale_stride,
                            T factor, Size rows, Size n) {
  for (Size r = 0; r < rows; ++r, dx += n, prob += n) {
    const T s = scale[r * scale_stride] * factor;
    const T correct = (prob[target[r]] - T(1)) * s;
    for_each_batch<T>(
        n, [=](Size i, auto lanes) GRADUS_LAMBDA { store(dx + i, load(prob + i, lanes) * broadcast(s), lanes); });
    dx[target[r]] = correct;
  }
}

template <class T>
void fill_floating(Table<T>& table) {
  table.softmax = softmax<T>;
  table.log_softmax = log_softmax<T>;
  table.logsumexp = logsumexp<T>;
  table.softmax_backward = softmax_backward<T>;
  table.log_softmax_backward = log_softmax_backward<T>;
  table.cross_entropy = cross_entropy<T>;
  table.cross_entropy_backward = cross_entropy_backward<T>;
}

}  // namespace

template <>
void fill_softmax(Table<float>& table) {
  fill_floating(table);
}
template <>
void fill_softmax(Table<double>& table) {
  fill_floating(table);
}

}  // namespace gradus::kernels::GRADUS_ISA
