// What theory says about the speed of optimizers, and how many steps each of them takes.
//
// On a quadratic with eigenvalues from mu to L, kappa = L / mu, each step makes the error smaller by the factor
//   (kappa - 1) / (kappa + 1)              gradient descent with lr = 2 / (L + mu),
//   (sqrt kappa - 1) / (sqrt kappa + 1)    heavy ball with lr = 4 / (sqrt L + sqrt mu)^2 and momentum = that, squared.
// [Polyak, Some methods of speeding up the convergence of iteration methods, 1964]

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gradus/autograd.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "gradus/optim.hpp"
#include "gradus/problems.hpp"
#include "optimizer_table.hpp"

using namespace gradus;
using problems::Problem;

namespace {

Tensor start_of(const Problem& problem) { return problem.starts[0].clone().set_requires_grad(); }

double error_of(const Problem& problem, const Tensor& x) { return norm(x.detach() - problem.minima[0].point).item(); }

void descend(optim::Optimizer& optimizer, const Problem& problem, const Tensor& x) {
  optimizer.zero_grad();
  problem(x).backward();
  optimizer.step();
}

// The number of steps until the distance to the minimum is this share of that at the start.
int steps_to(optim::Optimizer& optimizer, const Problem& problem, const Tensor& x, double share) {
  const double goal = share * error_of(problem, x);
  int steps = 0;
  for (; error_of(problem, x) > goal && steps < 1'000'000; ++steps) descend(optimizer, problem, x);
  return steps;
}

struct Spectrum {
  double mu, L, kappa;
};

Spectrum spectrum_of(const Problem& problem) {
  const problems::Curvature& c = *problem.curvature;
  return {c.smallest, c.largest, c.condition()};
}

constexpr double conditions[] = {10, 1e3, 1e5};

optim::SGDOptions best_heavy_ball(const Spectrum& s) {
  return {.lr = 4 / std::pow(std::sqrt(s.L) + std::sqrt(s.mu), 2),
          .momentum = std::pow((std::sqrt(s.kappa) - 1) / (std::sqrt(s.kappa) + 1), 2)};
}

// The smallest t for which two errors of (1 + a t) rate^t and (1 + b t) rate^t are this share of what they were.
double steps_of_double_roots(double rate, double a, double b, double share) {
  double t = 0;
  while (std::hypot(1 + a * t, 1 + b * t) / std::sqrt(2.0) * std::pow(rate, t) > share) ++t;
  return t;
}

}  // namespace

TEST_CASE("gradient descent at the best rate contracts by (kappa - 1) / (kappa + 1) in each step") {
  for (const double kappa : conditions) {
    CAPTURE(kappa);
    const Problem problem = problems::quadratic(kappa);
    const auto [mu, L, condition] = spectrum_of(problem);
    const double rate = (kappa - 1) / (kappa + 1);
    Tensor x = start_of(problem);
    optim::SGD optimizer({x}, {.lr = 2 / (L + mu)});
    for (int step = 0; step < 50; ++step) {
      const double before = error_of(problem, x);
      descend(optimizer, problem, x);
      CHECK(error_of(problem, x) / before == doctest::Approx(rate).epsilon(1e-12));
    }
  }
}

TEST_CASE("gradient descent takes the steps that theory predicts, in any direction of the axes") {
  for (const double kappa : conditions) {
    CAPTURE(kappa);
    const double share = kappa > 1e4 ? 0.5 : 1e-4;  // the last one is slow
    for (const bool is_rotated : {false, true}) {
      if (is_rotated && kappa > 1e4) continue;
      const Problem problem =
          is_rotated ? problems::quadratic(kappa, 2, {.rotation_seed = 8}) : problems::quadratic(kappa);
      const auto [mu, L, condition] = spectrum_of(problem);
      Tensor x = start_of(problem);
      optim::SGD optimizer({x}, {.lr = 2 / (L + mu)});
      const double predicted = std::log(share) / std::log((kappa - 1) / (kappa + 1));
      const int steps = steps_to(optimizer, problem, x, share);
      MESSAGE("gradient descent, kappa " << kappa << ": " << steps << " steps, predicted " << predicted);
      CHECK(std::abs(steps - predicted) <= 1 + 1e-3 * predicted);
    }
  }
}

