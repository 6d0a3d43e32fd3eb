#include "plot/panel.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>

#include "plot/color_bar.hpp"
#include "plot/legend.hpp"
#include "storage/format.hpp"

namespace gradus::plot {
namespace {

constexpr double tick_size = 12, label_size = 13;

double widest(const std::vector<Tick>& ticks) {
  double width = 0;
  for (const Tick& tick : ticks) width = std::max(width, text_width(tick.label, tick_size));
  return width;
}

bool overlap(const Axis& axis, double length) {
  double end = -1e9;
  for (const Tick& tick : axis.ticks()) {
    if (tick.label.empty()) continue;
    const double half = text_width(tick.label, tick_size) / 2, at = axis.position(tick.value) * length;
    if (at - half < end + 8) return true;
    end = at + half;
  }
  return false;
}

class Panel {
 public:
  Panel(const AxesOptions& options, const std::vector<std::shared_ptr<const Mark>>& marks, double width, double height)
      : options_(options), marks_(marks), width_(width), height_(height) {
    survey_.x_log = options.x_log;
    survey_.y_log = options.y_log;
    for (const auto& mark : marks) mark->survey(survey_);
    if (!options.x_names.empty()) survey_.x_names = options.x_names;
    if (!options.y_names.empty()) survey_.y_names = options.y_names;
    for (const auto& mark : marks) {
      if (const auto scale = mark->color_scale()) scale_ = scale;
    }
  }

  void draw(std::string& out) {
    const Legend legend(marks_, options_.legend);
    top_ = options_.title.empty() ? 12 : 32;
    lay_out();
    auto place = survey_.exact ? std::nullopt : legend.free_corner(canvas(), marks_);
    if (!place && !legend.empty()) {  // above, then
      top_ += legend.rows_height(width_ - left_ - right_) + 6;
      lay_out();
    }
    append(out, "<g class=\"panel\">\n");
    if (!options_.title.empty())
      append(out, "<text class=\"panel-title\" x=\"{}\" y=\"19\">{}</text>\n", px(left_), escaped(options_.title));
    draw_grid(out);
    draw_marks(out);
    draw_axes(out);
    if (scale_) draw_color_bar(out, *scale_, left_ + plot_width_ + 14, top_, plot_height_);
    if (place)
      legend.draw_box(out, {left_ + place->x, top_ + place->y});
    else if (!legend.empty())
      legend.draw_rows(out, {left_, top_ - legend.rows_height(width_ - left_ - right_) - 6}, width_ - left_ - right_);
    out += "</g>\n";
  }

 private:
  // Margins follow from labels, labels from lengths, lengths from margins: heights are settled first.
  void lay_out() {
    for (slant_ = false;; slant_ = true) {
      bottom_ =
          (survey_.no_ticks ? 6 : 26) + (options_.x_label.empty() ? 0 : 20) + (slant_ ? slanted_height() - 12 : 0);
      plot_height_ = std::max(20.0, height_ - top_ - bottom_);
      y_ = make_y();
      left_ = (survey_.no_ticks ? 6 : std::max(24.0, widest(y_->ticks()) + 14)) + (options_.y_label.empty() ? 0 : 22);
      right_ = scale_ ? 14 + color_bar_width(*scale_) : 14;
      plot_width_ = std::max(20.0, width_ - left_ - right_);
      x_ = make_x();
      if (slant_ || survey_.x_names.empty() || !overlap(*x_, plot_width_)) break;
    }
    if (options_.equal) keep_aspect();
  }

  double slanted_height() const {
    double longest = 0;
    for (const std::string& name : survey_.x_names) longest = std::max(longest, text_width(name, tick_size));
    return std::min(longest, 150.0) * 0.64 + 12;
  }

  Axis make_x() const {
    if (!survey_.x_names.empty()) return named(survey_.x_names, options_.x_range);
    auto [low, high] = ends(survey_.x, options_.x_range, options_.x_log);
    if (!options_.x_range && survey_.margin && !survey_.exact) widen(low, high, options_.x_log);
    Axis::Options wishes{.scale = options_.x_log ? Axis::Scale::log : Axis::Scale::linear};
    wishes.whole_numbers = survey_.x_whole;
    for (wishes.ticks = std::max(2, static_cast<int>(plot_width_ / 52)); wishes.ticks > 1; --wishes.ticks) {
      const Axis axis(low, high, wishes);
      if (!overlap(axis, plot_width_)) return axis;
    }
    return Axis(low, high, wishes);
  }

  Axis make_y() const {
    if (!survey_.y_names.empty()) return named(survey_.y_names, options_.y_range);
    auto [low, high] = ends(survey_.y, options_.y_range, options_.y_log);
    Axis::Options wishes{.scale = options_.y_log ? Axis::Scale::log : Axis::Scale::linear};
    wishes.ticks = std::max(2, static_cast<int>(plot_height_ / 46));
    wishes.whole_numbers = survey_.y_whole;
    if (!options_.y_range && !survey_.exact) {
      if (survey_.from_zero && !options_.y_log) low = std::min(low, 0.0), high = std::max(high, 0.0);
      if (!options_.y_log && low > 0 && low < high / 2) low = 0;
      if (options_.y_log)
        low /= 1.15, high *= 1.15;
      else
        wishes.extend_to_ticks = true;
    }
    return Axis(low, high, wishes);
  }

  static Axis named(const std::vector<std::string>& names, const std::optional<std::array<double, 2>>& asked) {
    return asked ? Axis(names, (*asked)[0], (*asked)[1]) : Axis(names);
  }

