// Derivatives from differences of values, each with an error bar.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "gradcheck/subject.hpp"

namespace gradus::check {

// What is differentiated: one output element, or a weighted sum of all.
struct Cotangent {
  std::int64_t unit = -1;
  std::vector<double> weights;  // if unit < 0

  double weight(std::int64_t i) const {
    return unit < 0 ? weights[static_cast<std::size_t>(i)] : static_cast<double>(i == unit);
  }
  // sum c (a - b), element by element first: less is lost than in a difference of two sums.
  double of_difference(const std::vector<double>& a, const std::vector<double>& b) const;
  double magnitude(const std::vector<double>& values) const;  // sum |c v|
  // The same of those values only that differ from a or b, each at its largest.
  double magnitude_of_changes(const std::vector<double>& values, const std::vector<double>& a,
                              const std::vector<double>& b) const;
};

// Where to go: one element of a variable, or a direction in it.
struct Direction {
  std::size_t variable = 0;
  std::int64_t element = -1;
  std::vector<double> weights;  // if element < 0; one per element, of size about 1
};

struct Estimate {
  double value = std::numeric_limits<double>::quiet_NaN();
  double bar = std::numeric_limits<double>::infinity();
  std::string doubt;  // what stands in the way of a better one; empty if nothing does
  // At a kink there is no derivative, only one on each side. The value is their mean, the bar contains both.
  bool at_kink = false;
  double left = std::numeric_limits<double>::quiet_NaN();
  double right = std::numeric_limits<double>::quiet_NaN();
};

// What two estimates over steps of different lengths tell together: if they contradict each other, the bar covers both.
Estimate reconciled(const Estimate& a, const Estimate& b);

// The function along a line through the point: t -> outputs at x + t d. Samples are kept; the point is restored at the
// end.
class Line {
 public:
  Line(const Subject& subject, Direction direction, const Sample& base);
  ~Line();
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  // A first estimate, from four samples.
  Estimate quick(const Cotangent& c);
  // The best that can be had: Ridders' extrapolation (Advances in Engineering Software 4, 1982) over many steps, sides
  // of kinks kept apart, with measured round-off. It is not content with another value than the expected one before the
  // shortest steps that can tell the two apart have agreed.
  // Steps begin at an eighth of `length`, or of the scale.
  Estimate careful(const Cotangent& c, double expected = std::numeric_limits<double>::quiet_NaN(), double length = 0);
  // Lengths to try if that of the scale gives another value than was expected.
  std::vector<double> other_lengths() const;
  // At the point itself: the two sides.
  Estimate at_kink(const Cotangent& c);
  bool has_hidden_kink(const Cotangent& c);

  // Whether no value has changed at any step so far.
  bool is_flat(const Cotangent& c) const;
  // A slope that the round-off of the largest intermediate result would hide.
  double unseen_slope() const;

  // How fast |f(x + h d) - f(x) - h * derivative| shrinks with h: its slope in logarithms; infinite if nothing but
  // round-off is left of it.
  double remainder_slope(const Cotangent& c, double derivative);

  // Whether everything is smooth from -t to t, as far as the ends tell.
  bool is_smooth_within(double t) { return smooth(t) && smooth(-t) && smooth(t / 2) && smooth(-t / 2); }
  // Leaves the variable at t, where the caller may run the subject.
  void go_to(double t) { move(t); }
  // The variable's change per unit of t, element by element.
  std::vector<double> displacement() const;

  // The size of the variable along the line, against which steps are measured.
  double scale() const { return scale_; }
  double epsilon() const { return epsilon_; }  // of the variable's dtype

 private:
  struct Point {
    double t;  // as it came out in the variable's precision
    Sample sample;
  };

  const Point& at(double t);
  bool smooth(double t);  // finite, and every branch as at the point itself
  double noise(const Cotangent& c);
  double noise_at(const Cotangent& c, double step);
  double difference(const Cotangent& c, double from, double to);
  double stair(const Cotangent& c);
  Estimate central(const Cotangent& c, double expected);
  Estimate central(const Cotangent& c, double expected, double sigma);
  Estimate one_sided(const Cotangent& c, double side, bool own_branches);
  void move(double t);

  const Subject& subject_;
  Direction direction_;
  const Sample& base_;
  std::vector<double> origin_;
  double scale_ = 1;
  double own_ = 1;     // that of the element alone
  double length_ = 1;  // of steps, to begin with
  double shortest_;    // step that is worth a try where the function is smooth
  double epsilon_;
  std::string kink_;  // the op whose branch changed at the last step that was not smooth
  std::map<double, Point> points_;
};

}  // namespace gradus::check