TEST_CASE("gradient descent diverges above 2 / L, and converges below") {
  for (const double kappa : conditions) {
    CAPTURE(kappa);
    const Problem problem = problems::quadratic(kappa);
    const double L = problem.curvature->largest;
    const auto size_of_steep_part = [&](double lr) {
      Tensor x = start_of(problem);
      optim::SGD optimizer({x}, {.lr = lr});
      for (int step = 0; step < 300; ++step) descend(optimizer, problem, x);
      return std::abs(x[1].item());
    };
    CHECK(size_of_steep_part(2.02 / L) == doctest::Approx(std::pow(1.02, 300)).epsilon(1e-6));
    CHECK(size_of_steep_part(1.98 / L) == doctest::Approx(std::pow(0.98, 300)).epsilon(1e-6));
    CHECK(2 / L == doctest::Approx(2 / largest_hessian_eigenvalue(problem.f, problem.starts[0])));
  }
}

TEST_CASE("heavy ball reaches (sqrt kappa - 1) / (sqrt kappa + 1)") {
  for (const double kappa : conditions) {
    CAPTURE(kappa);
    const Problem problem = problems::quadratic(kappa);
    const Spectrum s = spectrum_of(problem);
    const double root = std::sqrt(kappa), rate = (root - 1) / (root + 1);
    Tensor x = start_of(problem);
    optim::SGD optimizer({x}, best_heavy_ball(s));
    // Both roots of the recurrence are the rate: the error is (1 + c t) rate^t, so the factor per step tends to it.
    const int half = static_cast<int>(20 * root);
    for (int step = 0; step < half; ++step) descend(optimizer, problem, x);
    const double middle = error_of(problem, x);
    for (int step = 0; step < half; ++step) descend(optimizer, problem, x);
    const double measured = std::pow(error_of(problem, x) / middle, 1.0 / half);
    MESSAGE("heavy ball, kappa " << kappa << ": factor per step " << measured << ", predicted " << rate);
    CHECK(std::log(measured) == doctest::Approx(std::log(rate)).epsilon(0.03));
  }
}

TEST_CASE("heavy ball takes the steps that theory predicts") {
  for (const double kappa : conditions) {
    CAPTURE(kappa);
    const Problem problem = problems::quadratic(kappa);
    const Spectrum s = spectrum_of(problem);
    const double root = std::sqrt(kappa), rate = (root - 1) / (root + 1);
    const optim::SGDOptions options = best_heavy_ball(s);
    Tensor x = start_of(problem);
    optim::SGD optimizer({x}, options);
    // The first step, 1 - lr mu and 1 - lr L, and the double root, rate and -rate, fix the whole way on each axis.
    const double flat = (1 - options.lr * s.mu) / rate - 1, steep = (1 - options.lr * s.L) / -rate - 1;
    const double predicted = steps_of_double_roots(rate, flat, steep, 1e-6);
    const int steps = steps_to(optimizer, problem, x, 1e-6);
    MESSAGE("heavy ball, kappa " << kappa << ": " << steps << " steps, predicted " << predicted);
    CHECK(steps == doctest::Approx(predicted).epsilon(0.01));
  }
}

namespace {

// Nesterov's method with his growing momentum: t(1) = 1, t(k + 1) = (1 + sqrt(1 + 4 t(k)^2)) / 2,
//   x(k) = y(k) - lr f'(y(k)),  y(k + 1) = x(k) + beta(k) * (x(k) - x(k - 1)),  beta(k) = (t(k) - 1) / t(k + 1).
// SGD with nesterov keeps y, and b with x(k) - x(k - 1) = -lr * b. Its step is b = m * b + g, y -= lr * (g + m * b),
// which takes the old beta(k - 1) and the new beta(k) for one: the buffer is scaled for their difference.
class Nesterov {
 public:
  Nesterov(const Problem& problem, double lr)
      : problem_(problem), y_(start_of(problem)), optimizer_({y_}, {.lr = lr, .momentum = tiny, .nesterov = true}) {}

  // Returns x(k).
  Tensor step() {
    const double next = (1 + std::sqrt(1 + 4 * t_ * t_)) / 2;
    const double beta = std::max(tiny, (t_ - 1) / next);
    auto state = optimizer_.state_dict();
    if (const auto buffer = state.find("state.0.momentum_buffer"); buffer != state.end()) {
      buffer->second.mul_(optimizer_.options().momentum / beta);
    }
    optimizer_.set_momentum(0, beta);
    descend(optimizer_, problem_, y_);
    t_ = next;
    return y_.detach() + optimizer_.lr() * beta * optimizer_.state_dict().at("state.0.momentum_buffer");
  }

