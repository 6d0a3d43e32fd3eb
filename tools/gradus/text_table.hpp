// Tables on the terminal, and numbers in their cells.
#pragma once

#include <string>
#include <vector>

namespace gradus::tool {

// Columns as wide as their widest cell; the first one to the left, numbers to the right.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> header) : rows_{std::move(header)} {}
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  std::string to_string() const;
  // The first row is the header.
  const std::vector<std::vector<std::string>>& rows() const { return rows_; }

 private:
  std::vector<std::vector<std::string>> rows_;
};

// With four significant digits; "-" for what is not a number.
std::string cell(double value);
// "0.9722 +- 0.0031"
std::string cell(double mean, double deviation);

}  // namespace gradus::tool
