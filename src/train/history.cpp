#include "gradus/train/history.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <numeric>

#include "gradus/error.hpp"
#include "storage/atomic_file.hpp"
#include "train/line_plot.hpp"

namespace gradus::train {
namespace {

std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

}  // namespace

void History::append(const std::vector<NamedValue>& row) {
  for (auto it = row.begin(); it != row.end(); ++it) {
    const bool repeated =
        std::any_of(row.begin(), it, [&](const NamedValue& other) { return other.first == it->first; });
    if (repeated) throw Error(fmt::format("History: a row has two values named \"{}\"", it->first));
  }
  constexpr double missing = std::numeric_limits<double>::quiet_NaN();
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

void History::save_csv(const std::string& path) const {
  std::string text;
  const auto end_cell = [&](std::size_t column) { text += column + 1 == names_.size() ? '\n' : ','; };
  for (std::size_t column = 0; column < names_.size(); ++column) {
    text += csv_cell(names_[column]);
    end_cell(column);
  }
  for (std::size_t row = 0; row < static_cast<std::size_t>(rows_); ++row) {
    for (std::size_t column = 0; column < columns_.size(); ++column) {
      const double value = columns_[column][row];
      if (!std::isnan(value)) fmt::format_to(std::back_inserter(text), "{}", value);
      end_cell(column);
    }
  }
  write_atomically("save_csv", path, text);
}

void History::save_svg(const std::string& path, const CurveOptions& options) const {
  LinePlot plot{.title = options.title, .x_label = options.x, .x = {}, .curves = {}, .log_scale = options.log_scale};
  if (contains(options.x)) {
    plot.x = values(options.x);
  } else {
    plot.x.resize(static_cast<std::size_t>(rows_));
    std::iota(plot.x.begin(), plot.x.end(), 1);
  }
  std::vector<std::string> columns = options.columns;
  if (columns.empty()) {
    std::copy_if(names_.begin(), names_.end(), std::back_inserter(columns),
                 [](std::string_view name) { return name.ends_with("loss"); });
  }
  for (const std::string& name : columns) plot.curves.push_back({name, values(name)});
  write_atomically("save_svg", path, to_svg("save_svg", plot));
}

}  // namespace gradus::train
