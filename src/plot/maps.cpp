// Marks that fill cells with colours: heat maps and images.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "gradus/plot/grid.hpp"
#include "plot/mark.hpp"
#include "plot/png.hpp"
#include "plot/style.hpp"

namespace gradus::plot {
namespace {

// Values in cells between edges; `values` row by row from the first edge of y.
class Heatmap : public Mark {
 public:
  Heatmap(std::vector<double> x_edges, std::vector<double> y_edges, std::vector<double> values,
          const HeatmapOptions& options, bool is_matrix)
      : x_(std::move(x_edges)),
        y_(std::move(y_edges)),
        values_(std::move(values)),
        options_(options),
        is_matrix_(is_matrix),
        range_(range_of(values_)) {
    if (range_.empty()) range_ = {0, 1};
    if (options.range) range_ = {(*options.range)[0], (*options.range)[1]};
  }

  void survey(Survey& survey) const override {
    survey.include(x_.front(), y_.front());
    survey.include(x_.back(), y_.back());
    survey.exact = true;
    survey.x_whole = survey.y_whole = is_matrix_;
    survey.downwards = is_matrix_;
    if (!options_.column_labels.empty()) survey.x_names = options_.column_labels;
    if (!options_.row_labels.empty()) survey.y_names = options_.row_labels;
  }

  void draw(Canvas& canvas) const override {
    canvas.out += "<g class=\"heatmap\" shape-rendering=\"crispEdges\">\n";
    if (values_.size() > 900 && is_even(canvas))
      draw_pixels(canvas);
    else
      draw_cells(canvas);
    if (options_.annotate || !options_.texts.empty()) draw_values(canvas);
    canvas.out += "</g>\n";
  }

  std::optional<ColorScale> color_scale() const override {
    if (!options_.color_bar) return {};
    return ColorScale{.low = range_.low, .high = range_.high, .levels = {}};
  }

 private:
  std::size_t columns() const { return x_.size() - 1; }
  std::size_t rows() const { return y_.size() - 1; }
  double value(std::size_t i, std::size_t j) const { return values_[i * columns() + j]; }
  Rgb color(double value) const {
    return viridis(range_.high > range_.low ? (value - range_.low) / (range_.high - range_.low) : 0.5);
  }

  // Whether all cells are as wide and as high as pixels of one image would be, to half a pixel of the screen.
  bool is_even(const Canvas& canvas) const {
    const auto evenly = [](const std::vector<double>& edges, const auto& place) {
      const double first = place(edges.front()),
                   step = (place(edges.back()) - first) / static_cast<double>(edges.size() - 1);
      for (std::size_t i = 0; i < edges.size(); ++i) {
        // NaN is no place at all.
        if (!(std::abs(place(edges[i]) - first - static_cast<double>(i) * step) <= 0.5)) return false;
      }
      return true;
    };
    return evenly(x_, [&](double x) { return canvas.x(x); }) && evenly(y_, [&](double y) { return canvas.y(y); });
  }

  template <class Visit>
  void for_each_cell(const Canvas& canvas, const Visit& visit) const {
    for (std::size_t i = 0; i < rows(); ++i) {
      for (std::size_t j = 0; j < columns(); ++j) {
        const double left = canvas.x(x_[j]), right = canvas.x(x_[j + 1]), a = canvas.y(y_[i]), b = canvas.y(y_[i + 1]);
        if (std::isfinite(value(i, j)) && std::isfinite(left + right + a + b))
          visit(i * columns() + j, left, std::min(a, b), right - left, std::abs(b - a));
      }
    }
  }

  void draw_cells(Canvas& canvas) const {
    for_each_cell(canvas, [&](std::size_t cell, double x, double y, double width, double height) {
      // A little overlap hides the seams; the next cell covers it.
      append(canvas.out, "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\"/>\n", px(x), px(y),
             px(width + 0.3), px(height + 0.3), hex(color(values_[cell])));
    });
  }

