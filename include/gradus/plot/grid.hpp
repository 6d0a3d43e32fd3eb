// A function of two variables, sampled.
#pragma once

#include <cstdint>
#include <vector>

#include "gradus/functional.hpp"
#include "gradus/problems.hpp"

namespace gradus::plot {

struct Grid {
  std::vector<double> x, y;  // ascending
  std::vector<double> z;     // row-major, a row per y: the value at (x[j], y[i]) is z[i * x.size() + j]
};

// f on points x points positions of a domain; `f` takes many points at once, (..., 2) -> (...), as the problems do.
// Throws if points is below 2, or f returns something else.
Grid sample(const UnaryFunction& f, const problems::Domain& domain, std::int64_t points = 101);

}  // namespace gradus::plot
