// Batches of one instruction set. Every file of this folder is compiled once per instruction set, with GRADUS_ISA
// naming it, and puts all it defines into the namespace of that name.
//
// The one-definition rule is why: an inline function compiled with AVX-512 under the same name as one compiled without
// would be a single function to the linker, which might keep the AVX-512 one for processors that lack it. Hence xsimd
// is renamed per instruction set too, and the kernels use no inline function of the standard library.
#pragma once

#include <cstdint>
#include <type_traits>

#include "kernels/kernels.hpp"

#define GRADUS_JOIN_(a, b) a##b
#define GRADUS_JOIN(a, b) GRADUS_JOIN_(a, b)
#define xsimd GRADUS_JOIN(xsimd_, GRADUS_ISA)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wpedantic"
#include <xsimd/xsimd.hpp>
#pragma GCC diagnostic pop
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // false alarms in the AVX-512 intrinsics (GCC bug 105593)

#define GRADUS_INLINE [[gnu::always_inline]] inline
#define GRADUS_LAMBDA __attribute__((always_inline))

namespace gradus::kernels::GRADUS_ISA {

using Size = std::int64_t;

// One int64, with the interface of a batch, whose arithmetic wraps around. Loops over it are left to the compiler.
struct Int {
  std::int64_t value;
  static constexpr std::size_t size = 1;

  Int() = default;
  GRADUS_INLINE Int(std::int64_t v) : value(v) {}
  GRADUS_INLINE static Int wrap(std::uint64_t v) { return static_cast<std::int64_t>(v); }
  GRADUS_INLINE std::uint64_t bits() const { return static_cast<std::uint64_t>(value); }

  GRADUS_INLINE friend Int operator+(Int a, Int b) { return wrap(a.bits() + b.bits()); }
  GRADUS_INLINE friend Int operator-(Int a, Int b) { return wrap(a.bits() - b.bits()); }
  GRADUS_INLINE friend Int operator*(Int a, Int b) { return wrap(a.bits() * b.bits()); }
  GRADUS_INLINE friend Int operator-(Int a) { return wrap(0 - a.bits()); }
  GRADUS_INLINE friend bool operator<(Int a, Int b) { return a.value < b.value; }
  GRADUS_INLINE friend bool operator>(Int a, Int b) { return a.value > b.value; }
  GRADUS_INLINE friend bool operator<=(Int a, Int b) { return a.value <= b.value; }
  GRADUS_INLINE friend bool operator>=(Int a, Int b) { return a.value >= b.value; }
  GRADUS_INLINE friend bool operator==(Int a, Int b) { return a.value == b.value; }
  GRADUS_INLINE friend bool operator!=(Int a, Int b) { return a.value != b.value; }
};

template <class T>
struct VecOf {
  using type = xsimd::batch<T>;
};
template <>
struct VecOf<std::int64_t> {
  using type = Int;
};
template <class T>
using Vec = typename VecOf<T>::type;

template <class T>
inline constexpr Size width = static_cast<Size>(Vec<T>::size);

template <class T>
inline constexpr bool is_float = false;
template <>
inline constexpr bool is_float<float> = true;
template <>
inline constexpr bool is_float<double> = true;

// --- loading and storing: all lanes of a batch, or the first few ---------------------------------------------------

struct Full {};
struct First {
  Size count;  // 0 < count < width
};

template <class T>
GRADUS_INLINE Vec<T> load(const T* p, Full) {
  if constexpr (is_float<T>)
    return Vec<T>::load_unaligned(p);
  else
    return *p;
}

template <class T>
GRADUS_INLINE void store(T* p, Vec<T> v, Full) {
  if constexpr (is_float<T>)
    v.store_unaligned(p);
  else
    *p = v.value;
}

// The lanes beyond the first few are zero.
template <class T>
GRADUS_INLINE Vec<T> load(const T* p, First first) {
  T lanes[width<T>] = {};
  for (Size i = 0; i < first.count; ++i) lanes[i] = p[i];
  return load(lanes, Full{});
}

template <class T>
GRADUS_INLINE void store(T* p, Vec<T> v, First first) {
  T lanes[width<T>];
  store(lanes, v, Full{});
  for (Size i = 0; i < first.count; ++i) p[i] = lanes[i];
}

#ifdef __AVX512F__
inline constexpr bool has_masked_loads = true;
GRADUS_INLINE unsigned lane_mask(First first) { return (1U << first.count) - 1; }
GRADUS_INLINE Vec<float> load(const float* p, First first) {
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>(lane_mask(first)), p);
}
GRADUS_INLINE Vec<double> load(const double* p, First first) {
  return _mm512_maskz_loadu_pd(static_cast<__mmask8>(lane_mask(first)), p);
}
GRADUS_INLINE void store(float* p, Vec<float> v, First first) {
  _mm512_mask_storeu_ps(p, static_cast<__mmask16>(lane_mask(first)), v);
}
GRADUS_INLINE void store(double* p, Vec<double> v, First first) {
  _mm512_mask_storeu_pd(p, static_cast<__mmask8>(lane_mask(first)), v);
}
#else
inline constexpr bool has_masked_loads = false;
#endif

