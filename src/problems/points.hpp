// Points in float64, and the coordinates of many points at once.
#pragma once

#include <vector>

#include "gradus/factory.hpp"
#include "gradus/ops.hpp"

namespace gradus::problems {

inline Tensor point(const std::vector<double>& values) { return tensor(values, {.dtype = float64}); }
inline Tensor origin(std::int64_t dimension) { return zeros({dimension}, {.dtype = float64}); }

// The i-th coordinate: (..., n) -> (...)
inline Tensor coordinate(const Tensor& x, std::int64_t i) { return x.select(-1, i); }

// The sum over the coordinates: (..., n) -> (...)
inline Tensor total(const Tensor& x) { return sum(x, -1); }

}  // namespace gradus::problems