 private:
  static constexpr double tiny = std::numeric_limits<double>::min();  // the rule asks for a momentum above 0

  const Problem& problem_;
  Tensor y_;
  optim::SGD optimizer_;
  double t_ = 1;
};

}  // namespace

TEST_CASE("Nesterov's bound holds on convex functions, where gradient descent breaks it") {
  std::vector<Problem> convex{problems::least_squares(), problems::logistic_regression()};
  for (const double kappa : conditions) convex.push_back(problems::quadratic(kappa, 10, {.rotation_seed = 3}));
  for (const Problem& problem : convex) {
    CAPTURE(problem.name);
    const double L = problem.curvature->largest, lowest = problem.minima[0].value;
    const double distance = error_of(problem, problem.starts[0]);
    Nesterov nesterov(problem, 1 / L);
    Tensor x = start_of(problem);
    optim::SGD descent({x}, {.lr = 1 / L});
    double closest = 0;
    bool is_broken = false;
    for (int t = 1; t <= 1500; ++t) {
      const double bound = 2 * L * distance * distance / std::pow(t + 1, 2);
      const double gap = problem(nesterov.step()).item() - lowest;
      REQUIRE(gap <= bound + 1e-14);
      closest = std::max(closest, gap / bound);
      descend(descent, problem, x);
      is_broken = is_broken || problem(x).item() - lowest > bound;
    }
    MESSAGE(problem.name << ": Nesterov's method comes to " << 100 * closest << " % of the bound");
    if (problem.curvature->condition() > 1e4) CHECK(is_broken);
  }
}

TEST_CASE("noise keeps gradient descent at the distance that its variance gives") {
  // Each axis is an autoregression: E x^2 = lr^2 s^2 / (1 - (1 - lr w)^2) = lr s^2 / (w (2 - lr w)).
  const double lr = 0.1, stddev = 0.5;
  const Problem problem = problems::noisy(problems::bowl(), stddev, 5);
  Tensor x = start_of(problem);
  optim::SGD optimizer({x}, {.lr = lr});
  for (int step = 0; step < 200; ++step) descend(optimizer, problem, x);
  std::vector<Tensor> seen;
  for (int step = 0; step < 20000; ++step) {
    descend(optimizer, problem, x);
    seen.push_back(x.detach().clone());
  }
  const Tensor spread = square(stack(seen)).mean({0});
  const double eigenvalues[] = {2, 4};
  for (const std::int64_t i : {0, 1}) {
    const double w = eigenvalues[i];
    CHECK(spread[i].item() == doctest::Approx(lr * stddev * stddev / (w * (2 - lr * w))).epsilon(0.06));
  }
}

// --- The table
// --------------------------------------------------------------------------------------------------------

