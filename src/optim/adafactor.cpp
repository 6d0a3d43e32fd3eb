#include "gradus/optim/adafactor.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "optim/whole.hpp"

namespace gradus::optim {
namespace {

constexpr std::int64_t by_rows = 0, by_columns = 1;

// A matrix has a variance for each row, (..., m, 1), and one for each column, (..., 1, n).
template <std::int64_t way>
std::optional<Shape> factor_shape(const Shape& param) {
  if (param.size() < 2) return std::nullopt;
  Shape shape = param;
  shape[param.size() - (way == by_rows ? 1 : 2)] = 1;
  return shape;
}

std::optional<Shape> variance_shape(const Shape& param) {
  return param.size() < 2 ? std::optional(param) : std::nullopt;
}

constexpr Optimizer::StateName adafactor_state[] = {{.name = "row_var", .shape_for = factor_shape<by_rows>},
                                                    {.name = "col_var", .shape_for = factor_shape<by_columns>},
                                                    {.name = "variance", .shape_for = variance_shape}};

double machine_epsilon(Dtype dtype) {
  return dtype == float64 ? std::numeric_limits<double>::epsilon() : std::numeric_limits<float>::epsilon();
}

// The variance of each element, as far as rows and columns tell.
Tensor factored_variance(const Tensor& g, State& state, double fresh, double eps) {
  Tensor& rows = state.tensor("row_var", *factor_shape<by_rows>(g.shape()), g.dtype());
  Tensor& columns = state.tensor("col_var", *factor_shape<by_columns>(g.shape()), g.dtype());
  if (g.numel() == 0) return g;  // it has no mean
  const Tensor squares = square(g);
  rows.mul_(1 - fresh).add_(mean(squares, -1, {.keepdim = true}), fresh);
  columns.mul_(1 - fresh).add_(mean(squares, -2, {.keepdim = true}), fresh);
  return rows / mean(rows, -2, {.keepdim = true}).clamp(eps) * columns;
}

Tensor whole_variance(const Tensor& g, State& state, double fresh) {
  return state.tensor("variance", g).mul_(1 - fresh).add_(square(g), fresh);
}

}  // namespace

std::span<const Optimizer::StateName> Adafactor::state_names() const { return adafactor_state; }

void AdafactorOptions::validate() const {
  check_not_negative("Adafactor", "lr", lr);
  if (!(beta2_decay <= 0)) fail("Adafactor: beta2_decay must be at most 0, got {}", beta2_decay);
  check_not_negative("Adafactor", "eps1", eps.first.value_or(0));
  check_not_negative("Adafactor", "eps2", eps.second);
  if (!(d >= 1)) fail("Adafactor: d must be at least 1, got {}", d);
  check_not_negative("Adafactor", "weight_decay", weight_decay);
}

void Adafactor::update(Tensor& param, const Tensor& grad, State& state, const AdafactorOptions& o) {
  const Tensor g = descent("Adafactor", param, grad, o.maximize);
  const double step = static_cast<double>(state.step()), fresh = std::pow(step, o.beta2_decay);
  const double eps = o.eps.first.value_or(machine_epsilon(param.dtype()));
  const Tensor variance = g.dim() < 2 ? whole_variance(g, state, fresh) : factored_variance(g, state, fresh, eps);
  if (param.numel() == 0) return;

  const Tensor direction = g * rsqrt(variance.clamp(eps * eps));
  const double size = std::max(o.eps.second, root_mean_square(param)) * std::min(o.lr, 1 / std::sqrt(step));
  if (o.weight_decay != 0) param.mul_(1 - o.lr * o.weight_decay);
  param.sub_(direction, size / std::max(1.0, root_mean_square(direction) / o.d));
}

}  // namespace gradus::optim