  void draw_pixels(Canvas& canvas) const {
    std::vector<std::uint8_t> rgba;
    for (std::size_t i = 0; i < rows(); ++i) {
      for (std::size_t j = 0; j < columns(); ++j) {
        const double cell = value(canvas.downwards ? i : rows() - 1 - i, j);
        const Rgb c = color(std::isfinite(cell) ? cell : 0);
        for (const double part : {c.r, c.g, c.b, std::isfinite(cell) ? 1.0 : 0.0})
          rgba.push_back(static_cast<std::uint8_t>(std::lround(255 * part)));
      }
    }
    const double x = canvas.x(x_.front()), a = canvas.y(y_.front()), b = canvas.y(y_.back());
    canvas.out += pixel_image(rgba, rows(), columns(), x, std::min(a, b), canvas.x(x_.back()) - x, std::abs(b - a));
  }

  void draw_values(Canvas& canvas) const {
    for_each_cell(canvas, [&](std::size_t cell, double x, double y, double width, double height) {
      const std::string text = options_.texts.empty() ? short_number(values_[cell]) : options_.texts[cell];
      const double size = std::min({13.0, 0.5 * height, 0.9 * width / std::max(0.5, text_width(text, 1))});
      if (size < 5 || text.empty()) return;
      append(canvas.out, "<text class=\"middle\" x=\"{}\" y=\"{}\" style=\"font-size:{}px;fill:{}\">{}</text>\n",
             px(x + width / 2), px(y + height / 2 + 0.36 * size), px(size), readable_on(color(values_[cell])),
             escaped(text));
    });
  }

  std::vector<double> x_, y_, values_;
  HeatmapOptions options_;
  bool is_matrix_;
  Range range_;
};

class Image : public Mark {
 public:
  Image(std::vector<double> values, std::int64_t height, std::int64_t width)
      : values_(std::move(values)),
        height_(static_cast<std::size_t>(height)),
        width_(static_cast<std::size_t>(width)) {}

  void survey(Survey& survey) const override {
    survey.include(0, 0);
    survey.include(static_cast<double>(width_), static_cast<double>(height_));
    survey.exact = survey.no_ticks = survey.downwards = true;
  }

  void draw(Canvas& canvas) const override {
    const Range range = range_of(values_);
    std::vector<std::uint8_t> rgba;
    for (const double value : values_) {
      const double part = range.high > range.low ? (value - range.low) / (range.high - range.low) : 0;
      const auto grey = static_cast<std::uint8_t>(std::isfinite(value) ? std::lround(255 * part) : 0);
      rgba.insert(rgba.end(), {grey, grey, grey, static_cast<std::uint8_t>(std::isfinite(value) ? 255 : 0)});
    }
    const double x = canvas.x(0), y = canvas.y(0);
    canvas.out += pixel_image(rgba, height_, width_, x, y, canvas.x(static_cast<double>(width_)) - x,
                              canvas.y(static_cast<double>(height_)) - y);
  }

 private:
  std::vector<double> values_;
  std::size_t height_, width_;
};

// Half way to the neighbours.
std::vector<double> edges_around(const std::vector<double>& centers) {
  std::vector<double> edges{centers[0] - (centers[1] - centers[0]) / 2};
  for (std::size_t i = 1; i < centers.size(); ++i) edges.push_back((centers[i - 1] + centers[i]) / 2);
  edges.push_back(centers.back() + (centers.back() - centers[centers.size() - 2]) / 2);
  return edges;
}

std::vector<double> edges_of(std::int64_t count) {
  std::vector<double> edges;
  for (std::int64_t i = 0; i <= count; ++i) edges.push_back(static_cast<double>(i) - 0.5);
  return edges;
}

}  // namespace

std::shared_ptr<const Mark> make_heatmap(const Grid& grid, const HeatmapOptions& options) {
  return std::make_shared<Heatmap>(edges_around(grid.x), edges_around(grid.y), grid.z, options, false);
}

std::shared_ptr<const Mark> make_matrix(std::int64_t rows, std::int64_t columns, std::vector<double> values,
                                        const HeatmapOptions& options) {
  return std::make_shared<Heatmap>(edges_of(columns), edges_of(rows), std::move(values), options, true);
}

std::shared_ptr<const Mark> make_image(std::vector<double> values, std::int64_t height, std::int64_t width) {
  return std::make_shared<Image>(std::move(values), height, width);
}

}  // namespace gradus::plot
