#include "plot/clip.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <utility>

namespace gradus::plot {
namespace {

// Between the points, exact at both ends.
Point between(Point a, Point b, double t) {
  if (t == 0) return a;
  if (t == 1) return b;
  return {a.x + t * (b.x - a.x), a.y + t * (b.y - a.y)};
}

double distance(Point p) { return std::max(std::abs(p.x), std::abs(p.y)); }

struct Segment {
  Point begin, end;
  bool goes_on;  // the end is that of the whole
};

// The first and last t in [0, 1] at which the segment from a to b is in the box.
std::optional<std::pair<double, double>> range_inside(Point a, Point b, const Box& box) {
  double first = 0, last = 1;
  const auto keep = [&](double from, double change, double low, double high) {
    if (change == 0) return low <= from && from <= high;
    const auto [enter, leave] = std::minmax({(low - from) / change, (high - from) / change});  // of a list: by value
    first = std::max(first, enter);
    last = std::min(last, leave);
    return first <= last;
  };
  if (!keep(a.x, b.x - a.x, box.low.x, box.high.x) || !keep(a.y, b.y - a.y, box.low.y, box.high.y)) return {};
  return std::pair(first, last);
}

// The part of a segment that is in the box, reckoned from its nearer end: from a far one little is left of the digits.
std::optional<Segment> inside(Point a, Point b, const Box& box) {
  const bool turned = distance(a) > distance(b);
  if (turned) std::swap(a, b);
  const auto part = range_inside(a, b, box);
  if (!part) return {};
  const Segment kept{between(a, b, part->first), between(a, b, part->second),
                     turned ? part->first == 0 : part->second == 1};
  return turned ? Segment{kept.end, kept.begin, kept.goes_on} : kept;
}

// On the inner side of one of the box's borders, and by how much.
double margin(Point p, const Box& box, int border) {
  if (border == 0) return p.x - box.low.x;
  if (border == 1) return box.high.x - p.x;
  if (border == 2) return p.y - box.low.y;
  return box.high.y - p.y;
}

bool contains(const Box& box, const std::vector<Point>& points) {
  return std::all_of(points.begin(), points.end(), [&](Point p) {
    return p.x >= box.low.x && p.x <= box.high.x && p.y >= box.low.y && p.y <= box.high.y;
  });
}

}  // namespace

Box box_around(double width, double height) { return {{-1e4, -1e4}, {width + 1e4, height + 1e4}}; }

std::vector<std::vector<Point>> clipped_line(const std::vector<Point>& line, const Box& box) {
  if (line.size() < 2 || contains(box, line)) return {line};
  std::vector<std::vector<Point>> stretches;
  bool open = false;
  for (std::size_t i = 0; i + 1 < line.size(); ++i) {
    const auto part = inside(line[i], line[i + 1], box);
    if (part && !open) stretches.push_back({part->begin});
    if (part) stretches.back().push_back(part->end);
    open = part && part->goes_on;
  }
  return stretches;
}

std::vector<Point> clipped_area(std::vector<Point> outline, const Box& box) {
  if (contains(box, outline)) return outline;
  for (int border = 0; border < 4; ++border) {
    std::vector<Point> kept;
    for (std::size_t i = 0; i < outline.size(); ++i) {
      const Point a = outline[i], b = outline[(i + 1) % outline.size()];
      const double from = margin(a, box, border), to = margin(b, box, border);
      if (from >= 0) kept.push_back(a);
      if ((from >= 0) == (to >= 0)) continue;
      const bool turned = std::abs(from) > std::abs(to);
      kept.push_back(turned ? between(b, a, to / (to - from)) : between(a, b, from / (from - to)));
    }
    outline = std::move(kept);
  }
  return outline;
}

}  // namespace gradus::plot
