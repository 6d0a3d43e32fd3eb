#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "gradus/data.hpp"
#include "gradus/error.hpp"
#include "gradus/factory.hpp"
#include "gradus/nn.hpp"
#include "gradus/ops.hpp"
#include "gradus/optim.hpp"
#include "gradus/random.hpp"
#include "gradus/train/fit.hpp"
#include "gradus/train/landscape.hpp"
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
  for (const double value : {2e-9, 3.7e-5, 0.25, 27.2, 4e6, 7.6e8, 9e15}) {
    CAPTURE(value);
    const std::int16_t code = train::log_code(value);
    CHECK(train::log_code(-value) == -code);
    CHECK(1e-10 * (std::pow(10, code / train::codes_per_decade) - 1) == doctest::Approx(value).epsilon(1e-3));
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
  problem.name = "a </script> & b \xe9";
  const std::string page = landscape_page(problem, {.steps = 3, .learning_rates = {0.01}, .momenta = {0}});
  CHECK(page.starts_with("<!DOCTYPE html>"));
  CHECK(page.find("default-src 'none'") != std::string::npos);
  CHECK(page.find("http:") == page.find("http://www.w3.org/2000/svg"));
  CHECK(page.find("https:") == std::string::npos);
  CHECK(page.find("{{") == std::string::npos);
  CHECK(page.find("a </script>") == std::string::npos);
  CHECK(page.find("\"count\":24") != std::string::npos);  // four starts, six optimizers
}

TEST_CASE("a landscape page opens on a path that arrives somewhere") {
  for (problems::Problem problem : {problems::rosenbrock(), problems::himmelblau(), train::course_bowl()}) {
    CAPTURE(problem.name);
    problem.starts.resize(1);
    const std::string page = landscape_page(problem, {.steps = 30, .momenta = {0}, .optimizers = {"sgd"}});
    const double lr = std::stod(page.substr(page.find("\"lr\":") + 5));
    const auto way =
        train::descend(problem, rule("sgd"), problem.starts.front(), {{-99, 99}, {-99, 99}}, {.lr = lr, .steps = 30});
    CHECK(!way.left);
    CHECK(way.loss.back() < 0.3 * way.loss.front());
  }
  const train::LandscapeOptions asked{.steps = 3, .momenta = {0}, .optimizers = {"sgd"}, .learning_rate = 0.5};
  CHECK(landscape_page(problems::bowl(), asked).find("\"lr\":0.5,") != std::string::npos);
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
  CHECK(message(bowl, {.optimizers = {"sgd", "adam", "sgd"}}) == "landscape_page: an optimizer is named twice: sgd");
  const ValueOptions doubles{.dtype = float64};
  problems::Problem far = bowl;
  far.starts.push_back(tensor({1000.0, 1000.0}, doubles));
  CHECK(message(far) ==
        "landscape_page: the start (1000, 1000) is outside the domain [-6, 6] x [-4, 4] of " + bowl.name);
  for (const Tensor& start : std::vector<Tensor>{
           tensor({double(NAN), 0.0}, doubles), tensor({0.0, double(INFINITY)}, doubles),
           tensor({1e200, 1e200}, doubles), tensor({1.0, 2.0, 3.0}, doubles), tensor({1.0F, 2.0F}), Tensor()}) {
    problems::Problem elsewhere = bowl;
    elsewhere.starts.push_back(start);
    CHECK(message(elsewhere) == "landscape_page: a start must be a point (2,) in float64 of finite loss");
  }
}

namespace {

// The loss |W - A|^2 / 2 of a linear layer's weight: a quadratic with Hessian 1.
struct QuadraticModel {
  nn::Linear layer{3, 2};
  Tensor target = linspace(-1, 1, 6).reshape({2, 3});
  gradus::LossFunction loss = [this] { return sum(square(layer.weight - target)) / 2.0; };
};

std::vector<float> floats(const nn::Module& module) {
  std::vector<float> values;
  for (const auto& [name, tensor] : module.state_dict()) {
    if (tensor.dtype() != float32) continue;
    values.insert(values.end(), tensor.data<float>().begin(), tensor.data<float>().end());
  }
  return values;
}

Tensor sum_of_products(const train::Weights& a, const train::Weights& b) {
  Tensor total = zeros({}, {.dtype = a.front().dtype()});
  for (std::size_t i = 0; i < a.size(); ++i) total = total + sum(a[i] * b[i]);
  return total;
}

}  // namespace

