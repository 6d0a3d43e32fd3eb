// Lesson 2: the learning rate, too small, right and too large.
//
// On f(w1, w2) = w1^2 + 4 w2^2 the curvatures (eigenvalues of the Hessian) are 2 along w1 and 8 along w2. A step of
// gradient descent multiplies the error along a direction of curvature h by 1 - lr h: it shrinks only if lr < 2 / h.
// The steepest direction is the first to break:
//
//     lr < 2 / lambda_max,    lambda_max: the largest eigenvalue, also called the sharpness
//
// The best rate makes the flattest and the steepest direction shrink alike: lr = 2 / (lambda_min + lambda_max).
#include <gradus/gradus.hpp>
#include <cmath>
#include <string>
#include <vector>
#include "lesson.hpp"
using namespace gradus;

const std::vector<double> rates{0.01, 0.05, 0.1, 0.2, 0.24, 0.25, 0.26, 0.85};
const int steps = 30;
const double start_w1 = 2.8, start_w2 = 2.2;

Tensor f(const Tensor& w) { return square(w.select(-1, 0)) + 4.0 * square(w.select(-1, 1)); }

struct Descent {
  std::vector<double> w1, w2, losses;  // before the first step, and after each
};

Descent descend(double lr, int steps) {
  Tensor w = tensor({start_w1, start_w2}, {.dtype = float64, .requires_grad = true});
  optim::SGD optimizer({w}, {.lr = lr});
  Descent descent;
  for (int k = 0; k <= steps; ++k) {
    optimizer.zero_grad();
    const Tensor loss = f(w);
    descent.w1.push_back(w[0].item()), descent.w2.push_back(w[1].item()), descent.losses.push_back(loss.item());
    loss.backward();
    optimizer.step();
  }
  return descent;
}

// The number of steps until the loss is below 0.001.
int steps_needed(double lr) {
  const std::vector<double> losses = descend(lr, 1000).losses;
  int k = 0;
  while (k < 1000 && losses[k] >= 1e-3) ++k;
  return k;
}

// Halves the interval between a rate at which the loss falls in the end and one at which it rises.
double find_edge(double falls, double rises) {
  while (rises - falls > 1e-4 * rises) {
    const double middle = (falls + rises) / 2;
    const std::vector<double> losses = descend(middle, 1000).losses;
    (losses.back() < losses[500] ? falls : rises) = middle;
  }
  return (falls + rises) / 2;
}

int main(int argc, char** argv) {
  const Tensor start = tensor({start_w1, start_w2}, {.dtype = float64});
  const double sharpness = largest_hessian_eigenvalue(f, start);
  const double edge = 2 / sharpness, found = find_edge(0, 1);
  std::printf("sharpness %.6g, so the edge should be at %.6g; trying rates finds it at %.4f\n\n", sharpness, edge,
              found);

  std::printf("%6s %12s %12s %12s %12s\n", "lr", "w1 times", "w2 times", "loss at 10", "loss at 30");
  std::vector<Descent> descents;
  for (const double lr : rates) {
    const Descent& d = descents.emplace_back(descend(lr, steps));
    std::printf("%6g %12.4g %12.4g %12.4g %12.4g\n", lr, d.w1[1] / d.w1[0], d.w2[1] / d.w2[0], d.losses[10],
                d.losses[30]);
  }
  const double best_rate = 2 / (2 + sharpness);  // the smallest eigenvalue is 2
  const int fewest = steps_needed(best_rate), at_001 = steps_needed(0.01);
  std::printf("to a loss of 0.001: %d steps with lr %g, %d with lr 0.01\n", fewest, best_rate, at_001);

  plot::Figure figure({.title = "Learning rates on w1^2 + 4 w2^2"});
  plot::Axes& map = figure.axes({.title = "The way down", .x_label = "w1", .y_label = "w2", .equal = true});
  map.contour(plot::sample(f, {{-3.5, 3.5}, {-3, 3}}));
  plot::Axes& curves = figure.axes({.title = "Loss", .x_label = "step", .y_log = true, .y_range = {{1e-6, 1e4}}});
  for (std::size_t i = 0; i < rates.size(); ++i) {
    const std::string label = "lr " + std::to_string(rates[i]).substr(0, 4);
    curves.line(descents[i].losses, {.label = label});
    if (rates[i] == 0.05 || rates[i] == 0.2 || rates[i] == 0.24)
      map.path(descents[i].w1, descents[i].w2, {.label = label});
  }
  figure.save(lesson::picture(argc, argv, "02_learning_rates.svg"));

  lesson::claim("the rate where descent breaks is 2 / lambda_max, to 0.1 %", std::abs(found / edge - 1) < 1e-3);
  bool flips = true;
  const Descent at_edge = descend(edge, steps);
  for (int k = 0; k <= steps; ++k)
    flips = flips && std::abs(at_edge.w2[k] - (k % 2 == 0 ? start_w2 : -start_w2)) < 1e-4;
  lesson::claim("at the edge itself w2 is 2.2, -2.2, 2.2, ... and never gets nearer", flips);
  bool best = true;
  for (const double lr : {0.7, 0.8, 0.9, 1.1, 1.2}) best = best && fewest <= steps_needed(lr * best_rate);
  lesson::claim("no rate around 2 / (lambda_min + lambda_max) = 0.2 needs fewer steps", best);
  lesson::claim("a rate 20 times too small costs about 20 times the steps",
                at_001 > 15 * fewest && at_001 < 25 * fewest);
  lesson::claim("at 0.85 every step makes w2 larger, -5.8 times",
                std::abs(descend(0.85, 1).w2[1] / start_w2 + 5.8) < 1e-9);
  return lesson::finish({"Change the 4 in f to 40. Where is the edge now, and how many steps does the best rate need?",
                         "start_w2 = 1e-12. What does lr = 0.85 look like after 10 steps, and after 30?"});
}
