#include "plot/color_bar.hpp"

#include <algorithm>
#include <cstddef>

#include "plot/style.hpp"

namespace gradus::plot {
namespace {

constexpr double bar_width = 12;

struct Label {
  double at;  // from 0, the lower end, to 1
  std::string text;
};

// Bands are of equal height, whatever their levels.
std::vector<Label> labels_of(const ColorScale& scale) {
  std::vector<Label> labels;
  if (scale.levels.empty()) {
    const Axis axis(scale.low, scale.high, {.ticks = 6});
    for (const Tick& tick : axis.ticks()) labels.push_back({axis.position(tick.value), tick.label});
  }
  const auto bands = static_cast<double>(scale.levels.size() + 1);
  for (std::size_t i = 0; i < scale.levels.size(); ++i)
    labels.push_back({static_cast<double>(i + 1) / bands, short_number(scale.levels[i])});
  return labels;
}

}  // namespace

double color_bar_width(const ColorScale& scale) {
  double widest = 0;
  for (const Label& label : labels_of(scale)) widest = std::max(widest, text_width(label.text, 12));
  return 14 + bar_width + 6 + widest;
}

void draw_color_bar(std::string& out, const ColorScale& scale, double x, double top, double height) {
  const std::size_t bands = scale.levels.empty() ? 64 : scale.levels.size() + 1;
  out += "<g class=\"color-bar\" shape-rendering=\"crispEdges\">\n";
  // From the lowest, each over the one before and one band less high: there are no seams between them.
  for (std::size_t i = 0; i < bands; ++i) {
    const auto count = static_cast<double>(bands), index = static_cast<double>(i);
    append(out, "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\"/>", px(x), px(top), px(bar_width),
           px(height * (count - index) / count), hex(viridis(index / (count - 1))));
  }
  out += '\n';
  double last = 1e9;
  for (const Label& label : labels_of(scale)) {
    const double y = top + height * (1 - label.at);
    if (y > last - 14) continue;
    last = y;
    append(out, "<text class=\"tick\" x=\"{}\" y=\"{}\">{}</text>\n", px(x + bar_width + 6), px(y + 4),
           escaped(label.text));
  }
  out += "</g>\n";
}

}  // namespace gradus::plot
