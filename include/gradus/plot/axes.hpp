// One panel of a figure: a pair of axes, and what is drawn between them.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace gradus::plot {

class Mark;
struct Grid;

// A colour is one of these: "C0" ... "C7", those of the palette, which know light and dark paper; "V0" ...
// "V9", those of values from low to high; "ink" and "muted", those of the text; or any of SVG's, such as "#d55e00".
// Where none is given, each mark takes the next of the palette.

struct AxesOptions {
  std::string title = {}, x_label = {}, y_label = {};
  bool x_log = false, y_log = false;  // values that aren't positive are left out
  std::optional<std::array<double, 2>> x_range = {}, y_range = {};
  bool equal = false;  // as many pixels per unit along x as along y
  bool legend = true;
  // For 0, 1, 2 ... in place of numbers; an empty name leaves its tick out.
  std::vector<std::string> x_names = {}, y_names = {};
};

struct LineOptions {
  std::string label = {};  // for the legend
  std::string color = {};  // without one, lines differ by dashes besides
  bool dashed = false;
  double width = 2;
  double opacity = 1;
  bool markers = false;  // a dot at each point
};

struct PathOptions {
  std::string label = {};
  std::string color = {};
  double width = 2;
  bool markers = true;  // a dot at each point
};

struct ScatterOptions {
  std::string label = {};
  std::string color = {};
  char marker = 'o';  // o (circle), s (square), ^ (triangle), D (diamond), x, + or * (star)
  double size = 6;    // pixels across
};

struct FillOptions {
  std::string label = {};
  std::string color = {};  // default: that of the mark before
  double opacity = 0.2;
};

// So many, or these.
struct Levels {
  Levels(int how_many = 14) : count(how_many) {}
  Levels(std::initializer_list<double> chosen) : values(chosen) {}
  Levels(std::vector<double> chosen) : values(std::move(chosen)) {}

  std::int64_t count = 0;
  std::vector<double> values = {};
};

struct ContourOptions {
  Levels levels = {};
  bool filled = false;
  bool log = false;  // levels closer together near the lowest value
  bool color_bar = true;
};

struct HeatmapOptions {
  std::vector<std::string> row_labels = {}, column_labels = {};
  bool annotate = false;                // writes each value into its cell
  std::vector<std::string> texts = {};  // or these, one per cell
  bool color_bar = true;
  std::optional<std::array<double, 2>> range = {};  // of the colours; default: that of the values
};

struct BarOptions {
  std::string label = {};
  std::string color = {};
  std::vector<double> errors = {};  // half the length of each error bar
};

struct HistOptions {
  std::int64_t bins = 0;  // 0: chosen by the rule of Freedman and Diaconis
  std::string label = {};
  std::string color = {};
};

struct RuleOptions {
  std::string label = {};
  std::string color = "muted";
  bool dashed = true;
  double width = 1.5;
};

// Every function draws over what is there and returns the axes. NaN and infinity leave gaps. All throw if lengths
// differ.
class Axes {
 public:
  explicit Axes(const AxesOptions& options = {});

  Axes& line(const std::vector<double>& x, const std::vector<double>& y, const LineOptions& options = {});
  // Over 0, 1, 2 ...
  Axes& line(const std::vector<double>& y, const LineOptions& options = {});
  // The way of a descent: a line whose first point is a ring and whose last is a disc, legible on a contour map.
  Axes& path(const std::vector<double>& x, const std::vector<double>& y, const PathOptions& options = {});
  Axes& scatter(const std::vector<double>& x, const std::vector<double>& y, const ScatterOptions& options = {});
  Axes& fill_between(const std::vector<double>& x, const std::vector<double>& low, const std::vector<double>& high,
                     const FillOptions& options = {});
  Axes& contour(const Grid& grid, const ContourOptions& options = {});
  // A cell around each of the grid's points; the first row is the lowest.
  Axes& heatmap(const Grid& grid, const HeatmapOptions& options = {});
  // (rows, columns) values, the first row on top, as a matrix is written.
  Axes& heatmap(std::int64_t rows, std::int64_t columns, const std::vector<double>& values,
                const HeatmapOptions& options = {});
  // Calls after the first put their bars beside those that are there: a group per label.
  Axes& bar(const std::vector<std::string>& labels, const std::vector<double>& values, const BarOptions& options = {});
  Axes& hist(const std::vector<double>& values, const HistOptions& options = {});
  // (height, width) greys, the first row on top, from the smallest value (black) to the largest (white).
  Axes& image(const std::vector<double>& values, std::int64_t height, std::int64_t width);
  Axes& hline(double y, const RuleOptions& options = {});
  Axes& vline(double x, const RuleOptions& options = {});
  Axes& annotate(double x, double y, const std::string& text);

  // The colour of the last mark that took one of the palette, or was given one.
  const std::string& last_color() const { return last_color_; }

 private:
  friend class Figure;
  std::string next_color(const std::string& asked);
  Axes& add(std::shared_ptr<const Mark> mark);

  AxesOptions options_;
  std::vector<std::shared_ptr<const Mark>> marks_;
  std::string last_color_;
  int colors_used_ = 0;
  std::vector<std::string> categories_;  // of bars
  int bar_series_ = 0;
};

}  // namespace gradus::plot
