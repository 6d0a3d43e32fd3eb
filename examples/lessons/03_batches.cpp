// Lesson 3: batch, stochastic and mini-batch descent, noise against cost.
//
// The loss is a mean over n examples, and so is its gradient g. The mean g_B over B examples drawn at random is right
// on average, and off by
//
//     E |g_B - g|^2 = s^2 / B,      s^2 = mean |g_i - g|^2 over the gradients g_i of single examples
//
// A batch ten times as large is ten times as expensive, but only sqrt(10) times as exact. On the other hand a single
// example wastes the machine. The data are those of a linear model with noise, so the least possible loss is known.
#include <gradus/gradus.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <string>
#include <vector>
#include "lesson.hpp"
using namespace gradus;

const std::int64_t examples = 4096, features = 20;
const double noise = 0.5;

// As steep as each size stands: little noise allows large steps.
struct Setting {
  std::int64_t batch_size;
  double lr;
};
const std::vector<Setting> settings{{1, 0.01}, {32, 0.1}, {examples, 0.9}};
const int epochs = 20;

// Features of different sizes, from 1 down to 0.2: without that, full batches would arrive at once.
data::Dataset make_data() {
  Generator generator(1);
  const RandomOptions options{.dtype = float64, .generator = &generator};
  const Tensor x = randn({examples, features}, options) * linspace(1, 0.2, features, {.dtype = float64});
  return {x, matmul(x, randn({features}, options)) + noise * randn({examples}, options)};
}

Tensor loss_of(const Tensor& w, const data::Dataset& batch) { return mse_loss(matmul(batch.x, w), batch.y); }

// The mean of |g_B - g|^2 over many batches, drawn with replacement.
double measure_noise(const data::Dataset& all, std::int64_t batch_size) {
  const Tensor w = zeros({features}, {.dtype = float64, .requires_grad = true});
  const Tensor full = grad(loss_of(w, all), {w})[0];
  double total = 0;
  for (int trial = 0; trial < 400; ++trial) {
    const Tensor chosen = randint(examples, {batch_size});
    const data::Dataset batch(index_select(all.x, 0, chosen), index_select(all.y, 0, chosen));
    total += square(grad(loss_of(w, batch), {w})[0] - full).sum().item();
  }
  return total / 400;
}

struct Training {
  std::vector<double> per_step, per_epoch;  // the loss above the least one, of all examples: before and after each
  double milliseconds = INFINITY;           // of the fastest epoch: other programs disturb some

  double milliseconds_until(double loss) const {
    for (std::size_t epoch = 0; epoch < per_epoch.size(); ++epoch) {
      if (per_epoch[epoch] < loss) return epoch * milliseconds;
    }
    return INFINITY;
  }
};

Training learn(const data::Dataset& all, double least, const Setting& setting) {
  Tensor w = zeros({features}, {.dtype = float64, .requires_grad = true});
  optim::SGD optimizer({w}, {.lr = setting.lr});
  data::DataLoader loader(all, {.batch_size = setting.batch_size, .shuffle = true, .seed = 7});
  const auto excess = [&] {
    NoGrad guard;
    return loss_of(w, all).item() - least;
  };
  Training result{{}, {excess()}};
  for (int epoch = 0; epoch < epochs; ++epoch) {
    std::chrono::duration<double, std::milli> spent(0);
    for (const data::Dataset& batch : loader) {
      if (result.per_step.size() <= 10) result.per_step.push_back(excess());
      const auto begin = std::chrono::steady_clock::now();
      optimizer.zero_grad();
      loss_of(w, batch).backward();
      optimizer.step();
      spent += std::chrono::steady_clock::now() - begin;
    }
    result.per_epoch.push_back(excess());
    result.milliseconds = std::min(result.milliseconds, spent.count());
  }
  return result;
}

int main(int argc, char** argv) {
  manual_seed(0);
  const data::Dataset all = make_data();
  const Tensor solution = linalg::lstsq(all.x, all.y).solution;
  const double least = loss_of(solution, all).item();

  const Tensor single = -2.0 * all.y.unsqueeze(1) * all.x;  // g_i at w = 0: (examples, features)
  const double s2 = square(single - single.mean(0)).sum(1).mean().item();
  std::printf("%10s %18s %12s\n", "batch", "|g_B - g|^2 found", "s^2 / B");
  bool as_predicted = true;
  std::vector<double> sizes, found, predicted;
  for (const std::int64_t size : {1, 4, 16, 64, 256}) {
    sizes.push_back(size), found.push_back(measure_noise(all, size)), predicted.push_back(s2 / size);
    std::printf("%10d %18.4g %12.4g\n", int(size), found.back(), predicted.back());
    as_predicted = as_predicted && std::abs(found.back() / predicted.back() - 1) < 0.25;
  }

  std::printf("\nloss above the least possible one, %.4f\n%6s %6s %10s %10s %12s %16s %14s\n", least, "batch", "lr",
              "step 10", "epoch 1", "last epoch", "examples per s", "ms until 0.05");
  std::vector<Training> runs;
  std::vector<double> speed;
  for (const Setting& setting : settings) {
    const Training& run = runs.emplace_back(learn(all, least, setting));
    speed.push_back(1000 * examples / run.milliseconds);
    std::printf("%6d %6g %10.4g %10.4g %12.4g %16.3g %14.3g\n", int(setting.batch_size), setting.lr, run.per_step[10],
                run.per_epoch[1], run.per_epoch.back(), speed.back(), run.milliseconds_until(0.05));
  }
  plot::Figure figure({.title = "Batches: noise against cost", .columns = 3});
  figure.axes({.title = "Noise of a gradient", .x_label = "batch", .x_log = true, .y_log = true})
      .line(sizes, predicted, {.label = "s^2 / B"})
      .scatter(sizes, found, {.label = "measured"});
  plot::Axes& epoch_axes = figure.axes({.title = "Loss above the least, by epoch", .x_label = "epoch", .y_log = true});
  plot::Axes& time_axes =
      figure.axes({.title = "The same, by time", .x_label = "milliseconds", .x_log = true, .y_log = true});
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const std::string label = "batch " + std::to_string(settings[i].batch_size);
    epoch_axes.line(runs[i].per_epoch, {.label = label});
    std::vector<double> times;
    for (int epoch = 0; epoch <= epochs; ++epoch) times.push_back(epoch * runs[i].milliseconds);
    time_axes.line(times, runs[i].per_epoch, {.label = label, .markers = true});
  }
  figure.save(lesson::picture(argc, argv, "03_batches.svg"));

  const Training &one = runs[0], &mini = runs[1], &full = runs[2];

  lesson::claim("the noise of a gradient is s^2 / B", as_predicted);
  lesson::claim("per step the full batch wins: after ten steps it is lowest",
                full.per_step[10] < mini.per_step[10] && full.per_step[10] < one.per_step[10]);
  lesson::claim("per epoch small batches win: one epoch of theirs is worth more than ten of full batches",
                one.per_epoch[1] < full.per_epoch[10] && mini.per_epoch[1] < full.per_epoch[10]);
  lesson::claim("in the end noise decides: single examples stay highest, full batches get lowest",
                one.per_epoch.back() > mini.per_epoch.back() && mini.per_epoch.back() > full.per_epoch.back());
  lesson::claim("mini-batches get through at least 3 times as many examples per second as single ones",
                speed[1] > 3 * speed[0]);
  return lesson::finish({"Give single examples a rate of 0.001. Where do they end now, and how long do they take?",
                         "Set noise = 0. Why do single examples now come arbitrarily near?"});
}
