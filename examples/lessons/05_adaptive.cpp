// Lesson 5: AdaGrad, RMSProp and Adam on ravines, saddles and plateaus.
//
// Plain descent moves by the gradient, so it crawls where the gradient is small and leaps where it is large. Adaptive
// methods divide each coordinate by the size its gradients have had:
//
//     AdaGrad   s = s + g^2                    w = w - lr g / sqrt(s)           all gradients since the start
//     RMSProp   v = a v + (1 - a) g^2          w = w - lr g / sqrt(v)           those of the last 1 / (1 - a) steps
//     Adam      m, v: averages of g and g^2    w = w - lr m / sqrt(v)           both corrected for their start at 0
//
// So the size of a gradient hardly matters any more, its sign and steadiness do: g -> 1000 g changes nothing.
#include <gradus/gradus.hpp>
#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <numbers>
#include <string>
#include <vector>
#include "lesson.hpp"
using namespace gradus;

const std::vector<double> rates{0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 0.8};  // each method gets the best of these
const int most_steps = 1000;
const double angle = 45;        // of the turned ravine, in degrees
const double tolerance = 1e-4;  // how near to the minimum's value counts as there

using Params = std::vector<Tensor>;
using Maker = std::function<std::unique_ptr<optim::Optimizer>(const Params&, double lr)>;
template <class Rule, class Options>
Maker maker(Options options) {
  return [options](const Params& params, double lr) mutable {
    options.lr = lr;
    return std::make_unique<Rule>(params, options);
  };
}
const std::vector<std::pair<std::string, Maker>> methods{
    {"SGD", maker<optim::SGD>(optim::SGDOptions{})},
    {"momentum", maker<optim::SGD>(optim::SGDOptions{.momentum = 0.9})},
    {"AdaGrad", maker<optim::Adagrad>(optim::AdagradOptions{})},
    {"RMSProp", maker<optim::RMSprop>(optim::RMSpropOptions{.alpha = 0.9})},
    {"Adam", maker<optim::Adam>(optim::AdamOptions{})},
};

struct Surface {
  std::string name;
  UnaryFunction f;
  Tensor start;
  double lowest;
  problems::Domain shown;
};

struct Descent {
  int steps = most_steps + 1;  // until within the tolerance
  double loss = 0;
  double lr = 0;
  std::vector<double> x = {}, y = {};
};

Descent descend(const Surface& surface, const Maker& make, double lr) {
  Tensor w = surface.start.clone().set_requires_grad();
  const auto optimizer = make({w}, lr);
  Descent descent;
  descent.lr = lr;
  for (int k = 0; k <= most_steps; ++k) {
    optimizer->zero_grad();
    const Tensor loss = surface.f(w);
    descent.x.push_back(w[0].item()), descent.y.push_back(w[1].item());
    descent.loss = loss.item();
    if (loss.item() - surface.lowest < tolerance) return descent.steps = k, descent;
    if (!(std::abs(loss.item()) < 1e6)) break;
    loss.backward();
    optimizer->step();
  }
  return descent;
}

Descent best_of_rates(const Surface& surface, const Maker& make) {
  Descent best;
  for (const double lr : rates) {
    Descent descent = descend(surface, make, lr);
    if (best.x.empty() || std::pair(descent.steps, descent.loss) < std::pair(best.steps, best.loss))
      best = std::move(descent);
  }
  return best;
}

