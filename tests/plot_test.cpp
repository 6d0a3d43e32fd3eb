#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <sstream>
#include <string>
#include <vector>

#include "gradus/error.hpp"
#include "gradus/plot.hpp"
#include "plot/axis.hpp"
#include "plot/clip.hpp"
#include "plot/isolines.hpp"
#include "plot/style.hpp"
#include "plot/svg.hpp"

using namespace gradus;
using plot::Axis;

namespace {

std::vector<std::string> labels(const Axis& axis) {
  std::vector<std::string> result;
  for (const auto& tick : axis.ticks()) {
    if (!tick.label.empty()) result.push_back(tick.label);
  }
  return result;
}

// x^2 + y^2 on [-2, 2] x [-2, 2].
plot::Grid paraboloid() {
  return plot::sample([](const Tensor& x) { return x.square().sum(-1); }, {.x = {-2, 2}, .y = {-2, 2}}, 61);
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// Whether tags are closed in order, attributes quoted, and no "<" is anything but the begin of a tag.
bool is_well_formed(const std::string& text) {
  std::vector<std::string> open;
  for (std::size_t at = text.find('<'); at != std::string::npos;) {
    const std::size_t end = text.find('>', at), next = text.find('<', at + 1);
    if (end == std::string::npos || next < end) return false;
    const std::string tag = text.substr(at + 1, end - at - 1);
    const std::string name = tag.substr(0, tag.find_first_of(" /", 1));
    if (std::count(tag.begin(), tag.end(), '"') % 2 != 0 || name.empty()) return false;
    if (tag[0] == '/') {
      if (open.empty() || "/" + open.back() != tag) return false;
      open.pop_back();
    } else if (tag.back() != '/') {
      open.push_back(name);
    }
    at = next;
  }
  return open.empty();
}

void check_picture(const plot::Figure& figure) {
  const std::string svg = figure.svg();
  CHECK(is_well_formed(svg));
  // Numbers that are none; and ids, which two pictures of one page could share.
  const std::string drawn = svg.substr(svg.find("</style>"));
  for (const std::string& part : std::vector<std::string>{"nan ", "inf ", "nan\"", "inf\"", " id=", "-0 ", "\"-0\""}) {
    CAPTURE(part);
    CHECK(!has(drawn, part));
  }
}

// The path of the first line in the palette's first colour.
std::string first_line(const std::string& svg) {
  const std::string before = "class=\"line s0\" d=\"";
  const std::size_t from = svg.find(before) + before.size();
  return svg.substr(from, svg.find('"', from) - from);
}

// Coordinates are separated by blanks and, between stretches, by the M of the next.
std::size_t points_of(const std::string& svg) {
  const std::string path = first_line(svg);
  return static_cast<std::size_t>(std::count(path.begin(), path.end(), ' ') +
                                  std::count(path.begin(), path.end(), 'M')) /
         2;
}

}  // namespace

TEST_CASE("ticks are round numbers") {
  using Labels = std::vector<std::string>;
  CHECK(labels(Axis(0, 1.43, {.extend_to_ticks = true})) == Labels{"0", "0.5", "1.0", "1.5"});
  CHECK(labels(Axis(1, 30, {.ticks = 10, .whole_numbers = true})) == Labels{"5", "10", "15", "20", "25", "30"});
  CHECK(labels(Axis(1, 3, {.ticks = 10, .whole_numbers = true})) == Labels{"1", "2", "3"});
  CHECK(labels(Axis(-3e6, 3e6, {})) == Labels{"−3M", "−2M", "−1M", "0", "1M", "2M", "3M"});
  CHECK(labels(Axis(0.5, 20, {.scale = Axis::Scale::log})) == Labels{"0.5", "1", "2", "5", "10", "20"});
  CHECK(labels(Axis(1e-9, 1e3, {.scale = Axis::Scale::log})) ==
        Labels{"10⁻⁹", "10⁻⁷", "10⁻⁵", "10⁻³", "10⁻¹", "10¹", "10³"});
  CHECK(Axis(0, 10, {}).position(2.5) == 0.25);
  CHECK(Axis(1, 100, {.scale = Axis::Scale::log}).position(10) == doctest::Approx(0.5));
  for (const double value : {0.0, 5.0, -5.0, 1e16, 1e-300}) {
    CAPTURE(value);
    const Axis axis(value, value, {});
    CHECK(axis.position(value) == doctest::Approx(0.5));
    CHECK(axis.ticks().size() < 20);
  }
}

TEST_CASE("marching squares finds a circle, closed and on its level") {
  const std::vector<plot::Polyline> lines = plot::isolines(paraboloid(), 1);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].closed);
  CHECK(lines[0].points.size() > 80);
  for (const plot::Point& p : lines[0].points) CHECK(std::abs(std::hypot(p.x, p.y) - 1) < 1e-2 * 4 / 60);  // of a cell
  // Beyond the border's middles a circle is four arcs; as an outline of what is higher, four closed corners.
  CHECK(plot::isolines(paraboloid(), 5).size() == 4);
  for (const plot::Polyline& line : plot::outlines(paraboloid(), 5)) CHECK(line.closed);
}

