#include "random/normal.hpp"

#include <bit>
#include <cfloat>
#include <cmath>
#include <cstddef>

namespace gradus::random {
namespace {

static_assert(FLT_EVAL_METHOD == 0, "excess precision would change the random numbers: use SSE arithmetic");

template <std::size_t N>
double polynomial(double x, const double (&coefficients)[N]) {
  double value = coefficients[N - 1];
  for (std::size_t i = N - 1; i-- > 0;) value = value * x + coefficients[i];
  return value;
}

// Between 0.075 and 0.925, in q = p - 1/2.
double central(double q) {
  static constexpr double a[] = {3.3871328727963666080e0,  1.3314166789178437745e+2, 1.9715909503065514427e+3,
                                 1.3731693765509461125e+4, 4.5921953931549871457e+4, 6.7265770927008700853e+4,
                                 3.3430575583588128105e+4, 2.5090809287301226727e+3};
  static constexpr double b[] = {1.0,
                                 4.2313330701600911252e+1,
                                 6.8718700749205790830e+2,
                                 5.3941960214247511077e+3,
                                 2.1213794301586595867e+4,
                                 3.9307895800092710610e+4,
                                 2.8729085735721942674e+4,
                                 5.2264952788528545610e+3};
  const double r = 0.180625 - q * q;
  return q * polynomial(r, a) / polynomial(r, b);
}

// In r = sqrt(-ln p): for r up to 5, which is p down to 1.4e-11.
double tail(double r) {
  static constexpr double c[] = {1.42343711074968357734e0,  4.63033784615654529590e0, 5.76949722146069140550e0,
                                 3.64784832476320460504e0,  1.27045825245236838258e0, 2.41780725177450611770e-1,
                                 2.27238449892691845833e-2, 7.74545014278341407640e-4};
  static constexpr double d[] = {1.0,
                                 2.05319162663775882187e0,
                                 1.67638483018380384940e0,
                                 6.89767334985100004550e-1,
                                 1.48103976427480074590e-1,
                                 1.51986665636164571966e-2,
                                 5.47593808499534494600e-4,
                                 1.05075007164441684324e-9};
  return polynomial(r - 1.6, c) / polynomial(r - 1.6, d);
}

double far_tail(double r) {
  static constexpr double e[] = {6.65790464350110377720e0,  5.46378491116411436990e0,  1.78482653991729133580e0,
                                 2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                 2.71155556874348757815e-5, 2.01033439929228813265e-7};
  static constexpr double f[] = {1.0,
                                 5.99832206555887937690e-1,
                                 1.36929880922735805310e-1,
                                 1.48753612908506148525e-2,
                                 7.86869131145613259100e-4,
                                 1.84631831751005468180e-5,
                                 1.42151175831644588870e-7,
                                 2.04426310338993978564e-15};
  return polynomial(r - 5.0, e) / polynomial(r - 5.0, f);
}

constexpr double central_half_width = 0.425;
constexpr double far = 5;

// x = 2^k m with m in [sqrt(1/2), sqrt(2)), and ln m = 2 artanh(s) with s = (m - 1) / (m + 1). Since |s| < 0.172, its
// power series needs few terms.
inline double log_inline(double x) {
  constexpr std::uint64_t sqrt_half = 0x3FE6A09E667F3BCD, exponent_unit = std::uint64_t{1} << 52;
  const std::uint64_t shifted = std::bit_cast<std::uint64_t>(x) - sqrt_half;
  const double k = static_cast<double>(static_cast<std::int32_t>(static_cast<std::int64_t>(shifted) >> 52));
  const double m = std::bit_cast<double>((shifted & (exponent_unit - 1)) + sqrt_half);
  const double s = (m - 1) / (m + 1), s2 = s * s;
  static constexpr double series[] = {2.0 / 3,  2.0 / 5,  2.0 / 7,  2.0 / 9,  2.0 / 11,
                                      2.0 / 13, 2.0 / 15, 2.0 / 17, 2.0 / 19, 2.0 / 21};
  // ln 2 in two parts: k times the first is exact.
  constexpr double ln2_high = 0x1.62e42fefap-1, ln2_low = 0x1.cf79abc9e3b3ap-40;
  return k * ln2_high + (2 * s + (s * s2 * polynomial(s2, series) + k * ln2_low));
}

// The bits as the mantissa of a number in [1, 2).
inline double middle_of_interval(std::uint64_t bits) {
  return std::bit_cast<double>(bits >> 12 | std::bit_cast<std::uint64_t>(1.0)) - (1 - 0x1p-53);
}

}  // namespace

double log(double x) { return log_inline(x); }

double inverse_normal(double p) {
  const double q = p - 0.5;
  if (std::abs(q) <= central_half_width) return central(q);
  const double r = std::sqrt(-log_inline(q < 0 ? p : 1 - p));
  const double magnitude = r <= far ? tail(r) : far_tail(r);
  return q < 0 ? -magnitude : magnitude;
}

// The same computation in loops without branches, which the compiler vectorises: first the central formula everywhere,
// then the tails (15 %), gathered.
void normal(double* out, const std::uint64_t* bits, std::int64_t n) {
  double r[tile];
  std::int32_t at[tile];
  for (std::int64_t begin = 0; begin < n; begin += tile) {
    const std::int64_t count = n - begin < tile ? n - begin : tile;
    double* const y = out + begin;
    const std::uint64_t* const u = bits + begin;
    for (std::int64_t i = 0; i < count; ++i) y[i] = central(middle_of_interval(u[i]) - 0.5);
    std::int64_t tails = 0;
    for (std::int64_t i = 0; i < count; ++i) {
      const double distance = std::abs(middle_of_interval(u[i]) - 0.5);
      r[tails] = 0.5 - distance;
      at[tails] = static_cast<std::int32_t>(i);
      tails += distance > central_half_width;
    }
    for (std::int64_t i = 0; i < tails; ++i) r[i] = std::sqrt(-log_inline(r[i]));
    for (std::int64_t i = 0; i < tails; ++i) {
      const double magnitude = r[i] <= far ? tail(r[i]) : far_tail(r[i]);
      y[at[i]] = middle_of_interval(u[at[i]]) < 0.5 ? -magnitude : magnitude;
    }
  }
}

}  // namespace gradus::random
