#include "gradus/problems.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>
#include <fmt/format.h>

#include "gradus/autograd.hpp"
#include "gradus/factory.hpp"
#include "gradus/gradcheck.hpp"
#include "gradus/linalg.hpp"
#include "gradus/ops.hpp"
#include "gradus/random.hpp"
#include "messages.hpp"

using namespace gradus;
using gradus::tests::message_of;
using problems::Problem;

namespace {

Tensor gradient(const Problem& problem, const Tensor& at) {
  const Tensor x = at.detach().clone().set_requires_grad();
  return grad(problem(x), {x})[0];
}

// Its starts, and random points of the size of the starts.
std::vector<Tensor> points(const Problem& problem) {
  Generator generator(7);
  std::vector<Tensor> all = problem.starts;
  for (int i = 0; i < 3; ++i) {
    all.push_back(problem.starts[0] + randn({problem.dimension}, {.dtype = float64, .generator = &generator}));
  }
  return all;
}

template <class Check>
void for_each_problem(const Check& check) {
  for (const Problem& problem : problems::all()) {
    CAPTURE(problem.name);
    try {
      check(problem);
    } catch (const std::exception& e) {
      FAIL_CHECK(e.what());
    }
  }
}

}  // namespace

TEST_CASE("problems are complete and have names of their own") {
  std::set<std::string> names;
  for_each_problem([&](const Problem& problem) {
    CHECK(names.insert(problem.name).second);
    CHECK(problems::find(problem.name).name == problem.name);
    CHECK_FALSE(problem.starts.empty());
    CHECK(problem.domain.has_value() == (problem.dimension == 2 && problem.name != "least_squares"));
    std::vector<Tensor> known = problem.starts;
    for (const auto& minimum : problem.minima) known.push_back(minimum.point);
    known.insert(known.end(), problem.saddles.begin(), problem.saddles.end());
    for (const Tensor& point : known) {
      CHECK(point.shape() == Shape{problem.dimension});
      CHECK(point.dtype() == float64);
      if (!problem.domain) continue;
      CHECK((problem.domain->x[0] <= point[0].item() && point[0].item() <= problem.domain->x[1]));
      CHECK((problem.domain->y[0] <= point[1].item() && point[1].item() <= problem.domain->y[1]));
    }
  });
}

TEST_CASE("derivatives of problems pass the check, those of second order where they are smooth") {
  for_each_problem([](const Problem& problem) {
    if (problem.noisy) return;
    for (const Tensor& point : points(problem)) {
      CHECK(gradcheck(problem.f, {point}).passed());
      if (problem.smooth) CHECK(gradgradcheck(problem.f, {point}).passed());
    }
  });
}

TEST_CASE("known minima have the stated value and no slope, and nothing around them is lower") {
  Generator generator(1);
  for_each_problem([&](const Problem& problem) {
    if (problem.noisy) return;
    for (const problems::Minimum& minimum : problem.minima) {
      CHECK(problem(minimum.point).item() == doctest::Approx(minimum.value).epsilon(1e-13));
      const double bend = problem.curvature ? problem.curvature->largest : 100;
      CHECK(gradient(problem, minimum.point).abs().max().item() < 1e-14 * bend);
      const Tensor around =
          minimum.point + 0.1 * randn({200, problem.dimension}, {.dtype = float64, .generator = &generator});
      CHECK((problem(around) > minimum.value).all().item() == 1);
    }
    for (const Tensor& start : problem.starts) {
      if (!problem.minima.empty()) CHECK(problem(start).item() > problem.minima[0].value);
    }
  });
}

TEST_CASE("known saddles have no slope, and curve both ways") {
  for_each_problem([](const Problem& problem) {
    for (const Tensor& saddle : problem.saddles) {
      CHECK(gradient(problem, saddle).abs().max().item() < 1e-11);
      const Tensor spectrum = hessian_spectrum(problem.f, saddle);
      if (problem.name == "monkey_saddle") {
        CHECK(spectrum.abs().max().item() == 0);
      } else {
        CHECK(spectrum[0].item() < 0);
        CHECK(spectrum[-1].item() > 0);
      }
    }
  });
}

TEST_CASE("the stated curvature holds all eigenvalues, and quadratics reach both ends") {
  for_each_problem([](const Problem& problem) {
    CHECK((problem.convex || !problem.curvature));
    if (!problem.curvature || problem.noisy) return;
    for (const Tensor& point : points(problem)) {
      const Tensor spectrum = hessian_spectrum(problem.f, point);
      CHECK(spectrum[0].item() >= problem.curvature->smallest * (1 - 1e-9));
      CHECK(spectrum[-1].item() <= problem.curvature->largest * (1 + 1e-9));
      if (problem.name == "logistic_regression") continue;
      CHECK(spectrum[0].item() == doctest::Approx(problem.curvature->smallest).epsilon(1e-9));
      CHECK(spectrum[-1].item() == doctest::Approx(problem.curvature->largest).epsilon(1e-9));
    }
  });
}

TEST_CASE("many points at once have the values of each, in both precisions") {
  for_each_problem([](const Problem& problem) {
    if (problem.noisy) return;
    const Tensor batch = stack(points(problem));
    const Tensor values = problem(batch);
    CHECK(values.shape() == Shape{batch.size(0)});
    CHECK(problem(batch.unsqueeze(0)).shape() == Shape{1, batch.size(0)});
    for (std::int64_t i = 0; i < batch.size(0); ++i) {
      CHECK(problem(batch[i]).shape() == Shape{});
      CHECK(values[i].item() == doctest::Approx(problem(batch[i]).item()).epsilon(1e-13));
    }
    const Tensor single = problem(batch.to(float32));
    CHECK(single.dtype() == float32);
    CHECK(allclose(single.to(float64), values, {.rtol = 1e-4, .atol = 1e-4}));
  });
}

