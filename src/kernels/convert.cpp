#include <limits>
#include <type_traits>

#include "kernels/kernels.hpp"

namespace gradus::kernels {
namespace {

template <class To, class From>
To convert_one(From x) {
  if constexpr (std::is_same_v<To, bool>) {
    return x != From(0);
  } else if constexpr (std::is_same_v<To, std::int64_t> && std::is_floating_point_v<From>) {
    // 2^63 is the first number out of range, and exact.
    if (x >= From(0x1p63)) return std::numeric_limits<std::int64_t>::max();
    if (x < From(-0x1p63)) return std::numeric_limits<std::int64_t>::min();
    return x == x ? static_cast<std::int64_t>(x) : 0;
  } else {
    return static_cast<To>(x);
  }
}

}  // namespace

template <class To, class From>
void convert(To* y, const From* x, std::int64_t sx, std::int64_t n) {
  if (sx == 1) {
    for (std::int64_t i = 0; i < n; ++i) y[i] = convert_one<To>(x[i]);
  } else {
    for (std::int64_t i = 0; i < n; ++i) y[i] = convert_one<To>(x[i * sx]);
  }
}

#define GRADUS_CONVERT(To)                                                     \
  template void convert(To*, const float*, std::int64_t, std::int64_t);        \
  template void convert(To*, const double*, std::int64_t, std::int64_t);       \
  template void convert(To*, const std::int64_t*, std::int64_t, std::int64_t); \
  template void convert(To*, const bool*, std::int64_t, std::int64_t);
GRADUS_CONVERT(float)
GRADUS_CONVERT(double)
GRADUS_CONVERT(std::int64_t)
GRADUS_CONVERT(bool)
#undef GRADUS_CONVERT

}  // namespace gradus::kernels
