#include "gradus/search_picture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>

#include <gradus/plot.hpp>

namespace gradus::tool {
namespace {

bool reads(const std::string& word, double& value) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  return error == std::errc() && end == word.data() + word.size();
}

// Words are numbered, and the name of the axis tells how.
plot::Dimension numbered(const Dimension& dimension, const std::vector<std::string>& words) {
  plot::Dimension axis{.name = dimension.name + ":", .values = {}};
  for (std::size_t i = 0; i < dimension.choices.size(); ++i)
    axis.name += fmt::format(" {} {}", i, dimension.choices[i]);
  for (const std::string& word : words) {
    const auto found = std::ranges::find(dimension.choices, word);
    axis.values.push_back(static_cast<double>(found - dimension.choices.begin()));
  }
  return axis;
}

plot::Dimension axis_of(const Dimension& dimension, const std::vector<std::string>& words) {
  plot::Dimension axis{.name = dimension.name, .values = {}};
  for (const std::string& word : words) {
    double value = 0;
    if (!reads(word, value)) return numbered(dimension, words);
    axis.values.push_back(value);
  }
  const auto [low, high] = std::ranges::minmax(axis.values);
  axis.log = dimension.log || (low > 0 && high > 30 * low);
  return axis;
}

}  // namespace

void save_search(const std::vector<Trial>& trials, const std::vector<Dimension>& space, const std::string& score,
                 const std::string& path) {
  std::vector<Trial> finished;  // a run that broke down has no place on the last axes
  std::ranges::copy_if(trials, std::back_inserter(finished),
                       [](const Trial& trial) { return std::isfinite(trial.score) && std::isfinite(trial.loss); });
  std::vector<plot::Dimension> axes;
  for (std::size_t i = 0; i < space.size(); ++i) {
    std::vector<std::string> words;
    for (const Trial& trial : finished) words.push_back(trial.choice[i]);
    axes.push_back(axis_of(space[i], words));
  }
  axes.push_back({.name = score, .values = {}});
  axes.push_back({.name = "valid_loss", .values = {}, .log = true});
  for (const Trial& trial : finished) {
    axes[space.size()].values.push_back(trial.score);
    axes.back().values.push_back(trial.loss);
  }
  plot::Figure figure(
      {.title = "Trials of a search", .panel_width = std::max(520.0, 170 * static_cast<double>(axes.size()))});
  plot::parallel_coordinates(figure, axes);
  figure.save(path);
}

}  // namespace gradus::tool
