// Lesson 1: gradient descent.
//
// The gradient of a function points to where it rises fastest. So go a little way against it, and again, and again:
//
//     w[k + 1] = w[k] - lr * gradient(w[k])          lr: the learning rate, how far a step trusts the gradient
//
// On f(x, y) = x^2 + 2 y^2 the gradient is (2 x, 4 y). A step multiplies x by 1 - 2 lr and y by 1 - 4 lr, whatever they
// are, so we know the answer before the computer does:
//
//     x[k] = (1 - 2 lr)^k x[0],    y[k] = (1 - 4 lr)^k y[0]
#include <gradus/gradus.hpp>
#include <algorithm>
#include <cmath>
#include <vector>
#include "lesson.hpp"
using namespace gradus;

const double learning_rate = 0.1;
const int steps = 100;
const double start_x = 5, start_y = 3;

// Of one point, or of all those of a map: (..., 2) -> (...).
Tensor f(const Tensor& w) { return square(w.select(-1, 0)) + 2.0 * square(w.select(-1, 1)); }

int main(int argc, char** argv) {
  Tensor w = tensor({start_x, start_y}, {.dtype = float64, .requires_grad = true});
  std::vector<double> xs, ys, losses;
  for (int k = 0; k <= steps; ++k) {
    const Tensor loss = f(w);
    xs.push_back(w[0].item()), ys.push_back(w[1].item()), losses.push_back(loss.item());

    w.zero_grad();    // gradients add up: begin each step without the last one's
    loss.backward();  // w.grad() is now (2 x, 4 y)
    NoGrad guard;     // the step itself is not part of the function
    w -= learning_rate * w.grad();
  }

  std::printf("%6s %12s %12s %12s %14s\n", "step", "x", "y", "f(x, y)", "x by formula");
  for (const int k : {0, 1, 2, 3, 5, 10, 20, 50, 100}) {
    if (k > steps) break;
    std::printf("%6d %12.4g %12.4g %12.4g %14.4g\n", k, xs[k], ys[k], losses[k],
                std::pow(1 - 2 * learning_rate, k) * start_x);
  }

  plot::Figure figure({.title = "Gradient descent on x^2 + 2 y^2"});
  figure.axes({.title = "The way down", .x_label = "x", .y_label = "y", .equal = true})
      .contour(plot::sample(f, {{-6, 6}, {-4, 4}}), {.levels = {1, 2, 5, 10, 20, 30, 40, 50, 60}})
      .path(xs, ys, {.label = "the steps"});
  figure.axes({.title = "Straight lines: a fixed factor per step", .x_label = "step", .y_log = true})
      .line(losses, {.label = "f(x, y)"})
      .line(xs, {.label = "x"})
      .line(ys, {.label = "y"});
  figure.save(lesson::picture(argc, argv, "01_gradient_descent.svg"));

  double error = 0;  // relative, of every number on the way
  for (int k = 0; k <= steps; ++k) {
    error = std::max(error, std::abs(xs[k] / (std::pow(1 - 2 * learning_rate, k) * start_x) - 1));
    error = std::max(error, std::abs(ys[k] / (std::pow(1 - 4 * learning_rate, k) * start_y) - 1));
  }
  lesson::claim("every x[k] and y[k] is the one of the formula, to 12 digits", error < 1e-12);
  lesson::claim("f falls at every step", std::is_sorted(losses.rbegin(), losses.rend()));
  lesson::claim("after the last step x and y are within 1e-8 of the minimum (0, 0)",
                std::abs(xs.back()) < 1e-8 && std::abs(ys.back()) < 1e-8);
  lesson::claim("y, where f is steeper, arrives first", std::abs(ys.back()) < std::abs(xs.back()));
  return lesson::finish({"learning_rate = 0.25. Why does y need one step only, and how many does x need?",
                         "learning_rate = 0.45. f still falls at every step, but what does y do? And with 0.55?"});
}
