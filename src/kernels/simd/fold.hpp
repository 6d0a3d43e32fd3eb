// Folding a row to one number. Sums are cascaded: short runs are summed in the lanes of a few batches, and the totals
// of the runs pairwise, so that the rounding error grows like log n.
#pragma once

#include <utility>

#include "kernels/simd/simd.hpp"

namespace gradus::kernels::GRADUS_ISA {

// A folding op: `add` an element (a batch of them) to a total, `merge` two totals, starting from `empty`.
struct SumFold {
  static constexpr bool zero_is_empty = true;
  template <class T>
  static T empty() {
    return T(0);
  }
  template <class V>
  GRADUS_INLINE static V add(const V& total, const V& x) {
    return total + x;
  }
  template <class V>
  GRADUS_INLINE static V merge(const V& a, const V& b) {
    return a + b;
  }
};

struct SumSquareFold : SumFold {
  template <class V>
  GRADUS_INLINE static V add(const V& total, const V& x) {
    return multiply_add(x, x, total);
  }
};

struct MaxFold {
  static constexpr bool zero_is_empty = false;
  template <class T>
  static T empty() {
    if constexpr (is_float<T>)
      return static_cast<T>(-__builtin_inf());
    else
      return INT64_MIN;
  }
  template <class V>
  GRADUS_INLINE static V add(const V& total, const V& x) {
    return maximum(total, x);
  }
  template <class V>
  GRADUS_INLINE static V merge(const V& a, const V& b) {
    return maximum(a, b);
  }
};

struct MinFold {
  static constexpr bool zero_is_empty = false;
  template <class T>
  static T empty() {
    if constexpr (is_float<T>)
      return static_cast<T>(__builtin_inf());
    else
      return INT64_MAX;
  }
  template <class V>
  GRADUS_INLINE static V add(const V& total, const V& x) {
    return minimum(total, x);
  }
  template <class V>
  GRADUS_INLINE static V merge(const V& a, const V& b) {
    return minimum(a, b);
  }
};

// A load fills missing lanes with zero; for a fold they have to be what changes no total.
template <class T, class Op, class Lanes>
GRADUS_INLINE Vec<T> load_for(const T* p, Lanes lanes) {
  if constexpr (Op::zero_is_empty)
    return load(p, lanes);
  else
    return keep(load(p, lanes), lanes, Op::template empty<T>());
}

template <class T, class Op>
GRADUS_INLINE T merge_totals(T a, T b) {
  if constexpr (width<T> == 1)
    return Op::merge(Int(a), Int(b)).value;
  else
    return Op::merge(a, b);
}

// Lane i gets lane i ^ distance.
template <int distance, class V, int... i>
GRADUS_INLINE V swap_lanes(const V& v, std::integer_sequence<int, i...>) {
  const typename V::register_type lanes = v;
  return V(static_cast<typename V::register_type>(__builtin_shufflevector(lanes, lanes, (i ^ distance)...)));
}

template <class T, class Op, int distance = static_cast<int>(width<T>) / 2>
GRADUS_INLINE T fold_lanes(Vec<T> v) {
  if constexpr (width<T> == 1) {
    return v.value;
  } else if constexpr (distance == 0) {
    const typename Vec<T>::register_type lanes = v;
    return lanes[0];
  } else {
    const auto other = swap_lanes<distance>(v, std::make_integer_sequence<int, static_cast<int>(width<T>)>());
    return fold_lanes<T, Op, distance / 2>(Op::merge(v, other));
  }
}

// The fold of term(i, lanes) over all batches of [begin, begin + n): the term has to neutralise missing lanes.
template <class T, class Op, class Term>
GRADUS_INLINE T fold_run(Size begin, Size n, Term term) {
  const Vec<T> empty(Op::template empty<T>());
  if constexpr (width<T> == 1) {  // left to the compiler; GCC 12 miscompiles several int64 totals with AVX-512
    Vec<T> total = empty;
    for (Size i = 0; i < n; ++i) total = Op::add(total, term(begin + i, Full{}));
    return total.value;
  }
  Vec<T> a = empty, b = empty, c = empty, d = empty;  // four, to hide the latency of the additions
  Size i = 0;
  for (; i + 4 * width<T> <= n; i += 4 * width<T>) {
    a = Op::add(a, term(begin + i, Full{}));
    b = Op::add(b, term(begin + i + width<T>, Full{}));
    c = Op::add(c, term(begin + i + 2 * width<T>, Full{}));
    d = Op::add(d, term(begin + i + 3 * width<T>, Full{}));
  }
  for (; i + width<T> <= n; i += width<T>) a = Op::add(a, term(begin + i, Full{}));
  if constexpr (width < T >> 1) {
    if (i < n) b = Op::add(b, term(begin + i, First{n - i}));
  }
  return fold_lanes<T, Op>(Op::merge(Op::merge(a, b), Op::merge(c, d)));
}

// As fold_run for any n: runs are merged pairwise. One run is long enough that merging costs nothing.
inline constexpr Size run_length = 2048;

template <class T, class Op, class Term>
T fold_range(Size begin, Size n, const Term& term) {
  if (n <= run_length) return fold_run<T, Op>(begin, n, term);
  const Size half = (n / 2 + run_length - 1) / run_length * run_length;
  const T left = fold_range<T, Op>(begin, half, term);
  return merge_totals<T, Op>(left, fold_range<T, Op>(begin + half, n - half, term));
}

template <class T, class Op>
GRADUS_INLINE T fold_row(const T* x, Size n) {
  return fold_range<T, Op>(0, n, [x](Size i, auto lanes) GRADUS_LAMBDA { return load_for<T, Op>(x + i, lanes); });
}

}  // namespace gradus::kernels::GRADUS_ISA
