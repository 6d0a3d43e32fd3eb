// Lesson 4: momentum and Nesterov.
//
// A ball that rolls keeps part of its speed. So does descent with momentum m:
//
//     v = m v - lr g,         w = w + v               as a ball: the velocity form
//     b = m b + g,            w = w - lr b            as in PyTorch: the same path, v = -lr b, if lr is constant
//     b = m b + g,            w = w - lr (g + m b)    Nesterov: as if the gradient were taken a little ahead
//
// On f(w1, w2) = w1^2 + 4 w2^2 with lr = 0.25 plain descent halves w1 at each step, but 0.25 = 2 / lambda_max: w2 flips
// its sign forever (lesson 2). Along a direction of curvature h the step is a linear map of (w now, w before), whose
// eigenvalues z say everything: |z| is what remains of the error per step.
//
//     momentum: z^2 - (1 + m - lr h) z + m = 0            Nesterov: z^2 - (1 + m) (1 - lr h) z + m (1 - lr h) = 0
#include <gradus/gradus.hpp>
#include <algorithm>
#include <cmath>
#include <complex>
#include <vector>
#include "lesson.hpp"
using namespace gradus;

const double learning_rate = 0.25;
const double momentum = 0.85;
const int steps = 30;

Tensor f(const Tensor& w) { return square(w.select(-1, 0)) + 4.0 * square(w.select(-1, 1)); }

struct Descent {
  std::vector<double> w1, w2, losses;
};

