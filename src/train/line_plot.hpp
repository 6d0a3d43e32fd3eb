// Curves over a common horizontal axis, as an SVG document.
#pragma once

#include <string>
#include <vector>

namespace gradus::train {

struct Curve {
  std::string name;
  std::vector<double> y;  // as many as x; NaN and infinity leave a gap
};

struct LinePlot {
  std::string title;
  std::string x_label;
  std::vector<double> x;
  std::vector<Curve> curves;
  bool log_scale = false;
};

// Throws Error, beginning with `op`, if there is no point to draw.
std::string to_svg(const char* op, const LinePlot& plot);

}  // namespace gradus::train
