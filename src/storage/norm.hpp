#pragma once

#include <algorithm>
#include <cmath>
#include <span>

namespace gradus {

// sqrt(sum of v^2), without a square that leaves the range of numbers.
inline double euclidean_norm(std::span<const double> values) {
  double largest = 0, sum = 0;
  for (const double v : values) largest = std::max(largest, std::abs(v));
  if (largest == 0 || !std::isfinite(largest)) return largest;
  for (const double v : values) sum += v / largest * (v / largest);
  return largest * std::sqrt(sum);
}

}  // namespace gradus
