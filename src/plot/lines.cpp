// Marks made of points in a row: lines, paths of a descent, bands.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "plot/clip.hpp"
#include "plot/mark.hpp"
#include "storage/format.hpp"

namespace gradus::plot {
namespace {

void survey_points(Survey& survey, const std::vector<double>& x, const std::vector<double>& y) {
  for (std::size_t i = 0; i < x.size(); ++i) survey.include(x[i], y[i]);
}

// Also between the points, every few pixels.
void occupy_along(const std::vector<Point>& line, std::vector<Point>& taken) {
  for (std::size_t i = 0; i < line.size(); ++i) {
    taken.push_back(line[i]);
    if (i + 1 == line.size()) break;
    const double dx = line[i + 1].x - line[i].x, dy = line[i + 1].y - line[i].y;
    const int parts = static_cast<int>(std::clamp(std::hypot(dx, dy) / 8, 0.0, 200.0));
    for (int k = 1; k < parts; ++k) taken.push_back({line[i].x + dx * k / parts, line[i].y + dy * k / parts});
  }
}

// None nearer than `apart` to the one before: where steps are short, dots would only thicken the line.
std::string dots(const std::vector<Point>& points, double apart) {
  std::string path;
  const Point* last = nullptr;
  for (const Point& p : points) {
    if (last && std::hypot(p.x - last->x, p.y - last->y) < apart) continue;
    append(path, "M{} {}h0", px(p.x), px(p.y));
    last = &p;
  }
  return path;
}

class Line : public Mark {
 public:
  Line(std::vector<double> x, std::vector<double> y, const LineOptions& options, int dashes)
      : x_(std::move(x)), y_(std::move(y)), options_(options), dashes_(dashes) {}

  void survey(Survey& survey) const override { survey_points(survey, x_, y_); }

  void draw(Canvas& canvas) const override {
    std::string path, points;
    for (const auto& stretch : canvas.lines(x_, y_)) {
      const std::vector<Point> shown = thinned(stretch);
      append_path(path, shown);
      if (options_.markers) points += dots(shown, 0);
    }
    const std::string opacity = options_.opacity == 1 ? "" : formatted(" opacity=\"{:g}\"", options_.opacity);
    append(canvas.out, "<path{}{} d=\"{}\"{}>", look(), opacity, path, style());
    if (!options_.label.empty()) append(canvas.out, "<title>{}</title>", escaped(options_.label));
    canvas.out += "</path>\n";
    if (options_.markers)
      append(canvas.out, "<path{}{} d=\"{}\" style=\"stroke-width:{:g}px\"/>\n",
             painted("line", Paint::stroke, options_.color), opacity, points, options_.width + 4);
  }

  void occupy(const Canvas& canvas, std::vector<Point>& taken) const override {
    for (const auto& stretch : canvas.lines(x_, y_)) occupy_along(thinned(stretch), taken);
  }

  std::string label() const override { return options_.label; }

  void draw_key(std::string& out, double x, double y) const override {
    append(out, "<path{} d=\"M{} {}h28\"{}/>", look(), px(x + 1), px(y), style());
  }

 private:
  std::string look() const {
    return painted(dashes_ > 0 ? formatted("line d{}", dashes_) : "line", Paint::stroke, options_.color);
  }
  // The style sheet says 2; an attribute would be weaker than it.
  std::string style() const {
    return options_.width == 2 ? "" : formatted(" style=\"stroke-width:{:g}px\"", options_.width);
  }

  std::vector<double> x_, y_;
  LineOptions options_;
  int dashes_;
};

// Paper around the line keeps it legible on any ground.
class Path : public Mark {
 public:
  Path(std::vector<double> x, std::vector<double> y, const PathOptions& options)
      : x_(std::move(x)), y_(std::move(y)), options_(options) {}

  void survey(Survey& survey) const override {
    survey_points(survey, x_, y_);
    survey.margin = true;
  }

  void draw(Canvas& canvas) const override {
    const auto stretches = canvas.lines(x_, y_);
    if (stretches.empty()) return;
    std::string path, points;
    for (const auto& stretch : stretches) {
      const std::vector<Point> shown = thinned(stretch);
      append_path(path, shown);
      if (options_.markers) points += dots(shown, options_.width + 5);
    }
    append(canvas.out, "<g class=\"descent\"><path class=\"case\" d=\"{}\" style=\"stroke-width:{:g}px\"/>", path,
           options_.width + 2.5);
    draw_line(canvas.out, path, options_.width, options_.label);
    if (!points.empty()) draw_line(canvas.out, points, options_.width + 3, "");
    draw_ends(canvas.out, stretches.front().front(), stretches.back().back());
    canvas.out += "</g>\n";
  }

