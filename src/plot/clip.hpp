// Cuts off what lies far outside a panel: renderers compute in floats, and a coordinate that is merely limited would
// turn the line that leads to it.
#pragma once

#include <vector>

#include "plot/svg.hpp"

namespace gradus::plot {

// The rectangle that is kept.
struct Box {
  Point low, high;
};
// Around a panel of this size, far enough that nothing of its border is seen.
Box box_around(double width, double height);

// The stretches of a line that lie in the box. [Liang and Barsky, A new concept and method for line clipping, 1984]
std::vector<std::vector<Point>> clipped_line(const std::vector<Point>& line, const Box& box);
// The part of a polygon that lies in the box. [Sutherland and Hodgman, Reentrant polygon clipping, 1974]
std::vector<Point> clipped_area(std::vector<Point> outline, const Box& box);

}  // namespace gradus::plot
