// The numbers of a training run, one row per epoch (or whatever its caller counts).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gradus::train {

using NamedValue = std::pair<std::string, double>;

struct CurveOptions {
  std::string title = "Loss";
  std::string x = "epoch";                // the column along the horizontal axis; without it, rows count from 1
  std::vector<std::string> columns = {};  // the curves; default: every column whose name ends in "loss"
  bool log_scale = false;                 // vertical; values that aren't positive are left out
};

class History {
 public:
  // A row of values: `append({{"epoch", 1}, {"loss", 0.7}})`. A new name starts a column; what a row lacks is NaN.
  // Throws if a name comes twice.
  void append(const std::vector<NamedValue>& row);

  std::int64_t size() const { return rows_; }
  // In order of appearance.
  const std::vector<std::string>& names() const { return names_; }
  bool contains(std::string_view name) const;
  // One column, a value per row. Throws if there is none of that name.
  const std::vector<double>& values(std::string_view name) const;

  // Both replace the file as a whole or, on an error, leave it as it was. They throw naming the path.
  void save_csv(const std::string& path) const;
  // A picture of the curves that needs nothing but an SVG viewer and follows its light or dark scheme.
  void save_svg(const std::string& path, const CurveOptions& options = {}) const;

 private:
  std::int64_t rows_ = 0;
  std::vector<std::string> names_;
  std::vector<std::vector<double>> columns_;
};

}  // namespace gradus::train