TEST_CASE("a saddle between two peaks is joined as its middle says") {
  // Peaks at two opposite corners: the middle, 0.5, is below 0.6 and above 0.4.
  const plot::Grid cell{.x = {0, 1}, .y = {0, 1}, .z = {1, 0, 0, 1}};
  for (const double level : {0.4, 0.6}) {
    CAPTURE(level);
    const auto lines = plot::isolines(cell, level);
    REQUIRE(lines.size() == 2);
    for (const plot::Polyline& line : lines) {
      // Cut off are the peaks, (0, 0) and (1, 1), if the middle is low, else the other corners.
      const plot::Point a = line.points.front(), b = line.points.back();
      const bool cuts_off_peak = (a.x + a.y - 1) * (b.x + b.y - 1) > 0;
      CHECK(cuts_off_peak == (level > 0.5));
    }
  }
}

TEST_CASE("every kind of mark is well-formed, also of values that cannot be drawn") {
  const std::vector<std::vector<double>> inputs{{}, {1}, {2, 2, 2}, {NAN, NAN}, {0, -1, NAN, INFINITY, 3, 1e300}};
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    for (const bool log : {false, true}) {
      CAPTURE(i);
      CAPTURE(log);
      const std::vector<double>& v = inputs[i];
      const auto size = static_cast<std::int64_t>(v.size());
      plot::Figure figure({.title = "<&\">"});
      const plot::AxesOptions options{.title = "a < b", .x_label = "&", .x_log = log, .y_log = log};
      figure.axes(options).line(v, {.label = "<l>", .markers = true}).fill_between(v, v, v).path(v, v).scatter(v, v);
      figure.axes(options).hist(v, {.label = "h"}).hline(1).vline(0).annotate(1, NAN, "<t>");
      figure.axes(options).bar(std::vector<std::string>(v.size(), "x"), v, {.errors = v});
      if (size > 0) figure.axes(options).heatmap(1, size, v, {.annotate = true});
      if (size > 0) figure.axes(options).image(v, size, 1);
      check_picture(figure);
    }
  }
  plot::Figure maps;
  for (const double center : {4.0, double(NAN), double(INFINITY)}) {
    const plot::Grid grid{.x = {-1, 0, 1}, .y = {0, 1, 2}, .z = {1, 2, 3, 0, center, 2, 1, 1, 1}};
    maps.axes().contour(grid, {.filled = true}).contour(grid, {.log = true}).contour(grid, {.levels = {1, 2.5}});
    maps.axes({.x_log = true}).heatmap(grid);
  }
  check_picture(maps);
}

TEST_CASE("text is escaped, and a colour cannot leave its attribute") {
  plot::Figure figure({.title = "a < b & \"c\""});
  figure.axes().line({1, 2}, {1, 2}, {.label = "<script>", .color = "\"><script>"});
  const std::string svg = figure.svg();
  CHECK(has(svg, "a &lt; b &amp; &quot;c&quot;"));
  CHECK(!has(svg, "<script"));
}

TEST_CASE("bytes that are no text are replaced, so that a picture stays readable") {
  CHECK(plot::escaped("\xe9 t") == "\ufffd t");
  CHECK(plot::escaped("é ∞ 😀") == "é ∞ 😀");
  // Cut off, too long a form, half of UTF-16, beyond the last.
  CHECK(plot::escaped("\xe2\x88") == "\ufffd\ufffd");
  CHECK(plot::escaped("\xc0\xaf<") == "\ufffd\ufffd&lt;");
  CHECK(plot::escaped("\xed\xa0\x80") == "\ufffd\ufffd\ufffd");
  CHECK(plot::escaped("\xf4\x90\x80\x80") == "\ufffd\ufffd\ufffd\ufffd");
}

