#include "gradus/search_picture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include <gradus/plot.hpp>

namespace gradus::tool {
namespace {

// One of the parallel axes: where each trial crosses it, from 0 to 1, and what its ends are called.
struct Scale {
  std::string name;
  std::vector<double> places;
  std::vector<std::pair<double, std::string>> labels;
};

bool read_numbers(const std::vector<std::string>& words, std::vector<double>& values) {
  for (const std::string& word : words) {
    double value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc() || end != word.data() + word.size()) return false;
    values.push_back(value);
  }
  return true;
}

Scale scale_of_numbers(const std::string& name, const std::vector<double>& values, bool log) {
  Scale scale{name, {}, {}};
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  log = log && low > 0;
  for (const double value : values) {
    const double place = log ? std::log(value / low) / std::log(high / low) : (value - low) / (high - low);
    scale.places.push_back(low < high ? place : 0.5);
  }
  scale.labels = {{0, fmt::format("{:.3g}", low)}, {1, fmt::format("{:.3g}", high)}};
  return scale;
}

// Words are spread evenly, in their order of appearance in the list.
Scale scale_of_words(const Dimension& dimension, const std::vector<std::string>& words) {
  Scale scale{dimension.name, {}, {}};
  const auto last = static_cast<double>(std::max<std::size_t>(2, dimension.choices.size()) - 1);
  for (std::size_t i = 0; i < dimension.choices.size(); ++i)
    scale.labels.emplace_back(static_cast<double>(i) / last, dimension.choices[i]);
  for (const std::string& word : words) {
    const auto found = std::ranges::find(dimension.choices, word);
    scale.places.push_back(static_cast<double>(found - dimension.choices.begin()) / last);
  }
  return scale;
}

std::vector<Scale> scales_of(const std::vector<Trial>& trials, const std::vector<Dimension>& space,
                             const std::string& score) {
  std::vector<Scale> scales;
  for (std::size_t i = 0; i < space.size(); ++i) {
    std::vector<std::string> words;
    for (const Trial& trial : trials) words.push_back(trial.choice[i]);
    std::vector<double> values;
    if (!read_numbers(words, values)) {
      scales.push_back(scale_of_words(space[i], words));
      continue;
    }
    const double low = std::ranges::min(values), high = std::ranges::max(values);
    scales.push_back(scale_of_numbers(space[i].name, values, space[i].log || (low > 0 && high > 30 * low)));
  }
  std::vector<double> scores;
  for (const Trial& trial : trials) scores.push_back(trial.score);
  scales.push_back(scale_of_numbers(score, scores, false));
  return scales;
}

}  // namespace

void save_search(const std::vector<Trial>& trials, const std::vector<Dimension>& space, const std::string& score,
                 const std::string& path) {
  const std::vector<Scale> scales = scales_of(trials, space, score);
  const auto count = static_cast<double>(scales.size());
  plot::Figure figure({.title = "Trials of a search", .panel_width = std::max(520.0, 170 * count)});
  plot::Axes& axes = figure.axes({.x_range = {{-0.4, count - 0.1}}, .y_range = {{-0.12, 1.15}}, .legend = false});
  // The best are drawn last, over the others.
  for (std::size_t i = trials.size(); i-- > 0;) {
    std::vector<double> x, y;
    for (std::size_t axis = 0; axis < scales.size(); ++axis) {
      x.push_back(static_cast<double>(axis));
      y.push_back(scales[axis].places[i]);
    }
    const bool is_best = i == 0;
    const double rank = static_cast<double>(i) / static_cast<double>(trials.size());
    axes.line(x, y,
              {.label = fmt::format("trial {}", trials[i].number + 1),
               .color = is_best ? "C1" : "C0",
               .width = is_best ? 3.0 : 1.5,
               .opacity = is_best ? 1 : 0.75 - 0.6 * rank});
  }
  for (std::size_t axis = 0; axis < scales.size(); ++axis) {
    const auto x = static_cast<double>(axis);
    axes.vline(x, {.dashed = false});
    axes.annotate(x, 1.08, scales[axis].name);
    for (const auto& [place, label] : scales[axis].labels) axes.annotate(x + 0.03, place, label);
  }
  figure.save(path);
}

}  // namespace gradus::tool
