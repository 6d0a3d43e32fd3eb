#include "gradus/optim/soap.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <vector>

#include "gradus/linalg.hpp"
#include "optim/whole.hpp"

namespace gradus::optim {
namespace {

template <std::int64_t dim>
std::optional<Shape> square_of(const Shape& param) {
  return dim < param.size() ? std::optional(Shape{param[dim], param[dim]}) : std::nullopt;
}

template <std::int64_t dim>
constexpr Optimizer::StateName matrix(std::string_view name) {
  return {.name = name, .required = false, .shape_for = square_of<dim>};
}

// Of dim k: the average of g g^T at 2k + 2, its eigenvectors at 2k + 3.
constexpr Optimizer::StateName soap_state[] = {
    {"exp_avg"},       {"exp_avg_sq"},   matrix<0>("GG.0"), matrix<0>("Q.0"), matrix<1>("GG.1"), matrix<1>("Q.1"),
    matrix<2>("GG.2"), matrix<2>("Q.2"), matrix<3>("GG.3"), matrix<3>("Q.3"), matrix<4>("GG.4"), matrix<4>("Q.4"),
    matrix<5>("GG.5"), matrix<5>("Q.5"), matrix<6>("GG.6"), matrix<6>("Q.6"), matrix<7>("GG.7"), matrix<7>("Q.7")};
static_assert(std::size(soap_state) == 2 + 2 * Shape::max_dims);

std::string_view gram_name(std::int64_t dim) { return soap_state[2 + 2 * dim].name; }
std::string_view basis_name(std::int64_t dim) { return soap_state[3 + 2 * dim].name; }

// A preconditioned dim: the average of g g^T, and its eigenvectors as columns, undefined before there are any.
struct Side {
  std::int64_t dim;
  Tensor gram, basis;
};
using Sides = std::vector<Side>;

bool has_side(const Tensor& g, std::int64_t dim, const SOAPOptions& o) {
  return (g.dim() >= 2 || o.precondition_1d) && g.size(dim) <= o.max_precond_dim;
}

Sides sides_of(State& state, const Tensor& g, const SOAPOptions& o) {
  Sides sides;
  for (std::int64_t dim = 0; dim < g.dim(); ++dim) {
    if (!has_side(g, dim, o)) continue;
    const std::int64_t n = g.size(dim);
    Side side{dim, state.tensor(gram_name(dim), {n, n}, g.dtype()), {}};
    if (state.has(basis_name(dim))) side.basis = state.tensor(basis_name(dim), side.gram);
    sides.push_back(side);
  }
  return sides;
}

bool has_all_bases(const Sides& sides) {
  return std::ranges::all_of(sides, [](const Side& side) { return side.basis.defined(); });
}

// x with the dim in front and the others taken together.
Tensor rows_of(const Tensor& x, std::int64_t dim) {
  return x.transpose(0, dim).reshape({x.size(dim), x.numel() / x.size(dim)});
}

// Multiplies each side's dim by Q^T, or by Q to come back.
Tensor rotated(const Tensor& x, const Sides& sides, bool back) {
  Tensor y = x;
  for (const Side& side : sides) {
    Shape turned = y.transpose(0, side.dim).shape();
    y = matmul(back ? side.basis : side.basis.t(), rows_of(y, side.dim)).reshape(turned).transpose(0, side.dim);
  }
  return y.contiguous();
}

Tensor into_eigenbasis(const Tensor& x, const Sides& sides) { return rotated(x, sides, /*back=*/false); }
Tensor out_of_eigenbasis(const Tensor& x, const Sides& sides) { return rotated(x, sides, /*back=*/true); }

void average_grams(Sides& sides, const Tensor& g, const SOAPOptions& o) {
  const double beta = o.shampoo_beta < 0 ? o.betas[1] : o.shampoo_beta;
  for (Side& side : sides) {
    const Tensor rows = rows_of(g, side.dim);
    side.gram.mul_(beta).add_(matmul(rows, rows.t()), 1 - beta);
  }
}

// The eigenvectors, that of the largest eigenvalue first.
void start_bases(State& state, const Sides& sides) {
  for (const Side& side : sides) {
    const Tensor vectors = linalg::eigh(side.gram).eigenvectors.flip(1);
    state.tensor(basis_name(side.dim), side.gram).copy_(vectors);
  }
}

// One power iteration. Eigenvalues may come into another order, and the second moment with them.
void improve_bases(Sides& sides, Tensor& squares) {
  for (Side& side : sides) {
    const Tensor product = matmul(side.gram, side.basis);
    const Tensor order = argsort(sum(side.basis * product, 0), 0, {.descending = true, .stable = true});
    squares.copy_(index_select(squares, side.dim, order));
    side.basis.copy_(linalg::qr(index_select(product, 1, order)).Q);
  }
}

// What is left without an eigenbasis: the decay comes after the step, and the eps before the correction.
kernels::AdamStep adam_step(const SOAPOptions& o, double correction1, double correction2) {
  const double decay_factor = 1 - o.lr * o.weight_decay;
  return {.direction = {},
          .lr = o.lr * decay_factor,
          .beta1 = o.betas[0],
          .beta2 = o.betas[1],
          .eps = o.eps / std::sqrt(correction2),
          .decay_factor = decay_factor,
          .bias_correction1 = correction1,
          .bias_correction2 = correction2,
          .amsgrad = false};
}

}  // namespace

std::span<const Optimizer::StateName> SOAP::state_names() const { return soap_state; }

void SOAPOptions::validate() const {
  check_common("SOAP", *this);
  if (!(shampoo_beta < 1)) fail("SOAP: shampoo_beta must be below 1, got {}", shampoo_beta);
  if (precondition_frequency < 1) {
    fail("SOAP: precondition_frequency must be at least 1, got {}", precondition_frequency);
  }
  if (max_precond_dim < 0) fail("SOAP: max_precond_dim must be at least 0, got {}", max_precond_dim);
}

// All parameters are looked at before one moves.
bool SOAP::begin_step() {
  if (!Optimizer::begin_step()) return false;
  for_each_parameter([&](std::size_t group, const Tensor& param, const State&) {
    const Tensor g = param.grad();
    if (!g.defined()) return;
    bool has_sides = false;
    for (std::int64_t dim = 0; dim < g.dim(); ++dim) {
      has_sides = has_sides || has_side(g, dim, options(static_cast<std::int64_t>(group)));
    }
    if (!has_sides || std::isfinite(sum(square(g)).item())) return;
    fail("SOAP: the gradient of a parameter {} is not finite, or too large for its square", param.shape());
  });
  return true;
}

void SOAP::update(Tensor& param, const Tensor& grad, State& state, const SOAPOptions& o) {
  const Tensor g = descent("SOAP", param, grad, o.maximize);
  Tensor& average = state.tensor("exp_avg", param);
  Tensor& squares = state.tensor("exp_avg_sq", param);
  if (param.numel() == 0) return;
  Sides sides = sides_of(state, g, o);
  if (state.step() == 1 || !has_all_bases(sides)) {
    average_grams(sides, g, o);
    start_bases(state, sides);
    return;
  }

  const std::int64_t step = state.step() - 1;
  const auto& [correction1, correction2] = bias_correction_.at(step, o.betas);
  if (sides.empty()) {
    return update_fused("SOAP", param, g, {&average, &squares}, adam_step(o, correction1, correction2));
  }
  average.mul_(o.betas[0]).add_(g, 1 - o.betas[0]);
  squares.mul_(o.betas[1]).add_(square(into_eigenbasis(g, sides)), 1 - o.betas[1]);
  const Tensor direction = into_eigenbasis(average, sides) / (sqrt(squares) + o.eps);
  param.sub_(out_of_eigenbasis(direction, sides), o.lr * std::sqrt(correction2) / correction1);
  if (o.weight_decay != 0) param.mul_(1 - o.lr * o.weight_decay);

  // Only now: the bases of a step must not know its gradient.
  average_grams(sides, g, o);
  if (step % o.precondition_frequency == 0) improve_bases(sides, squares);
}

}  // namespace gradus::optim
