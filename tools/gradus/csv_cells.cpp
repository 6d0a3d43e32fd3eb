#include "gradus/csv_cells.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include <gradus/data/text.hpp>
#include <gradus/error.hpp>

#include "gradus/words.hpp"

namespace gradus::tool {
namespace {

class Reader {
 public:
  Reader(const std::string& path, std::string_view text) : path_(path), text_(text) {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;  // the mark that spreadsheets write before UTF-8
  }

  std::size_t line() const { return line_; }

  // One record; blank lines are passed over. False at the end.
  bool next(std::vector<std::string>& row) {
    while (at_ < text_.size() && (text_[at_] == '\n' || text_[at_] == '\r')) end_line();
    if (at_ >= text_.size()) return false;
    row.clear();
    first_line_ = line_;
    for (bool more = true; more;) {
      row.push_back(at_ < text_.size() && text_[at_] == '"' ? quoted() : plain());
      more = at_ < text_.size() && text_[at_] == ',';
      if (more) ++at_;
    }
    end_line();
    return true;
  }
  std::size_t first_line() const { return first_line_; }

 private:
  void end_line() {
    if (at_ >= text_.size()) return;
    if (text_[at_] == '\r') ++at_;
    if (at_ < text_.size() && text_[at_] == '\n') ++at_;
    ++line_;
  }
  std::string plain() {
    const std::size_t end = std::min(text_.find_first_of(",\r\n", at_), text_.size());
    std::string_view cell = text_.substr(at_, end - at_);
    at_ = end;
    while (cell.starts_with(' ')) cell.remove_prefix(1);
    while (cell.ends_with(' ')) cell.remove_suffix(1);
    return std::string(cell);
  }
  std::string quoted() {
    std::string cell;
    for (++at_;; ++at_) {
      if (at_ >= text_.size()) throw Error(fmt::format("{}:{}: a quote is not closed", path_, first_line_));
      if (text_[at_] == '"' && !(at_ + 1 < text_.size() && text_[at_ + 1] == '"')) break;
      if (text_[at_] == '"') ++at_;
      if (text_[at_] == '\n') ++line_;
      cell += text_[at_];
    }
    ++at_;
    if (at_ < text_.size() && text_.find_first_of(",\r\n", at_) != at_) {
      throw Error(fmt::format("{}:{}: more follows a closing quote", path_, line_));
    }
    return cell;
  }

  const std::string& path_;
  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t first_line_ = 1;
};

bool is_number(const std::string& cell, double& value) {
  const char* begin = cell.data() + (cell.starts_with('+') ? 1 : 0);
  const auto [end, error] = std::from_chars(begin, cell.data() + cell.size(), value);
  return error == std::errc() && end == cell.data() + cell.size();
}

bool is_header(const std::vector<std::string>& row) {
  double ignored = 0;
  return !std::ranges::all_of(row, &std::string::empty) &&
         std::ranges::none_of(row, [&](const std::string& cell) { return is_number(cell, ignored); });
}

}  // namespace

std::optional<std::size_t> CsvCells::find(const std::string& name) const {
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<std::size_t>(found - names.begin());
}

std::size_t CsvCells::column(const std::string& name) const {
  if (const auto found = find(name)) return *found;
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error == std::errc() && end == name.data() + name.size() && number >= 1 && number <= names.size())
    return number - 1;
  refuse_unknown(printable(path) + ": column", name, names);
}

double CsvCells::number(std::size_t row, std::size_t column) const {
  const std::string& text = rows[row][column];
  double value = 0;
  if (is_number(text, value) && std::isfinite(value)) return value;
  throw Error(fmt::format("{}:{}: column {}: {}: '{}'", printable(path), lines[row], printable(names[column]),
                          text.empty() ? "a number is missing" : "not a finite number", printable(text.substr(0, 40))));
}

CsvCells parse_csv(const std::string& path, std::string_view text) {
  CsvCells table{.path = path, .names = {}, .rows = {}, .lines = {}};
  Reader reader(path, text);
  std::vector<std::string> row;
  while (reader.next(row)) {
    if (table.names.empty()) {
      if (is_header(row)) {
        table.names = row;
        continue;
      }
      for (std::size_t i = 1; i <= row.size(); ++i) table.names.push_back(fmt::format("column {}", i));
    }
    if (row.size() != table.names.size()) {
      throw Error(fmt::format("{}:{}: rows differ in length: {} cells, the first row has {}", printable(path),
                              reader.first_line(), row.size(), table.names.size()));
    }
    table.rows.push_back(row);
    table.lines.push_back(reader.first_line());
  }
  if (table.rows.empty()) throw Error(printable(path) + ": has no rows");
  return table;
}

CsvCells read_csv_cells(const std::string& path) { return parse_csv(path, data::read_text(path)); }

std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

}  // namespace gradus::tool
