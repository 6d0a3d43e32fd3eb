// Where the ticks of an axis go, and what they say.
#pragma once

#include <string>
#include <vector>

namespace gradus::plot {

struct Tick {
  double value;
  std::string label;  // none: a minor tick
};

class Axis {
 public:
  enum class Scale { linear, log };
  struct Options {
    Scale scale = Scale::linear;
    int ticks = 6;                 // about so many
    bool whole_numbers = false;    // no ticks between integers
    bool extend_to_ticks = false;  // where the next tick is near
  };

  // Shows low to high; finite, low <= high, both positive on a log scale.
  Axis(double low, double high, const Options& options);
  // Names at 0, 1, 2 ..., half a step of room on both sides.
  explicit Axis(const std::vector<std::string>& categories);
  Axis(const std::vector<std::string>& categories, double low, double high);

  const std::vector<Tick>& ticks() const { return ticks_; }
  // 0 at the lower end, 1 at the upper one; NaN for what the axis cannot show.
  double position(double value) const;
  double low() const { return low_; }
  double high() const { return high_; }

 private:
  void set_linear_ticks(const Options& options);
  void set_log_ticks(const Options& options);

  double low_;
  double high_;
  bool is_log_ = false;
  std::vector<Tick> ticks_;
};

// A number as people write it: "0.001", "20k", "3·10⁻⁹"; at most `digits` significant digits.
std::string short_number(double value, int digits = 3);

}  // namespace gradus::plot
