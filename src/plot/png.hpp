// Pictures of pixels inside SVG.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gradus::plot {

// An <image> over a rectangle, its pixels sharp: (height, width) times red, green, blue, opacity.
std::string pixel_image(const std::vector<std::uint8_t>& rgba, std::size_t height, std::size_t width, double x,
                        double y, double drawn_width, double drawn_height);

}  // namespace gradus::plot