TEST_CASE("a line that goes far keeps its direction, and what is far outside is left out") {
  const auto slope = [](std::vector<double> x, std::vector<double> y) {
    plot::Figure figure;
    figure.axes({.x_range = std::array{0.0, 1.0}, .y_range = std::array{0.0, 1.0}}).line(x, y);
    std::istringstream path(first_line(figure.svg()).substr(1));
    double x0 = 0, y0 = 0, x1 = 0, y1 = 0;
    path >> x0 >> y0 >> x1 >> y1;
    return (y1 - y0) / (x1 - x0);
  };
  for (const double far : {1e3, 1e6, 1e12, 1e200}) {
    CAPTURE(far);
    CHECK(slope({0, far}, {0, far / 3}) == doctest::Approx(slope({0, 0.9}, {0, 0.3})).epsilon(2e-3));
    CHECK(slope({far, 0.5}, {far / 3, 0}) == doctest::Approx(slope({0.9, 0}, {0.3, 0})).epsilon(2e-3));
  }
  const plot::Box box = plot::box_around(500, 400);
  const auto through = plot::clipped_line({{-1e6, 100}, {1e6, 100}, {2e6, 3e6}, {250, 3e6}, {250, 200}}, box);
  REQUIRE(through.size() == 2);
  CHECK(through[0].front().x == doctest::Approx(-1e4));
  CHECK(through[0].back().x == doctest::Approx(10500));
  CHECK(through[1].back().y == 200);
  const auto area = plot::clipped_area({{-1e9, -1e9}, {1e9, -1e9}, {1e9, 1e9}, {-1e9, 1e9}}, box);
  REQUIRE(area.size() == 4);
  for (const plot::Point& p : area) CHECK(std::max(std::abs(p.x - 250), std::abs(p.y - 200)) <= 10250.1);
}

TEST_CASE("cells of a heat map are where its axes say, also of uneven grids") {
  const auto rectangles = [](double power, bool log) {
    plot::Grid grid;
    for (int i = 1; i <= 31; ++i) grid.x.push_back(std::pow(i, power)), grid.y.push_back(i);
    for (int i = 0; i < 31 * 31; ++i) grid.z.push_back(i);
    plot::Figure figure;
    figure.axes({.x_log = log}).heatmap(grid);
    const std::string svg = figure.svg();
    std::size_t count = 0;
    for (std::size_t at = svg.find("fill=\"#"); at != std::string::npos; at = svg.find("fill=\"#", at + 1)) ++count;
    return count;
  };
  CHECK(rectangles(1, false) < 31 * 31);
  CHECK(rectangles(2, false) >= 31 * 31);
  CHECK(rectangles(1, true) >= 31 * 31);
}

TEST_CASE("a long line is thinned and keeps its extremes") {
  std::vector<double> y(100000);
  for (std::size_t i = 0; i < y.size(); ++i) y[i] = std::sin(0.37 * static_cast<double>(i));
  y[70007] = 5;
  plot::Figure figure;
  figure.axes().line(y);
  CHECK(points_of(figure.svg()) < 2 * 520);
  CHECK(points_of(figure.svg()) > 500);
  std::vector<plot::Point> points;
  for (std::size_t i = 0; i < y.size(); ++i) points.push_back({static_cast<double>(i) / 200, y[i]});
  const auto kept = plot::thinned(points);
  const auto by_y = [](plot::Point a, plot::Point b) { return a.y < b.y; };
  CHECK(std::max_element(kept.begin(), kept.end(), by_y)->y == 5);
  CHECK(std::min_element(kept.begin(), kept.end(), by_y)->y == std::min_element(points.begin(), points.end(), by_y)->y);
  CHECK(kept.front().x == points.front().x);
  CHECK(kept.back().x == points.back().x);
}

TEST_CASE("a log axis leaves out what is not positive") {
  plot::Figure figure;
  figure.axes({.y_log = true}).line({1, 10, -5, 0, 100, 1000});
  const std::string path = first_line(figure.svg());
  CHECK(std::count(path.begin(), path.end(), 'M') == 2);
  CHECK(points_of(figure.svg()) == 4);
}

TEST_CASE("colours of the palette stand out from their paper") {
  for (std::size_t i = 0; i < plot::light_palette.size(); ++i) {
    CAPTURE(i);
    CHECK(plot::contrast(plot::from_hex(plot::light_palette[i]), plot::from_hex(plot::light_paper)) >= 3);
    CHECK(plot::contrast(plot::from_hex(plot::dark_palette[i]), plot::from_hex(plot::dark_paper)) >= 3);
    // The style sheet has them, the light ones before the dark.
    const std::string name = ".s" + std::to_string(i) + " { stroke: ";
    const std::size_t light = plot::figure_style.find(name + std::string(plot::light_palette[i]));
    const std::size_t dark = plot::figure_style.find(name + std::string(plot::dark_palette[i]));
    CHECK(light < dark);
    CHECK(dark != std::string::npos);
  }
  for (double t = 0; t <= 1; t += 0.05) {
    const plot::Rgb color = plot::viridis(t);
    CHECK(plot::contrast(color, plot::from_hex(plot::readable_on(color))) >= 4.5);
  }
}

