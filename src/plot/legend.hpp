// Which curve is which: in a corner that is free, or else in rows above the panel.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "plot/mark.hpp"

namespace gradus::plot {

class Legend {
 public:
  Legend(const std::vector<std::shared_ptr<const Mark>>& marks, bool wanted);

  bool empty() const { return marks_.empty(); }
  // Where a box fits in which nothing is drawn.
  std::optional<Point> free_corner(const Canvas& canvas, const std::vector<std::shared_ptr<const Mark>>& marks) const;
  void draw_box(std::string& out, Point at) const;
  double rows_height(double width) const;
  void draw_rows(std::string& out, Point at, double width) const;

 private:
  double box_width() const;
  double box_height() const;
  std::vector<Point> places_in_rows(double width) const;
  void draw_entry(std::string& out, const Mark& mark, Point at) const;

  std::vector<std::shared_ptr<const Mark>> marks_;
};

}  // namespace gradus::plot
