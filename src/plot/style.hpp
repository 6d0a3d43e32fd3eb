// The style sheet of all figures, and the colours of values.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace gradus::plot {

// Every rule is below the class gradus-plot, so that none reaches the page around a figure.
extern const std::string_view figure_style;

constexpr int palette_size = 8;
// Of the palette on light and dark paper.
extern const std::array<std::string_view, palette_size> light_palette, dark_palette;
constexpr std::string_view light_paper = "#ffffff", dark_paper = "#0d1117";

struct Rgb {
  double r, g, b;  // 0 to 1
};
// Viridis at t from 0 (dark blue) to 1 (yellow): even steps look even, in grey and to the colour-blind as well.
Rgb viridis(double t);
std::string hex(Rgb color);
Rgb from_hex(std::string_view text);
// The contrast of two colours, from 1 to 21. [Web content accessibility guidelines 2.1, 2018]
double contrast(Rgb a, Rgb b);
// Black or white, whichever is easier to read on a colour.
std::string_view readable_on(Rgb color);

}  // namespace gradus::plot
