// Uniform and normal variates from 64 random bits. Every step is an IEEE 754 operation that all platforms round alike,
// so these functions must be compiled without contraction (-ffp-contract=off) and call nothing of libm but sqrt.
#pragma once

#include <cstdint>

namespace gradus::random {

// Variates computed at a time.
inline constexpr std::int64_t tile = 512;

// ln x for a positive, normal x, to within 1 ulp or so.
double log(double x);

// x with P(X <= x) = p for a standard normal X and p in (0, 1): Wichura's AS 241, PPND16, accurate to about 1e-16.
double inverse_normal(double p);

// out[i] = inverse_normal of the middle of the 2^-52 wide interval that bits[i] falls into: never of 0 or 1.
void normal(double* out, const std::uint64_t* bits, std::int64_t n);

}  // namespace gradus::random