int main(int argc, char** argv) {
  const auto at = [](double x, double y) { return tensor({x, y}, {.dtype = float64}); };
  // The same ravine twice, curvatures 1 and 1000: along the axes, and turned.
  const double c = std::cos(angle * std::numbers::pi / 180), d = std::sin(angle * std::numbers::pi / 180);
  const UnaryFunction ravine = [](const Tensor& w) {
    return 0.5 * square(w.select(-1, 0)) + 500.0 * square(w.select(-1, 1));
  };
  const UnaryFunction turned = [c, d](const Tensor& w) {
    const Tensor x = w.select(-1, 0), y = w.select(-1, 1);
    return 0.5 * square(c * x + d * y) + 500.0 * square(c * y - d * x);
  };
  const std::vector<Surface> surfaces{
      {"ravine", ravine, at(3, 1), 0, {{-1, 3.5}, {-2, 2}}},
      {"turned ravine", turned, at(3 * c - d, 3 * d + c), 0, {{-1, 3.5}, {-1, 3.5}}},
      {"saddle", problems::strict_saddle().f, at(1, 1e-6), -0.25, {{-1.2, 1.2}, {-0.4, 1.6}}},
      {"plateau", problems::plateau().f, at(4.5, 2), 0, {{-1, 5}, {-1.5, 2.5}}},
  };

  std::printf("steps to the minimum with the best of %zu rates, which is in brackets; -: not within %d\n%12s",
              rates.size(), most_steps, "");
  for (const Surface& surface : surfaces) std::printf("%18s", surface.name.c_str());
  std::map<std::string, std::map<std::string, Descent>> runs;  // by surface and method
  for (const auto& [method, make] : methods) {
    std::printf("\n%12s", method.c_str());
    for (const Surface& surface : surfaces) {
      const Descent& run = runs[surface.name][method] = best_of_rates(surface, make);
      if (run.steps > most_steps)
        std::printf("%18s", "-");
      else
        std::printf("%10d (%5g)", run.steps, run.lr);
    }
  }
  const auto leaves = [&](int method) {  // the step after which y is beyond 0.5
    const std::vector<double> y = descend(surfaces[2], methods[method].second, 0.1).y;
    return int(std::find_if(y.begin(), y.end(), [](double y) { return std::abs(y) > 0.5; }) - y.begin());
  };
  const int plain_leaves = leaves(0), momentum_leaves = leaves(1), adagrad_leaves = leaves(2), adam_leaves = leaves(4);
  std::printf("\n\nsteps to leave the saddle, all at lr 0.1: SGD %d, momentum %d, AdaGrad %d, Adam %d\n", plain_leaves,
              momentum_leaves, adagrad_leaves, adam_leaves);

  plot::Figure figure({.title = "Each method at its best rate, at the saddle all at 0.1", .columns = 2});
  for (const Surface& surface : surfaces) {
    plot::Axes& axes = figure.axes({.title = surface.name, .x_range = surface.shown.x, .y_range = surface.shown.y});
    axes.contour(plot::sample(surface.f, surface.shown));
    for (const auto& [method, make] : methods) {
      const Descent run = surface.name == "saddle" ? descend(surface, make, 0.1) : runs[surface.name][method];
      axes.path(run.x, run.y, {.label = method, .width = 1.5, .markers = false});
    }
  }
  figure.save(lesson::picture(argc, argv, "05_adaptive.svg"));

  const Surface slope{"slope", [&](const Tensor& w) { return (w * at(-0.001, 700)).sum(); }, at(0, 0), -1e9, {}};
  const auto first_step_is = [&](int method, double length) {
    const Descent run = descend(slope, methods[method].second, 0.1);
    return std::abs(run.x[1] - length) < 1e-4 && std::abs(run.y[1] + length) < 1e-4;
  };
  lesson::claim("slopes of -0.001 and 700 give the same first step: lr with Adam and AdaGrad",
                first_step_is(4, 0.1) && first_step_is(2, 0.1));
  lesson::claim("and lr / sqrt(1 - a) = 3.16 lr with RMSProp, whose average starts at 0 and is not corrected",
                first_step_is(3, 0.1 / std::sqrt(1 - 0.9)));
  auto &r = runs["ravine"], &t = runs["turned ravine"], &p = runs["plateau"];
  lesson::claim("in the ravine along the axes all three beat momentum, and plain descent fails",
                r["Adam"].steps < r["momentum"].steps && r["RMSProp"].steps < r["momentum"].steps &&
                    r["AdaGrad"].steps < r["momentum"].steps && r["SGD"].steps > most_steps);
  lesson::claim("turn it, and momentum does not notice, but Adam falls behind and the other two fail",
                t["momentum"].steps == r["momentum"].steps && t["Adam"].steps > t["momentum"].steps &&
                    t["RMSProp"].steps > most_steps && t["AdaGrad"].steps > most_steps);
  lesson::claim("at lr 0.1 plain descent leaves the saddle as 1.1^k, within ln(0.5 / 1e-6) / ln 1.1 = 138 steps",
                std::abs(plain_leaves - std::log(0.5 / 1e-6) / std::log(1.1)) < 5);
  lesson::claim("momentum helps it through: less than half of those steps", 2 * momentum_leaves < plain_leaves);
  lesson::claim("adaptive methods leave it at lr per step or more, however small the gradient is: within 10 steps",
                adam_leaves <= 10 && adagrad_leaves <= 10);
  lesson::claim("on the plateau plain descent does not arrive, the adaptive ones do",
                p["SGD"].steps > most_steps && p["Adam"].steps < 100 && p["AdaGrad"].steps < 100 &&
                    p["RMSProp"].steps < most_steps);
  return lesson::finish(
      {"angle = 5, or 1. How soon do the three lose their advantage?",
       "Start at (1, 0), on the ridge of the saddle. Which methods ever leave it? What would noise do?"});
}
