#pragma once

#include <optional>
#include <utility>

#include "gradus/optim/optimizer.hpp"

namespace gradus::optim {

struct AdafactorOptions {
  double lr = 1e-2;  // the largest relative step
  double beta2_decay = -0.8;
  // Below the first a root of a variance counts as the first (by default the dtype's epsilon); the root mean square of
  // a parameter counts as the second, if it is below.
  std::pair<std::optional<double>, double> eps = {std::nullopt, 1e-3};
  double d = 1;  // the largest root mean square of an update, in units of the relative step
  double weight_decay = 0;
  bool maximize = false;

  // Throws unless lr, eps and weight_decay are at least 0, beta2_decay is at most 0 and d at least 1.
  void validate() const;
};

// Adam without the first moment, whose second moment of a matrix is known by its rows and columns only. With
// b = t^beta2_decay, rms(x) = |x| / sqrt(number of elements), and g of shape (..., m, n):
// r += b * (mean of g^2 over columns - r), (..., m, 1); c += b * (mean of g^2 over rows - c), (..., 1, n);
// v = r * c / max(mean of r over rows, eps1). For a g of one dim or none, v += b * (g^2 - v).
// u = g / max(sqrt(v), eps1); u /= max(1, rms(u) / d); p *= 1 - lr * weight_decay;
// p -= max(eps2, rms(p)) * min(lr, 1 / sqrt(t)) * u, with the rms(p) from before the decay.
// [Shazeer and Stern, Adafactor: adaptive learning rates with sublinear memory cost, ICML 2018]
class Adafactor : public OptimizerOf<AdafactorOptions> {
 public:
  using OptimizerOf::OptimizerOf;

 protected:
  void update(Tensor& param, const Tensor& grad, State& state, const AdafactorOptions& options) override;
  std::span<const StateName> state_names() const override;
};

}  // namespace gradus::optim
