#include "plot/isolines.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <unordered_map>
#include <utility>

namespace gradus::plot {
namespace {

// An edge between neighbouring samples: 2 * (number of its lower or left sample), plus 1 if it goes up. A line crosses
// an edge at most once, so edges name the points of lines.
using Edge = std::size_t;
constexpr Edge none = std::numeric_limits<Edge>::max();

class March {
 public:
  March(const Grid& grid, double level) : grid_(grid), level_(level), columns_(grid.x.size()) {}

  std::vector<Polyline> lines() {
    for (std::size_t i = 0; i + 1 < grid_.y.size(); ++i) {
      for (std::size_t j = 0; j + 1 < columns_; ++j) cross_cell(i, j);
    }
    std::vector<Polyline> result;
    for (const Edge edge : order_) {  // open lines first: a walk from elsewhere would miss their beginnings
      const auto place = joined_.find(edge);
      if (place != joined_.end() && place->second[1] == none) walk(edge, result);
    }
    for (const Edge edge : order_) walk(edge, result);
    return result;
  }

 private:
  double z(std::size_t i, std::size_t j) const { return grid_.z[i * columns_ + j]; }
  bool is_high(std::size_t i, std::size_t j) const { return z(i, j) >= level_; }

  void cross_cell(std::size_t i, std::size_t j) {
    const double corners[] = {z(i, j), z(i, j + 1), z(i + 1, j + 1), z(i + 1, j)};
    if (std::any_of(std::begin(corners), std::end(corners), [](double v) { return std::isnan(v); })) return;
    const Edge bottom = 2 * (i * columns_ + j), left = bottom + 1, right = left + 2, top = bottom + 2 * columns_;
    const bool a = is_high(i, j), b = is_high(i, j + 1), c = is_high(i + 1, j + 1), d = is_high(i + 1, j);
    if (a == c && b == d && a != b) {  // a saddle
      const double middle = (corners[0] + corners[1] + corners[2] + corners[3]) / 4;
      const bool cuts_off_b = (middle >= level_) == a;  // the middle goes with a and c
      join(bottom, cuts_off_b ? right : left);
      join(top, cuts_off_b ? left : right);
      return;
    }
    std::array<Edge, 2> ends{none, none};
    std::size_t count = 0;
    if (a != b) ends[count++] = bottom;
    if (b != c) ends[count++] = right;
    if (c != d) ends[count++] = top;
    if (d != a) ends[count++] = left;
    if (count == 2) join(ends[0], ends[1]);
  }

  void join(Edge from, Edge to) {
    for (const auto& [edge, other] : {std::pair(from, to), std::pair(to, from)}) {
      const auto [place, is_new] = joined_.try_emplace(edge, std::array{none, none});
      if (is_new) order_.push_back(edge);
      place->second[place->second[0] == none ? 0 : 1] = other;
    }
  }

  // Follows a line from one of its points and takes it away.
  void walk(Edge start, std::vector<Polyline>& result) {
    if (!joined_.contains(start)) return;
    Polyline line;
    for (Edge previous = none, edge = start; edge != none && !line.closed;) {
      line.points.push_back(crossing(edge));
      const auto here = joined_.find(edge);
      const Edge next = here->second[0] != previous ? here->second[0] : here->second[1];
      joined_.erase(here);
      line.closed = next == start;
      previous = std::exchange(edge, next);
    }
    if (line.closed) line.points.push_back(line.points.front());
    result.push_back(std::move(line));
  }

  Point crossing(Edge edge) const {
    const std::size_t i = edge / 2 / columns_, j = edge / 2 % columns_;
    const bool up = edge % 2 == 1;
    const double from = z(i, j), to = up ? z(i + 1, j) : z(i, j + 1);
    // From infinitely far below, the line is at the other end.
    const double t = std::isinf(from) ? 1 : std::isinf(to) ? 0 : std::clamp((level_ - from) / (to - from), 0.0, 1.0);
    if (up) return {grid_.x[j], grid_.y[i] + t * (grid_.y[i + 1] - grid_.y[i])};
    return {grid_.x[j] + t * (grid_.x[j + 1] - grid_.x[j]), grid_.y[i]};
  }

  const Grid& grid_;
  double level_;
  std::size_t columns_;
  std::unordered_map<Edge, std::array<Edge, 2>> joined_;
  std::vector<Edge> order_;
};

// A ring of samples of minus infinity at the border's own places: what is high has an outline there, too.
Grid fenced(const Grid& grid) {
  constexpr double below = -std::numeric_limits<double>::infinity();
  Grid result;
  for (const auto& [from, to] : {std::pair(&grid.x, &result.x), std::pair(&grid.y, &result.y)}) {
    *to = *from;
    to->insert(to->begin(), from->front());
    to->push_back(from->back());
  }
  const std::size_t columns = grid.x.size();
  result.z.assign(result.x.size() * result.y.size(), below);
  for (std::size_t i = 0; i < grid.y.size(); ++i) {
    for (std::size_t j = 0; j < columns; ++j) {
      const double value = grid.z[i * columns + j];
      if (!std::isnan(value)) result.z[(i + 1) * result.x.size() + j + 1] = value;
    }
  }
  return result;
}

}  // namespace

std::vector<Polyline> isolines(const Grid& grid, double level) { return March(grid, level).lines(); }
std::vector<Polyline> outlines(const Grid& grid, double level) {
  const Grid with_fence = fenced(grid);
  return March(with_fence, level).lines();
}

}  // namespace gradus::plot
