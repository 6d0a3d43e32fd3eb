// Lesson 15: a wrong gradient, and how the checker finds it.
//
// A wrong derivative throws no error. Often the network even learns, only worse: any direction less than 90 degrees
// from the true gradient still goes downhill. So a derivative has to be checked, and the check needs no theory:
//
//     analytic   what the tape says                    df/dx along a direction
//     numeric    (f(x + h) - f(x - h)) / 2h            with a bar: how wrong that number itself can be
//
// FAIL if they differ by more than the bar and a tolerance. Then each recorded op is cut out and checked alone: the one
// that fails on its own is the culprit. Here is swish(x) = x s, s = sigmoid(x), with the derivative s + x s (1 - s),
// and five mistakes that people make.
#include <gradus/gradus.hpp>
#include <cmath>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>
#include "lesson.hpp"
using namespace gradus;

const std::uint64_t seed = 11;
const int steps = 1500;
const double learning_rate = 0.02;

using Derivative = std::function<Tensor(const Tensor& x, const Tensor& s)>;  // of swish

struct Case {
  std::string name;
  Derivative derivative;
};

const std::vector<Case> cases = {
    {"right", [](const Tensor& x, const Tensor& s) { return s + x * s * (1.0 - s); }},
    {"a term forgotten", [](const Tensor&, const Tensor& s) { return s; }},
    {"a wrong sign", [](const Tensor& x, const Tensor& s) { return -(s + x * s * (1.0 - s)); }},
    {"a factor of two", [](const Tensor& x, const Tensor& s) { return 2.0 * (s + x * s * (1.0 - s)); }},
    {"wrong below zero", [](const Tensor& x, const Tensor& s) { return where(x > 0.0, s + x * s * (1.0 - s), s); }},
    {"0.1 % too large", [](const Tensor& x, const Tensor& s) { return 1.001 * (s + x * s * (1.0 - s)); }},
};

Tensor swish(const Tensor& x, const Derivative& derivative) {
  const Tensor s = sigmoid(x.detach()), value = x.detach();
  return custom_op("swish", value * s, {{x, [=](const Tensor& g) { return g * derivative(value, s); }}});
}

// The losses of a small network that learns sin(2x), with this derivative in its middle.
std::vector<double> losses_of(const Derivative& derivative) {
  manual_seed(seed);
  const Tensor x = linspace(-2, 2, 64).unsqueeze(1), y = sin(2.0 * x);
  nn::Linear first(1, 16), second(16, 16), third(16, 1);
  std::vector<Tensor> parameters;
  for (nn::Linear* layer : {&first, &second, &third})
    for (const Tensor& p : layer->parameters()) parameters.push_back(p);
  optim::SGD optimizer(parameters, {.lr = learning_rate});
  std::vector<double> losses;
  for (int step = 0; step < steps; ++step) {
    optimizer.zero_grad();
    const Tensor loss = mse_loss(third(swish(second(swish(first(x), derivative)), derivative)), y);
    loss.backward();
    optimizer.step();
    losses.push_back(loss.item());
  }
  return losses;
}

int main(int argc, char** argv) {
  manual_seed(seed);
  const Tensor x = randn({4, 3}, {.dtype = float64, .requires_grad = true});
  const Tensor w = randn({3, 2}, {.dtype = float64, .requires_grad = true});

  std::printf("%-18s %14s %8s %8s   %s\n", "derivative", "loss at the end", "check", "culprit", "it looks like this");
  std::vector<std::vector<double>> losses;
  std::vector<GradcheckReport> reports;
  std::vector<std::string> looks_like;
  for (const Case& one : cases) {
    losses.push_back(losses_of(one.derivative));
    // The op stands between others, as in a network: the checker must not blame its neighbours.
    reports.push_back(
        gradcheck([&](const Tensor& a, const Tensor& b) { return tanh(matmul(swish(a, one.derivative), b)); }, {x, w}));
    const GradcheckReport& report = reports.back();
    looks_like.push_back(report.found.empty() ? "" : report.found[0].likely_cause);
    std::printf("%-18s %14.4f %8s %8s   %s\n", one.name.c_str(), losses.back().back(), to_string(report.verdict),
                report.culprit().c_str(), looks_like.back().c_str());
  }
  std::printf("\nThe whole report on the term forgotten:\n%s\n", reports[1].to_string().c_str());
  plot::Figure figure({.panel_width = 640});
  plot::Axes& axes =
      figure.axes({.title = "Training with wrong gradients", .x_label = "step", .y_label = "loss", .y_log = true});
  for (std::size_t i = 0; i < cases.size(); ++i) axes.line(losses[i], {.label = cases[i].name, .width = 1.5});
  figure.save(lesson::picture(argc, argv, "15_wrong_gradient.svg"));

  lesson::claim("the right derivative passes", reports[0].passed());
  bool all_found = true, others_spared = true;
  int learn_anyway = 0;
  for (std::size_t i = 1; i < cases.size(); ++i) {
    all_found = all_found && reports[i].failed();
    others_spared = others_spared && reports[i].culprits() == std::vector<std::string>{"swish"};
    if (losses[i].back() < losses[i].front() / 10) ++learn_anyway;
  }
  lesson::claim("all five mistakes are found, and swish alone is blamed", all_found && others_spared);
  lesson::claim("four of the five learn all the same: their loss falls to less than a tenth", learn_anyway == 4);
  lesson::claim("the checker says what three of them look like",
                looks_like[2] == "the sign is wrong" && looks_like[3] == "off by a factor of 2 everywhere" &&
                    looks_like[4] == "wrong for negative inputs only");
  return lesson::finish(
      {"the factor 1.001 -> 1 + 1e-6. What does the check say, and which of its options would see that?",
       "a factor of two ends below the right one. To which change of the learning rate does it come close?"});
}
