#include "gradus/plot/figure.hpp"

#include <algorithm>
#include <cmath>

#include "gradus/error.hpp"
#include "plot/panel.hpp"
#include "plot/style.hpp"
#include "plot/svg.hpp"
#include "storage/atomic_file.hpp"
#include "storage/format.hpp"

namespace gradus::plot {
namespace {

constexpr double margin = 14, gap = 22;

}  // namespace

Figure::Figure(const FigureOptions& options) : options_(options) {
  if (options.columns < 0) throw Error(formatted("Figure: columns must not be negative: {}", options.columns));
  if (!(options.panel_width >= 40 && options.panel_height >= 40))
    throw Error(formatted("Figure: a panel must be at least 40 x 40 pixels: {} x {}", options.panel_width,
                          options.panel_height));
}

Axes& Figure::axes(const AxesOptions& options) { return panels_.emplace_back(options); }

std::string Figure::body() const {
  if (panels_.empty()) throw Error("Figure: there are no axes: add some by axes()");
  const auto count = static_cast<std::int64_t>(panels_.size());
  // As wide as two panels of the usual size, unless there are many.
  const std::int64_t fitting = std::max<std::int64_t>(1, static_cast<std::int64_t>(1100 / options_.panel_width));
  const std::int64_t columns = std::min(options_.columns > 0 ? options_.columns : fitting, count);
  const std::int64_t rows = (count + columns - 1) / columns;
  const double top = margin + (options_.title.empty() ? 0 : 32);
  const auto extent = [](std::int64_t panels, double size) { return static_cast<double>(panels) * (size + gap) - gap; };
  const double width = 2 * margin + extent(columns, options_.panel_width);
  const double height = top + extent(rows, options_.panel_height) + margin;
  std::string out = formatted("<rect class=\"paper\" width=\"{}\" height=\"{}\" rx=\"6\"/>\n", px(width), px(height));
  if (!options_.title.empty())
    append(out, "<text class=\"title\" x=\"{}\" y=\"{}\">{}</text>\n", px(margin + 4), px(margin + 18),
           escaped(options_.title));
  for (std::int64_t i = 0; i < count; ++i) {
    const double x = margin + static_cast<double>(i % columns) * (options_.panel_width + gap);
    const double y = top + static_cast<double>(i / columns) * (options_.panel_height + gap);
    const Axes& axes = panels_[static_cast<std::size_t>(i)];
    append(out, "<g transform=\"translate({} {})\">", px(x), px(y));
    draw_panel(out, axes.options_, axes.marks_, options_.panel_width, options_.panel_height);
    out += "</g>\n";
  }
  return formatted(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"gradus-plot\" viewBox=\"0 0 {0} {1}\" "
      "width=\"{0}\" height=\"{1}\" role=\"img\">\n<title>{2}</title>\n{3}</svg>\n",
      px(width), px(height), escaped(description()), out);
}

// For those who cannot see it.
std::string Figure::description() const {
  std::string text = options_.title;
  for (const Axes& axes : panels_) {
    const AxesOptions& options = axes.options_;
    for (const std::string& part :
         {options.title,
          options.y_label.empty() || options.x_label.empty() ? "" : options.y_label + " over " + options.x_label}) {
      if (!part.empty()) text += (text.empty() ? "" : "; ") + part;
    }
  }
  return text.empty() ? "A figure" : text;
}

std::string Figure::svg() const {
  std::string document = body();
  return document.insert(document.find("<rect"), figure_style);
}

void Figure::save(const std::string& path) const { write_atomically("save", path, svg()); }

}  // namespace gradus::plot
