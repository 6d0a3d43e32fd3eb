#include "data/cells.hpp"

#include <utility>

#include "gradus/error.hpp"
#include "storage/format.hpp"

namespace gradus::data {

CellReader::CellReader(std::string text, char delimiter, std::string where)
    : text_(std::move(text)), delimiter_(delimiter), where_(std::move(where)) {
  if (std::string_view(text_).starts_with("\xEF\xBB\xBF")) position_ = 3;
}

bool CellReader::next_row() {
  while (!at_end()) {
    cells_.clear();
    row_line_ = line_;
    row_is_quoted_ = false;
    cells_.push_back(read_cell());
    while (!at_line_end()) {
      ++position_;  // the delimiter
      cells_.push_back(read_cell());
    }
    skip_line_end();
    if (cells_.size() > 1 || !cells_[0].empty() || row_is_quoted_) return true;
  }
  return false;
}

bool CellReader::at_blank() const {
  return !at_end() && (text_[position_] == ' ' || text_[position_] == '\t') && text_[position_] != delimiter_;
}

void CellReader::skip_blanks() {
  while (at_blank()) ++position_;
}

void CellReader::skip_line_end() {
  if (at_end()) return;
  if (text_[position_] == '\r' && position_ + 1 < text_.size() && text_[position_ + 1] == '\n') ++position_;
  ++position_;
  ++line_;
}

std::string_view CellReader::read_cell() {
  skip_blanks();
  if (!at_end() && text_[position_] == '"') return read_quoted();
  const std::size_t start = position_;
  std::size_t end = position_;  // of the last character that isn't blank
  while (!at_line_end() && text_[position_] != delimiter_) {
    const bool blank = at_blank();
    ++position_;
    if (!blank) end = position_;
  }
  return std::string_view(text_).substr(start, end - start);
}

// A doubled quote stands for one: the cell is put together in place, behind the reading position.
std::string_view CellReader::read_quoted() {
  const std::int64_t opened = line_;
  row_is_quoted_ = true;
  const std::size_t start = ++position_;
  std::size_t write = start;
  while (true) {
    if (at_end()) throw Error(formatted("{}:{}: a quoted cell has no closing quote", where_, opened));
    const char c = text_[position_++];
    if (c == '"') {
      if (at_end() || text_[position_] != '"') break;
      ++position_;
    }
    if (c == '\n' || (c == '\r' && !(position_ < text_.size() && text_[position_] == '\n'))) ++line_;
    text_[write++] = c;
  }
  skip_blanks();
  if (!at_line_end() && text_[position_] != delimiter_) {
    throw Error(formatted("{}:{}: text after a closing quote: {}", where_, line_,
                          quoted_excerpt(std::string_view(text_).substr(position_, 1))));
  }
  return std::string_view(text_).substr(start, write - start);
}

std::string quoted_excerpt(std::string_view text) {
  constexpr std::size_t longest = 40;
  std::string result = "\"";
  for (const char c : text.substr(0, longest)) {
    const auto code = static_cast<unsigned char>(c);
    if (code < 0x20 || code == 0x7F)
      result += formatted("\\x{:02x}", code);
    else
      result += c;
  }
  result += '"';
  if (text.size() > longest) result += formatted("... ({} characters)", text.size());
  return result;
}

}  // namespace gradus::data