  void occupy(const Canvas& canvas, std::vector<Point>& taken) const override {
    for (const auto& stretch : canvas.lines(x_, y_)) occupy_along(thinned(stretch), taken);
  }

  std::string label() const override { return options_.label; }

  void draw_key(std::string& out, double x, double y) const override {
    draw_line(out, formatted("M{} {}h28", px(x + 1), px(y)), options_.width, "");
    if (options_.markers) draw_line(out, formatted("M{} {}h0", px(x + 15), px(y)), options_.width + 3, "");
  }

 private:
  void draw_line(std::string& out, const std::string& path, double width, const std::string& title) const {
    append(out, "<path{} d=\"{}\" style=\"stroke-width:{:g}px\">", painted("line", Paint::stroke, options_.color), path,
           width);
    if (!title.empty()) append(out, "<title>{}</title>", escaped(title));
    out += "</path>";
  }

  void draw_ends(std::string& out, Point start, Point end) const {
    append(out, "<circle{} cx=\"{}\" cy=\"{}\" r=\"4.5\" stroke-width=\"2\"/>",
           painted("ring", Paint::stroke, options_.color), px(start.x), px(start.y));
    append(out, "<circle{} cx=\"{}\" cy=\"{}\" r=\"6\" stroke-width=\"1.5\"/>",
           painted("case-line", Paint::fill, options_.color), px(end.x), px(end.y));
  }

  std::vector<double> x_, y_;
  PathOptions options_;
};

class Band : public Mark {
 public:
  Band(std::vector<double> x, std::vector<double> low, std::vector<double> high, const FillOptions& options)
      : x_(std::move(x)), low_(std::move(low)), high_(std::move(high)), options_(options) {}

  void survey(Survey& survey) const override {
    survey_points(survey, x_, low_);
    survey_points(survey, x_, high_);
  }

  void draw(Canvas& canvas) const override {
    std::vector<double> low = low_, high = high_;
    for (std::size_t i = 0; i < x_.size(); ++i) {  // a gap in one edge is one in both
      if (!std::isfinite(canvas.y(low[i]))) high[i] = low[i];
      if (!std::isfinite(canvas.y(high[i]))) low[i] = high[i];
    }
    const auto lower = canvas.stretches(x_, low), upper = canvas.stretches(x_, high);
    std::string path;
    for (std::size_t i = 0; i < std::min(lower.size(), upper.size()); ++i) {
      std::vector<Point> outline = thinned(upper[i]);
      const std::vector<Point> back = thinned(lower[i]);
      outline.insert(outline.end(), back.rbegin(), back.rend());
      append_path(path, clipped_area(std::move(outline), box_around(canvas.width, canvas.height)), true);
    }
    append(canvas.out, "<path{} fill-opacity=\"{:g}\" d=\"{}\"/>\n", look(), options_.opacity, path);
  }

  void occupy(const Canvas& canvas, std::vector<Point>& taken) const override {
    for (std::size_t i = 0; i < x_.size(); i += 1 + x_.size() / 500) {
      const double x = canvas.x(x_[i]), a = canvas.y(low_[i]), b = canvas.y(high_[i]);
      if (std::isfinite(x) && std::isfinite(a) && std::isfinite(b)) occupy_along({{x, a}, {x, b}}, taken);
    }
  }

  std::string label() const override { return options_.label; }

  void draw_key(std::string& out, double x, double y) const override {
    append(out, "<rect{} fill-opacity=\"{:g}\" x=\"{}\" y=\"{}\" width=\"28\" height=\"12\"/>", look(),
           std::max(options_.opacity, 0.25), px(x + 1), px(y - 6));
  }

 private:
  std::string look() const { return painted("band", Paint::fill, options_.color); }

  std::vector<double> x_, low_, high_;
  FillOptions options_;
};

}  // namespace

std::shared_ptr<const Mark> make_line(std::vector<double> x, std::vector<double> y, const LineOptions& options,
                                      int dashes) {
  return std::make_shared<Line>(std::move(x), std::move(y), options, dashes);
}

std::shared_ptr<const Mark> make_path(std::vector<double> x, std::vector<double> y, const PathOptions& options) {
  return std::make_shared<Path>(std::move(x), std::move(y), options);
}

std::shared_ptr<const Mark> make_band(std::vector<double> x, std::vector<double> low, std::vector<double> high,
                                      const FillOptions& options) {
  return std::make_shared<Band>(std::move(x), std::move(low), std::move(high), options);
}

}  // namespace gradus::plot
