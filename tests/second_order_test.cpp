#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "gradus/autograd.hpp"
#include "gradus/factory.hpp"
#include "gradus/linalg.hpp"
#include "gradus/ops.hpp"
#include "gradus/optim.hpp"
#include "gradus/problems.hpp"
#include "gradus/random.hpp"
#include "messages.hpp"

using namespace gradus;
using gradus::tests::message_of;
using optim::ArmijoGD;
using optim::LevenbergMarquardt;
using optim::Newton;

namespace {

Tensor param(const Tensor& values) { return values.detach().clone().set_requires_grad(); }
Tensor param(std::vector<double> values) { return tensor(values, {.dtype = float64, .requires_grad = true}); }

double distance(const Tensor& x, const Tensor& y) { return (x.detach() - y).abs().max().item(); }

// y = a e^(-b t) + c with noise: a small problem of nonlinear least squares.
struct Decay {
  Tensor t = linspace(0, 4, 30, {.dtype = float64});
  Tensor y;

  Decay() {
    Generator generator(3);
    y = 3.0 * exp(-1.3 * t) + 0.5 + 0.01 * randn({30}, {.dtype = float64, .generator = &generator});
  }
  Tensor residuals(const Tensor& p) const { return p[0] * exp(-p[1] * t) + p[2] - y; }
};

// What step() of each method does with a loss: a closure for LevenbergMarquardt returns its root, as one residual.
struct Method {
  std::string name;
  std::function<std::unique_ptr<optim::Optimizer>(const std::vector<Tensor>&)> make;
  bool takes_residuals = false;

  Tensor closure(const Tensor& loss) const { return takes_residuals ? sqrt(2.0 * loss) : loss; }
};

const std::vector<Method>& methods() {
  static const std::vector<Method> all{
      {"ArmijoGD", [](const auto& p) { return std::make_unique<ArmijoGD>(p); }},
      {"Newton", [](const auto& p) { return std::make_unique<Newton>(p); }},
      {"LevenbergMarquardt", [](const auto& p) { return std::make_unique<LevenbergMarquardt>(p); }, true},
  };
  return all;
}

}  // namespace

TEST_CASE("Newton solves a quadratic in one step, whatever its condition number") {
  for (const double condition : {10.0, 1e3, 1e5}) {
    const problems::Problem problem = problems::quadratic(condition, 10, {.rotation_seed = 2});
    Tensor x = param(problem.starts[0]);
    Newton newton({x});
    const Tensor loss = newton.step([&] { return problem(x); });
    CHECK(loss.item() == problem(problem.starts[0]).item());
    CHECK_FALSE(loss.requires_grad());
    CHECK(distance(x, problem.minima[0].point) < 1e-11 * condition);
  }
}

TEST_CASE("Newton converges quadratically on Rosenbrock's function") {
  const problems::Problem& problem = problems::find("rosenbrock");
  Tensor x = param(problem.starts[0]);
  Newton newton({x});
  std::vector<double> errors;
  for (int step = 0; step < 40 && (errors.empty() || errors.back() > 1e-13); ++step) {
    newton.step([&] { return problem(x); });
    errors.push_back(distance(x, problem.minima[0].point));
  }
  CHECK(errors.size() < 30);
  CHECK(errors.back() < 1e-13);
  const std::size_t last = errors.size() - 1;
  CHECK(errors[last - 1] < 100 * errors[last - 2] * errors[last - 2] + 1e-13);
}

TEST_CASE("Newton leaves a saddle, where the plain method would walk into it") {
  const problems::Problem& problem = problems::find("strict_saddle");
  Tensor x = param(problem.starts[0]);
  Newton newton({x});
  for (int step = 0; step < 20; ++step) newton.step([&] { return problem(x); });
  CHECK(distance(x, tensor({0.0, 1.0}, {.dtype = float64})) < 1e-12);
}

TEST_CASE("Newton without any curvature is gradient descent, and damping shortens its steps") {
  Tensor x = param({3.0});
  Newton newton({x});
  newton.step([&] { return sum(2.0 * x); });
  CHECK(x.item() == 1);
  Tensor y = param({3.0});
  Newton damped({y}, {.damping = 2});
  damped.step([&] { return sum(square(y)); });
  CHECK(y.item() == doctest::Approx(3 - 6.0 / (2 + 2)));
}

