// What all problems share, and the list of them.

#include <algorithm>
#include <cmath>
#include <memory>

#include "gradus/ops.hpp"
#include "gradus/problems.hpp"
#include "gradus/random.hpp"
#include "problems/points.hpp"
#include "storage/format.hpp"

namespace gradus::problems {
namespace {

std::vector<Problem> make_all() {
  return {bowl(),
          bowl(1, 4),
          quadratic(100),
          quadratic(1000, 10, {.rotation_seed = 1}),
          least_squares(),
          logistic_regression(),
          rosenbrock(),
          rosenbrock(5),
          ring_valley(),
          beale(),
          plateau(),
          himmelblau(),
          rastrigin(),
          ackley(),
          styblinski_tang(),
          strict_saddle(),
          monkey_saddle(),
          noisy(bowl(), 0.1)};
}

}  // namespace

Tensor Problem::operator()(const Tensor& x) const {
  if (!is_floating_point(x.dtype()) || x.dim() == 0 || x.size(-1) != dimension) {
    fail("{}: a point has {} floating elements, got {} {}", name, dimension, x.dtype(), x.shape());
  }
  return f(x);
}

Problem noisy(const Problem& problem, double stddev, std::uint64_t seed) {
  if (!(stddev >= 0 && std::isfinite(stddev))) fail("noisy: stddev must be at least 0 and finite, got {}", stddev);
  Problem result = problem;
  result.name = formatted("noisy({}, {})", problem.name, stddev);
  result.noisy = true;
  // Copies of the problem go on with the same sequence of draws.
  const auto generator = std::make_shared<Generator>(seed);
  result.f = [f = problem.f, stddev, generator](const Tensor& x) {
    const Tensor z = randn(x.shape(), {.dtype = x.dtype(), .generator = generator.get()});
    return f(x) + stddev * total(z * x);
  };
  return result;
}

const std::vector<Problem>& all() {
  static const std::vector<Problem> problems = make_all();
  return problems;
}

const Problem& find(std::string_view name) {
  const auto found = std::ranges::find(all(), name, &Problem::name);
  if (found != all().end()) return *found;
  std::string names;
  for (const Problem& problem : all()) names += (names.empty() ? "" : ", ") + problem.name;
  fail("problems: there is no '{}' among {}", name, names);
}

}  // namespace gradus::problems
