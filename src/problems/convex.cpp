// Convex problems: quadratics, and regressions on made-up data.

#include <algorithm>
#include <cmath>

#include "gradus/autograd.hpp"
#include "gradus/linalg.hpp"
#include "gradus/problems.hpp"
#include "gradus/random.hpp"
#include "problems/points.hpp"
#include "storage/format.hpp"

namespace gradus::problems {
namespace {

// From 1 to `last`, evenly in their logarithms.
Tensor log_spaced(double last, std::int64_t count) {
  if (count == 1) return full({1}, last, {.dtype = float64});
  return exp(linspace(0, std::log(last), count, {.dtype = float64}));
}

// Orthonormal columns, (rows, columns).
Tensor random_frame(std::int64_t rows, std::int64_t columns, Generator& generator) {
  return linalg::qr(randn({rows, columns}, {.dtype = float64, .generator = &generator})).Q;
}

void check_condition(const char* name, double condition) {
  if (!(condition >= 1 && std::isfinite(condition))) {
    fail("{}: condition must be at least 1 and finite, got {}", name, condition);
  }
}

void check(const char* name, const RegressionOptions& o) {
  if (o.features < 1 || o.samples <= o.features) {
    fail("{}: more samples than features are needed, and at least one of these; got {} and {}", name, o.samples,
         o.features);
  }
  check_condition(name, o.condition);
}

// A random matrix with singular values from 1 to condition.
Tensor design(const RegressionOptions& o, Generator& generator) {
  const Tensor left = random_frame(o.samples, o.features, generator);
  const Tensor right = random_frame(o.features, o.features, generator);
  return matmul(left * log_spaced(o.condition, o.features), right.t());
}

Tensor gradient(const UnaryFunction& f, const Tensor& at) {
  const Tensor x = at.detach().clone().set_requires_grad();
  return grad(f(x), {x})[0];
}

// Newton's method to where the gradient of a strongly convex function is all rounding. Its steps are shortened until
// the gradient shrinks, for near the minimum the loss, being flat, tells only half as many digits.
Tensor without_slope(const char* name, const UnaryFunction& f, Tensor x) {
  Tensor slope = gradient(f, x);
  for (int step = 0; step < 1000; ++step) {
    const Tensor direction = linalg::solve(hessian(f, x), slope);
    const double before = norm(slope).item();
    double share = 1;
    Tensor next;
    do {
      next = x - share * direction;
      slope = gradient(f, next);
      share /= 2;
    } while (!(norm(slope).item() < before) && share > 1e-12);
    if (!(norm(slope).item() < before)) return x;
    x = next;
  }
  fail("{}: the minimum was not found in 1000 steps", name);
}

}  // namespace

Problem bowl(double a, double b) {
  if (!(a > 0 && b > 0 && std::isfinite(a + b))) {
    fail("bowl: both factors must be above 0 and finite, got {} and {}", a, b);
  }
  return {.name = formatted("bowl({}, {})", a, b),
          .dimension = 2,
          .f = [a, b](const Tensor& p) { return a * square(coordinate(p, 0)) + b * square(coordinate(p, 1)); },
          .starts = {point({5, 3}), point({-3, 3})},
          .minima = {{origin(2), 0}},
          .curvature = Curvature{2 * std::min(a, b), 2 * std::max(a, b)},
          .domain = Domain{{-6, 6}, {-4, 4}},
          .convex = true};
}

Problem quadratic(double condition, std::int64_t dimension, const QuadraticOptions& options) {
  check_condition("quadratic", condition);
  if (dimension < 2) fail("quadratic: dimension must be at least 2, got {}", dimension);
  const Tensor eigenvalues = log_spaced(condition, dimension);
  UnaryFunction f = [eigenvalues](const Tensor& x) { return total(eigenvalues.to(x.dtype()) * square(x)) / 2.0; };
  if (options.rotation_seed) {
    Generator generator(*options.rotation_seed);
    const Tensor axes = random_frame(dimension, dimension, generator);
    const Tensor A = matmul(axes * eigenvalues, axes.t());
    f = [A](const Tensor& x) { return total(x * matmul(x, A.to(x.dtype()))) / 2.0; };
  }
  return {.name = formatted("quadratic({}, {}{})", condition, dimension, options.rotation_seed ? ", rotated" : ""),
          .dimension = dimension,
          .f = f,
          .starts = {ones({dimension}, {.dtype = float64})},
          .minima = {{origin(dimension), 0}},
          .curvature = Curvature{1, condition},
          .domain = dimension == 2 ? std::optional(Domain{{-1.5, 1.5}, {-1.5, 1.5}}) : std::nullopt,
          .convex = true};
}

Problem least_squares(const RegressionOptions& o) {
  check("least_squares", o);
  Generator generator(o.seed);
  const Tensor A = design(o, generator);
  const Tensor noise = randn({o.samples}, {.dtype = float64, .generator = &generator});
  const Tensor b = sum(A, 1) + 0.1 * noise;
  const Tensor solution = linalg::lstsq(A, b).solution;
  const double largest = o.condition * o.condition;
  const auto f = [A, b](const Tensor& x) {
    return total(square(matmul(x, A.to(x.dtype()).t()) - b.to(x.dtype()))) / 2.0;
  };
  return {.name = "least_squares",
          .dimension = o.features,
          .f = f,
          .starts = {origin(o.features)},
          .minima = {{solution, f(solution).item()}},
          .curvature = Curvature{o.features == 1 ? largest : 1, largest},
          .convex = true};
}

Problem logistic_regression(const RegressionOptions& o, double l2) {
  check("logistic_regression", o);
  if (!(l2 > 0 && std::isfinite(l2))) fail("logistic_regression: l2 must be above 0 and finite, got {}", l2);
  Generator generator(o.seed);
  const Tensor A = design(o, generator);
  const Tensor noise = randn({o.samples}, {.dtype = float64, .generator = &generator});
  const Tensor classes = where(sum(A, 1) + 0.5 * noise > 0.0, ones_like(noise), -1.0);
  const Tensor Z = A * classes.unsqueeze(1);
  const auto f = [Z, l2](const Tensor& x) {
    const Tensor margins = matmul(x, Z.to(x.dtype()).t());
    return mean(softplus(-margins), -1) + 0.5 * l2 * total(square(x));
  };
  const Tensor solution = without_slope("logistic_regression", f, origin(o.features));
  return {.name = "logistic_regression",
          .dimension = o.features,
          .f = f,
          .starts = {origin(o.features)},
          .minima = {{solution, f(solution).item()}},
          .curvature = Curvature{l2, l2 + o.condition * o.condition / (4.0 * static_cast<double>(o.samples))},
          .convex = true};
}

}  // namespace gradus::problems
