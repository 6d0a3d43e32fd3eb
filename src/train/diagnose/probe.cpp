#include "train/diagnose/probe.hpp"

#include <cmath>
#include <limits>

#include "gradus/autograd.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "gradus/optim/lbfgs.hpp"

namespace gradus::train::doctor {
namespace {

bool near(double a, double b) { return std::abs(a - b) <= 1e-3 * std::max(1.0, std::abs(b)); }

bool is_zero_or_one(const Tensor& y) {
  const NoGrad guard;
  return y.numel() > 0 && (y * (y - 1.0)).abs().max().item() == 0;
}

}  // namespace

std::optional<double> LossKind::chance() const {
  if (is_cross_entropy || is_log_likelihood) return std::log(static_cast<double>(classes));
  if (is_binary_entropy) return std::log(2.0);
  return std::nullopt;
}

double cost(const LossFunction& loss, const Tensor& prediction, const Tensor& target) {
  const NoGrad guard;
  try {
    return loss(prediction, target).item();
  } catch (const Error&) {
    return std::numeric_limits<double>::quiet_NaN();
  }
}

LossKind probe(const Patient& patient, const Tensor& output) {
  LossKind kind;
  const Tensor& y = patient.batch.y;
  const double at_zero = cost(patient.loss, zeros_like(output), y);
  if (!is_floating_point(y.dtype())) {
    kind.classes = output.dim() >= 2 ? output.size(1) : 0;
    if (kind.classes < 2) return kind;
    const double here = cost(patient.loss, output, y), shifted = cost(patient.loss, output + 1.0, y);
    kind.is_cross_entropy = near(at_zero, std::log(static_cast<double>(kind.classes))) && near(shifted, here);
    kind.is_log_likelihood = near(at_zero, 0) && near(shifted, here - 1);
    return kind;
  }
  if (output.dtype() != y.dtype()) return kind;
  if (is_zero_or_one(y)) kind.classes = 2;
  kind.is_binary_entropy = kind.classes == 2 && near(at_zero, std::log(2.0));
  kind.is_distance = output.shape() == y.shape() && std::abs(cost(patient.loss, y, y)) <= 1e-6 * std::abs(at_zero);
  return kind;
}

std::optional<double> constant_loss(const LossFunction& loss, const Tensor& output, const Tensor& target) {
  if (output.dim() == 0 || output.size(0) == 0) return std::nullopt;
  const EnableGrad recording;
  const bool can_start_there = is_floating_point(target.dtype()) && target.shape() == output.shape();
  Tensor constant =
      (can_start_there ? target : zeros_like(output)).detach().mean({0}, {.keepdim = true}).to(output.dtype());
  constant.set_requires_grad();
  optim::LBFGS optimizer({constant}, {.max_iter = 30, .line_search_fn = optim::LineSearch::strong_wolfe});
  const auto value = [&] { return loss(constant.expand(output.shape()), target); };
  try {
    optimizer.step([&] {
      optimizer.zero_grad();
      const Tensor l = value();
      l.backward();
      return l;
    });
    const double least = value().item();
    if (std::isfinite(least)) return least;
  } catch (const Error&) {
    return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace gradus::train::doctor
