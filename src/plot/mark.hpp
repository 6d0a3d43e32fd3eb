// What is drawn between a pair of axes: each kind says how far it reaches, and draws itself.
#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gradus/plot/axes.hpp"
#include "plot/axis.hpp"
#include "plot/svg.hpp"

namespace gradus::plot {

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  bool empty() const { return low > high; }
  void include(double value);
};

// Of the finite ones.
Range range_of(const std::vector<double>& values);

// What the marks of a panel want of its axes.
struct Survey {
  bool x_log = false, y_log = false;
  Range x, y;
  bool x_whole = true;     // no x between integers
  bool y_whole = false;    // y counts
  bool margin = false;     // marks are blots, not to be cut off
  bool exact = false;      // ends where the data end, on all sides
  bool from_zero = false;  // lengths are read off: y begins at 0
  bool downwards = false;  // y grows downwards, as the rows of a matrix
  bool no_ticks = false;
  int bar_series = 0;
  std::vector<std::string> x_names, y_names;  // categories

  void include(double x_value, double y_value);
};

// The area between the axes: values become pixels from its left upper corner.
struct Canvas {
  Axis x_axis, y_axis;
  double width = 0, height = 0;
  bool downwards = false;
  int bar_series = 0;
  std::string out = {};

  // NaN for what the axes cannot show.
  double x(double value) const { return x_axis.position(value) * width; }
  double y(double value) const { return (downwards ? y_axis.position(value) : 1 - y_axis.position(value)) * height; }
  // Stretches between gaps, however far they go.
  std::vector<std::vector<Point>> stretches(const std::vector<double>& xs, const std::vector<double>& ys) const;
  // Those without what lies far outside.
  std::vector<std::vector<Point>> lines(const std::vector<double>& xs, const std::vector<double>& ys) const;
};

// How colours tell values.
struct ColorScale {
  double low = 0, high = 1;
  std::vector<double> levels = {};  // of bands, one colour each; none: continuous
};

class Mark {
 public:
  virtual ~Mark() = default;
  virtual void survey(Survey& survey) const = 0;
  virtual void draw(Canvas& canvas) const = 0;
  // Points that a legend should not cover.
  virtual void occupy(const Canvas&, std::vector<Point>&) const {}
  virtual std::string label() const { return {}; }
  // A sample for the legend, 30 pixels wide, around the height y.
  virtual void draw_key(std::string& /* out */, double /* x */, double /* y */) const {}
  virtual std::optional<ColorScale> color_scale() const { return {}; }
};

std::shared_ptr<const Mark> make_line(std::vector<double> x, std::vector<double> y, const LineOptions& options,
                                      int dashes);
std::shared_ptr<const Mark> make_path(std::vector<double> x, std::vector<double> y, const PathOptions& options);
std::shared_ptr<const Mark> make_scatter(std::vector<double> x, std::vector<double> y, const ScatterOptions& options);
std::shared_ptr<const Mark> make_band(std::vector<double> x, std::vector<double> low, std::vector<double> high,
                                      const FillOptions& options);
std::shared_ptr<const Mark> make_contour(const Grid& grid, const ContourOptions& options);
std::shared_ptr<const Mark> make_heatmap(const Grid& grid, const HeatmapOptions& options);
std::shared_ptr<const Mark> make_matrix(std::int64_t rows, std::int64_t columns, std::vector<double> values,
                                        const HeatmapOptions& options);
// Bars at categories of these numbers; `names` are all categories so far.
std::shared_ptr<const Mark> make_bars(std::vector<double> places, std::vector<double> values,
                                      std::vector<std::string> names, int series, const BarOptions& options);
std::shared_ptr<const Mark> make_hist(const std::vector<double>& values, const HistOptions& options);
std::shared_ptr<const Mark> make_image(std::vector<double> values, std::int64_t height, std::int64_t width);
std::shared_ptr<const Mark> make_rule(double at, bool vertical, const RuleOptions& options);
std::shared_ptr<const Mark> make_text(double x, double y, std::string text);

}  // namespace gradus::plot
