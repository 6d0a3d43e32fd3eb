// Lesson 10: losses decide which errors matter. MSE, MAE, Huber and asymmetric losses on smoke.
//
// A series of PM2.5 (fine dust, micrograms per cubic metre, hour by hour): calm days, and now and then a smoke peak. If
// all predictions must be one number, each loss has its own answer, known without any descent:
//
//     MSE   mean (y - p)^2                     the mean, which peaks pull up
//     MAE   mean |y - p|                       the median, which does not notice them
//     Huber quadratic up to delta, then linear between the two
//     pinball (quantile 0.9): too low costs 9 times as much as too high: the level that 90 % stay below
//     peak-weighted MSE: an error counts 10 times if a peak is underestimated
//
// Then a linear model predicts the level in three hours' time, and the question is how many peaks it misses.
#include <gradus/gradus.hpp>
#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <string>
#include <vector>
#include "lesson.hpp"
using namespace gradus;

const int hours = 3000, ahead = 3;
const double peak = 35;  // above this an hour counts as smoky
const double huber_delta = 5, peak_weight = 10;

using Loss = std::function<Tensor(const Tensor& prediction, const Tensor& target)>;
const std::vector<std::pair<std::string, Loss>> losses{
    {"MSE", [](const Tensor& p, const Tensor& y) { return mse_loss(p, y); }},
    {"MAE", [](const Tensor& p, const Tensor& y) { return l1_loss(p, y); }},
    {"Huber", [](const Tensor& p, const Tensor& y) { return huber_loss(p, y, {.delta = huber_delta}); }},
    {"pinball 0.9", [](const Tensor& p, const Tensor& y) { return quantile_loss(p, y, {.quantile = 0.9}); }},
    {"peak-weighted",
     [](const Tensor& p, const Tensor& y) {
       return peak_weighted_mse_loss(p, y, {.threshold = peak, .weight = peak_weight});
     }},
};

// A daily rhythm with noise; a fire starts every four days or so, and its smoke comes within hours and goes within a
// day.
std::vector<double> make_series() {
  Generator generator(11);
  const Tensor noise = randn({hours}, {.dtype = float64, .generator = &generator});
  const Tensor chance = rand({hours}, {.dtype = float64, .generator = &generator});
  const Tensor size = rand({hours}, {.dtype = float64, .generator = &generator});
  std::vector<double> series;
  double fire = 0, smoke = 0, drift = 0;
  for (int hour = 0; hour < hours; ++hour) {
    if (chance[hour].item() < 0.01) fire += 15 + 25 * size[hour].item();
    fire *= 0.75, smoke = 0.9 * smoke + fire, drift = 0.8 * drift + 1.5 * noise[hour].item();
    series.push_back(std::max(1.0, 12 + 4 * std::sin(2 * std::numbers::pi * hour / 24) + drift + smoke));
  }
  return series;
}

// What is known at each hour: 1, the level now, its change since an hour and since six, the time of day.
data::Dataset make_task(const std::vector<double>& series) {
  std::vector<double> x, y;
  for (int hour = 6; hour + ahead < hours; ++hour) {
    const double day = 2 * std::numbers::pi * hour / 24, now = series[hour] / 10;
    x.insert(x.end(), {1, now, now - series[hour - 1] / 10, now - series[hour - 6] / 10, std::sin(day), std::cos(day)});
    y.push_back(series[hour + ahead]);
  }
  const Tensor inputs = tensor(x);
  return {inputs.reshape({std::int64_t(y.size()), 6}), tensor(y)};
}

// The weights that make a loss least: Adam, with a rate that falls to 0 so that even |.| settles.
Tensor fit(const Loss& loss, const data::Dataset& data, int steps) {
  Tensor w = zeros({data.x.size(1)}, {.dtype = data.x.dtype(), .requires_grad = true});
  optim::Adam optimizer({w}, {.lr = 1, .betas = {0.9, 0.99}});
  optim::PolynomialLR schedule(optimizer, {.total_iters = steps});
  for (int step = 0; step < steps; ++step) {
    optimizer.zero_grad();
    loss(matmul(data.x, w), data.y).backward();
    optimizer.step();
    schedule.step();
  }
  return w.detach();
}

std::vector<double> values(const Tensor& tensor) {
  const Tensor dense = tensor.contiguous();
  return {dense.data<double>().begin(), dense.data<double>().end()};
}

