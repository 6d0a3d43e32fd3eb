// Elementary functions of a batch: accurate to a few units in the last place over the whole range, including denormal
// numbers, and NaN for NaN. A lane's result never depends on its neighbours.
//
// The polynomials were fitted at Chebyshev nodes in 60 digits, float first, then double.
#pragma once

#include "kernels/simd/simd.hpp"

namespace gradus::kernels::GRADUS_ISA {

// c[0] + c[1] x + ... by Horner's rule.
template <class T, std::size_t n>
GRADUS_INLINE Vec<T> polynomial(Vec<T> x, const T (&c)[n]) {
  Vec<T> y(c[n - 1]);
  for (std::size_t i = n - 1; i-- > 0;) y = multiply_add(y, x, Vec<T>(c[i]));
  return y;
}

template <class T>
struct Constants;

template <>
struct Constants<float> {
  using Bits = std::int32_t;
  static constexpr int mantissa_bits = 23, bias = 127;
  static constexpr float round_magic = 12582912.0F;  // 1.5 * 2^23: adding it rounds to an integer
  static constexpr float exp_lowest = -104.0F, exp_highest = 89.0F;

  // log 2 and pi / 2 in parts; the first ones are short, so that their products with small integers are exact.
  static constexpr float ln2_high = 0.693359375F, ln2_low = -2.12194440055e-4F;
  static constexpr float half_pi[4] = {1.5703125F, 4.8375129699707e-4F, 7.54953362047672e-8F, 2.56334415159452e-12F};
  static constexpr float largest_angle = 8192.0F;

  static constexpr float exp_tail[] = {0.5F, 0.1666657699F, 0.04166655462F, 0.008363179053F, 0.001392618359F};
  static constexpr float sin_tail[] = {-0.1666666466F, 0.008332748038F, -0.0001958784052F};
  static constexpr float cos_tail[] = {0.04166666466F, -0.00138883028F, 2.454789162e-5F};

  static constexpr float atanh_tail[] = {0.3333332016F, 0.2000378153F, 0.1411827333F, 0.1342601365F};

  static constexpr float erfcx_center = 2.0F, erfcx_end = 11.0F;
  static constexpr float erfcx[] = {1.276978377F,     -0.09276402156F, -0.1660305301F,  0.1640563038F,
                                    -0.05421196123F,  -0.00806670403F, 0.008652287232F, 0.001331685429F,
                                    -0.001246796924F, -0.00041589707F};
};

template <>
struct Constants<double> {
  using Bits = std::int64_t;
  static constexpr int mantissa_bits = 52, bias = 1023;
  static constexpr double round_magic = 6755399441055744.0;
  static constexpr double exp_lowest = -746.0, exp_highest = 710.0;

  static constexpr double ln2_high = 0.693147180601954460144043, ln2_low = -4.200915072681084729182e-11;
  static constexpr double half_pi[3] = {0x1.921fb54400000p+0, 0x1.0b4611a600000p-34, 0x1.3198a2e037073p-69};
  static constexpr double largest_angle = 1048576.0;

  static constexpr double exp_tail[] = {0.5,
                                        0.1666666666666666745,
                                        0.04166666666662412787,
                                        0.008333333333330061833,
                                        0.00138888889172137169,
                                        0.0001984126986305361688,
                                        0.00002480152129595437513,
                                        2.755726845999706477e-6,
                                        2.762008844540974816e-7,
                                        2.510038549551031908e-8};
  static constexpr double sin_tail[] = {-0.1666666666666666667,  0.00833333333333333149,   -0.0001984126984126506017,
                                        2.755731921933545343e-6, -2.505210623115790549e-8, 1.605853141458901076e-10,
                                        -7.58668507009126716e-13};
  static constexpr double cos_tail[] = {0.04166666666666666667,   -0.001388888888888888786, 0.00002480158730158464377,
                                        -2.755731922140076002e-7, 2.087675579036339613e-9,  -1.147046077396932463e-11,
                                        4.745865203787455107e-14};

  static constexpr double atanh_tail[] = {0.3333333333333332928,  0.2000000000000729831,  0.1428571428355253046,
                                          0.1111111135890089085,  0.09090894708663223945, 0.07692785296456121802,
                                          0.06657067775440581431, 0.06000577591428889346, 0.04400158825434386734,
                                          0.08082469084735669311};

