// Losses of a difference e = target - input that are milder to outliers, or harder to errors of one sign. All
// broadcast.
#pragma once

#include "gradus/ops/losses.hpp"

namespace gradus {

struct HuberOptions {
  Reduction reduction = Reduction::mean;
  double delta = 1;  // from here on linear
};
// |e| <= delta ? e^2 / 2 : delta (|e| - delta / 2). Throws unless delta > 0.
Tensor huber_loss(const Tensor& input, const Tensor& target, const HuberOptions& options = {});

struct SmoothL1Options {
  Reduction reduction = Reduction::mean;
  double beta = 1;  // up to here quadratic
};
// |e| < beta ? e^2 / (2 beta) : |e| - beta / 2, the Huber loss divided by beta; of beta 0 |e|. Throws if beta is
// negative.
Tensor smooth_l1_loss(const Tensor& input, const Tensor& target, const SmoothL1Options& options = {});

struct QuantileOptions {
  double quantile = 0.5;
  Reduction reduction = Reduction::mean;
};
// e > 0 ? q e : (q - 1) e, the pinball loss: it is least at the quantile q of the target. With q = 0.9 an input that is
// too low costs nine times as much as one that is too high. Throws unless 0 < q < 1.
Tensor quantile_loss(const Tensor& input, const Tensor& target, const QuantileOptions& options = {});

struct ExpectileOptions {
  double expectile = 0.5;
  Reduction reduction = Reduction::mean;
};
// |q - [e <= 0]| e^2: quantile_loss with squares, as smooth as mse_loss (Newey and Powell, 1987). Throws unless
// 0 < q < 1.
Tensor expectile_loss(const Tensor& input, const Tensor& target, const ExpectileOptions& options = {});

struct LinexOptions {
  double a = 1;
  Reduction reduction = Reduction::mean;
};
// e^(a d) - a d - 1 with d = input - target: exponential on one side, linear on the other (Varian, 1975). a > 0
// punishes inputs that are too high, a < 0 those too low. Throws if a is 0.
Tensor linex_loss(const Tensor& input, const Tensor& target, const LinexOptions& options = {});

struct PeakWeightedOptions {
  double threshold = 0;  // a target above it is a peak
  double weight = 2;     // what missing one costs, an ordinary error being 1
  Reduction reduction = Reduction::mean;
};
// weight (target - input)^2 where a target above the threshold is underestimated, else (target - input)^2: for alarms,
// where a missed peak is worse than a false one. The mean divides by the number of elements. Throws if weight is
// negative.
Tensor peak_weighted_mse_loss(const Tensor& input, const Tensor& target, const PeakWeightedOptions& options = {});

}  // namespace gradus