Descent descend(const optim::SGDOptions& options) {
  Tensor w = tensor({2.8, 2.2}, {.dtype = float64, .requires_grad = true});
  optim::SGD optimizer({w}, options);
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

// The velocity form, with the gradient (2 w1, 8 w2) written out.
Descent roll(double lr, double m) {
  double w1 = 2.8, w2 = 2.2, v1 = 0, v2 = 0;
  Descent descent;
  for (int k = 0; k <= steps; ++k) {
    descent.w1.push_back(w1), descent.w2.push_back(w2), descent.losses.push_back(w1 * w1 + 4 * w2 * w2);
    v1 = m * v1 - lr * 2 * w1, w1 += v1;
    v2 = m * v2 - lr * 8 * w2, w2 += v2;
  }
  return descent;
}

// The larger |z| of z^2 - p z + q = 0.
double largest_root(double p, double q) {
  const std::complex<double> root = std::sqrt(std::complex<double>(p * p - 4 * q));
  return std::max(std::abs((p + root) / 2.0), std::abs((p - root) / 2.0));
}
double momentum_rate(double lr_h) { return largest_root(1 + momentum - lr_h, momentum); }
double nesterov_rate(double lr_h) { return largest_root((1 + momentum) * (1 - lr_h), momentum * (1 - lr_h)); }

// What a step leaves of an error that swings: the highest of ten steps beside that of the ten from step 20 on.
double measured_rate(const std::vector<double>& w) {
  const auto highest = [&](int from) {
    double result = 0;
    for (int k = from; k < from + 10; ++k) result = std::max(result, std::abs(w[k]));
    return result;
  };
  return std::pow(highest(20) / highest(0), 1.0 / 20);
}

int main(int argc, char** argv) {
  const Descent plain = descend({.lr = learning_rate});
  const Descent heavy = descend({.lr = learning_rate, .momentum = momentum});
  const Descent nesterov = descend({.lr = learning_rate, .momentum = momentum, .nesterov = true});
  const Descent calmer = descend({.lr = learning_rate / 4, .momentum = momentum, .nesterov = true});

  std::printf("%5s | %10s %10s %10s | %10s %10s %10s | %10s | %10s\n", "", "plain", "", "", "momentum", "", "",
              "Nesterov", "Nesterov,");
  std::printf("%5s | %10s %10s %10s | %10s %10s %10s | %10s | %10s\n", "step", "w1", "w2", "loss", "w1", "w2", "loss",
              "loss", "lr / 4");
  for (const int k : {0, 1, 2, 3, 5, 10, 20, 30}) {
    std::printf("%5d | %10.3g %10.3g %10.3g | %10.3g %10.3g %10.3g | %10.3g | %10.3g\n", k, plain.w1[k], plain.w2[k],
                plain.losses[k], heavy.w1[k], heavy.w2[k], heavy.losses[k], nesterov.losses[k], calmer.losses[k]);
  }
  std::printf("\nwhat a step leaves of the error:  plain %.3g (w1) %.3g (w2), momentum %.3g %.3g, Nesterov %.3g %.3g\n",
              std::abs(1 - learning_rate * 2), std::abs(1 - learning_rate * 8), momentum_rate(learning_rate * 2),
              momentum_rate(learning_rate * 8), nesterov_rate(learning_rate * 2), nesterov_rate(learning_rate * 8));

  plot::Figure figure({.title = "Momentum on w1^2 + 4 w2^2, lr 0.25"});
  figure.axes({.title = "The way down", .x_label = "w1", .y_label = "w2", .equal = true})
      .contour(plot::sample(f, {{-3.5, 3.5}, {-3.5, 3.5}}))
      .path(plain.w1, plain.w2, {.label = "momentum 0"})
      .path(heavy.w1, heavy.w2, {.label = "momentum 0.85"});
  figure.axes({.title = "Loss", .x_label = "step", .y_log = true, .y_range = {{1e-4, 1e3}}})
      .line(plain.losses, {.label = "momentum 0"})
      .line(heavy.losses, {.label = "momentum 0.85"})
      .line(nesterov.losses, {.label = "Nesterov 0.85"})
      .line(calmer.losses, {.label = "Nesterov 0.85, lr / 4"});
  figure.save(lesson::picture(argc, argv, "04_momentum.svg"));

  const Descent ball = roll(learning_rate, momentum);
  double apart = 0;
  for (int k = 0; k <= steps; ++k) {
    apart = std::max({apart, std::abs(ball.w1[k] - heavy.w1[k]), std::abs(ball.w2[k] - heavy.w2[k])});
  }
  lesson::claim("the velocity form and PyTorch's go the same way, to 12 digits", apart < 1e-12);
  lesson::claim("without momentum |w2| is 2.2 forever: the loss stops at 4 * 2.2^2 = 19.36",
                std::abs(plain.losses.back() - 19.36) < 1e-9);
  lesson::claim("momentum 0.85 brings the loss below 1", heavy.losses.back() < 1);
  lesson::claim("but w1, which was fine, is slower than without",
                std::abs(heavy.w1.back()) > 1000 * std::abs(plain.w1.back()));
  const double root = std::sqrt(momentum);  // |z| of both directions, since their z are complex and |z|^2 is m
  lesson::claim("both directions keep sqrt(0.85) = 0.92 of their error per step",
                std::abs(momentum_rate(learning_rate * 2) - root) < 1e-9 &&
                    std::abs(momentum_rate(learning_rate * 8) - root) < 1e-9 &&
                    std::abs(measured_rate(heavy.w1) / root - 1) < 0.02 &&
                    std::abs(measured_rate(heavy.w2) / root - 1) < 0.02);
  const double growth = std::abs(nesterov.w2[steps] / nesterov.w2[steps - 1]);
  lesson::claim("Nesterov diverges here: w2 grows by its |z| = 2.23 per step",
                growth > 2.2 && std::abs(growth - nesterov_rate(learning_rate * 8)) < 1e-6);
  lesson::claim("at a quarter of the rate it does better than momentum did",
                calmer.losses.back() < heavy.losses.back());
  return lesson::finish({"momentum = 0.5. Which of the two directions gets slower, which faster?",
                         "Momentum alone is stable for lr < 2 (1 + m) / lambda_max, Nesterov for lr < 2 (1 + m) /"
                         " ((1 + 2 m) lambda_max). Find both edges by trying."});
}