// Calls body(i, lanes) for i = 0, width, 2 width, ...; lanes is Full, and First at the end if n is no multiple.
template <class T, class Body>
GRADUS_INLINE void for_each_batch(Size n, Body body) {
  Size i = 0;
#pragma GCC ivdep  // an output is exactly an input or does not overlap it
  for (; i + width<T> <= n; i += width<T>) body(i, Full{});
  if constexpr (width < T >> 1) {
    if (i < n) body(i, First{n - i});
  }
}

// --- what batches of floating point numbers and Int have in common --------------------------------------------------

template <class T>
GRADUS_INLINE Vec<T> broadcast(T x) {
  return Vec<T>(x);
}

template <class V>
GRADUS_INLINE V select(const typename V::batch_bool_type& mask, const V& a, const V& b) {
  return xsimd::select(mask, a, b);
}
GRADUS_INLINE Int select(bool mask, Int a, Int b) { return mask ? a : b; }
GRADUS_INLINE float select(bool mask, float a, float b) { return mask ? a : b; }
GRADUS_INLINE double select(bool mask, double a, double b) { return mask ? a : b; }

// Always fused where the processor can, never left to the compiler: an element's result must not depend on whether a
// full batch or the last few lanes are computed. (Named unlike xsimd::fma, which would be found by its arguments.)
template <class V>
GRADUS_INLINE V multiply_add(const V& a, const V& b, const V& c) {
#ifdef __AVX512F__  // xsimd 8 has none
  if constexpr (std::is_same_v<V, Vec<float>>)
    return _mm512_fmadd_ps(a, b, c);
  else
    return _mm512_fmadd_pd(a, b, c);
#else
  return xsimd::fma(a, b, c);
#endif
}
GRADUS_INLINE Int multiply_add(Int a, Int b, Int c) { return a * b + c; }

// Not a != a, which is false for the NaN of some batches of xsimd 8.
template <class V>
GRADUS_INLINE auto is_nan(const V& a) {
  return xsimd::isnan(a);
}
GRADUS_INLINE bool is_nan(Int) { return false; }
GRADUS_INLINE bool is_nan(float a) { return a != a; }
GRADUS_INLINE bool is_nan(double a) { return a != a; }

template <class V>
GRADUS_INLINE V maximum(const V& a, const V& b) {  // NaN if one is
  return select((a > b) | is_nan(a), a, b);
}

template <class V>
GRADUS_INLINE V minimum(const V& a, const V& b) {
  return select((a < b) | is_nan(a), a, b);
}

template <class V>
GRADUS_INLINE V relu(const V& x) {  // of NaN: NaN
  return select(x <= V(0), V(0), x);
}

// The first lanes of v, and `fill` in the others.
template <class T>
GRADUS_INLINE Vec<T> keep(Vec<T> v, Full, T) {
  return v;
}
template <class T>
GRADUS_INLINE Vec<T> keep(Vec<T> v, First first, T fill) {
  T number[width<T>];
  for (Size i = 0; i < width<T>; ++i) number[i] = static_cast<T>(i);
  return select(load(number, Full{}) < broadcast(static_cast<T>(first.count)), v, broadcast(fill));
}

}  // namespace gradus::kernels::GRADUS_ISA
