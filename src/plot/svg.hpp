// Pieces of SVG: numbers, text, paths, colours.
#pragma once

#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "storage/format.hpp"

namespace gradus::plot {

struct Point {
  double x, y;
};

// In tenths of a pixel, as short as it goes: "12", "3.4", never "-0".
std::string px(double value);
// Text between tags or in an attribute.
std::string escaped(std::string_view text);
// About how wide a text is; rather too wide than too narrow.
double text_width(std::string_view text, double font_size);

// "M1 2 3 4": one stretch of a line; a lone point becomes a dot through the round line cap.
void append_path(std::string& out, const std::vector<Point>& points, bool closed = false);
// Leaves out points that lie within `tolerance` of the line through those that stay.
std::vector<Point> simplified(const std::vector<Point>& points, double tolerance);
// At most two points per column of pixels, the highest and the lowest, if x never falls; else none closer than a
// quarter pixel to the one before.
std::vector<Point> thinned(const std::vector<Point>& points);

enum class Paint { stroke, fill };
// ` class="line s0"` or ` class="line" stroke="#d55e00"`.
std::string painted(std::string_view classes, Paint paint, std::string_view color);
// The number of a colour of the palette, from 0; -1 for any other.
int palette_index(std::string_view color);

}  // namespace gradus::plot
