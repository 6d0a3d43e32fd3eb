// Losses of a difference.

#include "gradus/ops/regression_losses.hpp"

#include <cmath>

#include "autograd/observer.hpp"
#include "autograd/record.hpp"
#include "gradus/ops.hpp"
#include "ops/loss.hpp"
#include "ops/map.hpp"

namespace gradus {
namespace {

// |d| <= delta ? d^2 / 2 : delta (|d| - delta / 2)
Tensor huber(const char* op, const Tensor& d, double delta) {
  const auto value = [delta](auto v) {
    using T = decltype(v);
    const T size = std::abs(v), limit = static_cast<T>(delta);
    return size <= limit ? v * v / 2 : limit * (size - limit / 2);
  };
  return record(op, map(op, d, value),
                wrt(d, [d = Saved(d), delta](const Tensor& g) { return g * clamp(d, -delta, delta); }));
}

void check_share(const char* op, const char* option, double q) {
  if (!(q > 0 && q < 1)) fail("{}: {} must be between 0 and 1, got {}", op, option, q);
}

}  // namespace

Tensor huber_loss(const Tensor& input, const Tensor& target, const HuberOptions& options) {
  check_pair("huber_loss", input, target);
  if (!(options.delta > 0)) fail("huber_loss: delta must be above 0, got {}", options.delta);
  return reduced("huber_loss", huber("huber_loss", input - target, options.delta), options.reduction);
}

Tensor smooth_l1_loss(const Tensor& input, const Tensor& target, const SmoothL1Options& options) {
  check_pair("smooth_l1_loss", input, target);
  if (!(options.beta >= 0)) fail("smooth_l1_loss: beta must be at least 0, got {}", options.beta);
  const Tensor d = input - target;
  const Tensor loss = options.beta == 0 ? abs(d) : huber("smooth_l1_loss", d, options.beta) / options.beta;
  return reduced("smooth_l1_loss", loss, options.reduction);
}

Tensor quantile_loss(const Tensor& input, const Tensor& target, const QuantileOptions& options) {
  check_pair("quantile_loss", input, target);
  check_share("quantile_loss", "quantile", options.quantile);
  const Tensor e = target - input;
  const Tensor loss = options.quantile * relu(e) + (1 - options.quantile) * relu(-e);
  return reduced("quantile_loss", loss, options.reduction);
}

Tensor expectile_loss(const Tensor& input, const Tensor& target, const ExpectileOptions& options) {
  check_pair("expectile_loss", input, target);
  check_share("expectile_loss", "expectile", options.expectile);
  const Tensor e = target - input;
  const Tensor squares = square(e);
  const Tensor loss = where(gt(e, 0.0), options.expectile * squares, (1 - options.expectile) * squares);
  return reduced("expectile_loss", loss, options.reduction);
}

Tensor linex_loss(const Tensor& input, const Tensor& target, const LinexOptions& options) {
  check_pair("linex_loss", input, target);
  if (options.a == 0) fail("linex_loss: a must not be 0, got {}", options.a);
  const Tensor d = options.a * (input - target);
  return reduced("linex_loss", expm1(d) - d, options.reduction);
}

Tensor peak_weighted_mse_loss(const Tensor& input, const Tensor& target, const PeakWeightedOptions& options) {
  check_pair("peak_weighted_mse_loss", input, target);
  if (!(options.weight >= 0)) {
    fail("peak_weighted_mse_loss: weight must be at least 0, got {}", options.weight);
  }
  // A jump by the target; by the input there is none: at the target both sides and their slopes are 0.
  note_branches("peak_weighted_mse_loss", [&] { return sign(target - options.threshold); });
  const Tensor squares = square(target - input);
  const Tensor missed = where(gt(target, options.threshold), options.weight * squares, squares);
  return reduced("peak_weighted_mse_loss", where(lt(input, target), missed, squares), options.reduction);
}

}  // namespace gradus
