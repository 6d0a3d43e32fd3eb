#include "train/report/columns.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "storage/format.hpp"

namespace gradus::train {
namespace {

constexpr std::string_view valid = "valid_";

void add(std::vector<JudgedColumn>& columns, const std::string& name) {
  const bool is_valid = name.starts_with(valid);
  const std::string base = is_valid ? name.substr(valid.size()) : name;
  auto found = std::ranges::find(columns, base, &JudgedColumn::name);
  if (found == columns.end()) found = columns.insert(columns.end(), {base, "", ""});
  (is_valid ? found->valid : found->train) = name;
}

}  // namespace

Columns::Columns(const History& history) {
  for (const std::string& name : history.names()) {
    if (name == "epoch" || name == "seconds") continue;
    if (name == "lr" || name.starts_with("lr_"))
      rates.push_back(name);
    else if (name.starts_with("update_ratio"))
      updates.push_back(name);
    else if (name.starts_with("grad_norm/"))
      layers.push_back(name);
    else if (name.starts_with("grad_norm"))
      grad_norms.push_back(name);
    else
      add(name.ends_with("loss") ? losses : metrics, name);
  }
}

std::string spaced(std::string name) {
  std::ranges::replace(name, '_', ' ');
  return name;
}

std::vector<double> epochs_of(const History& history) {
  if (history.contains("epoch")) return history.values("epoch");
  std::vector<double> rows(static_cast<std::size_t>(history.size()));
  std::iota(rows.begin(), rows.end(), 1);
  return rows;
}

std::string short_number(double value) {
  if (std::isnan(value)) return "";
  const bool is_exact = value == std::trunc(value) && std::abs(value) < 1e15;  // as counts and steps are
  return is_exact ? formatted("{:.0f}", value) : formatted("{:.4g}", value);
}

}  // namespace gradus::train
