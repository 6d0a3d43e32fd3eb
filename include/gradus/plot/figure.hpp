// A picture of one or more panels, as an SVG document that follows light and dark paper.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "gradus/plot/axes.hpp"

namespace gradus::plot {

struct FigureOptions {
  std::string title = {};
  std::int64_t columns = 0;  // panels side by side; 0: chosen
  double panel_width = 520, panel_height = 380;
};

class Figure {
 public:
  // Throws unless columns is at least 0 and a panel at least 40 pixels wide and high.
  explicit Figure(const FigureOptions& options = {});

  // Adds a panel, to the right of the last or in a new row. The reference stays valid as long as the figure.
  Axes& axes(const AxesOptions& options = {});

  // A document of its own; also fit to stand in a page beside others. Throws if there are no axes.
  std::string svg() const;
  // Replaces the file as a whole or, on an error, leaves it as it was. Throws naming the path.
  void save(const std::string& path) const;

 private:
  friend class Report;
  std::string body() const;  // without the style sheet
  std::string description() const;

  FigureOptions options_;
  std::deque<Axes> panels_;
};

}  // namespace gradus::plot
