// Steps downhill that are shortened until they go down far enough.
#pragma once

#include "gradus/optim/closure.hpp"
#include "optim/flat_parameters.hpp"
#include "optim/fused.hpp"

namespace gradus::optim {

// A loss with its gradient as one vector, where the parameters are.
struct Downhill {
  Tensor loss;
  Tensor gradient;
};

// By how much a loss may seem to rise because it was rounded: near a minimum all losses are alike.
double rounding(const Tensor& loss);

// Throws unless loss and gradient are finite.
void check_finite(const char* rule, const Downhill& here);

struct Backtracking {
  double first = 1;
  double sufficient_decrease = 1e-4;
  double shrink = 0.5;
  std::int64_t max_backtracks = 60;
};

// Moves the parameters by t * direction with the first t of first * shrink^k that satisfies Armijo's condition, or
// leaves them.
void backtrack(FlatParameters x, Closure loss, const Downhill& here, const Tensor& direction, const Backtracking& rule);

template <class Options>
Backtracking backtracking_of(const Options& o) {
  return {o.lr, o.sufficient_decrease, o.shrink, o.max_backtracks};
}

inline void check_share(const char* rule, const char* option, double value) {
  if (!(value > 0 && value < 1)) fail("{}: {} must be in (0, 1), got {}", rule, option, value);
}

template <class Options>
void check_backtracking(const char* rule, const Options& o) {
  check_not_negative(rule, "lr", o.lr);
  check_share(rule, "sufficient_decrease", o.sufficient_decrease);
  check_share(rule, "shrink", o.shrink);
  if (o.max_backtracks < 0) fail("{}: max_backtracks must be at least 0, got {}", rule, o.max_backtracks);
}

}  // namespace gradus::optim
