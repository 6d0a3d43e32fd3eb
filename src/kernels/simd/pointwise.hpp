// Loops over one or two operands that are contiguous, broadcast or strided.
#pragma once

#include "kernels/simd/simd.hpp"

namespace gradus::kernels::GRADUS_ISA {

// Strided operands are gathered into a small buffer, a block at a time: then every op needs only its fast loops.
inline constexpr Size stage_size = 256;

template <class T>
GRADUS_INLINE void gather(T* buffer, const T* x, Size stride, Size n) {
  for (Size i = 0; i < n; ++i) buffer[i] = x[i * stride];
}

// Operands of a loop: batch i of an array, or the same value for all i.
template <class T>
struct Array {
  const T* p;
  template <class Lanes>
  GRADUS_INLINE Vec<T> operator()(Size i, Lanes lanes) const {
    return load(p + i, lanes);
  }
};

template <class T>
struct Same {
  Vec<T> value;
  GRADUS_INLINE explicit Same(const T* p) : value(*p) {}
  template <class Lanes>
  GRADUS_INLINE Vec<T> operator()(Size, Lanes) const {
    return value;
  }
};

// y[i] = f(x[i * sx])
template <class T, class F>
GRADUS_INLINE void map(T* y, const T* x, Size sx, Size n, F f) {
  const auto contiguous = [f](T* out, const T* in, Size count) GRADUS_LAMBDA {
    for_each_batch<T>(count, [=](Size i, auto lanes) GRADUS_LAMBDA { store(out + i, f(load(in + i, lanes)), lanes); });
  };
  if (sx == 1) return contiguous(y, x, n);
  T buffer[stage_size];
  for (Size start = 0; start < n; start += stage_size) {
    const Size count = n - start < stage_size ? n - start : stage_size;
    gather(buffer, x + start * sx, sx, count);
    contiguous(y + start, buffer, count);
  }
}

// y[i] = f(i, lanes, a[i * sa], b[i * sb]); y is written in order, after the same elements of a and b were read.
template <class T, class F>
GRADUS_INLINE void zip(T* y, const T* a, Size sa, const T* b, Size sb, Size n, F f) {
  const auto loop = [f](T* out, auto left, auto right, Size first, Size count) GRADUS_LAMBDA {
    for_each_batch<T>(count, [=](Size i, auto lanes) GRADUS_LAMBDA {
      store(out + i, f(first + i, lanes, left(i, lanes), right(i, lanes)), lanes);
    });
  };
  if (n == 0) return;
  if (sa == 1 && sb == 1) return loop(y, Array<T>{a}, Array<T>{b}, 0, n);
  if (sa == 0 && sb == 1) return loop(y, Same<T>(a), Array<T>{b}, 0, n);
  if (sa == 1 && sb == 0) return loop(y, Array<T>{a}, Same<T>(b), 0, n);
  T left[stage_size], right[stage_size];
  for (Size start = 0; start < n; start += stage_size) {
    const Size count = n - start < stage_size ? n - start : stage_size;
    gather(left, a + start * sa, sa, count);
    gather(right, b + start * sb, sb, count);
    loop(y + start, Array<T>{left}, Array<T>{right}, start, count);
  }
}

// y[i] = f(a[i * sa], b[i * sb])
template <class T, class F>
GRADUS_INLINE void map(T* y, const T* a, Size sa, const T* b, Size sb, Size n, F f) {
  zip(y, a, sa, b, sb, n, [f](Size, auto, Vec<T> u, Vec<T> v) GRADUS_LAMBDA { return f(u, v); });
}

}  // namespace gradus::kernels::GRADUS_ISA
