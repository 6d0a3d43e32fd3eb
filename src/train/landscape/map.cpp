#include "train/landscape/map.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "gradus/plot/axes.hpp"
#include "gradus/plot/grid.hpp"
#include "gradus/tensor.hpp"
#include "plot/axis.hpp"
#include "plot/mark.hpp"
#include "plot/svg.hpp"

namespace gradus::train {
namespace {

using plot::px;

constexpr std::int64_t grid_points = 161;
constexpr int level_count = 16;

double length(const std::array<double, 2>& range) { return range[1] - range[0]; }

plot::Grid sampled(const problems::Problem& problem, const problems::Domain& domain) {
  plot::Grid grid = plot::sample(problem.f, domain, grid_points);
  if (!problem.noisy) return grid;
  constexpr int draws = 200;  // a map shows what is expected
  for (int i = 1; i < draws; ++i) {
    const plot::Grid other = plot::sample(problem.f, domain, grid_points);
    for (std::size_t k = 0; k < grid.z.size(); ++k) grid.z[k] += (other.z[k] - grid.z[k]) / (i + 1);
  }
  return grid;
}

// Even levels would leave the valley empty where a few walls are high.
bool has_high_walls(std::vector<double> z) {
  const auto [low, high] = std::ranges::minmax(z);
  const auto middle = z.begin() + static_cast<std::ptrdiff_t>(z.size() / 2);
  std::ranges::nth_element(z, middle);
  return high - low > 5 * (*middle - low);
}

class Map {
 public:
  Map(const problems::Problem& problem, const MapFrame& frame)
      : problem_(problem),
        frame_(frame),
        canvas_{.x_axis = plot::Axis(frame.domain.x[0], frame.domain.x[1], {}),
                .y_axis = plot::Axis(frame.domain.y[0], frame.domain.y[1], {}),
                .width = frame.width,
                .height = frame.height} {}

  std::string svg() {
    const double width = frame_.left + frame_.width + 14, height = frame_.top + frame_.height + 56;
    append(out_, "<svg id=\"map\" class=\"gradus-plot\" viewBox=\"0 0 {} {}\" role=\"img\">\n", px(width), px(height));
    append(out_, "<title id=\"map-title\">{}</title>\n", plot::escaped(problem_.name));
    append(out_, "<clipPath id=\"inside\"><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/></clipPath>\n",
           px(frame_.left), px(frame_.top), px(frame_.width), px(frame_.height));
    append(out_, "<rect class=\"paper\" width=\"{}\" height=\"{}\"/>\n", px(width), px(height));
    draw_contour();
    draw_axes();
    for (const Tensor& saddle : problem_.saddles) draw_cross(saddle);
    for (const problems::Minimum& minimum : problem_.minima) draw_star(minimum.point);
    out_ += "<g id=\"overlay\" clip-path=\"url(#inside)\"></g>\n</svg>";
    return out_;
  }

 private:
  void draw_contour() {
    const plot::Grid grid = sampled(problem_, frame_.domain);
    plot::make_contour(grid, {.levels = level_count, .log = has_high_walls(grid.z)})->draw(canvas_);
    append(out_, "<g transform=\"translate({} {})\">\n{}</g>\n", px(frame_.left), px(frame_.top), canvas_.out);
  }

  void draw_axes() {
    const double bottom = frame_.top + frame_.height;
    append(out_, "<rect class=\"axis\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n", px(frame_.left),
           px(frame_.top), px(frame_.width), px(frame_.height));
    for (const plot::Tick& tick : canvas_.x_axis.ticks()) {
      const double x = frame_.left + canvas_.x(tick.value);
      append(out_, "<path class=\"axis\" d=\"M{} {}v5\"/>", px(x), px(bottom));
      append(out_, "<text class=\"tick middle\" x=\"{}\" y=\"{}\">{}</text>\n", px(x), px(bottom + 20), tick.label);
    }
    for (const plot::Tick& tick : canvas_.y_axis.ticks()) {
      const double y = frame_.top + canvas_.y(tick.value);
      append(out_, "<path class=\"axis\" d=\"M{} {}h-5\"/>", px(frame_.left), px(y));
      append(out_, "<text class=\"tick end\" x=\"{}\" y=\"{}\">{}</text>\n", px(frame_.left - 9), px(y + 4),
             tick.label);
    }
    append(out_, "<text class=\"middle\" x=\"{}\" y=\"{}\">w₁</text>\n", px(frame_.left + frame_.width / 2),
           px(bottom + 44));
    append(out_, "<text class=\"middle\" x=\"16\" y=\"{}\">w₂</text>\n", px(frame_.top + frame_.height / 2));
  }

  plot::Point place(const Tensor& point) const {
    const auto at = point.data<double>();
    return {frame_.left + canvas_.x(at[0]), frame_.top + canvas_.y(at[1])};
  }

  void draw_star(const Tensor& point) {
    const plot::Point center = place(point);
    std::vector<plot::Point> corners;
    for (int i = 0; i < 10; ++i) {
      const double radius = i % 2 == 0 ? 9 : 3.8, angle = i * std::numbers::pi / 5;
      corners.push_back({center.x + radius * std::sin(angle), center.y - radius * std::cos(angle)});
    }
    std::string path;
    plot::append_path(path, corners, true);
    append(out_, "<path class=\"minimum\" d=\"{}\"><title>minimum</title></path>\n", path);
  }

  void draw_cross(const Tensor& point) {
    const plot::Point p = place(point);
    append(out_, "<path class=\"saddle\" d=\"M{} {}l10 10m0 -10l-10 10\"><title>saddle</title></path>\n", px(p.x - 5),
           px(p.y - 5));
  }

  const problems::Problem& problem_;
  MapFrame frame_;
  plot::Canvas canvas_;
  std::string out_;
};

}  // namespace

MapFrame map_frame(const problems::Domain& domain) {
  constexpr double size = 440;
  // As many pixels per unit along x as along y: only so the gradient is at right angles with the contour lines.
  const double scale = size / std::max(length(domain.x), length(domain.y));
  return {
      .left = 66, .top = 14, .width = scale * length(domain.x), .height = scale * length(domain.y), .domain = domain};
}

std::string map_svg(const problems::Problem& problem, const MapFrame& frame) { return Map(problem, frame).svg(); }

}  // namespace gradus::train
