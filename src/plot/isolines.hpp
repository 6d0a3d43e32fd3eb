// Where a sampled function has a value: marching squares.
#pragma once

#include <vector>

#include "gradus/plot/grid.hpp"
#include "plot/svg.hpp"

namespace gradus::plot {

struct Polyline {
  std::vector<Point> points;  // in the grid's x and y; a closed one ends where it began
  bool closed = false;
};

// The lines on which z = level, none where a corner of a cell is NaN. In a saddle cell the value in the middle, the
// mean of its corners, decides what is joined.
std::vector<Polyline> isolines(const Grid& grid, double level);
// The closed outlines of where z >= level, along the border as well; what is NaN is outside. To be filled by the
// even-odd rule.
std::vector<Polyline> outlines(const Grid& grid, double level);

}  // namespace gradus::plot
