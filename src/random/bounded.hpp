// Unbiased integers below a bound: Lemire, "Fast random integer generation in an interval" (ACM TOMACS 29, 2019).
#pragma once

#include <cstdint>

#include "random/philox.hpp"

namespace gradus::random {

struct Product {
  std::uint64_t high, low;
};

// The 128-bit product, without the compiler's own 128-bit type: not every platform has one.
inline Product multiply(std::uint64_t a, std::uint64_t b) {
  constexpr std::uint64_t mask = 0xFFFFFFFF;
  const std::uint64_t a0 = a & mask, a1 = a >> 32, b0 = b & mask, b1 = b >> 32;
  const std::uint64_t low = a0 * b0;
  const std::uint64_t middle1 = a1 * b0 + (low >> 32);
  const std::uint64_t middle2 = a0 * b1 + (middle1 & mask);
  return {a1 * b1 + (middle1 >> 32) + (middle2 >> 32), middle2 << 32 | (low & mask)};
}

// Draw `index` after `block`, as an integer in [0, bound); bound must not be 0. `bits` is that draw's first attempt.
inline std::uint64_t bounded(std::uint64_t bits, std::uint64_t bound, std::uint64_t seed, std::uint64_t block,
                             std::uint64_t index) {
  Product p = multiply(bits, bound);
  if (p.low >= bound) return p.high;
  const std::uint64_t threshold = (0 - bound) % bound;  // 2^64 mod bound
  for (std::uint64_t attempt = 1; p.low < threshold; ++attempt) p = multiply(draw(seed, block, index, attempt), bound);
  return p.high;
}

}  // namespace gradus::random
