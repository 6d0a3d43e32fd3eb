// The contour map of the landscape page: what does not change with the sliders.
#pragma once

#include <string>

#include "gradus/problems.hpp"

namespace gradus::train {

// The pixels of the area between the axes, and what they show.
struct MapFrame {
  double left = 0, top = 0, width = 0, height = 0;
  problems::Domain domain;
};
MapFrame map_frame(const problems::Domain& domain);

// An SVG element with the group "overlay", in which a script draws.
std::string map_svg(const problems::Problem& problem, const MapFrame& frame);

}  // namespace gradus::train
