// One panel: axes with ticks and names, the marks between them, a legend, a scale of colours.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gradus/plot/axes.hpp"
#include "plot/mark.hpp"

namespace gradus::plot {

// Draws into the rectangle from (0, 0) to (width, height).
void draw_panel(std::string& out, const AxesOptions& options, const std::vector<std::shared_ptr<const Mark>>& marks,
                double width, double height);

}  // namespace gradus::plot
