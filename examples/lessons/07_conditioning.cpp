// Lesson 7: conditioning and preconditioning.
//
// Gradient descent at its best rate, 2 / (lambda_min + lambda_max), leaves of the distance to the minimum at most
//
//     ((kappa - 1) / (kappa + 1))^k after k steps,      kappa = lambda_max / lambda_min: the condition number
//
// so it needs about kappa steps for a factor e^2. For a linear model kappa depends on the inputs alone, even on their
// units. Three cures: centre and scale the inputs; scale the steps instead (diagonal preconditioning, the same thing);
// or Newton's step, w - H^-1 g, which sees a round bowl whatever the units.
//
// The task: predict a pollutant from wind (3 m/s, more or less) and air pressure (1013 hPa, more or less).
#include <gradus/gradus.hpp>
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>
#include "lesson.hpp"
using namespace gradus;

const std::int64_t samples = 200;
const int most_steps = 2000;

struct Task {
  std::string name;
  Tensor x, y;        // (samples, 3), the first column 1; (samples)
  Tensor w, hessian;  // the solution and the matrix of second derivatives, the same everywhere
  double least, lambda_min, lambda_max;

  double kappa() const { return lambda_max / lambda_min; }
  double best_rate() const { return 2 / (lambda_min + lambda_max); }
  Tensor loss(const Tensor& w) const { return mse_loss(matmul(x, w), y); }
};

Task make_task(const std::string& name, const Tensor& inputs, const Tensor& y) {
  Task task{name, cat({ones({samples, 1}, {.dtype = float64}), inputs}, 1), y, {}, {}, 0, 0, 0};
  task.w = linalg::lstsq(task.x, y).solution;
  task.least = task.loss(task.w).item();
  task.hessian = hessian([&](const Tensor& w) { return task.loss(w); }, task.w);
  const Tensor eigenvalues = linalg::eigvalsh(task.hessian);
  task.lambda_min = eigenvalues[0].item(), task.lambda_max = eigenvalues[2].item();
  return task;
}

struct Descent {
  std::vector<double> excess, distance;  // loss above the least, |w - solution|: before each step
  std::vector<double> w1, w2;
  int steps = most_steps;  // until a thousandth of the distance is left
};

// w - lr g / scale, with a scale for each weight.
Descent descend(const Task& task, double lr, const Tensor& scale) {
  Tensor w = zeros({3}, {.dtype = float64, .requires_grad = true});
  Descent descent;
  for (int k = 0; k <= most_steps; ++k) {
    w.zero_grad();
    const Tensor loss = task.loss(w);
    loss.backward();
    NoGrad guard;
    descent.excess.push_back(loss.item() - task.least), descent.distance.push_back(norm(w - task.w).item());
    descent.w1.push_back(w[1].item()), descent.w2.push_back(w[2].item());
    if (descent.distance[k] < 1e-3 * descent.distance[0]) return descent.steps = k, descent;
    w -= lr * w.grad() / scale;
  }
  return descent;
}

// The loss over the weights of wind and pressure, the third being right: |H^(1/2) (w - solution)|^2 / 2.
void draw_map(plot::Figure& figure, const Task& task, const Descent& descent) {
  const Tensor block = task.hessian.slice(0, 1).slice(1, 1), center = task.w.slice(0, 1);
  const UnaryFunction excess = [&](const Tensor& w) {
    const Tensor d = w - center;
    return (matmul(d, block) * d).sum(-1) / 2.0;
  };
  const double x = center[0].item(), y = center[1].item(), reach = 1.2 * std::max(std::abs(x), std::abs(y));
  figure.axes({.title = task.name, .x_label = "weight of wind", .y_label = "weight of pressure", .equal = true})
      .contour(plot::sample(excess, {{x - reach, x + reach}, {y - reach, y + reach}}), {.log = true})
      .path(descent.w1, descent.w2, {.label = "descent"});
}