TEST_CASE("Newton moves several parameters of a net as one, and frozen ones not at all") {
  manual_seed(1);
  const Tensor x = rand({30, 2}, {.dtype = float64}), y = sin(3.0 * x.select(1, 0)).unsqueeze(1);
  Tensor w1 = param(randn({3, 2}, {.dtype = float64})), b1 = param(zeros({3}, {.dtype = float64}));
  Tensor w2 = param(randn({1, 3}, {.dtype = float64})), frozen = ones({1}, {.dtype = float64});
  Newton newton({w1, b1, w2, frozen}, {.min_curvature = 1e-6});
  const auto loss = [&] { return mse_loss(linear(tanh(linear(x, w1, b1)), w2, frozen), y); };
  for (int step = 0; step < 60; ++step) newton.step(loss);
  CHECK(norm(grad(loss(), {w1})[0]).item() < 1e-4);
  CHECK(loss().item() < 1e-6);
  CHECK(equal(frozen, ones({1}, {.dtype = float64})));
  CHECK_FALSE(w1.grad().defined());
}

TEST_CASE("ArmijoGD converges without a learning rate to tune, and never uphill") {
  for (const std::string name : {"bowl(1, 4)", "quadratic(100, 2)", "beale", "himmelblau", "logistic_regression"}) {
    CAPTURE(name);
    const problems::Problem& problem = problems::find(name);
    Tensor x = param(problem.starts[0]);
    ArmijoGD descent({x});
    double loss = problem(x).item();
    for (int step = 0; step < 3000; ++step) {
      descent.step([&] { return problem(x); });
      const double now = problem(x).item();
      REQUIRE(now <= loss * (1 + 1e-15) + 1e-15);
      loss = now;
    }
    CHECK(loss - problem.minima[0].value < 1e-10);
  }
}

TEST_CASE("ArmijoGD takes the first step of lr * shrink^k that satisfies the condition") {
  const problems::Problem problem = problems::quadratic(10, 2);
  Tensor x = param(problem.starts[0]);
  ArmijoGD descent({x}, {.lr = 3, .sufficient_decrease = 0.3, .shrink = 0.7});
  const double f = problem(x).item();
  const Tensor g = grad(problem(x), {x})[0];
  double t = 3;
  while (problem(x.detach() - t * g).item() > f - 0.3 * t * sum(square(g)).item()) t *= 0.7;
  const Tensor expected = x.detach() - t * g;
  descent.step([&] { return problem(x); });
  CHECK(t < 1);
  CHECK(allclose(x.detach(), expected, {.rtol = 1e-14}));
  descent.set_lr(0, 1e-3);
  const Tensor next = grad(problem(x), {x})[0];
  const Tensor after = x.detach() - 1e-3 * next;
  descent.step([&] { return problem(x); });
  CHECK(allclose(x.detach(), after, {.rtol = 1e-14}));
}

TEST_CASE("LevenbergMarquardt fits an exponential, to where the gradient vanishes") {
  const Decay data;
  for (const bool marquardt : {false, true}) {
    CAPTURE(marquardt);
    Tensor p = param({1, 0.2, 0});
    LevenbergMarquardt fit({p}, {.marquardt = marquardt});
    for (int step = 0; step < 25; ++step) fit.step([&] { return data.residuals(p); });
    CHECK(distance(p, tensor({3.0, 1.3, 0.5}, {.dtype = float64})) < 0.05);
    const Tensor slope = grad(sum(square(data.residuals(p))) / 2.0, {p})[0];
    CHECK(slope.abs().max().item() < 1e-12);
  }
}

TEST_CASE("LevenbergMarquardt solves linear least squares almost at once, and its classic: Rosenbrock's function") {
  const Tensor A = tensor({{1.0, 2.0}, {3.0, 4.0}, {5.0, 7.0}}, {.dtype = float64});
  Tensor x = param({9.0, -9.0});
  LevenbergMarquardt linear_fit({x}, {.tau = 1e-12});
  const Tensor b = tensor({1.0, 0.0, 2.0}, {.dtype = float64});
  const Tensor loss = linear_fit.step([&] { return mv(A, x) - b; });
  CHECK(loss.item() == doctest::Approx(sum(square(mv(A, tensor({9.0, -9.0}, {.dtype = float64})) - b)).item() / 2));
  CHECK(distance(x, linalg::lstsq(A, b).solution) < 1e-8);

  Tensor p = param({-1.2, 1});
  LevenbergMarquardt fit({p});
  int steps = 0;
  const Tensor minimum = ones({2}, {.dtype = float64});
  for (; steps < 100 && distance(p, minimum) > 1e-12; ++steps) {
    fit.step([&] { return stack({1.0 - p[0], 10.0 * (p[1] - square(p[0]))}); });
  }
  CHECK(steps < 40);
}

