// Lesson 6: learning rate schedules.
//
// With noisy gradients a large rate is fast but never settles, and a small one settles but is slow. So begin large and
// end small. How exactly can be computed on f(w) = w^2 / 2 with gradient w + s n, n standard normal: the mean square of
// the error obeys
//
//     e[k + 1] = (1 - lr[k])^2 e[k] + lr[k]^2 s^2
//
// At a constant rate that ends at e = lr s^2 / (2 - lr): the noise floor. And the best lr[k] of all is e / (e + s^2),
// which soon falls like 1 / k. Here 2000 runs at once, the elements of one tensor, show that the formula is right.
#include <gradus/gradus.hpp>
#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <numbers>
#include <string>
#include <vector>
#include "lesson.hpp"
using namespace gradus;

const int steps = 200;
const std::int64_t runs = 2000;
const double start = 10, noise = 1;
const double floor_of_half = 0.5 * noise * noise / (2 - 0.5);

using Maker = std::function<std::unique_ptr<optim::LRScheduler>(optim::Optimizer&)>;
struct Entry {
  std::string name;
  double lr;  // the base rate
  Maker make;
};

template <class Rule, class Options>
Maker schedule(Options options) {
  return [options](optim::Optimizer& optimizer) { return std::make_unique<Rule>(optimizer, options); };
}

// The best there is, as a function of time: e obeys e[k + 1] = e s^2 / (e + s^2).
double best_rate(std::int64_t k) {
  double e = start * start;
  for (std::int64_t i = 0; i < k; ++i) e = e * noise * noise / (e + noise * noise);
  return e / (e + noise * noise);
}

const std::vector<Entry> entries{
    {"constant 0.5", 0.5, schedule<optim::ConstantLR>(optim::ConstantLROptions{.factor = 1})},
    {"constant 0.02", 0.02, schedule<optim::ConstantLR>(optim::ConstantLROptions{.factor = 1})},
    {"step", 0.5, schedule<optim::StepLR>(optim::StepLROptions{.step_size = 50, .gamma = 0.3})},
    {"exponential", 0.5, schedule<optim::ExponentialLR>(optim::ExponentialLROptions{.gamma = 0.975})},
    {"cosine", 0.5, schedule<optim::CosineAnnealingLR>(optim::CosineAnnealingLROptions{.T_max = steps})},
    {"warm-up, cosine", 0.5,
     schedule<optim::WarmupCosine>(optim::WarmupCosineOptions{.warmup_steps = 20, .total_steps = steps})},
    {"one cycle", 0.5,
     schedule<optim::OneCycleLR>(
         optim::OneCycleLROptions{.max_lr = 0.5, .total_steps = steps, .cycle_momentum = false})},
    {"best: e/(e + s^2)", 0.5, schedule<optim::FunctionLR>(optim::FunctionLROptions{.lr = best_rate})},
};

struct Run {
  std::vector<double> lr, error, formula;  // mean squares of the error
};

Run run(const Entry& entry) {
  Generator generator(3);
  Tensor w = full({runs}, start, {.dtype = float64, .requires_grad = true});
  optim::SGD optimizer({w}, {.lr = entry.lr});
  const auto scheduler = entry.make(optimizer);
  Run result;
  double e = start * start;
  for (int k = 0; k < steps; ++k) {
    optimizer.zero_grad();
    const Tensor n = randn({runs}, {.dtype = float64, .generator = &generator});
    (square(w) / 2 + noise * n * w).sum().backward();  // the noise tilts each bowl: its gradient is w + s n
    const double lr = optimizer.lr();
    result.lr.push_back(lr);
    optimizer.step();
    scheduler->step();
    e = (1 - lr) * (1 - lr) * e + lr * lr * noise * noise;
    result.formula.push_back(e), result.error.push_back(square(w).mean().item());
  }
  return result;
}

int main(int argc, char** argv) {
  std::printf("%-18s %8s %8s %8s | %30s\n%-18s %8s %8s %8s | %10s %10s %10s %10s\n", "", "", "rate", "",
              "mean square of w", "schedule", "first", "middle", "last", "early", "half-way", "at the end", "formula");
  std::vector<Run> results;
  bool as_predicted = true;
  for (const Entry& entry : entries) {
    const Run& r = results.emplace_back(run(entry));
    std::printf("%-18s %8.3g %8.3g %8.3g | %10.4g %10.4g %10.4g %10.4g\n", entry.name.c_str(), r.lr[0], r.lr[steps / 2],
                r.lr.back(), r.error[steps / 10], r.error[steps / 2], r.error.back(), r.formula.back());
    for (int k = 0; k < steps; ++k) as_predicted = as_predicted && std::abs(r.error[k] / r.formula[k] - 1) < 0.2;
  }
  plot::Figure figure({.title = "Schedules on a noisy bowl"});
  plot::Axes& rates = figure.axes({.title = "Learning rate", .x_label = "step"});
  plot::Axes& errors = figure.axes({.title = "Mean square of w over 2000 runs", .x_label = "step", .y_log = true});
  for (std::size_t i = 0; i < entries.size(); ++i) {
    rates.line(results[i].lr, {.label = entries[i].name});
    errors.line(results[i].error, {.label = entries[i].name});
  }
  errors.hline(floor_of_half, {.label = "floor of 0.5"});
  figure.save(lesson::picture(argc, argv, "06_schedules.svg"));

  const Run &large = results[0], &small = results[1], &cosine = results[4], &best = results[7];

  lesson::claim("the mean of 2000 runs is that of the formula, at every step, to 20 %", as_predicted);
  lesson::claim("a constant 0.5 stops at its floor lr s^2 / (2 - lr) = 1/3",
                std::abs(large.formula.back() / floor_of_half - 1) < 1e-6 && large.error.back() > 0.8 * floor_of_half);
  lesson::claim("half-way a constant 0.02 is still on its way, where 0.5 has long arrived",
                small.error[steps / 2] > large.error[steps / 2]);
  bool below_both = true, none_better = true;
  for (std::size_t i = 2; i < results.size(); ++i) {
    below_both = below_both && results[i].error.back() < std::min(large.error.back(), small.error.back());
    none_better = none_better && best.formula.back() <= results[i].formula.back();
  }
  lesson::claim("every schedule ends below both constants", below_both);
  double apart = 0;
  for (int k = 0; k < steps; ++k) {
    apart = std::max(apart, std::abs(cosine.lr[k] - 0.25 * (1 + std::cos(std::numbers::pi * k / steps))));
  }
  lesson::claim("the cosine is lr (1 + cos(pi k / 200)) / 2", apart < 1e-12);
  const double inverse = steps / (noise * noise) + 1 / (start * start);
  lesson::claim("none beats the best one, which ends at 1 / (200 + 1 / 100), like the mean of 200 measurements",
                none_better && std::abs(best.formula.back() - 1 / inverse) < 1e-12);
  return lesson::finish({"noise = 0.001. Which schedule is best now, and who still needs a small rate at the end?",
                         "steps = 50. Which schedules suffer most when there is less time? (Adapt the step_size.)"});
}
