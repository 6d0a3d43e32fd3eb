#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "gradus/error.hpp"
#include "gradus/factory.hpp"
#include "gradus/train/landscape_page.hpp"
#include "train/landscape/descents.hpp"
#include "train/landscape/packing.hpp"

using namespace gradus;
using train::landscape_page;

namespace {

const train::Rule& rule(const std::string& key) { return *std::ranges::find(train::rules(), key, &train::Rule::key); }

train::Descent course_descent(const std::string& key, const train::DescentSettings& settings) {
  const problems::Problem bowl = train::course_bowl();
  return train::descend(bowl, rule(key), bowl.starts.front(), {{-10, 10}, {-10, 10}}, settings);
}

std::string message(const problems::Problem& problem, const train::LandscapeOptions& options = {}) {
  try {
    landscape_page(problem, options);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("the landscape's SGD takes the steps of its recurrence on w1^2 + 4 w2^2") {
  for (const double momentum : {0.0, 0.85}) {
    CAPTURE(momentum);
    const train::Descent way = course_descent("sgd", {.lr = 0.05, .momentum = momentum, .steps = 30});
    REQUIRE(way.x.size() == 31);
    CHECK_FALSE(way.left);
    double x = 2.8, y = 2.2, vx = 0, vy = 0;
    for (std::size_t i = 0; i < way.x.size(); ++i) {
      CAPTURE(i);
      CHECK(way.x[i] == doctest::Approx(x).epsilon(1e-12));
      CHECK(way.y[i] == doctest::Approx(y).epsilon(1e-12));
      CHECK(way.loss[i] == doctest::Approx(x * x + 4 * y * y).epsilon(1e-12));
      vx = momentum * vx + 2 * x, vy = momentum * vy + 8 * y;
      x -= 0.05 * vx, y -= 0.05 * vy;
    }
  }
}

TEST_CASE("a path ends with its first point outside the box") {
  // w2 is multiplied by 1 - 8 lr = -1.4 at each step: 2.2 * 1.4^5 > 10.
  const train::Descent way = course_descent("sgd", {.lr = 0.3, .momentum = 0, .steps = 30});
  CHECK(way.left);
  REQUIRE(way.y.size() == 6);
  CHECK(std::abs(way.y[4]) < 10);
  CHECK(std::abs(way.y[5]) > 10);
}

TEST_CASE("every rule of the landscape goes down the bowl, and momentum is told to those that have it") {
  for (const train::Rule& r : train::rules()) {
    CAPTURE(r.key);
    const train::Descent plain = course_descent(r.key, {.lr = 0.05, .momentum = 0, .steps = 100});
    const train::Descent heavy = course_descent(r.key, {.lr = 0.05, .momentum = 0.85, .steps = 100});
    CHECK(plain.loss.back() < plain.loss.front());
    CHECK((plain.x == heavy.x) == r.momentum.empty());
  }
}

TEST_CASE("codes of logarithms keep sign, zero and three digits") {
  for (const double value : {2e-9, 3.7e-5, 0.25, 27.2, 4e6}) {
    CAPTURE(value);
    const std::int16_t code = train::log_code(value);
    CHECK(train::log_code(-value) == -code);
    CHECK(1e-10 * (std::pow(10, code / 1900.0) - 1) == doctest::Approx(value).epsilon(1e-3));
  }
  CHECK(train::log_code(0) == 0);
  CHECK(train::log_code(1e300) == 32767);
}

TEST_CASE("curves are written as differences of differences") {
  std::vector<std::uint16_t> words;
  train::append_curve(words, {5, 7, 9, 11, -3});
  CHECK(words == std::vector<std::uint16_t>{5, 65533, 0, 0, 65520});
  CHECK(train::base64("") == "");
  CHECK(train::base64("M") == "TQ==");
  CHECK(train::base64("Ma") == "TWE=");
  CHECK(train::base64("Man") == "TWFu");
}

TEST_CASE("a landscape page is one document with nothing to fetch") {
  problems::Problem problem = problems::himmelblau();
  problem.name = "a </script> & b";
  const std::string page = landscape_page(problem, {.steps = 3, .learning_rates = {0.01}, .momenta = {0}});
  CHECK(page.starts_with("<!DOCTYPE html>"));
  CHECK(page.find("default-src 'none'") != std::string::npos);
  CHECK(page.find("http:") == page.find("http://www.w3.org/2000/svg"));
  CHECK(page.find("https:") == std::string::npos);
  CHECK(page.find("{{") == std::string::npos);
  CHECK(page.find("a </script>") == std::string::npos);
  CHECK(page.find("\"count\":24") != std::string::npos);  // four starts, six optimizers
}

TEST_CASE("a landscape page is refused where it would make no sense") {
  const problems::Problem bowl = problems::bowl();
  CHECK(message(problems::rosenbrock(5)) ==
        "landscape_page: a problem of two dimensions with a domain and a start is needed: rosenbrock(5)");
  CHECK(message(bowl, {.steps = 0}) == "landscape_page: steps must be between 1 and 10000: 0");
  CHECK(message(bowl, {.learning_rates = {0.1, 0.1}}) ==
        "landscape_page: learning_rates must be positive, finite and ascending");
  CHECK(message(bowl, {.momenta = {0, 1}}) == "landscape_page: momenta must be in [0, 1) and ascending");
  CHECK(message(bowl, {.optimizers = {"sdg"}}) == "landscape_page: there is no such optimizer: sdg");
}