TEST_CASE("LevenbergMarquardt with Marquardt's scaling goes the same way in any units") {
  const Decay data;
  Tensor p = param({1, 0.2, 0}), q = param({1e6, 0.2, 0});
  LevenbergMarquardt a({p}, {.marquardt = true}), b({q}, {.marquardt = true});
  const Tensor units = tensor({1e-6, 1.0, 1.0}, {.dtype = float64});
  for (int step = 0; step < 6; ++step) {
    a.step([&] { return data.residuals(p); });
    b.step([&] { return data.residuals(q * units); });
    CHECK(allclose(p.detach(), (q * units).detach(), {.rtol = 1e-7}));
  }
}

TEST_CASE("LevenbergMarquardt resumes from its state bit for bit") {
  const Decay data;
  Tensor p = param({1, 0.2, 0});
  LevenbergMarquardt fit({p});
  for (int step = 0; step < 3; ++step) fit.step([&] { return data.residuals(p); });
  std::map<std::string, Tensor> state;
  for (const auto& [key, value] : fit.state_dict()) state.emplace(key, value.clone());
  CHECK(state.contains("state.0.lambda"));
  Tensor q = param(p);
  LevenbergMarquardt resumed({q});
  resumed.load_state_dict(state);
  for (int step = 0; step < 3; ++step) {
    fit.step([&] { return data.residuals(p); });
    resumed.step([&] { return data.residuals(q); });
    CHECK(equal(p.detach(), q.detach()));
  }
}

TEST_CASE("these methods work in float32, and through a reference to Optimizer") {
  for (const Method& method : methods()) {
    CAPTURE(method.name);
    Tensor x = param(tensor({2.0F, -1.0F}));
    const std::unique_ptr<optim::Optimizer> optimizer = method.make({x});
    const Tensor target = tensor({1.0F, 3.0F});
    for (int step = 0; step < 60; ++step) {
      optimizer->step([&] { return method.takes_residuals ? x - target : sum(square(x - target)); });
    }
    CHECK(distance(x, target) < 1e-4);
    CHECK(x.dtype() == float32);
  }
}

TEST_CASE("a closure that throws, at any call, leaves the parameters where they were") {
  for (const Method& method : methods()) {
    CAPTURE(method.name);
    for (int fails_at = 1; fails_at < 4; ++fails_at) {
      Tensor x = param({3.0, 1.0});
      const auto optimizer = method.make({x});
      const Tensor before = x.detach().clone();
      int calls = 0;
      const auto closure = [&] {
        if (++calls == fails_at) throw std::runtime_error("no more data");
        return method.closure(sum(pow(x, 4)));
      };
      bool has_thrown = false;
      while (!has_thrown) {
        before.detach().copy_(x.detach());
        try {
          optimizer->step(closure);
        } catch (const std::runtime_error&) {
          has_thrown = true;
        }
      }
      CHECK(equal(x.detach(), before));
    }
  }
}

TEST_CASE("a loss without a value is refused where the parameters are, and avoided elsewhere") {
  for (const Method& method : methods()) {
    CAPTURE(method.name);
    Tensor x = param({-1.0});
    const auto optimizer = method.make({x});
    const auto barrier = [&] { return method.closure(sum(x - log(x)) - 0.9); };
    CHECK_THROWS_AS(optimizer->step(barrier), Error);
    CHECK(x.item() == -1);
    Tensor y = param({0.2});  // lr = 1 goes out of the domain on the other side from there
    const auto other = method.make({y});
    for (int step = 0; step < 60; ++step) {
      other->step([&] { return method.closure(sum(y - log(y)) - 0.9); });
      REQUIRE(y.item() > 0);
    }
    CHECK(y.item() == doctest::Approx(1).epsilon(1e-4));
  }
  Tensor z = param({-1.0});
  CHECK(message_of([&] { Newton({z}).step([&] { return sum(log(z)); }); }) == "Newton: the loss is nan");
  CHECK(message_of([&] { ArmijoGD({z}).step([&] { return sum(log(z)); }); }) == "ArmijoGD: the loss is nan");
  CHECK(message_of([&] { LevenbergMarquardt({z}).step([&] { return log(z); }); }) ==
        "LevenbergMarquardt: a residual is nan");
}

