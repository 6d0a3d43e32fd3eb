#include "gradus/contest_picture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <gradus/plot.hpp>

namespace gradus::tool {
namespace {

// Mean and deviation over the seeds, as far as all of them went.
struct Band {
  std::vector<double> x, mean, low, high;
};

Band band_of(const Standing& standing, std::vector<double> Heat::*values, double below) {
  Band band;
  std::size_t length = (standing.heats.front().*values).size();
  for (const Heat& heat : standing.heats) length = std::min(length, (heat.*values).size());
  for (std::size_t i = 0; i < length; ++i) {
    std::vector<double> here;
    for (const Heat& heat : standing.heats) here.push_back((heat.*values)[i] - below);
    const auto [mean, std] = summary_of(here);
    if (!std::isfinite(mean)) break;
    const Heat& first = standing.heats.front();
    band.x.push_back(static_cast<double>(first.first_step + static_cast<std::int64_t>(i) * first.steps_per_value));
    band.mean.push_back(mean);
    // On a logarithmic axis a band can't reach below zero: what was seen is its limit.
    band.low.push_back(std::isnan(std) ? mean : std::max(mean - std, std::ranges::min(here)));
    band.high.push_back(std::isnan(std) ? mean : mean + std);
  }
  return band;
}

void draw(plot::Axes& axes, const std::vector<Standing>& standings, std::vector<double> Heat::*values, double below) {
  for (std::size_t i = 0; i < standings.size(); ++i) {
    const Band band = band_of(standings[i], values, below);
    if (band.x.empty()) continue;
    const std::string color = fmt::format("C{}", i % 8);
    if (standings[i].heats.size() > 1) axes.fill_between(band.x, band.low, band.high, {.color = color});
    axes.line(band.x, band.mean, {.label = standings[i].contestant.label, .color = color});
  }
}

void draw_map(plot::Figure& figure, const std::vector<Standing>& standings, const problems::Problem& problem) {
  const auto& domain = *problem.domain;
  plot::Axes& axes =
      figure.axes({.title = problem.name, .x_label = "x", .y_label = "y", .x_range = domain.x, .y_range = domain.y});
  axes.contour(plot::sample(problem.f, domain, 121), {.log = true, .color_bar = false});
  for (std::size_t i = 0; i < standings.size(); ++i) {
    std::vector<double> x, y;
    for (const auto& point : standings[i].heats.front().path) {
      x.push_back(point[0]);
      y.push_back(point[1]);
    }
    axes.path(x, y, {.label = standings[i].contestant.label, .color = fmt::format("C{}", i % 8), .markers = false});
  }
}

}  // namespace

void save_race(const std::vector<Standing>& standings, const problems::Problem& problem, const std::string& path) {
  plot::Figure figure({.title = "Optimizers on " + problem.name});
  if (problem.domain && problem.dimension == 2) draw_map(figure, standings, problem);
  const bool bounded = !problem.minima.empty();
  plot::Axes& axes =
      figure.axes({.title = bounded ? "Loss above the minimum" : "Loss", .x_label = "step", .y_log = bounded});
  draw(axes, standings, &Heat::losses, bounded ? problem.minima.front().value : 0);
  figure.save(path);
}

void save_race(const std::vector<Standing>& standings, const std::string& data, const std::string& path) {
  plot::Figure figure({.title = data});
  draw(figure.axes({.title = "Validation loss", .x_label = "step", .y_log = true}), standings, &Heat::losses, 0);
  draw(figure.axes({.title = "Validation score", .x_label = "step"}), standings, &Heat::scores, 0);
  figure.save(path);
}

}  // namespace gradus::tool
