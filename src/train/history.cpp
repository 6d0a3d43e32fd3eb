#include "gradus/train/history.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <iterator>
#include <limits>
#include <numeric>
#include <unordered_map>

#include "data/cells.hpp"
#include "gradus/error.hpp"
#include "gradus/plot/figure.hpp"
#include "storage/atomic_file.hpp"
#include "storage/format.hpp"
#include "train/utf8.hpp"

namespace gradus::train {
namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

void check_name(const std::string& name) {
  if (!is_utf8(name)) throw Error(formatted("History: a name is not UTF-8: {}", data::quoted_excerpt(name)));
}

// The column of each value; new names get those behind the present ones, in order.
std::vector<std::size_t> places_of(const std::vector<std::string>& names, const std::vector<NamedValue>& row) {
  std::unordered_map<std::string_view, std::size_t> columns;
  for (const std::string& name : names) columns.emplace(name, columns.size());
  std::vector<bool> is_taken(names.size() + row.size());
  std::vector<std::size_t> places;
  for (const auto& [name, value] : row) {
    const auto [column, is_new] = columns.try_emplace(name, columns.size());
    if (is_taken[column->second]) throw Error(formatted("History: a row has two values named \"{}\"", name));
    if (is_new) check_name(name);
    is_taken[column->second] = true;
    places.push_back(column->second);
  }
  return places;
}

}  // namespace

bool less_is_better(std::string_view name, Mode mode) {
  if (mode != Mode::automatic) return mode == Mode::min;
  constexpr std::string_view costs[] = {"loss", "mae", "mse", "error", "perplexity"};
  return std::ranges::any_of(costs, [&](std::string_view cost) { return name.ends_with(cost); });
}

void History::append(const std::vector<NamedValue>& row) {
  const std::vector<std::size_t> places = places_of(names_, row);
  for (auto& column : columns_) column.push_back(missing);
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (places[i] == names_.size()) {
      names_.push_back(row[i].first);
      columns_.emplace_back(static_cast<std::size_t>(rows_) + 1, missing);
    }
    columns_[places[i]].back() = row[i].second;
  }
  ++rows_;
}

bool History::contains(std::string_view name) const {
  return std::find(names_.begin(), names_.end(), name) != names_.end();
}

const std::vector<double>& History::values(std::string_view name) const {
  const auto found = std::find(names_.begin(), names_.end(), name);
  if (found == names_.end()) throw Error(formatted("History: there is no column named \"{}\"", name));
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
  if (found != notes_.end()) {
    found->second = std::move(text);
    return;
  }
  check_name(std::string(name));
  notes_.emplace_back(name, std::move(text));
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