TEST_CASE("a slice of a quadratic loss is its closed form, and the weights come back") {
  QuadraticModel m;
  const std::vector<float> before = floats(m.layer);
  const train::Weights u = train::filter_normalized_direction(m.layer, 5),
                       v = train::filter_normalized_direction(m.layer, 6);
  const plot::Grid grid = train::loss_slice(m.layer, m.loss, {.extent = 2, .points = 5, .seed = 5});
  REQUIRE(grid.z.size() == 25);
  CHECK(grid.x == std::vector<double>{-2, -1, 0, 1, 2});
  const NoGrad no_grad;
  for (std::size_t i = 0; i < 25; ++i) {
    CAPTURE(i);
    const Tensor w = m.layer.weight + grid.x[i % 5] * u[0] + grid.y[i / 5] * v[0];
    CHECK(grid.z[i] == doctest::Approx(sum(square(w - m.target)).item() / 2).epsilon(1e-5));
  }
  CHECK(grid.z[12] == m.loss().item());
  CHECK(floats(m.layer) == before);
  const train::LossLine line = train::loss_line(m.layer, m.loss, {.extent = 2, .points = 5, .seed = 5});
  for (std::size_t i = 0; i < 5; ++i) CHECK(line.loss[i] == doctest::Approx(grid.z[10 + i]).epsilon(1e-6));
}

TEST_CASE("directions are as long as the weights filter by filter, and leave biases alone") {
  const nn::Sequential model(nn::Conv2d(2, 3, 3), nn::BatchNorm2d(3));
  const auto weights = model.parameters(), direction = train::filter_normalized_direction(model);
  REQUIRE(direction.size() == weights.size());
  for (std::int64_t filter = 0; filter < 3; ++filter) {
    CHECK(norm(direction[0][filter]).item() == doctest::Approx(norm(weights[0][filter]).item()).epsilon(1e-5));
  }
  for (std::size_t i = 1; i < direction.size(); ++i) CHECK(sum(abs(direction[i])).item() == 0);
}

TEST_CASE("weights and running statistics are the old ones bit for bit, also if the loss throws") {
  nn::Sequential model(nn::Linear(3, 4), nn::BatchNorm1d(4));
  const Tensor x = randn({5, 3});
  const std::vector<float> before = floats(model);
  int calls = 0;
  const auto loss = [&] {
    if (++calls == 5) throw Error("enough");
    return sum(square(model(x)));
  };
  CHECK_THROWS_WITH(train::loss_slice(model, loss, {.points = 3}), "enough");
  CHECK(calls == 5);
  CHECK(floats(model) == before);
}

TEST_CASE("the principal plane of a path in a planted plane is that plane") {
  const Tensor a = randn({7}, {.dtype = float64}), b = randn({7}, {.dtype = float64});
  const Tensor first = a / norm(a), across = b - sum(b * first) * first, second = across / norm(across);
  const Tensor end = randn({7}, {.dtype = float64});
  std::vector<train::Weights> path;
  for (int i = 6; i >= 0; --i) {
    const Tensor w = end + 3.0 * i * first + (i % 2 ? 0.5 : -0.5) * (i > 0) * second;
    path.push_back({w.narrow(0, 0, 4).reshape({2, 2}), w.narrow(0, 4, 3)});
  }
  const train::PrincipalPlane plane = train::principal_plane(path);
  CHECK(plane.shares[0] + plane.shares[1] == doctest::Approx(1));
  CHECK(plane.shares[0] > 0.9);
  const auto& [u, v] = plane.directions;
  CHECK(sum_of_products(u, u).item() == doctest::Approx(1));
  CHECK(sum_of_products(u, v).item() == doctest::Approx(0));
  for (std::size_t i = 0; i < path.size(); ++i) {
    CAPTURE(i);
    double distance = 0;
    for (std::size_t k = 0; k < 2; ++k) {
      const Tensor there = plane.center[k] + plane.x[i] * u[k] + plane.y[i] * v[k];
      distance += norm(there - path[i][k]).item();
    }
    CHECK(distance < 1e-9);
  }
  CHECK_THROWS_WITH(train::principal_plane({path[0], path[1]}),
                    "principal_plane: at least three snapshots are needed: 2");
}

TEST_CASE("training draws its own path: a snapshot before, and one after each epoch") {
  nn::Linear model(2, 1);
  const data::Dataset set{randn({8, 2}), randn({8, 1})};
  optim::SGD optimizer(model.parameters(), {.lr = 0.1});
  const auto recorder = train::path_recorder();
  const Tensor start = model.weight.detach().clone();
  train::fit(model, nn::MSELoss(), optimizer, set, {.epochs = 3, .callbacks = {recorder}, .progress = false});
  REQUIRE(recorder->snapshots().size() == 4);
  CHECK(equal(recorder->snapshots().front()[0], start));
  CHECK(equal(recorder->snapshots().back()[0], model.weight));
  const auto loss = [&] { return mse_loss(model(set.x), set.y); };
  const auto plane = train::principal_plane(recorder->snapshots());
  const plot::Grid grid = train::loss_on_plane(model, loss, plane, {.points = 3, .margin = 0});
  CHECK(grid.z.size() == 9);
  CHECK(*std::ranges::min_element(grid.x) == doctest::Approx(*std::ranges::min_element(plane.x)));
}
