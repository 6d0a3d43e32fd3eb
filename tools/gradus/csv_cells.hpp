// A CSV file as it is: words as well as numbers.
#pragma once

#include <cstddef>
#include <cstdint>
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
  // "file.csv:3: column width"
  std::string place(std::size_t row, std::size_t column) const;
  // A finite number. Throws with file, line, column and what it says otherwise.
  double number(std::size_t row, std::size_t column) const;
};

enum class Header : std::uint8_t { guess, yes, no };
// "auto", "yes" or "no".
Header header_called(const std::string& name);

// Reads a text as in RFC 4180. The first row is taken for a header if none of its cells is a number, if a column has a
// word there and numbers below, or if it counts 0, 1, 2 or 1, 2, 3. Throws for what is not UTF-8, for rows of different
// lengths, for two columns of one name, and if there are no rows.
CsvCells parse_csv(const std::string& path, std::string_view text, Header header = Header::guess);
CsvCells read_csv_cells(const std::string& path, Header header = Header::guess);

// A cell that must be quoted is.
std::string csv_cell(const std::string& text);

}  // namespace gradus::tool