TEST_CASE("a smoothed curve has no start at zero and passes over gaps") {
  const std::vector<double> constant = plot::smoothed({3, 3, NAN, 3}, 0.9);
  for (const std::size_t i : {0u, 1u, 3u}) CHECK(constant[i] == doctest::Approx(3));
  CHECK(std::isnan(constant[2]));
  // (0.5 * 0.5 * 1 + 0.5 * 2) / (1 - 0.25)
  CHECK(plot::smoothed({1, 2}, 0.5)[1] == doctest::Approx(5.0 / 3));
  CHECK_THROWS_WITH_AS(plot::smoothed({}, 1), "smoothed: weight must be in [0, 1): 1", Error);
}

TEST_CASE("charts are well-formed") {
  plot::Figure figure;
  plot::training_curve(figure.axes(), {1, 2, 3}, {3, NAN, 1}, {.label = "a", .smoothing = 0.5});
  plot::training_curves(figure.axes(), {1, 2}, {{1, 2}, {3, NAN}}, {.label = "b"});
  plot::confusion_matrix(figure.axes(), {3, 1, 0, 0}, {"cat", "<dog>"});
  plot::images(figure, {{{0, 1, 2, 3}, "7", true}}, 2, 2);
  plot::histograms(figure, {{"fc1", {1, 2, 2, NAN}}, {"fc2", {}}, {"fc3", {5}}});
  plot::parallel_coordinates(figure, {{"lr", {1e-3, 1e-2, 0}, true}, {"loss", {1, 0.5, NAN}}});
  check_picture(figure);
  CHECK_THROWS_WITH_AS(plot::parallel_coordinates(figure, {{"lr", {1}}, {"loss", {1, 2}}}),
                       "parallel_coordinates: all dimensions must have the same length: 1 and 2", Error);
  CHECK_THROWS_WITH_AS(plot::confusion_matrix(figure.axes(), {1, 2}, {"a", "b"}),
                       "confusion_matrix: 2 classes need 4 counts: 2", Error);
}

TEST_CASE("a report is one page with nothing to fetch") {
  plot::Figure figure;
  figure.axes().line({1, 2});
  plot::Report report("Loss < 1");
  report.heading("A & B").paragraph("x < y").figure(figure, "<c>").figure(figure);
  report.table({"name", "value"}, {{"<a>", "1"}, {"b", "2.5 %"}}).list({"<i>"}).preformatted("<pre>");
  const std::string page = report.html();
  CHECK(page.starts_with("<!DOCTYPE html>"));
  for (const char* part :
       {"<title>Loss &lt; 1</title>", "<h2>A &amp; B</h2>", "<th class=\"number\">value</th>", "<th>name</th>",
        "<td>&lt;a&gt;</td>", "<figcaption>&lt;c&gt;", "<li>&lt;i&gt;</li>", "<pre>&lt;pre&gt;</pre>"}) {
    CAPTURE(part);
    CHECK(has(page, part));
  }
  for (const std::string& part : std::vector<std::string>{"src=", "@import", "url(", "<script", "https:"})
    CHECK(!has(page, part));
  // One style sheet for all figures.
  CHECK(page.find(".gradus-plot .title") == page.rfind(".gradus-plot .title"));
  CHECK_THROWS_WITH_AS(report.table({"a"}, {{"1", "2"}}), "table: a row must have as many cells as the header: 2 and 1",
                       Error);
}

TEST_CASE("what cannot be a picture is an error of one line") {
  plot::Figure figure;
  CHECK_THROWS_WITH_AS(figure.svg(), "Figure: there are no axes: add some by axes()", Error);
  plot::Axes& axes = figure.axes();
  CHECK_THROWS_WITH_AS(axes.line({1}, {1, 2}), "line: x and y must have the same length: 1 and 2", Error);
  CHECK_THROWS_WITH_AS(axes.heatmap(2, 2, {1}), "heatmap: 2 x 2 cells cannot hold 1 values", Error);
  CHECK_THROWS_WITH_AS(axes.scatter({1}, {1}, {.marker = '?'}), "scatter: marker must be one of o s ^ D x + *: ?",
                       Error);
  const plot::Grid grid{.x = {0, 1}, .y = {0, 1}, .z = {0, 1, 2, 3}};
  for (const int count : {0, -3})
    CHECK_THROWS_WITH_AS(axes.contour(grid, {.levels = count}),
                         ("contour: levels must be at least 1: " + std::to_string(count)).c_str(), Error);
  CHECK_NOTHROW(axes.contour(grid, {.levels = 1}));
  CHECK_THROWS_WITH_AS(figure.axes({.x_range = {{2, 1}}}), "axes: x_range must go up: 2 to 1", Error);
  CHECK_THROWS_WITH_AS(plot::sample([](const Tensor& x) { return x; }, {.x = {0, 1}, .y = {0, 1}}, 2),
                       "sample: f must give one value per point, 4 of them: shape (4, 2)", Error);
}