namespace {

using Params = std::vector<Tensor>;
using Make = std::function<std::unique_ptr<optim::Optimizer>(const Params&)>;

template <class Rule, class Options>
Make rule(const Options& options) {
  return [options](const Params& params) { return std::make_unique<Rule>(params, options); };
}

// Steps from the first start until the loss is within 1e-6 of the minimum, to stay there. `steps` is what it took when
// this was written.
struct Race {
  std::string optimizer;
  std::string problem;
  Make make;
  int steps;
  bool differentiates_itself = false;
};

constexpr double tolerance = 1e-6;
constexpr int patience = 20;  // a method that only passes through has not arrived

template <class Step>
int steps_until_there(const Problem& problem, const Tensor& x, int limit, const Step& make_step) {
  int arrived = 0;
  for (int step = 1; step <= limit + patience; ++step) {
    make_step();
    NoGrad guard;
    const bool is_there = problem(x).item() - problem.minima[0].value <= tolerance;
    arrived = is_there ? (arrived ? arrived : step) : 0;
    if (arrived && step - arrived >= patience) return arrived;
  }
  return arrived;
}

int run(const Race& race, int limit) {
  const Problem& problem = problems::find(race.problem);
  Tensor x = start_of(problem);
  const auto optimizer = race.make({x});
  return steps_until_there(problem, x, limit, [&] {
    optimizer->step([&] {
      optimizer->zero_grad();
      Tensor loss = problem(x);
      if (!race.differentiates_itself) loss.backward();
      return loss;
    });
  });
}

const std::vector<Race>& races() {
  using optim::Adadelta, optim::AdadeltaOptions, optim::Adafactor, optim::AdafactorOptions, optim::Adagrad,
      optim::AdagradOptions, optim::Adam, optim::AdamOptions, optim::Adamax, optim::AdamaxOptions, optim::AdamW,
      optim::AdamWOptions, optim::ArmijoGD, optim::ArmijoGDOptions, optim::ASGD, optim::ASGDOptions, optim::LAMB,
      optim::LAMBOptions, optim::LBFGS, optim::LBFGSOptions, optim::Lion, optim::LionOptions, optim::Muon,
      optim::MuonOptions, optim::NAdam, optim::NAdamOptions, optim::Newton, optim::NewtonOptions, optim::RAdam,
      optim::RAdamOptions, optim::RMSprop, optim::RMSpropOptions, optim::Rprop, optim::RpropOptions,
      optim::ScheduleFreeAdamW, optim::ScheduleFreeAdamWOptions, optim::ScheduleFreeSGD, optim::ScheduleFreeSGDOptions,
      optim::SGD, optim::SGDOptions, optim::SOAP, optim::SOAPOptions;
  const std::string bowl = "bowl(1, 4)", quadratic = "quadratic(100, 2)", valley = "rosenbrock", beale = "beale";
  static const std::vector<Race> all{
      {"SGD", bowl, rule<SGD>(SGDOptions{.lr = 0.2}), 18},
      {"SGD", quadratic, rule<SGD>(SGDOptions{.lr = 2.0 / 101}), 444},
      {"SGD", beale, rule<SGD>(SGDOptions{.lr = 0.02}), 820},
      {"SGD", valley, rule<SGD>(SGDOptions{.lr = 1e-3}), 15068},
      {"SGD/momentum", bowl, rule<SGD>(SGDOptions{.lr = 0.2, .momentum = 0.3}), 16},
      {"SGD/momentum", quadratic, rule<SGD>(SGDOptions{.lr = 0.03, .momentum = 0.67}), 53},
      {"SGD/momentum", beale, rule<SGD>(SGDOptions{.lr = 0.01, .momentum = 0.9}), 157},
      {"SGD/momentum", valley, rule<SGD>(SGDOptions{.lr = 1e-3, .momentum = 0.9}), 1386},
      {"SGD/nesterov", quadratic, rule<SGD>(SGDOptions{.lr = 0.01, .momentum = 0.82, .nesterov = true}), 81},
      {"SGD/nesterov", valley, rule<SGD>(SGDOptions{.lr = 1e-3, .momentum = 0.9, .nesterov = true}), 1426},
      {"Adam", bowl, rule<Adam>(AdamOptions{.lr = 0.5}), 162},
      {"Adam", quadratic, rule<Adam>(AdamOptions{.lr = 0.1}), 162},
      {"Adam", beale, rule<Adam>(AdamOptions{.lr = 0.1}), 204},
      {"Adam", valley, rule<Adam>(AdamOptions{.lr = 0.1}), 1139},
      {"AdamW", bowl, rule<AdamW>(AdamWOptions{.lr = 0.5}), 159},
      {"AdamW", valley, rule<AdamW>(AdamWOptions{.lr = 0.1, .weight_decay = 0}), 1139},
      {"NAdam", bowl, rule<NAdam>(NAdamOptions{.lr = 0.5}), 67},
      {"NAdam", valley, rule<NAdam>(NAdamOptions{.lr = 0.01}), 4713},
      {"RAdam", bowl, rule<RAdam>(RAdamOptions{.lr = 0.1}), 234},
      {"RAdam", beale, rule<RAdam>(RAdamOptions{.lr = 0.03}), 921},
      {"Adamax", bowl, rule<Adamax>(AdamaxOptions{.lr = 0.5}), 149},
      {"Adamax", beale, rule<Adamax>(AdamaxOptions{.lr = 0.1}), 718},
      {"RMSprop", bowl, rule<RMSprop>(RMSpropOptions{.lr = 1e-3, .alpha = 0.9}), 5077},
      {"RMSprop/centered", bowl, rule<RMSprop>(RMSpropOptions{.lr = 1e-3, .momentum = 0.9, .centered = true}), 607},
      {"Adagrad", bowl, rule<Adagrad>(AdagradOptions{.lr = 2}), 23},
      {"Adagrad", quadratic, rule<Adagrad>(AdagradOptions{.lr = 0.5}), 16},
      {"Adadelta", quadratic, rule<Adadelta>(AdadeltaOptions{}), 395},
      {"Lion", bowl, rule<Lion>(LionOptions{.lr = 2e-4}), 25300},
      {"Rprop", bowl, rule<Rprop>(RpropOptions{}), 61},
      {"Rprop", quadratic, rule<Rprop>(RpropOptions{}), 42},
      {"Rprop", valley, rule<Rprop>(RpropOptions{}), 3524},
      {"ASGD", bowl, rule<ASGD>(ASGDOptions{.lr = 0.2}), 18},
      {"Adafactor", bowl, rule<Adafactor>(AdafactorOptions{.lr = 0.1}), 1225},
      {"LAMB", bowl, rule<LAMB>(LAMBOptions{.lr = 0.01}), 870},
      {"Muon", bowl, rule<Muon>(MuonOptions{.lr = 0.5}), 159},  // a point is a vector: AdamW's rule
      {"ScheduleFreeAdamW", bowl, rule<ScheduleFreeAdamW>(ScheduleFreeAdamWOptions{.lr = 0.5}), 231},
      {"ScheduleFreeSGD", quadratic, rule<ScheduleFreeSGD>(ScheduleFreeSGDOptions{.lr = 0.1}), 432},
      {"SOAP", quadratic, rule<SOAP>(SOAPOptions{.lr = 0.1, .betas = {0.9, 0.999}, .weight_decay = 0}), 162},
      {"LBFGS", bowl, rule<LBFGS>(LBFGSOptions{.lr = 0.5, .max_iter = 1}), 15},
      {"LBFGS/strong_wolfe", quadratic,
       rule<LBFGS>(LBFGSOptions{.max_iter = 1, .line_search_fn = optim::LineSearch::strong_wolfe}), 8},
      {"LBFGS/strong_wolfe", beale,
       rule<LBFGS>(LBFGSOptions{.max_iter = 1, .line_search_fn = optim::LineSearch::strong_wolfe}), 13},
      {"LBFGS/strong_wolfe", valley,
       rule<LBFGS>(LBFGSOptions{.max_iter = 1, .line_search_fn = optim::LineSearch::strong_wolfe}), 33},
      {"ArmijoGD", bowl, rule<ArmijoGD>(ArmijoGDOptions{}), 8, true},
      {"ArmijoGD", quadratic, rule<ArmijoGD>(ArmijoGDOptions{}), 296, true},
      {"ArmijoGD", valley, rule<ArmijoGD>(ArmijoGDOptions{}), 4943, true},
      {"Newton", bowl, rule<Newton>(NewtonOptions{}), 1, true},
      {"Newton", beale, rule<Newton>(NewtonOptions{}), 6, true},
      {"Newton", valley, rule<Newton>(NewtonOptions{}), 19, true},
  };
  return all;
}

}  // namespace

