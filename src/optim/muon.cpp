#include "gradus/optim/muon.hpp"

#include <algorithm>
#include <cmath>

#include "optim/whole.hpp"

namespace gradus::optim {
namespace {

std::optional<Shape> shape_of_matrix(const Shape& param) {
  return param.size() == 2 ? std::optional(param) : std::nullopt;
}
std::optional<Shape> shape_of_other(const Shape& param) {
  return param.size() == 2 ? std::nullopt : std::optional(param);
}

constexpr Optimizer::StateName muon_state[] = {{.name = "momentum_buffer", .shape_for = shape_of_matrix},
                                               {.name = "exp_avg", .shape_for = shape_of_other},
                                               {.name = "exp_avg_sq", .shape_for = shape_of_other}};

// The products are smallest for a matrix that is wider than high.
Tensor orthogonalized(const Tensor& g, const MuonOptions& o) {
  const bool is_high = g.size(0) > g.size(1);
  const auto [a, b, c] = o.ns_coefficients;
  Tensor x = (is_high ? g.t() : g) / std::max(length(g), o.eps);
  for (std::int64_t i = 0; i < o.ns_steps; ++i) {
    const Tensor gram = matmul(x, x.t());
    x = addmm(x, addmm(gram, gram, gram, {.beta = b, .alpha = c}), x, {.beta = a});
  }
  return is_high ? x.t() : x;
}

double adjusted_lr(const Shape& shape, const MuonOptions& o) {
  const double rows = static_cast<double>(shape[0]), columns = static_cast<double>(shape[1]);
  if (o.adjust_lr == AdjustLr::match_rms_adamw) return o.lr * 0.2 * std::sqrt(std::max(rows, columns));
  return o.lr * std::sqrt(std::max(1.0, rows / columns));
}

void check_fraction(const char* option, double value) {
  if (!(value >= 0 && value < 1)) fail("Muon: {} must be in [0, 1), got {}", option, value);
}

}  // namespace

std::span<const Optimizer::StateName> Muon::state_names() const { return muon_state; }

void MuonOptions::validate() const {
  check_common("Muon", *this);
  check_fraction("momentum", momentum);
  const auto& [a, b, c] = ns_coefficients;
  if (!std::isfinite(a + b + c)) fail("Muon: ns_coefficients must be finite, got {}, {} and {}", a, b, c);
  if (ns_steps < 0 || ns_steps >= 100) fail("Muon: ns_steps must be in [0, 100), got {}", ns_steps);
  check_not_negative("Muon", "adamw_scale", adamw_scale);
  for (const double beta : adamw_betas) check_fraction("adamw_betas", beta);
  check_not_negative("Muon", "adamw_eps", adamw_eps);
  check_not_negative("Muon", "adamw_weight_decay", adamw_weight_decay);
}

void Muon::update(Tensor& param, const Tensor& grad, State& state, const MuonOptions& o) {
  if (param.dim() != 2) return update_by_adamw(param, grad, state, o);
  const Tensor g = descent("Muon", param, grad, o.maximize);
  Tensor& average = state.tensor("momentum_buffer", param);
  average.mul_(o.momentum).add_(g, 1 - o.momentum);
  if (param.numel() == 0) return;
  const Tensor direction = orthogonalized(o.nesterov ? lerp(g, average, o.momentum) : average, o);
  param.mul_(1 - o.lr * o.weight_decay).sub_(direction, adjusted_lr(param.shape(), o));
}

void Muon::update_by_adamw(Tensor& param, const Tensor& grad, State& state, const MuonOptions& o) {
  const auto& [correction1, correction2] = bias_correction_.at(state.step(), o.adamw_betas);
  const double lr = o.lr * o.adamw_scale;
  update_fused("Muon", param, grad, {&state.tensor("exp_avg", param), &state.tensor("exp_avg_sq", param)},
               kernels::AdamStep{.direction = {.maximize = o.maximize},
                                 .lr = lr,
                                 .beta1 = o.adamw_betas[0],
                                 .beta2 = o.adamw_betas[1],
                                 .eps = o.adamw_eps,
                                 .decay_factor = 1 - lr * o.adamw_weight_decay,
                                 .bias_correction1 = correction1,
                                 .bias_correction2 = correction2,
                                 .amsgrad = false});
}

}  // namespace gradus::optim
