// Charts of runs over time.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "gradus/error.hpp"
#include "gradus/plot/charts.hpp"
#include "storage/format.hpp"

namespace gradus::plot {

std::vector<double> smoothed(const std::vector<double>& values, double weight) {
  if (!(weight >= 0 && weight < 1)) throw Error(formatted("smoothed: weight must be in [0, 1): {}", weight));
  std::vector<double> result;
  double average = 0, remaining = 1;
  for (const double value : values) {
    if (!std::isfinite(value)) {
      result.push_back(value);
      continue;
    }
    average = weight * average + (1 - weight) * value;
    remaining *= weight;
    result.push_back(average / (1 - remaining));
  }
  return result;
}

Axes& training_curve(Axes& axes, const std::vector<double>& x, const std::vector<double>& y, const CurveStyle& style) {
  if (style.smoothing == 0) return axes.line(x, y, {.label = style.label, .color = style.color});
  axes.line(x, smoothed(y, style.smoothing), {.label = style.label, .color = style.color});
  return axes.line(x, y, {.color = axes.last_color(), .width = 1, .opacity = 0.3});
}

namespace {

struct Summary {
  double mean, low, high;
};

Summary summary_of(const std::vector<double>& values, Spread spread) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  if (values.empty()) return {nan, nan, nan};
  const auto count = static_cast<double>(values.size());
  double sum = 0, squares = 0;
  for (const double value : values) sum += value;
  const double mean = sum / count;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  if (spread == Spread::min_max) return {mean, *low, *high};
  const double deviation = count > 1 ? std::sqrt(squares / (count - 1)) : 0;
  return {mean, mean - deviation, mean + deviation};
}

}  // namespace

Axes& training_curves(Axes& axes, const std::vector<double>& x, const std::vector<std::vector<double>>& runs,
                      const SeedsStyle& style) {
  std::vector<double> mean, low, high;
  for (std::size_t i = 0; i < x.size(); ++i) {
    std::vector<double> values;
    for (const auto& run : runs) {
      if (run.size() != x.size())
        throw Error(
            formatted("training_curves: x and each run must have the same length: {} and {}", x.size(), run.size()));
      if (std::isfinite(run[i])) values.push_back(run[i]);
    }
    const Summary here = summary_of(values, style.spread);
    mean.push_back(here.mean), low.push_back(here.low), high.push_back(here.high);
  }
  axes.line(x, mean, {.label = style.label, .color = style.color});
  return axes.fill_between(x, low, high, {.color = axes.last_color()});
}

}  // namespace gradus::plot
