#include "gradus/text_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gradus::tool {
namespace {

// Of UTF-8: bytes that go on with a letter take no room.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

bool is_numeric(const std::string& text) {
  return text == "-" || (!text.empty() && text.find_first_not_of("0123456789+-.eE naif%") == std::string::npos);
}

}  // namespace

std::string TextTable::to_string() const {
  const std::size_t columns = rows_.front().size();
  std::vector<std::size_t> widths(columns, 0);
  std::vector<bool> numeric(columns, true);
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    for (std::size_t c = 0; c < columns; ++c) {
      widths[c] = std::max(widths[c], width_of(rows_[r][c]));
      if (r > 0 && !is_numeric(rows_[r][c])) numeric[c] = false;
    }
  }
  std::string text;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t c = 0; c < columns; ++c) {
      const std::string pad(widths[c] - width_of(row[c]), ' ');
      if (c > 0) line += "  ";
      line += numeric[c] && c > 0 ? pad + row[c] : row[c] + pad;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

std::string cell(double value) { return std::isnan(value) ? "-" : fmt::format("{:.4g}", value); }

std::string cell(double mean, double deviation) {
  if (std::isnan(deviation)) return cell(mean);
  return fmt::format("{:.4g} +- {:.2g}", mean, deviation);
}

}  // namespace gradus::tool
