// Pictures of training, composed of what axes can draw.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gradus/plot/figure.hpp"

namespace gradus::plot {

// The exponential moving average, corrected for its start at zero as Adam's are: s = w s + (1 - w) y, then s / (1 -
// w^n). NaN and infinity are passed over. Throws unless 0 <= weight < 1.
std::vector<double> smoothed(const std::vector<double>& values, double weight);

struct CurveStyle {
  std::string label = {};
  std::string color = {};
  double smoothing = 0;  // the weight of `smoothed`; the raw curve stays, faint, behind it
};
// One run.
Axes& training_curve(Axes& axes, const std::vector<double>& x, const std::vector<double>& y,
                     const CurveStyle& style = {});

enum class Spread { standard_deviation, min_max };
struct SeedsStyle {
  std::string label = {};
  std::string color = {};
  Spread spread = Spread::standard_deviation;
};
// Runs that differ by their seeds, all over the same x: their mean, and a band around it. Where some lack a value the
// others count.
Axes& training_curves(Axes& axes, const std::vector<double>& x, const std::vector<std::vector<double>>& runs,
                      const SeedsStyle& style = {});

// (classes, classes) counts, a row per true class and a column per predicted one. Colours tell the share of the row.
Axes& confusion_matrix(Axes& axes, const std::vector<double>& counts, const std::vector<std::string>& classes);

struct Picture {
  std::vector<double> values;  // (height, width)
  std::string caption = {};
  bool marked = false;  // framed, as what was taken for something else
};
// A panel for each; a panel's size is the figure's.
void images(Figure& figure, const std::vector<Picture>& pictures, std::int64_t height, std::int64_t width);

struct Sample {
  std::string name;
  std::vector<double> values;
};
// The distributions of several samples, such as the weights of each layer, one above the other, the first on top.
Axes& histograms(Figure& figure, const std::vector<Sample>& samples, const AxesOptions& options = {});

struct Dimension {
  std::string name;
  std::vector<double> values;  // one per trial
  bool log = false;
};
// A line per trial across one upright axis per dimension. The last dimension gives the colour; lines of low values are
// drawn last, over the others.
Axes& parallel_coordinates(Figure& figure, const std::vector<Dimension>& dimensions, const AxesOptions& options = {});

}  // namespace gradus::plot