// What a prediction costs where 40 comes true, 50 costing 1.
std::vector<double> costs(const Loss& loss, const Tensor& predictions) {
  const auto cost = [&](double p) {
    return loss(tensor({p}, {.dtype = float64}), tensor({40.0}, {.dtype = float64})).item();
  };
  std::vector<double> result;
  for (const double p : values(predictions)) result.push_back(cost(p) / cost(50));
  return result;
}

double share(const Tensor& of, const Tensor& among) { return 100 * (of * among).sum().item() / among.sum().item(); }

int main(int argc, char** argv) {
  const data::Dataset all = make_task(make_series());
  const std::int64_t half = all.size() / 2;
  const data::Dataset train(all.x.slice(0, 0, half), all.y.slice(0, 0, half)),
      later(all.x.slice(0, half), all.y.slice(0, half));
  const Tensor smoky = later.y.gt(peak).to(float64), calm = 1.0 - smoky;
  std::printf("%.1f %% of the hours are smoky\n\n", 100 * smoky.mean().item());

  std::printf("%-14s %9s | %9s %9s | %10s %12s %14s\n", "", "one", "a linear", "model:", "peaks", "false", "error on");
  std::printf("%-14s %9s | %9s %9s | %10s %12s %14s\n", "loss", "number", "MSE", "MAE", "missed", "alarms",
              "smoky hours");
  std::vector<double> number, mse, mae, missed, alarms;
  plot::Figure figure({.title = "Losses on a series with smoke"});
  plot::Axes& cost =
      figure.axes({.title = "What a prediction costs if 40 comes true", .x_label = "prediction", .y_range = {{0, 12}}});
  plot::Axes& days = figure.axes({.title = "The first smoke", .x_label = "hour", .y_label = "PM2.5"});
  // Three days, from a few hours before the first smoke on.
  const std::int64_t from = smoky.argmax().item<std::int64_t>() - 12, to = from + 72;
  const std::vector<double> hour = values(arange(72.0, {.dtype = float64})),
                            levels = values(linspace(10, 70, 61, {.dtype = float64}));
  days.line(hour, values(later.y.slice(0, from, to)), {.label = "came true", .color = "ink"}).hline(peak);
  for (const auto& [name, loss] : losses) {
    number.push_back(fit(loss, {ones({half, 1}, {.dtype = all.x.dtype()}), train.y}, 1000).item());
    const Tensor w = fit(loss, train, 600), fitted = matmul(train.x, w), p = matmul(later.x, w);
    mse.push_back(mse_loss(fitted, train.y).item()), mae.push_back(l1_loss(fitted, train.y).item());
    missed.push_back(share(p.le(peak).to(float64), smoky)), alarms.push_back(share(p.gt(peak).to(float64), calm));
    cost.line(levels, costs(loss, tensor(levels)), {.label = name});
    if (name != "Huber") days.line(hour, values(p.slice(0, from, to)), {.label = name});
    std::printf("%-14s %9.2f | %9.2f %9.3f | %8.1f %% %10.1f %% %14.1f\n", name.c_str(), number.back(), mse.back(),
                mae.back(), missed.back(), alarms.back(), ((p - later.y) * smoky).sum().item() / smoky.sum().item());
  }
  figure.save(lesson::picture(argc, argv, "10_losses.svg"));

  const auto near = [](double found, double expected) { return std::abs(found - expected) < 0.05; };
  lesson::claim("one number by MSE is the mean", near(number[0], train.y.mean().item()));
  lesson::claim("by MAE the median", near(number[1], train.y.median().item()));
  const double below = 100 * train.y.lt(number[3]).to(float64).mean().item();
  lesson::claim("by the pinball loss the level that 90 % of the hours stay below", std::abs(below - 90) < 0.3);
  lesson::claim("by Huber a number between median and mean", number[1] < number[2] && number[2] < number[0]);
  lesson::claim(
      "the model trained by MSE has the least MSE, that by MAE the least MAE",
      mse[0] == *std::min_element(mse.begin(), mse.end()) && mae[1] == *std::min_element(mae.begin(), mae.end()));
  lesson::claim("on later hours MAE misses more peaks than MSE, Huber lies between",
                missed[1] > missed[0] && missed[2] >= missed[0] && missed[2] <= missed[1]);
  lesson::claim("both asymmetric losses miss fewer, and pay with more false alarms",
                std::max(missed[3], missed[4]) < missed[0] && std::min(alarms[3], alarms[4]) > alarms[0]);
  return lesson::finish({"Make peak_weight 2, then 100. How many false alarms is a peak found worth to you?",
                         "ahead = 12. Which losses still find peaks at all? Compare the levels they predict."});
}