TEST_CASE("every optimizer arrives in about the number of steps that it took before") {
  for (const Race& race : races()) {
    CAPTURE(race.optimizer);
    CAPTURE(race.problem);
    const int steps = run(race, 30000);
    MESSAGE(race.optimizer << " on " << race.problem << ": " << steps << " steps");
    CHECK(steps > 0);
    CHECK(std::abs(steps - race.steps) <= 2 + race.steps / 20);
  }
}

TEST_CASE("LevenbergMarquardt and SAM race, too") {
  const Problem& valley = problems::find("rosenbrock");
  Tensor x = start_of(valley);
  optim::LevenbergMarquardt fit({x});
  const auto residuals = [&] { return std::sqrt(2.0) * stack({1.0 - x[0], 10.0 * (x[1] - square(x[0]))}); };
  REQUIRE(sum(square(residuals())).item() / 2 == doctest::Approx(valley(x).item()));
  CHECK(steps_until_there(valley, x, 1000, [&] { fit.step(residuals); }) == 12);

  const Problem& beale = problems::find("beale");
  Tensor y = start_of(beale);
  optim::SGD base({y}, {.lr = 0.02});
  optim::SAM sam(base, {.rho = 1e-4});  // it circles the minimum at that distance
  const auto closure = [&] {
    base.zero_grad();
    Tensor loss = beale(y);
    loss.backward();
    return loss;
  };
  CHECK(steps_until_there(beale, y, 3000, [&] { sam.step(closure); }) == doctest::Approx(820).epsilon(0.05));
}

TEST_CASE("every optimizer of the table races") {
  std::set<std::string> racing;
  for (const Race& race : races()) racing.insert(race.optimizer.substr(0, race.optimizer.find('/')));
  for (const OptimizerRow& row : optimizer_table()) {
    CAPTURE(row.name);
    CHECK(racing.contains(row.name.substr(0, row.name.find('/'))));
  }
}
