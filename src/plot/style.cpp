#include "plot/style.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>

#include "storage/format.hpp"

namespace gradus::plot {

// Okabe and Ito's colours ("Color universal design", 2008), the pale ones darkened for light paper, all lightened for
// dark paper. The style sheet below repeats them.
const std::array<std::string_view, palette_size> light_palette{"#0072b2", "#d55e00", "#009e73", "#b3579a",
                                                               "#8a6d00", "#3d93c8", "#3b4249", "#8c2d19"};
const std::array<std::string_view, palette_size> dark_palette{"#56b4e9", "#f0a83c", "#2fc69a", "#e29ac8",
                                                              "#f0e442", "#a3b8ff", "#c9d1d9", "#ff8f7a"};

const std::string_view figure_style = R"(<style>
.gradus-plot text { font: 13px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: #24292f; }
.gradus-plot .title { font-size: 18px; font-weight: 600; }
.gradus-plot .panel-title { font-size: 14.5px; font-weight: 600; }
.gradus-plot .tick { font-size: 12px; fill: #57606a; font-variant-numeric: tabular-nums; }
.gradus-plot .key { font-size: 12.5px; }
.gradus-plot .middle { text-anchor: middle; }
.gradus-plot .end { text-anchor: end; }
.gradus-plot .halo { paint-order: stroke; stroke: #ffffff; stroke-width: 3px; stroke-linejoin: round; }
.gradus-plot .paper { fill: #ffffff; }
.gradus-plot .veil { fill: #ffffff; fill-opacity: 0.85; stroke: #d8dee4; }
.gradus-plot .grid { stroke: #e3e8ed; fill: none; }
.gradus-plot .axis { stroke: #57606a; fill: none; }
.gradus-plot .line { fill: none; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
.gradus-plot .case { fill: none; stroke: #ffffff; stroke-linecap: round; stroke-linejoin: round; }
.gradus-plot .ring { fill: #ffffff; }
.gradus-plot .d1 { stroke-dasharray: 8 4; } .gradus-plot .d2 { stroke-dasharray: 2 4.5; } .gradus-plot .d3 { stroke-dasharray: 10 4 2 4; }
.gradus-plot .d4 { stroke-dasharray: 5 5; } .gradus-plot .d5 { stroke-dasharray: 14 4; } .gradus-plot .d6 { stroke-dasharray: 8 4 2 4 2 4; } .gradus-plot .d7 { stroke-dasharray: 3 3; }
.gradus-plot .s0 { stroke: #0072b2; } .gradus-plot .s1 { stroke: #d55e00; } .gradus-plot .s2 { stroke: #009e73; } .gradus-plot .s3 { stroke: #b3579a; }
.gradus-plot .s4 { stroke: #8a6d00; } .gradus-plot .s5 { stroke: #3d93c8; } .gradus-plot .s6 { stroke: #3b4249; } .gradus-plot .s7 { stroke: #8c2d19; }
.gradus-plot .f0 { fill: #0072b2; } .gradus-plot .f1 { fill: #d55e00; } .gradus-plot .f2 { fill: #009e73; } .gradus-plot .f3 { fill: #b3579a; }
.gradus-plot .f4 { fill: #8a6d00; } .gradus-plot .f5 { fill: #3d93c8; } .gradus-plot .f6 { fill: #3b4249; } .gradus-plot .f7 { fill: #8c2d19; }
.gradus-plot .s-ink { stroke: #24292f; } .gradus-plot .f-ink { fill: #24292f; } .gradus-plot .s-muted { stroke: #6e7781; } .gradus-plot .f-muted { fill: #6e7781; }
.gradus-plot .v0 { stroke: #440154; } .gradus-plot .v1 { stroke: #481c6e; } .gradus-plot .v2 { stroke: #453580; } .gradus-plot .v3 { stroke: #3e4b89; } .gradus-plot .v4 { stroke: #34608d; }
.gradus-plot .v5 { stroke: #2c738e; } .gradus-plot .v6 { stroke: #25868d; } .gradus-plot .v7 { stroke: #20988a; } .gradus-plot .v8 { stroke: #25a983; } .gradus-plot .v9 { stroke: #3cba75; }
@media (prefers-color-scheme: dark) {
.gradus-plot text { fill: #e6edf3; }
.gradus-plot .tick { fill: #a5adb6; }
.gradus-plot .halo, .gradus-plot .case { stroke: #0d1117; }
.gradus-plot .paper, .gradus-plot .ring { fill: #0d1117; }
.gradus-plot .veil { fill: #0d1117; stroke: #30363d; }
.gradus-plot .grid { stroke: #252b33; }
.gradus-plot .axis { stroke: #a5adb6; }
.gradus-plot .s0 { stroke: #56b4e9; } .gradus-plot .s1 { stroke: #f0a83c; } .gradus-plot .s2 { stroke: #2fc69a; } .gradus-plot .s3 { stroke: #e29ac8; }
.gradus-plot .s4 { stroke: #f0e442; } .gradus-plot .s5 { stroke: #a3b8ff; } .gradus-plot .s6 { stroke: #c9d1d9; } .gradus-plot .s7 { stroke: #ff8f7a; }
.gradus-plot .f0 { fill: #56b4e9; } .gradus-plot .f1 { fill: #f0a83c; } .gradus-plot .f2 { fill: #2fc69a; } .gradus-plot .f3 { fill: #e29ac8; }
.gradus-plot .f4 { fill: #f0e442; } .gradus-plot .f5 { fill: #a3b8ff; } .gradus-plot .f6 { fill: #c9d1d9; } .gradus-plot .f7 { fill: #ff8f7a; }
.gradus-plot .s-ink { stroke: #e6edf3; } .gradus-plot .f-ink { fill: #e6edf3; } .gradus-plot .s-muted { stroke: #8b949e; } .gradus-plot .f-muted { fill: #8b949e; }
.gradus-plot .v0 { stroke: #2f6c8e; } .gradus-plot .v1 { stroke: #277e8e; } .gradus-plot .v2 { stroke: #21908c; } .gradus-plot .v3 { stroke: #20a187; } .gradus-plot .v4 { stroke: #2db17d; }
.gradus-plot .v5 { stroke: #4bc16d; } .gradus-plot .v6 { stroke: #72cf56; } .gradus-plot .v7 { stroke: #a0da38; } .gradus-plot .v8 { stroke: #d1e11d; } .gradus-plot .v9 { stroke: #fde725; }
}
</style>
)";

// Smith and van der Walt's colour map (2015), every sixteenth part; between them it is straight enough.
Rgb viridis(double t) {
  static constexpr std::array<std::string_view, 17> table{
      "#440154", "#48186a", "#472d7b", "#424086", "#3b528b", "#33638d", "#2c728e", "#26828e", "#21918c",
      "#1fa088", "#28ae80", "#3fbc73", "#5ec962", "#84d44b", "#addc30", "#d8e219", "#fde725"};
  const double place = std::clamp(t, 0.0, 1.0) * (table.size() - 1);
  const auto below = std::min(static_cast<std::size_t>(place), table.size() - 2);
  const double part = place - static_cast<double>(below);
  const Rgb a = from_hex(table[below]), b = from_hex(table[below + 1]);
  return {a.r + part * (b.r - a.r), a.g + part * (b.g - a.g), a.b + part * (b.b - a.b)};
}

std::string hex(Rgb color) {
  const auto byte = [](double value) { return static_cast<int>(std::lround(255 * value)); };
  return formatted("#{:02x}{:02x}{:02x}", byte(color.r), byte(color.g), byte(color.b));
}

Rgb from_hex(std::string_view text) {
  const auto part = [&](std::size_t at) {
    int value = 0;
    std::from_chars(text.data() + at, text.data() + at + 2, value, 16);
    return value / 255.0;
  };
  return {part(1), part(3), part(5)};
}

double contrast(Rgb a, Rgb b) {
  const auto linear = [](double v) { return v <= 0.03928 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4); };
  const auto luminance = [&](Rgb c) { return 0.2126 * linear(c.r) + 0.7152 * linear(c.g) + 0.0722 * linear(c.b); };
  const double x = luminance(a) + 0.05, y = luminance(b) + 0.05;
  return std::max(x, y) / std::min(x, y);
}

std::string_view readable_on(Rgb color) {
  return contrast(color, {0, 0, 0}) > contrast(color, {1, 1, 1}) ? "#000000" : "#ffffff";
}

}  // namespace gradus::plot
