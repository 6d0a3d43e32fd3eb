// A CSV file as it is: words as well as numbers.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gradus::tool {

struct CsvCells {
  std::string path;
  std::vector<std::string> names;  // of the columns: the header's, or "column 1" and so on
  std::vector<std::vector<std::string>> rows;
  std::vector<std::size_t> lines;  // where each row begins, from 1

  // The column of a name, or of a number from 1. Throws, with the names that there are, if there is none.
  std::size_t column(const std::string& name) const;
  std::optional<std::size_t> find(const std::string& name) const;
  // A finite number. Throws with file, line, column and what it says otherwise.
  double number(std::size_t row, std::size_t column) const;
};

// Reads a text as in RFC 4180. The first row is a header if none of its cells is a number. Throws for rows of different
// lengths, and if there are no rows.
CsvCells parse_csv(const std::string& path, std::string_view text);
CsvCells read_csv_cells(const std::string& path);

// A cell that must be quoted is.
std::string csv_cell(const std::string& text);

}  // namespace gradus::tool
