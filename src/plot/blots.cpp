// Marks at places: scattered points, rules across the panel, text.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <set>
#include <utility>

#include "plot/mark.hpp"
#include "storage/format.hpp"

namespace gradus::plot {
namespace {

void append_polygon(std::string& path, Point center, double radius, int corners, double turn, double inner = 1) {
  std::vector<Point> outline;
  for (int i = 0; i < corners; ++i) {
    const double angle = turn + 2 * std::numbers::pi * i / corners, r = radius * (i % 2 == 1 ? inner : 1);
    outline.push_back({center.x + r * std::cos(angle), center.y + r * std::sin(angle)});
  }
  append_path(path, outline, true);
}

class Scatter : public Mark {
 public:
  Scatter(std::vector<double> x, std::vector<double> y, const ScatterOptions& options)
      : x_(std::move(x)), y_(std::move(y)), options_(options) {}

  void survey(Survey& survey) const override {
    for (std::size_t i = 0; i < x_.size(); ++i) survey.include(x_[i], y_[i]);
    survey.margin = true;
  }

  void draw(Canvas& canvas) const override {
    std::string path;
    // Of points on the same half pixel one is enough.
    std::set<std::pair<long, long>> drawn;
    for (const Point& p : points(canvas)) {
      if (drawn.emplace(std::lround(2 * p.x), std::lround(2 * p.y)).second) append_shape(path, p);
    }
    draw_shapes(canvas.out, path, options_.label);
    canvas.out += '\n';
  }

  void occupy(const Canvas& canvas, std::vector<Point>& taken) const override {
    const std::vector<Point> all = points(canvas);
    taken.insert(taken.end(), all.begin(), all.end());
  }

  std::string label() const override { return options_.label; }

  void draw_key(std::string& out, double x, double y) const override {
    std::string path;
    append_shape(path, {x + 15, y});
    draw_shapes(out, path, "");
  }

 private:
  std::vector<Point> points(const Canvas& canvas) const {
    std::vector<Point> result;
    for (std::size_t i = 0; i < x_.size(); ++i) {
      const Point p{canvas.x(x_[i]), canvas.y(y_[i])};
      if (std::isfinite(p.x) && std::isfinite(p.y)) result.push_back(p);
    }
    return result;
  }

  bool is_stroked() const { return options_.marker == 'o' || options_.marker == 'x' || options_.marker == '+'; }

  void append_shape(std::string& path, Point p) const {
    const double r = options_.size / 2, pi = std::numbers::pi;
    switch (options_.marker) {
      case 's':
        return append_polygon(path, p, r * 1.25, 4, pi / 4);
      case 'D':
        return append_polygon(path, p, r * 1.35, 4, 0);
      case '^':
        return append_polygon(path, {p.x, p.y + r / 5}, r * 1.4, 3, -pi / 2);
      case '*':
        return append_polygon(path, p, r * 1.6, 10, -pi / 2, 0.42);
      case 'x':
        return append(path, "M{} {}l{} {}m{} 0l{} {}", px(p.x - r), px(p.y - r), px(2 * r), px(2 * r), px(-2 * r),
                      px(2 * r), px(-2 * r));
      case '+':
        return append(path, "M{} {}h{}m{} {}v{}", px(p.x - r), px(p.y), px(2 * r), px(-r), px(-r), px(2 * r));
      default:
        return append(path, "M{} {}h0", px(p.x), px(p.y));  // a disc is the end of a line
    }
  }

  void draw_shapes(std::string& out, const std::string& path, const std::string& title) const {
    const double width = options_.marker == 'o' ? options_.size : 1.75;
    if (is_stroked())
      append(out, "<path{} style=\"stroke-width:{:g}px\"", painted("line", Paint::stroke, options_.color), width);
    else
      append(out, "<path{}", painted("blots", Paint::fill, options_.color));
    append(out, " opacity=\"0.85\" d=\"{}\">", path);
    if (!title.empty()) append(out, "<title>{}</title>", escaped(title));
    out += "</path>";
  }

  std::vector<double> x_, y_;
  ScatterOptions options_;
};

class Rule : public Mark {
 public:
  Rule(double at, bool vertical, const RuleOptions& options) : at_(at), vertical_(vertical), options_(options) {}

  void survey(Survey& survey) const override {
    if (!std::isfinite(at_) || ((vertical_ ? survey.x_log : survey.y_log) && at_ <= 0)) return;
    (vertical_ ? survey.x : survey.y).include(at_);
  }

  void draw(Canvas& canvas) const override {
    const double place = vertical_ ? canvas.x(at_) : canvas.y(at_);
    if (!std::isfinite(place)) return;
    const std::string path = vertical_ ? formatted("M{} 0V{}", px(place), px(canvas.height))
                                       : formatted("M0 {}H{}", px(place), px(canvas.width));
    draw_line(canvas.out, path);
    canvas.out += '\n';
  }

  std::string label() const override { return options_.label; }
  void draw_key(std::string& out, double x, double y) const override {
    draw_line(out, formatted("M{} {}h28", px(x + 1), px(y)));
  }

 private:
  void draw_line(std::string& out, const std::string& path) const {
    append(out, "<path{} d=\"{}\" style=\"stroke-width:{:g}px\"/>",
           painted(options_.dashed ? "line d4" : "line", Paint::stroke, options_.color), path, options_.width);
  }

  double at_;
  bool vertical_;
  RuleOptions options_;
};

class Text : public Mark {
 public:
  Text(double x, double y, std::string text) : x_(x), y_(y), text_(std::move(text)) {}

  void survey(Survey& survey) const override {
    const bool whole = survey.x_whole;
    survey.include(x_, y_);
    survey.x_whole = whole;
  }

  // To the right of its point, or to the left where there is no room.
  void draw(Canvas& canvas) const override {
    const double x = canvas.x(x_), y = canvas.y(y_);
    if (!std::isfinite(x) || !std::isfinite(y)) return;
    const bool fits = x + 7 + text_width(text_, 12.5) <= canvas.width;
    append(canvas.out, "<text class=\"key halo{}\" x=\"{}\" y=\"{}\">{}</text>\n", fits ? "" : " end",
           px(fits ? x + 7 : x - 7), px(std::clamp(y - 5, 11.0, canvas.height - 4)), escaped(text_));
  }

  void occupy(const Canvas& canvas, std::vector<Point>& taken) const override {
    const double width = text_width(text_, 12.5), x = canvas.x(x_), y = canvas.y(y_);
    const double from = x + 7 + width <= canvas.width ? x + 7 : x - 7 - width;
    for (double along = 0; along <= width; along += 6) taken.push_back({from + along, y - 9});
  }

 private:
  double x_, y_;
  std::string text_;
};

}  // namespace

std::shared_ptr<const Mark> make_scatter(std::vector<double> x, std::vector<double> y, const ScatterOptions& options) {
  return std::make_shared<Scatter>(std::move(x), std::move(y), options);
}

std::shared_ptr<const Mark> make_rule(double at, bool vertical, const RuleOptions& options) {
  return std::make_shared<Rule>(at, vertical, options);
}

std::shared_ptr<const Mark> make_text(double x, double y, std::string text) {
  return std::make_shared<Text>(x, y, std::move(text));
}

}  // namespace gradus::plot
