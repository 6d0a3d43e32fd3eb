#include "train/line_plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <string_view>

#include "gradus/error.hpp"
#include "train/axis.hpp"

namespace gradus::train {
namespace {

constexpr double width = 760, height = 440;
constexpr double left = 68, right = 736, top = 84, bottom = 388;

// Okabe and Ito's colours ("Color universal design", 2008), lighter ones on dark paper. Dashes tell curves apart as
// well.
constexpr std::string_view style = R"(<style>
text { font: 14px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: #24292f; }
.title { font-size: 18px; font-weight: 600; }
.tick { font-size: 12.5px; fill: #57606a; }
.paper { fill: #ffffff; }
.grid { stroke: #d8dee4; }
.axis { stroke: #57606a; }
.curve { fill: none; stroke-width: 2.25; stroke-linecap: round; stroke-linejoin: round; }
.c0 { stroke: #0072b2; } .c1 { stroke: #d55e00; } .c2 { stroke: #009e73; } .c3 { stroke: #b3579a; } .c4 { stroke: #8a6d00; }
.c1 { stroke-dasharray: 8 4; } .c2 { stroke-dasharray: 2 4.5; } .c3 { stroke-dasharray: 10 4 2 4; } .c4 { stroke-dasharray: 5 5; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .tick { fill: #a5adb6; }
  .paper { fill: #0d1117; }
  .grid { stroke: #2d333b; }
  .axis { stroke: #a5adb6; }
  .c0 { stroke: #56b4e9; } .c1 { stroke: #f0a83c; } .c2 { stroke: #2fc69a; } .c3 { stroke: #e29ac8; } .c4 { stroke: #f0e442; }
}
</style>
)";
constexpr std::size_t distinct_curves = 5;

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '&')
      result += "&amp;";
    else if (c == '<')
      result += "&lt;";
    else if (c == '>')
      result += "&gt;";
    else if (static_cast<unsigned char>(c) < 0x20)
      result += ' ';  // XML has no other control characters
    else
      result += c;
  }
  return result;
}

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  void include(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

class Drawing {
 public:
  Drawing(const char* op, const LinePlot& plot) : plot_(plot), x_(make_x(op)), y_(make_y()) {}

  std::string svg() {
    add(R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img">)"
        "\n<title>{2}</title>\n",
        width, height, escaped(plot_.title));
    out_ += style;
    add("<rect class=\"paper\" width=\"{}\" height=\"{}\" rx=\"6\"/>\n", width, height);
    add("<text class=\"title\" x=\"24\" y=\"34\">{}</text>\n", escaped(plot_.title));
    draw_legend();
    draw_axes();
    for (std::size_t i = 0; i < plot_.curves.size(); ++i) draw_curve(i);
    out_ += "</svg>\n";
    return std::move(out_);
  }

 private:
  bool is_drawn(std::size_t point, double y) const {
    return std::isfinite(plot_.x[point]) && std::isfinite(y) && (!plot_.log_scale || y > 0);
  }

  template <class Visit>
  void for_each_point(const Visit& visit) const {
    for (const Curve& curve : plot_.curves) {
      for (std::size_t i = 0; i < curve.y.size(); ++i) {
        if (is_drawn(i, curve.y[i])) visit(plot_.x[i], curve.y[i]);
      }
    }
  }

  Axis make_x(const char* op) const {
    Range range;
    bool whole = true;
    for_each_point([&](double x, double) {
      range.include(x);
      whole = whole && x == std::floor(x);
    });
    if (range.low > range.high) throw Error(fmt::format("{}: there is no finite value to draw", op));
    return {range.low, range.high, {.ticks = 10, .whole_numbers = whole}};
  }

  Axis make_y() const {
    Range range;
    for_each_point([&](double, double y) { range.include(y); });
    if (plot_.log_scale) return {range.low / 1.15, range.high * 1.15, {.scale = Axis::Scale::log}};
    if (range.low > 0 && range.low < range.high / 2) range.low = 0;
    return {range.low, range.high, {.extend_to_ticks = true}};
  }

  double to_x(double value) const { return left + x_.position(value) * (right - left); }
  double to_y(double value) const { return bottom - y_.position(value) * (bottom - top); }

  void draw_legend() {
    double x = 24;
    for (std::size_t i = 0; i < plot_.curves.size(); ++i) {
      std::string name = plot_.curves[i].name;
      std::replace(name.begin(), name.end(), '_', ' ');
      add("<path class=\"curve c{}\" d=\"M{:.1f} 57h30\"/>", i % distinct_curves, x);
      add("<text x=\"{:.1f}\" y=\"62\">{}</text>\n", x + 38, escaped(name));
      x += 38 + 7.6 * static_cast<double>(name.size()) + 26;
    }
  }

  void draw_axes() {
    for (const Tick& tick : y_.ticks()) {
      const double y = to_y(tick.value);
      add("<path class=\"grid\" d=\"M{} {:.1f}H{}\"/>", left, y, right);
      add("<text class=\"tick\" x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n", left - 9, y + 4.5, tick.label);
    }
    add("<path class=\"axis\" d=\"M{} {}H{}\"/>\n", left, bottom, right);
    for (const Tick& tick : x_.ticks()) {
      const double x = to_x(tick.value);
      add("<path class=\"axis\" d=\"M{:.1f} {}v5\"/>", x, bottom);
      add("<text class=\"tick\" x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n", x, bottom + 20, tick.label);
    }
    add("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n", (left + right) / 2, bottom + 42,
        escaped(plot_.x_label));
  }

  // One path; a gap begins a new stretch of it. A lone point becomes a dot through the round line cap.
  void draw_curve(std::size_t index) {
    const Curve& curve = plot_.curves[index];
    std::string path;
    bool open = false;
    for (std::size_t i = 0; i < curve.y.size(); ++i) {
      if (!is_drawn(i, curve.y[i])) {
        open = false;
        continue;
      }
      fmt::format_to(std::back_inserter(path), "{}{:.1f} {:.1f}", open ? "L" : "M", to_x(plot_.x[i]), to_y(curve.y[i]));
      const bool ends_here = i + 1 == curve.y.size() || !is_drawn(i + 1, curve.y[i + 1]);
      if (!open && ends_here) path += "h0";
      open = true;
    }
    add("<path class=\"curve c{}\" d=\"{}\"><title>{}</title></path>\n", index % distinct_curves, path,
        escaped(curve.name));
  }

  template <class... Args>
  void add(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
  }

  const LinePlot& plot_;
  Axis x_;
  Axis y_;
  std::string out_;
};

}  // namespace

std::string to_svg(const char* op, const LinePlot& plot) { return Drawing(op, plot).svg(); }

}  // namespace gradus::train
