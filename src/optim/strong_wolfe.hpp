// A search along a line for a step that satisfies the strong Wolfe conditions.
#pragma once

#include <functional>

#include "gradus/tensor.hpp"

namespace gradus::optim {

// What is known at x + t * d.
struct LinePoint {
  double t = 0;
  double loss = 0;   // NaN says that the loss or its gradient has no value there
  double slope = 0;  // the gradient times d
  Tensor gradient;
};

using Line = std::function<LinePoint(double t)>;

// First widens the step from t until the minimum is bracketed, then narrows the bracket by cubic interpolation: up to
// 1 + 25 evaluations. A bracket shorter than `shortest` is narrow enough. PyTorch's algorithm, which is minFunc's.
// [Nocedal and Wright, Numerical optimization, 2006, algorithms 3.5 and 3.6]
LinePoint strong_wolfe(const Line& line, const LinePoint& start, double t, double shortest);

}  // namespace gradus::optim
