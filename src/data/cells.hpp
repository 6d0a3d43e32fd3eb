// Splits the text of a CSV file into rows of cells.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gradus::data {

// RFC 4180, and what is found in the wild beside it: any delimiter, LF, CRLF or CR, a byte order mark, blanks around
// cells, blank lines, no line end after the last row.
class CellReader {
 public:
  // `where` begins the message of errors: "read_csv: file.csv".
  CellReader(std::string text, char delimiter, std::string where);

  // Goes to the next row that isn't blank; false at the end.
  bool next_row();

  // Views into this reader, good until it dies.
  const std::vector<std::string_view>& cells() const { return cells_; }
  // The line where the row begins, from 1.
  std::int64_t line() const { return row_line_; }

 private:
  bool at_end() const { return position_ == text_.size(); }
  bool at_line_end() const { return at_end() || text_[position_] == '\n' || text_[position_] == '\r'; }
  bool at_blank() const;
  void skip_line_end();
  void skip_blanks();
  std::string_view read_cell();
  std::string_view read_quoted();

  std::string text_;
  char delimiter_;
  std::string where_;
  std::size_t position_ = 0;
  std::int64_t line_ = 1;
  std::int64_t row_line_ = 1;
  bool row_is_quoted_ = false;  // an empty line is no row, a line with "" is one
  std::vector<std::string_view> cells_;
};

// Received text as it may appear in an error: quoted, shortened, control characters escaped.
std::string quoted_excerpt(std::string_view text);

}  // namespace gradus::data
