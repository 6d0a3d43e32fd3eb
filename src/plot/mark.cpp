#include "plot/mark.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "plot/clip.hpp"

namespace gradus::plot {

void Range::include(double value) {
  low = std::min(low, value);
  high = std::max(high, value);
}

Range range_of(const std::vector<double>& values) {
  Range range;
  for (const double value : values) {
    if (std::isfinite(value)) range.include(value);
  }
  return range;
}

void Survey::include(double x_value, double y_value) {
  if (!std::isfinite(x_value) || !std::isfinite(y_value)) return;
  if ((x_log && x_value <= 0) || (y_log && y_value <= 0)) return;
  x.include(x_value);
  y.include(y_value);
  x_whole = x_whole && x_value == std::floor(x_value);
}

std::vector<std::vector<Point>> Canvas::stretches(const std::vector<double>& xs, const std::vector<double>& ys) const {
  std::vector<std::vector<Point>> result;
  bool open = false;
  for (std::size_t i = 0; i < xs.size(); ++i) {
    const Point p{x(xs[i]), y(ys[i])};
    const bool drawn = std::isfinite(p.x) && std::isfinite(p.y);
    if (drawn && !open) result.emplace_back();
    if (drawn) result.back().push_back(p);
    open = drawn;
  }
  return result;
}

std::vector<std::vector<Point>> Canvas::lines(const std::vector<double>& xs, const std::vector<double>& ys) const {
  std::vector<std::vector<Point>> result;
  for (const std::vector<Point>& stretch : stretches(xs, ys)) {
    for (auto& part : clipped_line(stretch, box_around(width, height))) result.push_back(std::move(part));
  }
  return result;
}

}  // namespace gradus::plot
