#include "plot/legend.hpp"

#include <algorithm>
#include <cstddef>

namespace gradus::plot {
namespace {

constexpr double line_height = 19, font_size = 12.5, key_width = 36, gap = 18, distance = 8;

double entry_width(const Mark& mark) { return key_width + text_width(mark.label(), font_size); }

}  // namespace

Legend::Legend(const std::vector<std::shared_ptr<const Mark>>& marks, bool wanted) {
  if (!wanted) return;
  std::copy_if(marks.begin(), marks.end(), std::back_inserter(marks_),
               [](const auto& m) { return !m->label().empty(); });
}

double Legend::box_width() const {
  double widest = 0;
  for (const auto& mark : marks_) widest = std::max(widest, entry_width(*mark));
  return widest + 14;
}

double Legend::box_height() const { return line_height * static_cast<double>(marks_.size()) + 8; }

std::optional<Point> Legend::free_corner(const Canvas& canvas,
                                         const std::vector<std::shared_ptr<const Mark>>& marks) const {
  const double width = box_width(), height = box_height();
  if (empty() || width > 0.7 * canvas.width || height > 0.7 * canvas.height) return {};
  std::vector<Point> taken;
  for (const auto& mark : marks) mark->occupy(canvas, taken);
  const double right = canvas.width - width - distance, low = canvas.height - height - distance;
  for (const Point corner :
       {Point{right, distance}, Point{distance, distance}, Point{right, low}, Point{distance, low}}) {
    const bool is_free = std::none_of(taken.begin(), taken.end(), [&](Point p) {
      return p.x > corner.x - 5 && p.x < corner.x + width + 5 && p.y > corner.y - 5 && p.y < corner.y + height + 5;
    });
    if (is_free) return corner;
  }
  return {};
}

void Legend::draw_entry(std::string& out, const Mark& mark, Point at) const {
  mark.draw_key(out, at.x, at.y);
  append(out, "<text class=\"key\" x=\"{}\" y=\"{}\">{}</text>\n", px(at.x + key_width), px(at.y + 4.5),
         escaped(mark.label()));
}

void Legend::draw_box(std::string& out, Point at) const {
  append(out, "<g class=\"legend\"><rect class=\"veil\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"4\"/>\n",
         px(at.x), px(at.y), px(box_width()), px(box_height()));
  for (std::size_t i = 0; i < marks_.size(); ++i)
    draw_entry(out, *marks_[i], {at.x + 6, at.y + 4 + line_height * (static_cast<double>(i) + 0.5)});
  out += "</g>\n";
}

std::vector<Point> Legend::places_in_rows(double width) const {
  std::vector<Point> places;
  double x = 0, y = line_height / 2;
  for (const auto& mark : marks_) {
    const double needed = entry_width(*mark);
    if (x > 0 && x + needed > width) x = 0, y += line_height;
    places.push_back({x, y});
    x += needed + gap;
  }
  return places;
}

double Legend::rows_height(double width) const {
  return empty() ? 0 : places_in_rows(width).back().y + line_height / 2;
}

void Legend::draw_rows(std::string& out, Point at, double width) const {
  const std::vector<Point> places = places_in_rows(width);
  out += "<g class=\"legend\">\n";
  for (std::size_t i = 0; i < marks_.size(); ++i) draw_entry(out, *marks_[i], {at.x + places[i].x, at.y + places[i].y});
  out += "</g>\n";
}

}  // namespace gradus::plot
