#include "optim/strong_wolfe.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>
#include <utility>

namespace gradus::optim {
namespace {

constexpr double sufficient_decrease = 1e-4;
constexpr double sufficient_flatness = 0.9;
constexpr int max_evaluations = 25;  // after the first

using Bracket = std::array<LinePoint, 2>;

// The minimum of the cubic with these values and slopes, within bounds; their middle if it has none.
double cubic_minimum(const LinePoint& a, const LinePoint& b, double lower, double upper) {
  const auto& [left, right] = a.t <= b.t ? std::tie(a, b) : std::tie(b, a);
  const double d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t);
  const double square = d1 * d1 - a.slope * b.slope;
  if (!(square >= 0)) return (lower + upper) / 2;
  const double d2 = std::sqrt(square);
  const double t = right.t - (right.t - left.t) * ((right.slope + d2 - d1) / (right.slope - left.slope + 2 * d2));
  return std::min(std::max(t, lower), upper);
}

// The lower one, which a NaN never is.
std::size_t low(const Bracket& bracket) {
  return std::isnan(bracket[0].loss) || bracket[1].loss < bracket[0].loss ? 1 : 0;
}

class Search {
 public:
  Search(const Line& line, const LinePoint& start) : line_(line), start_(start) {}

  LinePoint run(double t, double shortest) {
    LinePoint previous = start_, current = line_(t);
    for (; iteration_ < max_evaluations; ++iteration_) {
      if (!is_low(current) || (iteration_ > 1 && current.loss >= previous.loss))
        return zoom({previous, current}, shortest);
      if (is_flat(current)) return current;
      if (current.slope >= 0) return zoom({previous, current}, shortest);
      const double next = cubic_minimum(previous, current, current.t + 0.01 * (current.t - previous.t), 10 * current.t);
      previous = std::exchange(current, line_(next));
    }
    Bracket all{start_, current};
    return all[low(all)];
  }

 private:
  bool is_low(const LinePoint& p) const { return p.loss <= start_.loss + sufficient_decrease * p.t * start_.slope; }
  bool is_flat(const LinePoint& p) const { return std::abs(p.slope) <= -sufficient_flatness * start_.slope; }

  // A step between the ends of the bracket. Two in a row close to an end do not narrow it: then a tenth away from it.
  double trial(const Bracket& bracket) {
    const auto [lower, upper] = std::minmax(bracket[0].t, bracket[1].t);
    const double t = cubic_minimum(bracket[0], bracket[1], lower, upper);
    const double margin = 0.1 * (upper - lower);
    const bool is_close = std::min(upper - t, t - lower) < margin;
    const bool is_moved = is_close && (was_close_ || t >= upper || t <= lower);
    was_close_ = is_close && !is_moved;
    if (!is_moved) return t;
    return std::abs(t - upper) < std::abs(t - lower) ? upper - margin : lower + margin;
  }

  LinePoint zoom(Bracket bracket, double shortest) {
    low_ = low(bracket);
    for (; iteration_ < max_evaluations; ++iteration_) {
      if (std::abs(bracket[1].t - bracket[0].t) < shortest) break;
      const LinePoint current = line_(trial(bracket));
      LinePoint& best = bracket[low_];
      LinePoint& other = bracket[1 - low_];
      if (!is_low(current) || current.loss >= best.loss) {
        other = current;
        low_ = low(bracket);
        continue;
      }
      if (is_flat(current)) return current;
      if (current.slope * (other.t - best.t) >= 0) other = best;
      best = current;
    }
    return bracket[low_];
  }

  const Line& line_;
  const LinePoint& start_;
  int iteration_ = 0;
  std::size_t low_ = 0;
  bool was_close_ = false;
};

}  // namespace

LinePoint strong_wolfe(const Line& line, const LinePoint& start, double t, double shortest) {
  return Search(line, start).run(t, shortest);
}

}  // namespace gradus::optim
