#include "gradus/plot/charts.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

#include "gradus/error.hpp"
#include "plot/axis.hpp"
#include "plot/mark.hpp"
#include "storage/format.hpp"

namespace gradus::plot {

Axes& confusion_matrix(Axes& axes, const std::vector<double>& counts, const std::vector<std::string>& classes) {
  const std::size_t n = classes.size();
  if (counts.size() != n * n)
    throw Error(formatted("confusion_matrix: {} classes need {} counts: {}", n, n * n, counts.size()));
  std::vector<double> shares;
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const auto row = counts.begin() + static_cast<std::ptrdiff_t>(i / n * n);
    const double total = std::accumulate(row, row + static_cast<std::ptrdiff_t>(n), 0.0);
    shares.push_back(total > 0 ? counts[i] / total : 0);
    texts.push_back(counts[i] == 0 ? "" : short_number(counts[i]));
  }
  const auto size = static_cast<std::int64_t>(n);
  return axes.heatmap(size, size, shares,
                      {.row_labels = classes, .column_labels = classes, .texts = texts, .range = {{0, 1}}});
}

void images(Figure& figure, const std::vector<Picture>& pictures, std::int64_t height, std::int64_t width) {
  for (const Picture& picture : pictures) {
    Axes& axes = figure.axes({.title = picture.caption}).image(picture.values, height, width);
    const auto w = static_cast<double>(width), h = static_cast<double>(height);
    if (picture.marked) axes.line({0, w, w, 0, 0}, {0, 0, h, h, 0}, {.color = "C1", .width = 6});
  }
}

namespace {

// The share of a sample near each of `places`: a histogram's counts, smoothed by the neighbours.
std::vector<double> density(const std::vector<double>& values, double low, double high, std::size_t places) {
  std::vector<double> counts(places, 0), result(places, 0);
  for (const double value : values) {
    if (std::isfinite(value))
      ++counts[std::min(places - 1,
                        static_cast<std::size_t>((value - low) / (high - low) * static_cast<double>(places)))];
  }
  static constexpr double weights[] = {1, 4, 6, 4, 1};
  for (std::size_t i = 0; i < places; ++i) {
    for (std::size_t k = 0; k < 5; ++k) {
      if (i + k >= 2 && i + k - 2 < places) result[i] += weights[k] / 16 * counts[i + k - 2];
    }
  }
  return result;
}

}  // namespace

Axes& histograms(Figure& figure, const std::vector<Sample>& samples, const AxesOptions& options) {
  Range range;
  for (const Sample& sample : samples) {
    for (const double value : sample.values) {
      if (std::isfinite(value)) range.include(value);
    }
  }
  if (range.empty()) throw Error("histograms: there is no finite value to draw");
  if (range.low == range.high) range = {range.low - 0.5, range.high + 0.5};
  AxesOptions own = options;
  own.y_names.clear();
  for (auto sample = samples.rbegin(); sample != samples.rend(); ++sample) own.y_names.push_back(sample->name);
  const auto count = static_cast<double>(samples.size());
  own.y_range = {-0.15, count + 0.35};
  Axes& axes = figure.axes(own);
  constexpr std::size_t places = 80;
  std::vector<double> x;
  for (std::size_t i = 0; i < places; ++i)
    x.push_back(range.low + (range.high - range.low) * (static_cast<double>(i) + 0.5) / static_cast<double>(places));
  double base = count - 1;  // from the top, so that each lies over the one behind it
  for (const Sample& sample : samples) {
    std::vector<double> top = density(sample.values, range.low, range.high, places);
    const double highest = *std::max_element(top.begin(), top.end());
    for (double& value : top) value = base + (highest > 0 ? 1.2 * value / highest : 0);
    const std::vector<double> floor(places, base--);
    axes.fill_between(x, floor, top, {.color = "C0", .opacity = 0.45});
    axes.line(x, top, {.color = "C0", .width = 1.5});
  }
  return axes;
}

namespace {

// Places from 0 to 1 on an axis of the dimension's own; NaN where it has none.
std::vector<double> places_on(const Axis& axis, const Dimension& dimension) {
  std::vector<double> result;
  for (const double value : dimension.values) result.push_back(axis.position(value));
  return result;
}

Axis axis_of(const Dimension& dimension) {
  Survey survey;
  survey.y_log = dimension.log;
  for (const double value : dimension.values) survey.include(0, value);
  if (survey.y.empty()) throw Error(formatted("parallel_coordinates: \"{}\" has no value to draw", dimension.name));
  return Axis(survey.y.low, survey.y.high,
              {.scale = dimension.log ? Axis::Scale::log : Axis::Scale::linear, .ticks = 5});
}

}  // namespace

Axes& parallel_coordinates(Figure& figure, const std::vector<Dimension>& dimensions, const AxesOptions& options) {
  if (dimensions.size() < 2)
    throw Error(formatted("parallel_coordinates: there must be at least 2 dimensions: {}", dimensions.size()));
  const std::size_t trials = dimensions[0].values.size();
  AxesOptions own = options;
  own.x_names.clear();
  own.y_names = {""};
  own.y_range = {-0.04, 1.04};
  const auto last = static_cast<double>(dimensions.size() - 1);
  own.x_range = {-0.3, last + 0.45};
  std::vector<std::vector<double>> places;
  for (const Dimension& dimension : dimensions) {
    if (dimension.values.size() != trials)
      throw Error(formatted("parallel_coordinates: all dimensions must have the same length: {} and {}", trials,
                            dimension.values.size()));
    own.x_names.push_back(dimension.name);
    places.push_back(places_on(axis_of(dimension), dimension));
  }
  Axes& axes = figure.axes(own);
  std::vector<std::size_t> order(trials);
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto height = [&](std::size_t trial) { return std::isfinite(places.back()[trial]) ? places.back()[trial] : 2; };
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return height(a) > height(b); });
  std::vector<double> x(dimensions.size());
  std::iota(x.begin(), x.end(), 0);
  for (const std::size_t trial : order) {
    std::vector<double> y;
    for (const auto& column : places) y.push_back(column[trial]);
    const double at = height(trial);
    axes.line(x, y, {.color = at > 1 ? "muted" : formatted("V{}", std::lround(9 * at)), .width = 1.75, .opacity = 0.8});
  }
  for (std::size_t i = 0; i < dimensions.size(); ++i) {
    axes.vline(static_cast<double>(i), {.color = "ink", .dashed = false, .width = 1});
    const Axis axis = axis_of(dimensions[i]);
    for (const Tick& tick : axis.ticks()) {
      if (!tick.label.empty()) axes.annotate(static_cast<double>(i), axis.position(tick.value) - 0.005, tick.label);
    }
  }
  return axes;
}

}  // namespace gradus::plot
