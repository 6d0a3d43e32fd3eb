#include "gradus/optim/levenberg_marquardt.hpp"

#include <algorithm>
#include <cmath>

#include "functional/recorded.hpp"
#include "gradus/autograd.hpp"
#include "gradus/factory.hpp"
#include "gradus/linalg.hpp"
#include "gradus/ops.hpp"
#include "optim/backtracking.hpp"

namespace gradus::optim {
namespace {

constexpr Optimizer::StateName lm_state[] = {{.name = "lambda", .is_number = true}, {.name = "nu", .is_number = true}};

// Out of this range lambda means nothing any more; at 0 it could never grow again.
constexpr double least_lambda = 1e-60, largest_lambda = 1e60;

double half_square(const Tensor& r) { return sum(square(r)).item() / 2; }

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
  check_finite("LevenbergMarquardt", "a residual is", largest(here.residuals));
  check_finite("LevenbergMarquardt", "a derivative of a residual is", largest(here.jacobian));
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
  check_not_negative("LevenbergMarquardt", "lr", lr);
  if (!(tau > 0)) fail("LevenbergMarquardt: tau must be above 0, got {}", tau);
  if (max_tries < 1) fail("LevenbergMarquardt: max_tries must be at least 1, got {}", max_tries);
}

std::span<const Optimizer::StateName> LevenbergMarquardt::state_names() const { return lm_state; }

Tensor LevenbergMarquardt::move(const std::vector<Tensor>& params, Closure residuals, State& state,
                                const LevenbergMarquardtOptions& o) {
  const std::vector<Tensor> moved = trainable("LevenbergMarquardt", params);
  const Linearized here = linearize(residuals, moved);
  const Tensor lengths = norm(here.jacobian, 2, 0);  // of J's columns: the roots of diag(J^T J)
  const Tensor scale = o.marquardt ? lengths : ones_like(lengths);
  const double first = o.marquardt ? 1.0 : std::pow(largest(lengths), 2);
  double lambda = state.has("lambda") ? state.number("lambda", 0) : o.tau * first;
  double nu = state.has("nu") ? state.number("nu", 2) : 2;

  FlatParameters x(moved);
  const Tensor start = x.point();
  const Tensor before = sum(square(here.residuals)) / 2.0;
  bool is_lower = false;
  for (std::int64_t tries = 0; tries < o.max_tries && lambda < largest_lambda && !is_lower; ++tries) {
    const Tensor step = o.lr * damped_step(here, scale, lambda);
    x.move_to(start + step);
    const double gain = gain_ratio(before, half_square(residuals()), here.promise(step));
    is_lower = gain > 0;
    lambda *= is_lower ? std::max(1.0 / 3, 1 - std::pow(2 * gain - 1, 3)) : nu;
    nu = is_lower ? 2 : 2 * nu;
  }
  if (is_lower) {
    state.number("lambda", 0) = std::max(lambda, least_lambda);
    state.number("nu", 2) = nu;
  } else {
    x.move_to(start);
  }
  return before;
}

}  // namespace gradus::optim