TEST_CASE("the regressions' solutions are those of the textbook") {
  const Problem problem = problems::least_squares({.samples = 60, .features = 5, .condition = 1e3, .seed = 4});
  CHECK(problem.minima[0].value > 0.1);
  CHECK(problem.curvature->condition() == doctest::Approx(1e6));
  const Tensor H = hessian(problem.f, problem.starts[0]);
  const Tensor newton = problem.starts[0] - linalg::solve(H, gradient(problem, problem.starts[0]));
  CHECK(allclose(newton, problem.minima[0].point, {.rtol = 1e-9, .atol = 1e-9}));

  const Problem other = problems::logistic_regression({.samples = 80, .features = 3, .seed = 2}, 1e-3);
  CHECK(gradient(other, other.minima[0].point).abs().max().item() < 1e-14);
  CHECK(other.minima[0].value < std::log(2.0));  // better than a coin

  const Problem hard = problems::logistic_regression({.samples = 40, .features = 30, .condition = 1e3}, 1e-4);
  CHECK(gradient(hard, hard.minima[0].point).abs().max().item() < 1e-14 * hard.curvature->largest);

  // Of one feature there is one singular value.
  const Problem line = problems::least_squares({.features = 1, .condition = 3});
  CHECK(hessian_spectrum(line.f, line.starts[0]).item() == doctest::Approx(9));
  CHECK(line.curvature->smallest == 9);
  CHECK(line.curvature->largest == 9);
}

TEST_CASE("noise has mean zero and the stated variance in each element of the gradient") {
  const Problem plain = problems::bowl(), noisy = problems::noisy(plain, 0.5, 3);
  CHECK(noisy.name == "noisy(bowl(1, 2), 0.5)");
  const Tensor at = plain.starts[0];
  std::vector<Tensor> samples;
  for (int i = 0; i < 4000; ++i) samples.push_back(gradient(noisy, at) - gradient(plain, at));
  const Tensor noise = stack(samples);
  CHECK(noise.mean({0}).abs().max().item() < 4 * 0.5 / std::sqrt(4000.0));
  CHECK(allclose(noise.var({0}), full({2}, 0.25, {.dtype = float64}), {.rtol = 0.1}));
  CHECK(std::abs((noise.select(1, 0) * noise.select(1, 1)).mean().item()) < 0.02);

  // Each of many points has noise of its own; the same seed gives the same noise; none is none.
  const Tensor twice = stack({at, at});
  CHECK(noisy(twice)[0].item() != noisy(twice)[1].item());
  CHECK(problems::noisy(plain, 1, 9)(at).item() == problems::noisy(plain, 1, 9)(at).item());
  CHECK(problems::noisy(plain, 0)(at).item() == plain(at).item());
}

TEST_CASE("problems that make no sense are refused") {
  CHECK(message_of([] { problems::quadratic(0.5); }) == "quadratic: condition must be at least 1 and finite, got 0.5");
  CHECK(message_of([] { problems::quadratic(INFINITY); }) ==
        "quadratic: condition must be at least 1 and finite, got inf");
  CHECK(message_of([] { problems::quadratic(5, 1); }) == "quadratic: dimension must be at least 2, got 1");
  CHECK(message_of([] { problems::bowl(1, 0); }) == "bowl: both factors must be above 0 and finite, got 1 and 0");
  CHECK(message_of([] { problems::bowl(INFINITY, 1); }) ==
        "bowl: both factors must be above 0 and finite, got inf and 1");
  CHECK(message_of([] { problems::rosenbrock(1); }) == "rosenbrock: dimension must be at least 2, got 1");
  CHECK(message_of([] { problems::rastrigin(0); }) == "rastrigin: dimension must be at least 1, got 0");
  CHECK(message_of([] { problems::least_squares({.samples = 4}); }) ==
        "least_squares: more samples than features are needed, and at least one of these; got 4 and 4");
  CHECK(message_of([] { problems::least_squares({.condition = INFINITY}); }) ==
        "least_squares: condition must be at least 1 and finite, got inf");
  for (const double l2 : {0.0, std::numeric_limits<double>::infinity()}) {
    CHECK(message_of([&] { problems::logistic_regression({}, l2); }) ==
          fmt::format("logistic_regression: l2 must be above 0 and finite, got {}", l2));
  }
  for (const double stddev : {-1.0, std::numeric_limits<double>::infinity()}) {
    CHECK(message_of([&] { problems::noisy(problems::bowl(), stddev); }) ==
          fmt::format("noisy: stddev must be at least 0 and finite, got {}", stddev));
  }
  const Problem& beale = problems::find("beale");
  CHECK(message_of([&] { beale(zeros({3})); }) == "beale: a point has 2 floating elements, got float32 (3,)");
  CHECK(message_of([&] { beale(tensor({1, 2})); }) == "beale: a point has 2 floating elements, got int64 (2,)");
  CHECK(message_of([] { problems::find("banana"); }) ==
        "problems: there is no 'banana' among bowl(1, 2), bowl(1, 4), quadratic(100, 2), quadratic(1000, 10, rotated), "
        "least_squares, logistic_regression, rosenbrock, rosenbrock(5), ring_valley, beale, plateau, himmelblau, "
        "rastrigin, ackley, styblinski_tang, strict_saddle, monkey_saddle, noisy(bowl(1, 2), 0.1)");
}