TEST_CASE("LevenbergMarquardt goes on from the lambda at which a step gave up") {
  for (const int max_tries : {1, 2, 5}) {
    CAPTURE(max_tries);
    Tensor p = param({-1.2, 1});
    LevenbergMarquardt fit({p}, {.tau = 1e-12, .max_tries = max_tries});
    for (int step = 0; step < 200; ++step) {
      fit.step([&] { return stack({1.0 - p[0], 10.0 * (p[1] - square(p[0]))}); });
    }
    CHECK(distance(p, ones({2}, {.dtype = float64})) < 1e-8);
  }
  // A step that can only fail, as it leaves the domain, has a state that loads.
  Tensor q = param({1.0});
  LevenbergMarquardt stuck({q}, {.max_tries = 2});
  int calls = 0;
  stuck.step([&] { return calls++ == 0 ? q * 1.0 : q / 0.0; });
  CHECK(q.item() == 1);
  const double lambda = stuck.state_dict().at("state.0.lambda").item();
  CHECK(lambda == doctest::Approx(1e-3 * 2 * 4));
  CHECK(stuck.state_dict().at("state.0.nu").item() == 8);
  LevenbergMarquardt resumed({q});
  resumed.load_state_dict(stuck.state_dict());
}

TEST_CASE("LevenbergMarquardt keeps lambda within range, and takes no other") {
  Tensor flat = param({0.0});  // no derivative, and so a first lambda of 0
  LevenbergMarquardt fit({flat});
  fit.step([&] { return square(flat) - 1.0; });
  std::map<std::string, Tensor> state;
  for (const auto& [key, value] : fit.state_dict()) state.emplace(key, value.clone());
  CHECK(state.at("state.0.lambda").item() > 0);
  LevenbergMarquardt({flat}).load_state_dict(state);
  for (const double bad : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN()}) {
    state["state.0.lambda"] = tensor(bad, {.dtype = float64});
    CHECK(tests::contains(message_of([&] { fit.load_state_dict(state); }),
                          "load_state_dict: state.0.lambda must be above 0 and finite, got "));
  }
  state["state.0.lambda"] = tensor(1e70, {.dtype = float64});
  fit.load_state_dict(state);
  fit.step([&] { return square(flat) - 1.0; });
  CHECK(fit.state_dict().at("state.0.lambda").item() < 1e60);

  Tensor steep = param({1e32});
  LevenbergMarquardt other({steep});
  for (int step = 0; step < 3; ++step) other.step([&] { return square(steep); });
  CHECK(steep.item() < 0.5e32);
}

TEST_CASE("a trial that ends at minus infinity is no success") {
  const auto well = [](const Tensor& x) { return sum(log(abs(x))); };
  Tensor x = param({1.0}), y = param({0.5});
  ArmijoGD descent({x});
  descent.step([&] { return well(x); });  // the first trial is 0
  CHECK(std::isfinite(well(x).item()));
  CHECK(x.item() == 0.5);
  Newton newton({y}, {.min_curvature = 1e-300});
  newton.step([&] { return well(y); });
  CHECK(std::isfinite(well(y).item()));
}

TEST_CASE("backtracking measures a slope that float32 does not hold") {
  for (const Method& method : methods()) {
    if (method.takes_residuals) continue;
    CAPTURE(method.name);
    Tensor x = param(tensor({1e7F}));
    const auto optimizer = method.make({x});
    optimizer->set_lr(0, method.name == "Newton" ? 1 : 1e-16);
    optimizer->step([&] { return sum(square(square(x))); });
    CHECK(x.item() < 0.97e7);
    CHECK(std::isfinite(x.item()));
  }
}

TEST_CASE("these methods take named parameters, all of one dtype, and an empty one") {
  const optim::NamedTensors named{{"weight", param({3.0})}, {"none", param(std::vector<double>{})}};
  const Tensor &x = named[0].second, none = named[1].second;
  ArmijoGD descent(named);
  Newton newton(named);
  LevenbergMarquardt fit(named);
  descent.track_updates();
  descent.step([&] { return sum(square(x)) + sum(none); });
  CHECK(descent.diagnostics().parameters[0].name == "weight");
  newton.step([&] { return sum(square(x)) + sum(none); });
  CHECK(std::abs(x.item()) < 1e-12);
  fit.step([&] { return cat({x, none}) - 1.0; });
  CHECK(x.item() == doctest::Approx(1).epsilon(1e-2));
  for (const Method& method : methods()) {
    CAPTURE(method.name);
    CHECK(message_of([&] {
            method.make({x, zeros({1})});
          }) == method.name + ": all parameters must have one dtype, got float64 and float32");
  }
}

