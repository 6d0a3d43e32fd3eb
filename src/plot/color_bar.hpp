// The scale of colours beside a map.
#pragma once

#include <string>
#include <vector>

#include "plot/mark.hpp"

namespace gradus::plot {

double color_bar_width(const ColorScale& scale);
void draw_color_bar(std::string& out, const ColorScale& scale, double x, double top, double height);

}  // namespace gradus::plot
