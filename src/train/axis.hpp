// Where the ticks of an axis go, and what they say.
#pragma once

#include <string>
#include <vector>

namespace gradus::train {

struct Tick {
  double value;
  std::string label;
};

class Axis {
 public:
  enum class Scale { linear, log };
  struct Options {
    Scale scale = Scale::linear;
    int ticks = 6;               // about so many
    bool whole_numbers = false;  // no ticks between integers
    bool extend_to_ticks = false;
  };

  // Shows low to high; finite, low <= high, both positive on a log scale.
  Axis(double low, double high, const Options& options);

  const std::vector<Tick>& ticks() const { return ticks_; }
  // 0 at the lower end, 1 at the upper one.
  double position(double value) const;

 private:
  void set_linear_ticks(const Options& options);
  void set_log_ticks(const Options& options);

  double low_;
  double high_;
  bool is_log_;
  std::vector<Tick> ticks_;
};

}  // namespace gradus::train
