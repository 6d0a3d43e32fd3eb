#include "gradus/plot/axes.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <string_view>
#include <utility>

#include "gradus/error.hpp"
#include "gradus/plot/grid.hpp"
#include "plot/mark.hpp"
#include "plot/style.hpp"
#include "storage/format.hpp"

namespace gradus::plot {
namespace {

void check_lengths(const char* op, const char* first, std::size_t one, const char* second, std::size_t other) {
  if (one != other)
    throw Error(formatted("{}: {} and {} must have the same length: {} and {}", op, first, second, one, other));
}

void check_range(const char* name, const std::optional<std::array<double, 2>>& range, bool is_log) {
  if (range && !((*range)[0] < (*range)[1] && std::isfinite((*range)[0]) && std::isfinite((*range)[1])))
    throw Error(formatted("axes: {} must go up: {} to {}", name, (*range)[0], (*range)[1]));
  if (range && is_log && (*range)[0] <= 0)
    throw Error(formatted("axes: {} must be positive on a log scale: {} to {}", name, (*range)[0], (*range)[1]));
}

void check_grid(const char* op, const Grid& grid) {
  if (grid.x.size() < 2 || grid.y.size() < 2 || grid.z.size() != grid.x.size() * grid.y.size())
    throw Error(formatted("{}: a grid of n x m samples, at least 2 x 2, must have n * m values: {} x {}, {}", op,
                          grid.x.size(), grid.y.size(), grid.z.size()));
  if (!std::is_sorted(grid.x.begin(), grid.x.end()) || !std::is_sorted(grid.y.begin(), grid.y.end()))
    throw Error(formatted("{}: the x and y of a grid must ascend", op));
}

void check_matrix(const char* op, std::int64_t rows, std::int64_t columns, std::size_t values) {
  if (rows < 1 || columns < 1 || static_cast<std::size_t>(rows * columns) != values)
    throw Error(formatted("{}: {} x {} cells cannot hold {} values", op, rows, columns, values));
}

}  // namespace

Axes::Axes(const AxesOptions& options) : options_(options) {
  check_range("x_range", options.x_range, options.x_log);
  check_range("y_range", options.y_range, options.y_log);
}

Axes& Axes::add(std::shared_ptr<const Mark> mark) {
  marks_.push_back(std::move(mark));
  return *this;
}

std::string Axes::next_color(const std::string& asked) {
  last_color_ = asked.empty() ? formatted("C{}", colors_used_++ % palette_size) : asked;
  return last_color_;
}

Axes& Axes::line(const std::vector<double>& x, const std::vector<double>& y, const LineOptions& options) {
  check_lengths("line", "x", x.size(), "y", y.size());
  LineOptions own = options;
  own.color = next_color(options.color);
  const int dashes = options.dashed ? 4 : options.color.empty() ? palette_index(own.color) : 0;
  return add(make_line(x, y, own, dashes));
}

Axes& Axes::line(const std::vector<double>& y, const LineOptions& options) {
  std::vector<double> x(y.size());
  std::iota(x.begin(), x.end(), 0);
  return line(x, y, options);
}

Axes& Axes::path(const std::vector<double>& x, const std::vector<double>& y, const PathOptions& options) {
  check_lengths("path", "x", x.size(), "y", y.size());
  PathOptions own = options;
  own.color = next_color(options.color);
  return add(make_path(x, y, own));
}

Axes& Axes::scatter(const std::vector<double>& x, const std::vector<double>& y, const ScatterOptions& options) {
  check_lengths("scatter", "x", x.size(), "y", y.size());
  if (std::string_view("os^Dx+*").find(options.marker) == std::string_view::npos)
    throw Error(formatted("scatter: marker must be one of o s ^ D x + *: {}", options.marker));
  ScatterOptions own = options;
  own.color = next_color(options.color);
  return add(make_scatter(x, y, own));
}

Axes& Axes::fill_between(const std::vector<double>& x, const std::vector<double>& low, const std::vector<double>& high,
                         const FillOptions& options) {
  check_lengths("fill_between", "x", x.size(), "low", low.size());
  check_lengths("fill_between", "x", x.size(), "high", high.size());
  FillOptions own = options;
  own.color = options.color.empty() && !last_color_.empty() ? last_color_ : next_color(options.color);
  return add(make_band(x, low, high, own));
}

Axes& Axes::contour(const Grid& grid, const ContourOptions& options) {
  check_grid("contour", grid);
  if (options.levels.values.empty() && options.levels.count < 1)
    throw Error(formatted("contour: levels must be at least 1: {}", options.levels.count));
  return add(make_contour(grid, options));
}

Axes& Axes::heatmap(const Grid& grid, const HeatmapOptions& options) {
  check_grid("heatmap", grid);
  if (!options.texts.empty()) check_lengths("heatmap", "texts", options.texts.size(), "values", grid.z.size());
  return add(make_heatmap(grid, options));
}

Axes& Axes::heatmap(std::int64_t rows, std::int64_t columns, const std::vector<double>& values,
                    const HeatmapOptions& options) {
  check_matrix("heatmap", rows, columns, values.size());
  if (!options.row_labels.empty())
    check_lengths("heatmap", "row_labels", options.row_labels.size(), "rows", static_cast<std::size_t>(rows));
  if (!options.column_labels.empty())
    check_lengths("heatmap", "column_labels", options.column_labels.size(), "columns",
                  static_cast<std::size_t>(columns));
  if (!options.texts.empty()) check_lengths("heatmap", "texts", options.texts.size(), "values", values.size());
  return add(make_matrix(rows, columns, values, options));
}

Axes& Axes::bar(const std::vector<std::string>& labels, const std::vector<double>& values, const BarOptions& options) {
  check_lengths("bar", "labels", labels.size(), "values", values.size());
  if (!options.errors.empty()) check_lengths("bar", "values", values.size(), "errors", options.errors.size());
  std::vector<double> places;
  for (const std::string& label : labels) {
    const auto found = std::find(categories_.begin(), categories_.end(), label);
    places.push_back(static_cast<double>(found - categories_.begin()));
    if (found == categories_.end()) categories_.push_back(label);
  }
  BarOptions own = options;
  own.color = next_color(options.color);
  return add(make_bars(std::move(places), values, categories_, bar_series_++, own));
}

Axes& Axes::hist(const std::vector<double>& values, const HistOptions& options) {
  if (options.bins < 0) throw Error(formatted("hist: bins must not be negative: {}", options.bins));
  HistOptions own = options;
  own.color = next_color(options.color);
  return add(make_hist(values, own));
}

Axes& Axes::image(const std::vector<double>& values, std::int64_t height, std::int64_t width) {
  check_matrix("image", height, width, values.size());
  options_.equal = true;
  return add(make_image(values, height, width));
}

Axes& Axes::hline(double y, const RuleOptions& options) { return add(make_rule(y, false, options)); }
Axes& Axes::vline(double x, const RuleOptions& options) { return add(make_rule(x, true, options)); }
Axes& Axes::annotate(double x, double y, const std::string& text) { return add(make_text(x, y, text)); }

}  // namespace gradus::plot