int main(int argc, char** argv) {
  Generator generator(5);
  const Tensor z = randn({samples, 3}, {.dtype = float64, .generator = &generator});
  const Tensor wind = 3.0 + 1.5 * z.select(1, 0),
               pressure = 1013.0 + 8.0 * (0.5 * z.select(1, 1) - 0.3 * z.select(1, 0));
  const Tensor y = 40.0 - 5.0 * (wind - 3.0) + 0.8 * (pressure - 1013.0) + 2.0 * z.select(1, 2);
  const Tensor raw = stack({wind, pressure}, 1);
  const std::vector<Task> tasks{make_task("raw", raw, y), make_task("centred", raw - raw.mean(0, {.keepdim = true}), y),
                                make_task("standardised", data::StandardScaler(raw).transform(raw), y)};

  std::printf("%-14s %11s %11s %11s %12s %14s\n", "inputs", "lambda min", "lambda max", "kappa", "steps",
              "loss after 20");
  std::vector<Descent> descents;
  bool bounded = true;
  for (const Task& task : tasks) {
    const Descent& d = descents.emplace_back(descend(task, task.best_rate(), ones({3}, {.dtype = float64})));
    std::printf("%-14s %11.3g %11.3g %11.3g %8s%4d %14.4g\n", task.name.c_str(), task.lambda_min, task.lambda_max,
                task.kappa(), d.steps == most_steps ? ">" : "", d.steps, task.least + d.excess[std::min(d.steps, 20)]);
    const double factor = (task.kappa() - 1) / (task.kappa() + 1);
    for (std::size_t k = 0; k < d.distance.size(); ++k) {
      bounded = bounded && d.distance[k] <= std::pow(factor, double(k)) * d.distance[0] * (1 + 1e-6);
    }
  }
  // The centred inputs once more: the rate of the standardised ones, divided by what each weight's curvature is to 2.
  const Descent preconditioned = descend(tasks[1], tasks[2].best_rate(), diagonal(tasks[1].hessian) / 2.0);
  std::printf("%-14s %44s %3d %14.4g\n", "preconditioned", "", preconditioned.steps,
              tasks[1].least + preconditioned.excess.back());
  double apart = 0;
  for (std::size_t k = 0; k < std::min(preconditioned.excess.size(), descents[2].excess.size()); ++k) {
    apart = std::max(apart, std::abs(preconditioned.excess[k] - descents[2].excess[k]));
  }
  // Newton's step from 0, on the raw inputs.
  const Task& worst = tasks[0];
  const Tensor zero = zeros({3}, {.dtype = float64, .requires_grad = true});
  const Tensor newton = -linalg::solve(worst.hessian, grad(worst.loss(zero), {zero})[0]);
  std::printf("%-14s %35s %12d %14.4g\n\n", "Newton, raw", "", 1, worst.loss(newton).item());
  plot::Figure figure({.title = "Conditioning", .columns = 3, .panel_width = 420});
  plot::Axes& curves =
      figure.axes({.title = "Loss above the least", .x_label = "step", .y_log = true, .x_range = {{0, 80}}});
  for (std::size_t i = 0; i < tasks.size(); ++i) curves.line(descents[i].excess, {.label = tasks[i].name});
  for (const int i : {1, 2}) draw_map(figure, tasks[i], descents[i]);
  figure.save(lesson::picture(argc, argv, "07_conditioning.svg"));

  lesson::claim("raw inputs: kappa is above a million, and 2000 steps are not enough",
                tasks[0].kappa() > 1e6 && descents[0].steps == most_steps);
  lesson::claim("standardised inputs: kappa is below 5, and 20 steps are enough",
                tasks[2].kappa() < 5 && descents[2].steps <= 20);
  lesson::claim("no descent is ever farther away than ((kappa - 1) / (kappa + 1))^k says", bounded);
  lesson::claim("to divide each step by its curvature is to standardise: the losses are the same", apart < 1e-9);
  lesson::claim("one step of Newton's method is at the minimum, even with raw inputs",
                std::abs(worst.loss(newton).item() / worst.least - 1) < 1e-6);
  return lesson::finish(
      {"Measure pressure in Pa instead of hPa. What happens to kappa, raw and standardised?",
       "In the pressure, make the 0.5 a 0.005: it says nearly what the wind says. Does standardising help? Newton?"});
}
