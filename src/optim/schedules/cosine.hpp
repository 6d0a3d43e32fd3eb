#pragma once

#include <cmath>
#include <numbers>

namespace gradus::optim {

// From 1 at x = 0 to 0 at x = 1, flat at both ends.
inline double half_cosine(double x) { return (1 + std::cos(std::numbers::pi * x)) / 2; }

}  // namespace gradus::optim