TEST_CASE("ArmijoGD and Newton have no state, and take none") {
  Tensor x = param({2.0});
  optim::SGD sgd({x}, {.lr = 0.1, .momentum = 0.5});
  x.set_grad(ones({1}, {.dtype = float64}));
  sgd.step();
  auto state = sgd.state_dict();
  state.erase("param_groups.0.momentum");
  for (const Method& method : methods()) {
    CAPTURE(method.name);
    const auto optimizer = method.make({x});
    CHECK(message_of([&] { optimizer->load_state_dict(state); }) ==
          "load_state_dict: unexpected key: state.0.momentum_buffer");
    optimizer->step([&] { return method.closure(sum(square(x)) + 1.0); });
    optimizer->load_state_dict(optimizer->state_dict());
  }
}

TEST_CASE("these methods by NonFinite::skip leave out a step from where the loss has no value, and count it") {
  for (const Method& method : methods()) {
    CAPTURE(method.name);
    Tensor x = param({-1.0});
    const auto optimizer = method.make({x});
    optimizer->set_nonfinite(optim::NonFinite::skip);
    const Tensor loss = optimizer->step([&] { return method.closure(sum(x - log(x))); });
    CHECK(std::isnan(loss.item()));
    CHECK(loss.numel() == 1);
    CHECK(optimizer->skipped_steps() == 1);
    CHECK(x.item() == -1);
    CHECK(optimizer->state_dict().size() == 2);
    CHECK_THROWS_AS(optimizer->step([&]() -> Tensor { throw std::runtime_error("no more data"); }), std::runtime_error);
    CHECK(optimizer->skipped_steps() == 1);
  }
}

TEST_CASE("wrong uses of these methods are refused") {
  Tensor x = param({1.0, 2.0});
  const Tensor frozen = ones({2}, {.dtype = float64});
  CHECK(message_of([&] { Newton({x}).step(); }) ==
        "Newton: step() needs a closure: it evaluates the loss as often as it needs");
  CHECK(message_of([&] { Newton({x}).step([&] { return x * 2.0; }); }) ==
        "Newton: the function must return one element, got shape (2,)");
  CHECK(message_of([&] { ArmijoGD({x}).step([&] { return x * 2.0; }); }) ==
        "ArmijoGD: the loss must be one number, got (2,)");
  CHECK(message_of([&] { Newton({frozen}).step([&] { return sum(frozen); }); }) ==
        "Newton: none of the 1 parameters requires a gradient");
  CHECK(message_of([&] { LevenbergMarquardt({x}).step([&] { return x.narrow(0, 0, 0); }); }) ==
        "LevenbergMarquardt: there is no residual, their shape is (0,)");
  CHECK(message_of([&] { ArmijoGD({x}, {.lr = -1}); }) == "ArmijoGD: lr must be at least 0, got -1");
  CHECK(message_of([&] { ArmijoGD({x}, {.shrink = 1}); }) == "ArmijoGD: shrink must be in (0, 1), got 1");
  CHECK(message_of([&] { Newton({x}, {.damping = -1}); }) == "Newton: damping must be at least 0, got -1");
  CHECK(message_of([&] { Newton({x}, {.min_curvature = 2}); }) == "Newton: min_curvature must be in (0, 1), got 2");
  CHECK(message_of([&] { Newton({x}, {.max_backtracks = -1}); }) ==
        "Newton: max_backtracks must be at least 0, got -1");
  CHECK(message_of([&] { LevenbergMarquardt({x}, {.tau = 0}); }) == "LevenbergMarquardt: tau must be above 0, got 0");
  CHECK(message_of([&] { LevenbergMarquardt({x}, {.lr = 3}); }) == "LevenbergMarquardt: lr must be in [0, 1], got 3");
  CHECK(message_of([&] { LevenbergMarquardt({x}, {.max_tries = 0}); }) ==
        "LevenbergMarquardt: max_tries must be at least 1, got 0");
  CHECK(message_of([&] {
          Newton({{.params = {x}}, {.params = {frozen}}});
        }) == "Newton: moves all parameters as one group, got 2 groups");
}
