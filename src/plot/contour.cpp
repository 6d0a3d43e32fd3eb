// Contour maps.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "plot/isolines.hpp"
#include "plot/mark.hpp"
#include "plot/style.hpp"

namespace gradus::plot {
namespace {

// Round to two digits, if that leaves it between its neighbours.
double rounded(double value) {
  if (value == 0) return 0;
  const double unit = std::pow(10, std::floor(std::log10(std::abs(value))) - 1);
  return std::round(value / unit) * unit;
}

std::vector<double> log_levels(const Range& range, std::int64_t count) {
  // Of what is below zero, the height over the lowest point counts.
  const double base = range.low > 0 ? 0 : range.low, span = range.high - base;
  const double lowest = std::max(range.low - base, 1e-4 * span);
  std::vector<double> levels;
  for (std::int64_t i = 0; i < count; ++i) {
    const double part = (static_cast<double>(i) + 0.5) / static_cast<double>(count);
    const double height = lowest * std::pow(span / lowest, part);
    levels.push_back(std::abs(base) <= 1e-6 * span ? rounded(height) : base + height);
  }
  return levels;
}

std::vector<double> levels_of(const Grid& grid, const ContourOptions& options) {
  std::vector<double> levels = options.levels.values;
  const Range range = range_of(grid.z);
  const std::int64_t count = options.levels.count;
  if (levels.empty() && range.low < range.high) {
    if (options.log) {
      levels = log_levels(range, count);
    } else {
      const Axis axis(range.low, range.high, {.ticks = static_cast<int>(count)});
      for (const Tick& tick : axis.ticks()) levels.push_back(tick.value);
    }
  }
  std::sort(levels.begin(), levels.end());
  levels.erase(std::unique(levels.begin(), levels.end()), levels.end());
  return levels;
}

class Contour : public Mark {
 public:
  Contour(const Grid& grid, const ContourOptions& options)
      : grid_(grid), options_(options), levels_(levels_of(grid, options)), range_(range_of(grid.z)) {}

  void survey(Survey& survey) const override {
    for (const double x : grid_.x) survey.include(x, grid_.y.front());
    for (const double y : grid_.y) survey.include(grid_.x.front(), y);
    survey.exact = true;
    survey.x_whole = false;
  }

  void draw(Canvas& canvas) const override {
    canvas.out += "<g class=\"contour\">\n";
    if (options_.filled) draw_bands(canvas);
    for (std::size_t i = 0; i < levels_.size(); ++i) {
      std::string path;
      for (const Polyline& line : isolines(grid_, levels_[i])) append_line(path, canvas, line);
      if (path.empty()) continue;
      if (options_.filled)
        append(canvas.out,
               "<path fill=\"none\" stroke=\"#000000\" stroke-opacity=\"0.25\" stroke-width=\"0.75\" d=\"{}\"", path);
      else
        append(canvas.out, "<path fill=\"none\" class=\"v{}\" stroke-width=\"1.4\" d=\"{}\"", shade(i), path);
      append(canvas.out, "><title>{}</title></path>\n", short_number(levels_[i]));
    }
    canvas.out += "</g>\n";
  }

  std::optional<ColorScale> color_scale() const override {
    if (!options_.filled || !options_.color_bar || levels_.empty()) return {};
    return ColorScale{.low = range_.low, .high = range_.high, .levels = levels_};
  }

 private:
  void draw_bands(Canvas& canvas) const {
    const auto band = [&](double low, std::size_t index) {
      std::string path;
      for (const Polyline& line : outlines(grid_, low)) append_line(path, canvas, line);
      const double t = levels_.empty() ? 0 : static_cast<double>(index) / static_cast<double>(levels_.size());
      if (!path.empty())
        append(canvas.out, "<path fill-rule=\"evenodd\" fill=\"{}\" d=\"{}\"/>\n", hex(viridis(t)), path);
    };
    // Each covers a part of the one before: there are no seams between them.
    band(range_.low, 0);
    for (std::size_t i = 0; i < levels_.size(); ++i) band(levels_[i], i + 1);
  }

  static void append_line(std::string& path, const Canvas& canvas, const Polyline& line) {
    std::vector<Point> points;
    for (const Point& p : line.points) {
      const Point place{canvas.x(p.x), canvas.y(p.y)};
      if (std::isfinite(place.x) && std::isfinite(place.y)) points.push_back(place);
    }
    // Halves, as the first and last point of a closed line are the same.
    const auto middle = points.begin() + static_cast<std::ptrdiff_t>(points.size() / 2);
    if (line.closed && points.size() > 3) {
      std::vector<Point> outline = simplified({points.begin(), middle + 1}, 0.15);
      const std::vector<Point> rest = simplified({middle, points.end()}, 0.15);
      outline.insert(outline.end(), rest.begin() + 1, rest.end() - 1);
      append_path(path, outline, true);
    } else {
      append_path(path, simplified(points, 0.15), line.closed);
    }
  }

  // Of ten shades that the style sheet has for light and dark paper.
  std::size_t shade(std::size_t index) const {
    return levels_.size() < 2 ? 4 : (index * 9 + (levels_.size() - 1) / 2) / (levels_.size() - 1);
  }

  Grid grid_;
  ContourOptions options_;
  std::vector<double> levels_;
  Range range_;
};

}  // namespace

std::shared_ptr<const Mark> make_contour(const Grid& grid, const ContourOptions& options) {
  return std::make_shared<Contour>(grid, options);
}

}  // namespace gradus::plot
