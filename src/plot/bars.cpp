// Marks whose lengths are read: bars and histograms.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "plot/mark.hpp"

namespace gradus::plot {
namespace {

// A block from y = 0 (or, on a log scale, the lower end) to a value.
void append_block(std::string& path, const Canvas& canvas, double left, double right, double value) {
  const double zero = canvas.y(0), base = std::isfinite(zero) ? zero : canvas.height, top = canvas.y(value);
  if (!std::isfinite(top) || top == base) return;
  append(path, "M{} {}H{}V{}H{}Z", px(left), px(base), px(right), px(top), px(left));
}

void draw_key_block(std::string& out, double x, double y, const std::string& color) {
  append(out, "<rect{} x=\"{}\" y=\"{}\" width=\"26\" height=\"11\" rx=\"1\"/>", painted("bars", Paint::fill, color),
         px(x + 2), px(y - 5.5));
}

class Bars : public Mark {
 public:
  Bars(std::vector<double> places, std::vector<double> values, std::vector<std::string> names, int series,
       const BarOptions& options)
      : places_(std::move(places)),
        values_(std::move(values)),
        names_(std::move(names)),
        series_(series),
        options_(options) {}

  void survey(Survey& survey) const override {
    for (std::size_t i = 0; i < places_.size(); ++i) {
      survey.include(places_[i], values_[i]);
      if (options_.errors.empty()) continue;
      survey.include(places_[i], values_[i] - options_.errors[i]);
      survey.include(places_[i], values_[i] + options_.errors[i]);
    }
    survey.from_zero = true;
    survey.bar_series = std::max(survey.bar_series, series_ + 1);
    if (names_.size() > survey.x_names.size()) survey.x_names = names_;
  }

  void draw(Canvas& canvas) const override {
    std::string path, whiskers;
    for (std::size_t i = 0; i < places_.size(); ++i) {
      const auto [left, right] = sides(canvas, i);
      append_block(path, canvas, left, right, values_[i]);
      if (options_.errors.empty()) continue;
      const double low = canvas.y(values_[i] - options_.errors[i]), high = canvas.y(values_[i] + options_.errors[i]);
      if (std::isfinite(low) && std::isfinite(high))
        append(whiskers, "M{0} {1}V{2}M{3} {1}h6M{3} {2}h6", px((left + right) / 2), px(low), px(high),
               px((left + right) / 2 - 3));
    }
    append(canvas.out, "<path{} d=\"{}\">", painted("bars", Paint::fill, options_.color), path);
    if (!options_.label.empty()) append(canvas.out, "<title>{}</title>", escaped(options_.label));
    canvas.out += "</path>\n";
    if (!whiskers.empty())
      append(canvas.out, "<path class=\"line s-ink\" style=\"stroke-width:1.25px\" d=\"{}\"/>\n", whiskers);
  }

  void occupy(const Canvas& canvas, std::vector<Point>& taken) const override {
    for (std::size_t i = 0; i < places_.size(); ++i) {
      const auto [left, right] = sides(canvas, i);
      const double error = options_.errors.empty() ? 0 : options_.errors[i], top = canvas.y(values_[i] + error);
      if (!std::isfinite(top)) continue;
      for (double y = canvas.height; y > std::max(top, 0.0); y -= 10)
        taken.insert(taken.end(), {{left, y}, {right, y}});
      taken.insert(taken.end(), {{left, top}, {right, top}});
    }
  }

  std::string label() const override { return options_.label; }
  void draw_key(std::string& out, double x, double y) const override { draw_key_block(out, x, y, options_.color); }

 private:
  // A group takes four fifths of its room.
  std::pair<double, double> sides(const Canvas& canvas, std::size_t i) const {
    const double room = canvas.x(1) - canvas.x(0), width = 0.8 * room / std::max(1, canvas.bar_series);
    const double left = canvas.x(places_[i]) - 0.4 * room + width * series_;
    return {left, left + width - std::min(1.0, width / 4)};
  }

  std::vector<double> places_, values_;
  std::vector<std::string> names_;
  int series_;
  BarOptions options_;
};

double quantile(const std::vector<double>& sorted, double part) {
  return sorted[static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1))];
}

// Freedman and Diaconis, On the histogram as a density estimator, 1981: bins of twice the middle half's width over the
// cube root of the count.
std::int64_t chosen_bins(const std::vector<double>& sorted) {
  const double spread = quantile(sorted, 0.75) - quantile(sorted, 0.25), range = sorted.back() - sorted.front();
  const double cube_root = std::cbrt(static_cast<double>(sorted.size()));
  const double bins = spread > 0 ? range * cube_root / (2 * spread) : 2 * cube_root;
  return static_cast<std::int64_t>(std::clamp(std::ceil(bins), 5.0, 100.0));
}

class Hist : public Mark {
 public:
  Hist(const std::vector<double>& values, const HistOptions& options) : options_(options) {
    std::vector<double> sorted;
    std::copy_if(values.begin(), values.end(), std::back_inserter(sorted), [](double v) { return std::isfinite(v); });
    if (sorted.empty()) return;
    std::sort(sorted.begin(), sorted.end());
    low_ = sorted.front();
    const double range = sorted.back() - low_;
    const bool is_constant = !(range > 0);
    if (is_constant) low_ -= 0.5;
    counts_.assign(static_cast<std::size_t>(is_constant        ? 1
                                            : options.bins > 0 ? options.bins
                                                               : chosen_bins(sorted)),
                   0);
    width_ = is_constant ? 1 : range / static_cast<double>(counts_.size());
    for (const double value : sorted)
      ++counts_[std::min(counts_.size() - 1, static_cast<std::size_t>((value - low_) / width_))];
  }

  void survey(Survey& survey) const override {
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      survey.include(edge(i), counts_[i]);
      survey.include(edge(i + 1), counts_[i]);
    }
    survey.from_zero = true;
  }

  void draw(Canvas& canvas) const override {
    std::string path;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      const double left = canvas.x(edge(i)), right = canvas.x(edge(i + 1));
      if (std::isfinite(left)) append_block(path, canvas, left, right - std::min(1.0, (right - left) / 5), counts_[i]);
    }
    append(canvas.out, "<path{} fill-opacity=\"0.8\" d=\"{}\">", painted("bars", Paint::fill, options_.color), path);
    if (!options_.label.empty()) append(canvas.out, "<title>{}</title>", escaped(options_.label));
    canvas.out += "</path>\n";
  }

  void occupy(const Canvas& canvas, std::vector<Point>& taken) const override {
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      const double x = canvas.x((edge(i) + edge(i + 1)) / 2), top = canvas.y(counts_[i]);
      if (!std::isfinite(x) || !std::isfinite(top)) continue;
      for (double y = std::max(top, 0.0); y < canvas.height; y += 10) taken.push_back({x, y});
    }
  }

  std::string label() const override { return options_.label; }
  void draw_key(std::string& out, double x, double y) const override { draw_key_block(out, x, y, options_.color); }

 private:
  double edge(std::size_t i) const { return low_ + width_ * static_cast<double>(i); }

  HistOptions options_;
  double low_ = 0, width_ = 1;
  std::vector<double> counts_;
};

}  // namespace

std::shared_ptr<const Mark> make_bars(std::vector<double> places, std::vector<double> values,
                                      std::vector<std::string> names, int series, const BarOptions& options) {
  return std::make_shared<Bars>(std::move(places), std::move(values), std::move(names), series, options);
}

std::shared_ptr<const Mark> make_hist(const std::vector<double>& values, const HistOptions& options) {
  return std::make_shared<Hist>(values, options);
}

}  // namespace gradus::plot
