// Lesson 14: backprop by hand, beside the tape.
//
// A network of one hidden layer, and its loss on n samples:
//
//     z = x W1^T + b1      h = tanh(z)      y = h W2^T + b2      L = 1/n sum (y - t)^2
//
// Backprop is the chain rule, from the last line to the first. Write d(v) for dL/dv:
//
//     d(y)  = 2/n (y - t)
//     d(W2) = d(y)^T h         d(b2) = sum over samples of d(y)
//     d(h)  = d(y) W2
//     d(z)  = d(h) (1 - h^2)                                                    because tanh' = 1 - tanh^2
//     d(W1) = d(z)^T x         d(b1) = sum over samples of d(z)
//
// The tape does just that: it records each op on the way forward, and asks each for its line on the way back. A third
// judge knows no rule at all: (L(w + h) - L(w - h)) / 2h. Its error grows as h^2 for large h, as 1 / h for small h.
#include <gradus/gradus.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>
#include "lesson.hpp"
using namespace gradus;

const std::uint64_t seed = 3;
const int samples = 5, inputs = 2, hidden = 3;

struct Gradients {
  Tensor W1, b1, W2, b2;
};

Gradients by_hand(const Tensor& x, const Tensor& t, const nn::Linear& first, const nn::Linear& second) {
  NoGrad guard;  // nothing is recorded here: these are plain numbers
  const Tensor h = tanh(matmul(x, first.weight.t()) + first.bias);
  const Tensor y = matmul(h, second.weight.t()) + second.bias;

  const Tensor dy = 2.0 / samples * (y - t);
  const Tensor dh = matmul(dy, second.weight);
  const Tensor dz = dh * (1.0 - square(h));
  return {matmul(dz.t(), x), sum(dz, 0), matmul(dy.t(), h), sum(dy, 0)};
}

int main(int argc, char** argv) {
  manual_seed(seed);
  const Tensor x = randn({samples, inputs}, {.dtype = float64}), t = randn({samples, 1}, {.dtype = float64});
  nn::Linear first(inputs, hidden, {.dtype = float64}), second(hidden, 1, {.dtype = float64});
  const auto loss = [&] { return mse_loss(second(tanh(first(x))), t); };

  const Gradients hand = by_hand(x, t, first, second);
  loss().backward();

  // The third judge, for every weight: with h = 6e-6, the cube root of float64's 2.2e-16, both errors are small.
  const auto difference = [&](Tensor w, std::int64_t i, double h) {
    NoGrad guard;
    double& value = w.data<double>()[i];
    const double before = value;
    value = before + h;
    const double above = loss().item();
    value = before - h;
    const double below = loss().item();
    value = before;
    return (above - below) / (2 * h);
  };

  std::printf("%-8s %16s %16s %16s\n", "dL/d", "by hand", "tape", "difference");
  double worst_tape = 0, worst_difference = 0;
  const auto compare = [&](const std::string& name, const Tensor& parameter, const Tensor& by_hand) {
    for (std::int64_t i = 0; i < parameter.numel(); ++i) {
      const double ours = by_hand.flatten()[i].item(), tape = parameter.grad().flatten()[i].item();
      const double numeric = difference(parameter, i, 6e-6);
      std::printf("%-8s %16.12f %16.12f %16.12f\n", (name + "[" + std::to_string(i) + "]").c_str(), ours, tape,
                  numeric);
      worst_tape = std::max(worst_tape, std::abs(ours - tape));
      worst_difference = std::max(worst_difference, std::abs(ours - numeric));
    }
  };
  compare("W1", first.weight, hand.W1);
  compare("b1", first.bias, hand.b1);
  compare("W2", second.weight, hand.W2);
  compare("b2", second.bias, hand.b2);

  std::printf("\nhow wrong the difference is, for W1[0]\n%10s %12s\n", "h", "error");
  std::vector<double> widths, errors;
  for (int k = 1; k <= 14; ++k) {
    widths.push_back(std::pow(10, -k));
    errors.push_back(std::abs(difference(first.weight, 0, widths.back()) - hand.W1[0][0].item()));
    std::printf("%10.0e %12.1e\n", widths.back(), errors.back());
  }

  std::vector<double> truncation, round_off;
  for (const double h : widths) truncation.push_back(errors[1] * h * h / 1e-4), round_off.push_back(2.2e-16 / h);
  plot::Figure figure({.panel_width = 640});
  figure
      .axes({.title = "How wrong a difference of values is",
             .x_label = "h",
             .y_label = "error of dL/dW1[0]",
             .x_log = true,
             .y_log = true,
             .y_range = {{1e-13, 1e-1}}})
      .line(widths, errors, {.label = "measured", .markers = true})
      .line(widths, truncation, {.label = "h^2", .dashed = true, .width = 1.5})
      .line(widths, round_off, {.label = "round-off / h", .dashed = true, .width = 1.5});
  figure.save(lesson::picture(argc, argv, "14_backprop_by_hand.svg"));

  const GradcheckReport report = gradcheck(nn::Sequential(first, nn::Tanh(), second), x);
  std::printf("\n%s\n", report.to_string().c_str());

  lesson::claim("by hand and tape agree to 1e-14", worst_tape < 1e-14);
  lesson::claim("differences agree to 1e-9: they know less", worst_difference < 1e-9);
  lesson::claim("ten times smaller h: a hundred times smaller error, while h is large",
                std::abs(std::log10(errors[1] / errors[2]) - 2) < 0.05);
  lesson::claim("but the smallest h is not the best",
                errors.back() > 100 * *std::min_element(errors.begin(), errors.end()));
  lesson::claim("gradcheck, which chooses h and carries error bars, says PASS", report.passed());
  return lesson::finish({"leave out the factor 1 - h^2 in by_hand. Which gradients stay right, and why these?",
                         "relu in place of tanh: change d(z) to suit. What can a difference across the kink not see?"});
}
