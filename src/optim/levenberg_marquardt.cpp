#include "gradus/optim/levenberg_marquardt.hpp"

#include <algorithm>
#include <cmath>

#include "functional/recorded.hpp"
#include "gradus/autograd.hpp"
#include "gradus/factory.hpp"
#include "gradus/linalg.hpp"
#include "gradus/ops.hpp"
#include "nn/gradients.hpp"
#include "optim/backtracking.hpp"

namespace gradus::optim {
namespace {

constexpr Optimizer::StateName lm_state[] = {{.name = "lambda", .is_number = true}, {.name = "nu", .is_number = true}};

// Out of this range lambda means nothing any more; at 0 it could never grow again.
constexpr double least_lambda = 1e-60, largest_lambda = 1e60;

// Such that a step tries it at least. A NaN becomes the least one.
double usable(double lambda) { return std::min(std::max(least_lambda, lambda), largest_lambda / 2); }

Tensor half_square(const Tensor& r) { return sum(square(r)) / 2.0; }

struct Linearized {
  Tensor residuals;  // (m)
  Tensor jacobian;   // (m, n)

  // |r|^2 / 2 - |r + J h|^2 / 2, without the difference.
  double promise(const Tensor& step) const {
    const Tensor change = mv(jacobian, step);
    return -dot(change, residuals + change / 2.0).item();
  }
};

// Where the promise is less than the noise of F nothing can be measured, and the model is as good as it can be.
// Residuals are differences of larger numbers, so that there is more noise than rounding F alone makes.
double gain_ratio(const Tensor& before, double after, double promise) {
  const double noise = 256 * rounding(before);
  if (promise <= noise && after <= before.item() + noise) return 1;
  if (!(promise > 0)) return -1;
  return (before.item() - after) / promise;
}

Linearized linearize(Closure residuals, const std::vector<Tensor>& params) {
  EnableGrad guard;
  const functional::Recorded recorded = functional::run("LevenbergMarquardt", LossFunction(residuals), params);
  const std::int64_t rows = recorded.output.numel();
  if (rows == 0) fail("LevenbergMarquardt: there is no residual, their shape is {}", recorded.output.shape());
  std::vector<Tensor> columns;
  for (const Tensor& part : functional::jacobian_of(recorded, false)) {
    columns.push_back(part.detach().reshape({rows, part.numel() / rows}));
  }
  const Linearized here{joined({recorded.output}), cat(columns, 1)};
  const Tensor loss = half_square(here.residuals);
  check_finite("LevenbergMarquardt", "a residual is", largest(here.residuals), loss);
  check_finite("LevenbergMarquardt", "a derivative of a residual is", largest(here.jacobian), loss);
  return here;
}

// The h of (J^T J + lambda D) h = -J^T r, as the least squares problem that it comes from: squaring J would square its
// condition number.
Tensor damped_step(const Linearized& here, const Tensor& scale, double lambda) {
  const Tensor damping = diag(std::sqrt(lambda) * scale);
  return linalg::lstsq(cat({here.jacobian, damping}), cat({-here.residuals, zeros_like(scale)})).solution;
}

}  // namespace

void LevenbergMarquardtOptions::validate() const {
  if (!(lr >= 0 && lr <= 1)) fail("LevenbergMarquardt: lr must be in [0, 1], got {}", lr);
  if (!(tau > 0)) fail("LevenbergMarquardt: tau must be above 0, got {}", tau);
  if (max_tries < 1) fail("LevenbergMarquardt: max_tries must be at least 1, got {}", max_tries);
}

std::span<const Optimizer::StateName> LevenbergMarquardt::state_names() const { return lm_state; }

void LevenbergMarquardt::check_joint_state(const State& state, std::int64_t, Dtype) const {
  for (const StateName& kept : lm_state) {
    const double value = state.value(kept.name).item();
    if (!(value > 0 && std::isfinite(value))) {
      fail("load_state_dict: state.0.{} must be above 0 and finite, got {}", kept.name, value);
    }
  }
}

Tensor LevenbergMarquardt::move(const std::vector<Tensor>& params, Closure residuals, State& state,
                                const LevenbergMarquardtOptions& o) {
  const std::vector<Tensor> moved = trainable("LevenbergMarquardt", params);
  const Linearized here = linearize(residuals, moved);
  const Tensor lengths = norm(here.jacobian, 2, 0);  // of J's columns: the roots of diag(J^T J)
  const Tensor scale = o.marquardt ? lengths : ones_like(lengths);
  const double first = o.marquardt ? 1.0 : std::pow(largest(lengths), 2);
  double lambda = usable(state.number_or("lambda", o.tau * first));
  double nu = state.number_or("nu", 2);

  FlatParameters x(moved);
  const Tensor start = x.point();
  const Tensor before = half_square(here.residuals);
  bool is_lower = false;
  for (std::int64_t tries = 0; tries < o.max_tries && lambda < largest_lambda && !is_lower; ++tries) {
    const Tensor step = o.lr * damped_step(here, scale, lambda);
    x.move_to(start + step);
    const double gain = gain_ratio(before, half_square(residuals()).item(), here.promise(step));
    is_lower = gain > 0;
    lambda *= is_lower ? std::max(1.0 / 3, 1 - std::pow(2 * gain - 1, 3)) : nu;
    nu = is_lower ? 2 : std::min(2 * nu, largest_lambda);
  }
  if (!is_lower) x.move_to(start);
  // Also what did not help: the next step goes on from there.
  state.number("lambda", 0) = usable(lambda);
  state.number("nu", 2) = nu;
  return before;
}

}  // namespace gradus::optim