  static std::pair<double, double> ends(const Range& range, const std::optional<std::array<double, 2>>& asked,
                                        bool is_log) {
    if (asked) return {(*asked)[0], (*asked)[1]};
    if (range.empty()) return is_log ? std::pair(1.0, 10.0) : std::pair(0.0, 1.0);
    return {range.low, range.high};
  }

  static void widen(double& low, double& high, bool is_log) {
    if (is_log) {
      const double factor = std::pow(high / low, 0.04);
      low /= factor, high *= factor;
    } else {
      const double room = 0.04 * (high - low);
      low -= room, high += room;
    }
  }

  void keep_aspect() {
    const double x_unit = plot_width_ / (x_->high() - x_->low()), y_unit = plot_height_ / (y_->high() - y_->low());
    if (x_unit > y_unit)
      plot_width_ *= y_unit / x_unit;
    else
      plot_height_ *= x_unit / y_unit;
  }

  Canvas canvas() const {
    return {.x_axis = *x_,
            .y_axis = *y_,
            .width = plot_width_,
            .height = plot_height_,
            .downwards = survey_.downwards,
            .bar_series = survey_.bar_series};
  }

  double to_x(double value) const { return left_ + x_->position(value) * plot_width_; }
  double to_y(double value) const { return top_ + canvas().y(value); }

  void draw_grid(std::string& out) const {
    if (survey_.exact || survey_.no_ticks) return;
    std::string path;
    for (const Tick& tick : y_->ticks()) {
      if (!tick.label.empty()) append(path, "M{} {}h{}", px(left_), px(to_y(tick.value)), px(plot_width_));
    }
    if (survey_.x_names.empty()) {
      for (const Tick& tick : x_->ticks()) {
        if (!tick.label.empty()) append(path, "M{} {}v{}", px(to_x(tick.value)), px(top_), px(plot_height_));
      }
    }
    append(out, "<path class=\"grid\" d=\"{}\"/>\n", path);
  }

  // A document inside the document cuts off what reaches beyond it, without an id that another picture may have.
  void draw_marks(std::string& out) const {
    Canvas area = canvas();
    for (const auto& mark : marks_) mark->draw(area);
    if (!survey_.no_ticks && survey_.x.empty() && survey_.x_names.empty())
      append(area.out, "<text class=\"tick middle\" x=\"{}\" y=\"{}\">nothing to draw</text>\n", px(plot_width_ / 2),
             px(plot_height_ / 2));
    const double room = options_.x_range || options_.y_range || survey_.exact ? 0 : 4;
    append(out, "<svg x=\"{0}\" y=\"{1}\" width=\"{2}\" height=\"{3}\" viewBox=\"{4} {4} {2} {3}\">\n",
           px(left_ - room), px(top_ - room), px(plot_width_ + 2 * room), px(plot_height_ + 2 * room), px(-room));
    out += area.out + "</svg>\n";
  }

  void draw_axes(std::string& out) const {
    const double base = top_ + plot_height_;
    if (!survey_.no_ticks) {
      std::string path = formatted("M{} {}h{}", px(left_), px(base), px(plot_width_));
      if (!y_->ticks().empty()) append(path, "M{} {}V{}", px(left_), px(top_), px(base));
      if (survey_.exact) append(path, "M{} {}h{}V{}", px(left_), px(top_), px(plot_width_), px(base));
      for (const Tick& tick : x_->ticks()) append(path, "M{} {}v{}", px(to_x(tick.value)), px(base), length_of(tick));
      for (const Tick& tick : y_->ticks()) append(path, "M{} {}h-{}", px(left_), px(to_y(tick.value)), length_of(tick));
      append(out, "<path class=\"axis\" d=\"{}\"/>\n", path);
      for (const Tick& tick : x_->ticks()) draw_x_label(out, tick, base);
      for (const Tick& tick : y_->ticks()) {
        if (!tick.label.empty())
          append(out, "<text class=\"tick end\" x=\"{}\" y=\"{}\">{}</text>\n", px(left_ - 8), px(to_y(tick.value) + 4),
                 escaped(tick.label));
      }
    }
    if (!options_.x_label.empty())
      append(out, "<text class=\"middle\" x=\"{}\" y=\"{}\">{}</text>\n", px(left_ + plot_width_ / 2),
             px(base + bottom_ - 6), escaped(options_.x_label));
    if (!options_.y_label.empty())
      append(out, "<text class=\"middle\" transform=\"translate(14 {}) rotate(-90)\">{}</text>\n",
             px(top_ + plot_height_ / 2), escaped(options_.y_label));
  }

  static int length_of(const Tick& tick) { return tick.label.empty() ? 3 : 5; }

  void draw_x_label(std::string& out, const Tick& tick, double base) const {
    if (tick.label.empty()) return;
    const double x = to_x(tick.value);
    if (slant_)
      append(out, "<text class=\"tick end\" transform=\"translate({} {}) rotate(-40)\">{}</text>\n", px(x + 4),
             px(base + 15), escaped(tick.label));
    else
      append(out, "<text class=\"tick middle\" x=\"{}\" y=\"{}\">{}</text>\n", px(x), px(base + 19),
             escaped(tick.label));
  }

  const AxesOptions& options_;
  const std::vector<std::shared_ptr<const Mark>>& marks_;
  double width_, height_;
  Survey survey_;
  std::optional<ColorScale> scale_;
  std::optional<Axis> x_, y_;
  bool slant_ = false;
  double left_ = 0, right_ = 0, top_ = 0, bottom_ = 0, plot_width_ = 0, plot_height_ = 0;
};

}  // namespace

void draw_panel(std::string& out, const AxesOptions& options, const std::vector<std::shared_ptr<const Mark>>& marks,
                double width, double height) {
  Panel(options, marks, width, height).draw(out);
}

}  // namespace gradus::plot