  static constexpr double erfcx_center = 3.0, erfcx_end = 28.0;
  static constexpr double erfcx[] = {1.253008058269729612,      -0.1356211061245799995,     -0.04756229435344755828,
                                     0.1296451587025785455,     -0.1192736634151267977,     0.06830802735106339589,
                                     -0.02377051492677794222,   0.00252939169742810176,     0.001888690464796785442,
                                     -0.0007798312105913323742, -0.0001051604188152638308,  0.0001250937131705838298,
                                     4.951160754493588033e-6,   -0.00002008186459467219559, -7.324097121250609201e-7,
                                     3.433168931783498858e-6,   3.504243374577422975e-7,    -5.657024330235796078e-7,
                                     -1.241855802493611651e-7,  6.390588178845850955e-8,    2.302669717452365144e-8};
};

// --- bits -----------------------------------------------------------------------------------------------------------

#if XSIMD_VERSION_MAJOR >= 9
template <class T, class U>
GRADUS_INLINE Vec<T> bit_cast(xsimd::batch<U> x) {
  return xsimd::bitwise_cast<T>(x);
}
#else
template <class T, class U>
GRADUS_INLINE Vec<T> bit_cast(xsimd::batch<U> x) {
  return xsimd::bitwise_cast<xsimd::batch<T>>(x);
}
#endif

template <class T>
GRADUS_INLINE xsimd::batch<typename Constants<T>::Bits> to_bits(xsimd::batch<T> x) {
#if XSIMD_VERSION_MAJOR >= 9
  return xsimd::bitwise_cast<typename Constants<T>::Bits>(x);
#else
  return xsimd::bitwise_cast<xsimd::batch<typename Constants<T>::Bits>>(x);
#endif
}

template <class T>
GRADUS_INLINE xsimd::batch<T> sign_bit(xsimd::batch<T> x) {
  return x & xsimd::batch<T>(T(-0.0));
}

template <class T>
GRADUS_INLINE xsimd::batch<T> magnitude(xsimd::batch<T> x) {
  return xsimd::abs(x);
}

// --- exp ------------------------------------------------------------------------------------------------------------

// 2^n for an integral n of a normal result.
template <class T>
GRADUS_INLINE xsimd::batch<T> power_of_two(xsimd::batch<T> n) {
  using C = Constants<T>;
  auto bits = to_bits(n + xsimd::batch<T>(C::round_magic + static_cast<T>(C::bias)));
  return bit_cast<T>(bits << C::mantissa_bits);
}

// x 2^n, rounded once where the result is denormal.
template <class T>
GRADUS_INLINE xsimd::batch<T> scale(xsimd::batch<T> x, xsimd::batch<T> n) {
  const xsimd::batch<T> magic(Constants<T>::round_magic);
  auto half = multiply_add(n, xsimd::batch<T>(T(0.5)), magic) - magic;
  return x * power_of_two(half) * power_of_two(n - half);
}

#ifdef __AVX512F__
GRADUS_INLINE Vec<float> scale(Vec<float> x, Vec<float> n) { return _mm512_scalef_ps(x, n); }
GRADUS_INLINE Vec<double> scale(Vec<double> x, Vec<double> n) { return _mm512_scalef_pd(x, n); }
#endif

// x = n log 2 + r with |r| <= log(2) / 2, and e^r - 1.
template <class T>
struct ExpParts {
  xsimd::batch<T> n, expm1_r;
};

template <class T>
GRADUS_INLINE ExpParts<T> exp_parts(xsimd::batch<T> x) {
  using C = Constants<T>;
  using V = xsimd::batch<T>;
  const V magic(C::round_magic);
  V n = multiply_add(x, V(T(1.442695040888963407)), magic) - magic;
  V r = multiply_add(n, V(-C::ln2_low), multiply_add(n, V(-C::ln2_high), x));
  return {n, multiply_add(r * r, polynomial<T>(r, C::exp_tail), r)};
}

template <class T>
GRADUS_INLINE xsimd::batch<T> clamp_exponent(xsimd::batch<T> x) {  // keeps NaN
  const xsimd::batch<T> low(Constants<T>::exp_lowest), high(Constants<T>::exp_highest);
  x = select(x > high, high, x);
  return select(x < low, low, x);
}

template <class T>
GRADUS_INLINE xsimd::batch<T> exp(xsimd::batch<T> x) {
  auto [n, expm1_r] = exp_parts<T>(clamp_exponent<T>(x));
  return scale(expm1_r + xsimd::batch<T>(T(1)), n);
}

// 2^n (e^r - 1) + (2^n - 1) keeps the relative accuracy near 0; for a large n, where 2^n might overflow, it is e^x.
template <class T>
GRADUS_INLINE xsimd::batch<T> expm1(xsimd::batch<T> x) {
  using V = xsimd::batch<T>;
  const V one(T(1)), lowest(T(-60)), large(T(60));
  auto [n, expm1_r] = exp_parts<T>(select(x < lowest, lowest, clamp_exponent<T>(x)));
  V power = power_of_two(select(n > large, large, n));
  V y = select(n > large, scale(expm1_r + one, n), multiply_add(power, expm1_r, power - one));
  return y | sign_bit<T>(x);  // of -0
}

// --- log ------------------------------------------------------------------------------------------------------------

GRADUS_INLINE Vec<float> log(Vec<float> x) { return xsimd::log(x); }

// xsimd's is wrong for denormal doubles.
GRADUS_INLINE Vec<double> log(Vec<double> x) {
  auto tiny = x < Vec<double>(0x1p-1022);
  Vec<double> y = xsimd::log(select(tiny, x * Vec<double>(0x1p54), x));
  return select(tiny, y - Vec<double>(54 * 0.6931471805599453094), y);
}

// --- functions made of exp ------------------------------------------------------------------------------------------

// With e = exp(-|x|), both branches 1 / (1 + e) and e / (1 + e) keep their relative accuracy and cannot overflow.
template <class T>
GRADUS_INLINE xsimd::batch<T> sigmoid(xsimd::batch<T> x) {
  using V = xsimd::batch<T>;
  V e = exp<T>(-magnitude<T>(x));
  return select(x < V(T(0)), e, V(T(1))) / (e + V(T(1)));
}

// max(x, 0) + log(1 + e) with e = exp(-|x|); log(1 + e) = 2 atanh(e / (2 + e)).
template <class T>
GRADUS_INLINE xsimd::batch<T> softplus(xsimd::batch<T> x) {
  using V = xsimd::batch<T>;
  V e = exp<T>(-magnitude<T>(x));
  V twice = (e + e) / (e + V(T(2)));
  V u = twice * twice * V(T(0.25));
  return relu(x) + multiply_add(twice * u, polynomial<T>(u, Constants<T>::atanh_tail), twice);
}

// With t = exp(-2|x|) - 1, tanh|x| = -t / (2 + t); t keeps its relative accuracy near 0.
template <class T>
GRADUS_INLINE xsimd::batch<T> tanh(xsimd::batch<T> x) {
  using V = xsimd::batch<T>;
  V y = magnitude<T>(x) * V(T(-2));
  auto [n, expm1_r] = exp_parts<T>(select(y < V(T(-40)), V(T(-40)), y));
  V power = power_of_two(n);
  V t = multiply_add(power, expm1_r, power - V(T(1)));
  return (magnitude<T>(t) / (t + V(T(2)))) | sign_bit<T>(x);
}

// --- the normal distribution ----------------------------------------------------------------------------------------

// x^2 - s for s = x * x as rounded (without a fused multiply-add: by Dekker's splitting).
template <class T>
GRADUS_INLINE xsimd::batch<T> square_error(xsimd::batch<T> x, xsimd::batch<T> s) {
#if defined(__FMA__) || defined(__aarch64__)
  return multiply_add(x, x, -s);
#else
  using V = xsimd::batch<T>;
  V c = x * V(static_cast<T>((std::int64_t{1} << ((Constants<T>::mantissa_bits + 2) / 2)) + 1));
  V high = c - (c - x), low = x - high;
  return ((high * high - s) + V(T(2)) * high * low) + low * low;
#endif
}

// exp(-x^2 / 2), relative accuracy kept in the tail, and the lower tail probability P(N < -|x|).
template <class T>
struct NormalTail {
  xsimd::batch<T> bell, probability;
};

// erfc(t) = exp(-t^2) erfcx(t), where (1 + 2t) erfcx(t) is a polynomial in (t - c) / (t + c) [Schonfelder 1978,
// Math. Comp. 32, 1232-1240]; here t = |x| / sqrt 2.
template <class T>
GRADUS_INLINE NormalTail<T> normal_tail(xsimd::batch<T> x) {
  using C = Constants<T>;
  using V = xsimd::batch<T>;
  const V end(C::erfcx_end * T(1.4142135623730951)), center(C::erfcx_center * T(1.4142135623730951));
  V a = magnitude<T>(x);
  a = select(a > end, end, a);
  V s = a * a;
  V e = exp<T>(s * V(T(-0.5)));
  V bell = multiply_add(e * square_error<T>(a, s), V(T(-0.5)), e);
  V erfcx = polynomial<T>((a - center) / (a + center), C::erfcx) / multiply_add(a, V(T(1.4142135623730951)), V(T(1)));
  return {bell, bell * erfcx * V(T(0.5))};
}

template <class T>
GRADUS_INLINE xsimd::batch<T> normal_cdf(xsimd::batch<T> x, const NormalTail<T>& tail) {
  using V = xsimd::batch<T>;
  return select(x > V(T(0)), V(T(1)) - tail.probability, tail.probability);
}

template <class T>
GRADUS_INLINE xsimd::batch<T> gelu(xsimd::batch<T> x) {  // x P(N < x), the exact form
  return x * normal_cdf<T>(x, normal_tail<T>(x));
}

// --- sin and cos ----------------------------------------------------------------------------------------------------

// The rare lanes whose angle is too large for three or four parts of pi / 2, one by one.
GRADUS_INLINE float slow_sin(float x) { return __builtin_sinf(x); }
GRADUS_INLINE double slow_sin(double x) { return __builtin_sin(x); }
GRADUS_INLINE float slow_cos(float x) { return __builtin_cosf(x); }
GRADUS_INLINE double slow_cos(double x) { return __builtin_cos(x); }

template <class T, bool cosine>
[[gnu::noinline]] void slow_lanes(T* y, const T* x) {
  for (Size i = 0; i < width<T>; ++i)
    if (!(__builtin_fabs(static_cast<double>(x[i])) <= static_cast<double>(Constants<T>::largest_angle)))
      y[i] = cosine ? slow_cos(x[i]) : slow_sin(x[i]);
}

template <class T, bool cosine>
GRADUS_INLINE xsimd::batch<T> sin_or_cos(xsimd::batch<T> x) {
  using C = Constants<T>;
  using V = xsimd::batch<T>;
  const V magic(C::round_magic);
  V shifted = multiply_add(x, V(T(0.63661977236758134)), magic);
  V n = shifted - magic, r = x;
  for (T part : C::half_pi) r = multiply_add(n, V(-part), r);

  // The quadrant is the low bits of the mantissa: odd ones swap sine and cosine, bit 1 is the sign.
  auto quadrant = to_bits(shifted);
  if constexpr (cosine) quadrant = quadrant + decltype(quadrant)(1);
  auto odd = bit_cast<T>((quadrant & decltype(quadrant)(1)) << C::mantissa_bits) != V(T(0));
  V sign = sign_bit<T>(bit_cast<T>((quadrant >> 1) << (sizeof(T) * 8 - 1)));

  V u = r * r;
  V s = multiply_add(r * u, polynomial<T>(u, C::sin_tail), r) | sign_bit<T>(r);  // the sign of -0
  V c = multiply_add(u * u, polynomial<T>(u, C::cos_tail), multiply_add(u, V(T(-0.5)), V(T(1))));
  V y = select(odd, c, s) ^ sign;

  if (xsimd::any(magnitude<T>(x) > V(C::largest_angle))) {
    T in[width<T>], out[width<T>];
    store(in, x, Full{});
    store(out, y, Full{});
    slow_lanes<T, cosine>(out, in);
    y = load(out, Full{});
  }
  return y;
}

}  // namespace gradus::kernels::GRADUS_ISA
