// Functions to minimise: the classic test surfaces, each with where to start and what is known about it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gradus/functional.hpp"
#include "gradus/tensor.hpp"

namespace gradus::problems {

struct Minimum {
  Tensor point;  // (n), float64
  double value = 0;
};

// The eigenvalues of all Hessians lie in [smallest, largest]: the strong convexity constant mu and the Lipschitz
// constant L of the gradient, on which rates of convergence depend.
struct Curvature {
  double smallest = 0;
  double largest = 0;

  double condition() const { return largest / smallest; }
};

struct Domain {
  std::array<double, 2> x;  // from, to
  std::array<double, 2> y;
};

struct Problem {
  std::string name;
  std::int64_t dimension = 0;
  UnaryFunction f;  // (n) -> (); many points at once: (..., n) -> (...)

  // At least one; (n), float64, as are all points. Copies of a problem share them: clone() the one that is trained.
  std::vector<Tensor> starts = {};
  std::vector<Minimum> minima = {};  // the global ones; none if there is no lower bound
  std::vector<Tensor> saddles = {};  // some, if not all
  std::optional<Curvature> curvature = {};
  std::optional<Domain> domain = {};  // what a picture should show; in two dimensions only
  bool convex = false;
  bool smooth = true;  // has second derivatives everywhere
  bool noisy = false;  // another function at each call

  // f(x). Throws unless x is floating and its last dim has the problem's dimension.
  Tensor operator()(const Tensor& x) const;
};

// --- Convex ---

// a x^2 + b y^2: eigenvalues 2 a and 2 b, minimum 0 at 0. Throws unless both are above 0 and finite.
Problem bowl(double a = 1, double b = 2);

struct QuadraticOptions {
  // Rotates the axes by a random orthogonal matrix; without it, elementwise methods have an easier time than they
  // would.
  std::optional<std::uint64_t> rotation_seed = {};
};
// x^T A x / 2, the eigenvalues of A spaced evenly in their logarithms from 1 to `condition`; starts at (1, ..., 1).
// Throws unless condition is at least 1 and finite, and dimension at least 2.
Problem quadratic(double condition, std::int64_t dimension = 2, const QuadraticOptions& options = {});

struct RegressionOptions {
  std::int64_t samples = 40;
  std::int64_t features = 4;
  double condition = 10;  // of the (samples, features) matrix A
  std::uint64_t seed = 0;
};
// |A x - b|^2 / 2 of random A and b, with residuals that do not vanish. The solution is that of linalg::lstsq.
// Throws unless samples > features >= 1 and condition is at least 1 and finite.
Problem least_squares(const RegressionOptions& options = {});
// The mean of ln(1 + e^(-y a x)) over the rows a of A and random classes y = -1 or 1, plus l2 |x|^2 / 2: the solution
// is found by Newton's method, to machine precision. Throws as least_squares, and unless l2 is above 0 and finite.
Problem logistic_regression(const RegressionOptions& options = {}, double l2 = 0.1);

// --- Valleys ---

// sum 100 (x[i + 1] - x[i]^2)^2 + (1 - x[i])^2: a bent valley, minimum 0 at (1, ..., 1). Throws unless dimension is at
// least 2. [Rosenbrock, An automatic method for finding the greatest or least value of a function, Computer J. 1960]
Problem rosenbrock(std::int64_t dimension = 2);
// 100 (x^2 + y^2 - 1)^2 + (x - 1)^2 / 4: a narrow valley round a circle, whose bottom falls slowly from the saddle in
// the west to the minimum 0 at (1, 0) in the east.
Problem ring_valley();
// (1.5 - x + x y)^2 + (2.25 - x + x y^2)^2 + (2.625 - x + x y^3)^2: flat, with walls at the corners; minimum 0 at
// (3, 0.5). [Beale, On an iterative method for finding a local minimum of a function of more than one variable, 1958]
Problem beale();
// 1 - e^(-(x^2 + y^2) / 2): minimum 0 at 0, and hardly any slope away from it.
Problem plateau();

// --- Many minima ---

// (x^2 + y - 11)^2 + (x + y^2 - 7)^2: four minima of value 0, four saddles between. [Himmelblau, Applied nonlinear
// programming, 1972]
Problem himmelblau();
// 10 n + sum x^2 - 10 cos(2 pi x): a minimum at every integer point, nearly; the global one is 0 at 0. [Rastrigin,
// Systems of extremal control, 1974]
Problem rastrigin(std::int64_t dimension = 2);
// -20 e^(-0.2 |x| / sqrt(n)) - e^(mean cos(2 pi x)) + 20 + e: a funnel with a rough wall; 0 at 0, which is a kink.
// [Ackley, A connectionist machine for genetic hillclimbing, 1987]
Problem ackley(std::int64_t dimension = 2);
// sum (x^4 - 16 x^2 + 5 x) / 2: 2^n minima, the global one, -39.166 n, where all x are -2.9035. [Styblinski and Tang,
// Experiments in nonconvex optimization, Neural Networks 1990]
Problem styblinski_tang(std::int64_t dimension = 2);

// --- Saddles ---

// x^2 / 2 + y^4 / 4 - y^2 / 2: a saddle at 0 with curvatures 1 and -1 between minima -1/4 at (0, -1) and (0, 1). The
// second start is on the ridge, from where plain gradient descent walks into the saddle.
Problem strict_saddle();
// x^3 - 3 x y^2: a saddle at 0 with three ways down, where the Hessian is zero. There is no minimum.
Problem monkey_saddle();

// --- Noise ---

// f(x) + stddev * (z x) with a new standard normal z at each call (and for each of many points): its expectation is f,
// its gradient has the variance stddev^2 in every element. Throws unless stddev is at least 0 and finite.
Problem noisy(const Problem& problem, double stddev, std::uint64_t seed = 0);

// --- All of them ---

// One of each kind, and a few sizes. They last as long as the program, and whoever asks shares them.
const std::vector<Problem>& all();
// The problem of `all` that has this name. Throws, with the names that there are, if there is none.
const Problem& find(std::string_view name);

}  // namespace gradus::problems
