#include "gradus/train/history.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <iterator>
#include <limits>
#include <numeric>

#include "gradus/error.hpp"
#include "gradus/plot/figure.hpp"
#include "storage/atomic_file.hpp"

namespace gradus::train {
namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

}  // namespace

bool less_is_better(std::string_view name, Mode mode) {
  if (mode != Mode::automatic) return mode == Mode::min;
  constexpr std::string_view costs[] = {"loss", "mae", "mse", "error", "perplexity"};
  return std::ranges::any_of(costs, [&](std::string_view cost) { return name.ends_with(cost); });
}

void History::append(const std::vector<NamedValue>& row) {
  for (auto it = row.begin(); it != row.end(); ++it) {
    const bool repeated =
        std::any_of(row.begin(), it, [&](const NamedValue& other) { return other.first == it->first; });
    if (repeated) throw Error(fmt::format("History: a row has two values named \"{}\"", it->first));
  }
  for (auto& column : columns_) column.push_back(missing);
  for (const auto& [name, value] : row) {
    const auto found = std::find(names_.begin(), names_.end(), name);
    const auto index = static_cast<std::size_t>(found - names_.begin());
    if (found == names_.end()) {
      names_.push_back(name);
      columns_.emplace_back(static_cast<std::size_t>(rows_) + 1, missing);
    }
    columns_[index].back() = value;
  }
  ++rows_;
}

bool History::contains(std::string_view name) const {
  return std::find(names_.begin(), names_.end(), name) != names_.end();
}

const std::vector<double>& History::values(std::string_view name) const {
  const auto found = std::find(names_.begin(), names_.end(), name);
  if (found == names_.end()) throw Error(fmt::format("History: there is no column named \"{}\"", name));
  return columns_[static_cast<std::size_t>(found - names_.begin())];
}

double History::last(std::string_view name) const {
  const std::vector<double>& column = values(name);
  return column.empty() ? missing : column.back();
}

std::int64_t History::best_row(std::string_view name, Mode mode) const {
  const std::vector<double>& column = values(name);
  const bool less = less_is_better(name, mode);
  const auto is_better = [less](double a, double b) {
    if (std::isnan(a)) return false;
    return std::isnan(b) || (less ? a < b : a > b);
  };
  const auto best = std::ranges::min_element(column, is_better);
  return best == column.end() ? -1 : best - column.begin();
}

double History::best(std::string_view name, Mode mode) const {
  const std::int64_t row = best_row(name, mode);
  return row < 0 ? missing : values(name)[static_cast<std::size_t>(row)];
}

void History::note(std::string_view name, std::string text) {
  const auto found = std::ranges::find(notes_, name, &std::pair<std::string, std::string>::first);
  if (found == notes_.end())
    notes_.emplace_back(name, std::move(text));
  else
    found->second = std::move(text);
}

bool History::operator==(const History& other) const {
  const auto same = [](double a, double b) {
    return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b) || (std::isnan(a) && std::isnan(b));
  };
  const auto same_column = [&](const auto& a, const auto& b) { return std::ranges::equal(a, b, same); };
  return rows_ == other.rows_ && names_ == other.names_ && stop_reason_ == other.stop_reason_ &&
         events_ == other.events_ && notes_ == other.notes_ &&
         std::ranges::equal(columns_, other.columns_, same_column);
}

void History::save_svg(const std::string& path, const CurveOptions& options) const {
  std::vector<double> x(static_cast<std::size_t>(rows_));
  std::iota(x.begin(), x.end(), 1);
  if (contains(options.x)) x = values(options.x);
  std::vector<std::string> columns = options.columns;
  if (columns.empty()) {
    std::copy_if(names_.begin(), names_.end(), std::back_inserter(columns),
                 [](std::string_view name) { return name.ends_with("loss"); });
  }
  plot::Figure figure({.title = options.title, .panel_width = 732, .panel_height = 380});
  plot::Axes& axes = figure.axes({.x_label = options.x, .y_log = options.log_scale});
  bool any = false;
  for (const std::string& name : columns) {
    const std::vector<double>& y = values(name);
    for (std::size_t i = 0; i < y.size(); ++i)
      any = any || (std::isfinite(x[i]) && std::isfinite(y[i]) && (!options.log_scale || y[i] > 0));
    std::string label = name;
    std::replace(label.begin(), label.end(), '_', ' ');
    axes.line(x, y, {.label = label});
  }
  if (!any) throw Error("save_svg: there is no finite value to draw");
  write_atomically("save_svg", path, figure.svg());
}

}  // namespace gradus::train
