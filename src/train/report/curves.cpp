#include "train/report/curves.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace gradus::train {
namespace {

constexpr std::size_t most_lines = 8;  // more would repeat the colours

bool has_finite(const History& history, const std::vector<std::string>& names) {
  return std::ranges::any_of(names, [&](const std::string& name) {
    return std::ranges::any_of(history.values(name), [](double value) { return std::isfinite(value); });
  });
}

// On a logarithmic scale a curve is worth drawing if it is positive all along and covers some ground.
bool suits_log(const History& history, const std::vector<std::string>& names) {
  double low = std::numeric_limits<double>::infinity(), high = 0;
  for (const std::string& name : names) {
    for (const double value : history.values(name)) {
      if (!std::isfinite(value)) continue;
      low = std::min(low, value);
      high = std::max(high, value);
    }
  }
  return low > 0 && high > 3 * low;
}

std::vector<std::string> names_of(const JudgedColumn& column) {
  std::vector<std::string> names;
  if (!column.train.empty()) names.push_back(column.train);
  if (!column.valid.empty()) names.push_back(column.valid);
  return names;
}

// "grad_norm/blocks.0" is about blocks.0.
std::string label_of(const std::string& name) {
  return name.starts_with("grad_norm/") ? name.substr(name.find('/') + 1) : spaced(name);
}

void draw(plot::Axes& axes, const History& history, const std::vector<std::string>& names) {
  const bool few = history.size() <= 3;  // so few points make no line
  for (const std::string& name : names)
    axes.line(epochs_of(history), history.values(name), {.label = label_of(name), .markers = few});
}

// Where the column on which the run is judged was best.
void mark_best(plot::Axes& axes, const History& history, const std::string& name) {
  const std::int64_t row = history.best_row(name);
  if (row < 0 || !std::isfinite(history.best(name)) || history.size() < 2) return;
  axes.vline(epochs_of(history)[static_cast<std::size_t>(row)], {.label = "best " + spaced(name)});
}

// Too many layers for lines: a cell per layer and epoch, dark to bright by the power of ten.
void report_layers(plot::Report& report, const History& history, const Columns& columns) {
  std::vector<double> powers;
  std::vector<std::string> labels;
  for (const std::string& layer : columns.layers) {
    labels.push_back(label_of(layer));
    for (const double value : history.values(layer))
      powers.push_back(value > 0 ? std::log10(value) : std::numeric_limits<double>::quiet_NaN());
  }
  plot::Figure figure(
      {.columns = 1, .panel_width = 960, .panel_height = 120 + 18 * static_cast<double>(labels.size())});
  figure.axes({.title = "log10 of the norm of the gradient, by layer", .x_label = "epoch"})
      .heatmap(static_cast<std::int64_t>(labels.size()), history.size(), powers, {.row_labels = labels});
  report.figure(figure, "Each row is a layer, each column an epoch; a missing cell is a gradient of zeros.");
}

}  // namespace

void report_curves(plot::Report& report, const History& history, const Columns& columns) {
  plot::Figure figure;
  bool any = false;
  for (const auto* group : {&columns.losses, &columns.metrics}) {
    for (const JudgedColumn& column : *group) {
      const auto names = names_of(column);
      if (!has_finite(history, names)) continue;
      any = true;
      plot::Axes& axes = figure.axes({.title = spaced(column.name), .x_label = "epoch"});
      draw(axes, history, names);
      if (!column.valid.empty()) mark_best(axes, history, column.valid);
      if (group == &columns.losses && suits_log(history, names))
        draw(figure.axes({.title = spaced(column.name) + ", logarithmic", .x_label = "epoch", .y_log = true}), history,
             names);
    }
  }
  if (any) report.heading("Loss and metrics").figure(figure);
}

void report_steps(plot::Report& report, const History& history, const Columns& columns) {
  plot::Figure figure;
  bool any = false;
  const auto panel = [&](const std::string& title, const std::vector<std::string>& names, bool log) -> plot::Axes* {
    if (!has_finite(history, names)) return nullptr;
    any = true;
    plot::Axes& axes = figure.axes({.title = title, .x_label = "epoch", .y_log = log, .legend = names.size() > 1});
    draw(axes, history, names);
    return &axes;
  };
  panel("learning rate", columns.rates, false);
  panel("norm of the gradient", columns.grad_norms, true);
  if (plot::Axes* axes = panel("size of a step / size of the weights", columns.updates, true))
    axes->hline(1e-3).annotate(epochs_of(history).front(), 1e-3, "common in healthy networks");
  if (columns.layers.size() <= most_lines) panel("norm of the gradient, by layer", columns.layers, true);
  if (any) report.heading("Steps and gradients").figure(figure, "The rate is that of the last step of each epoch.");
  if (columns.layers.size() > most_lines && has_finite(history, columns.layers))
    report_layers(report, history, columns);
}

}  // namespace gradus::train
