#include "gradus/csv_cells.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

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

bool is_number(const std::string& cell) {
  double ignored = 0;
  return is_number(cell, ignored);
}

// A name, and not what stands for a number that is missing.
bool is_word(const std::string& cell) {
  static const std::set<std::string> missing = {"", "?", "-", "NA", "N/A", "na", "n/a", "None", "null", "NULL"};
  return !missing.contains(cell) && !is_number(cell);
}

using Rows = std::vector<std::vector<std::string>>;

bool is_name_of_numbers(const Rows& rows, std::size_t column) {
  return is_word(rows[0][column]) &&
         std::all_of(rows.begin() + 1, rows.end(), [&](const auto& row) { return !is_word(row[column]); }) &&
         std::any_of(rows.begin() + 1, rows.end(), [&](const auto& row) { return is_number(row[column]); });
}

// Unnamed columns are counted by who writes them. Two numbers alone, or beside a word that comes again, are a sample.
bool counts_columns(const Rows& rows) {
  std::int64_t numbers = 0, first = 0;
  for (std::size_t i = 0; i < rows[0].size(); ++i) {
    const std::string& cell = rows[0][i];
    if (is_number(cell)) {
      if (numbers == 0) first = cell == "0" ? 0 : 1;
      if (cell != std::to_string(first + numbers)) return false;
      ++numbers;
    } else if (std::any_of(rows.begin() + 1, rows.end(), [&](const auto& row) { return row[i] == cell; })) {
      return false;
    }
  }
  return numbers >= 2 && rows[0].size() >= 3;
}

bool has_header(const Rows& rows) {
  const std::vector<std::string>& first = rows[0];
  if (std::ranges::all_of(first, &std::string::empty)) return false;
  if (std::ranges::none_of(first, [](const std::string& cell) { return is_number(cell); })) return true;
  for (std::size_t i = 0; i < first.size(); ++i) {
    if (is_name_of_numbers(rows, i)) return true;
  }
  return rows.size() > 1 && counts_columns(rows);
}

void check_utf8(const std::string& path, std::string_view text) {
  const std::size_t valid = utf8_length(text);
  if (valid == text.size()) return;
  const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(valid), '\n');
  throw Error(fmt::format("{}:{}: is not UTF-8", printable(path), line));
}

void name_columns(CsvCells& table, Header header) {
  if (header == Header::yes || (header == Header::guess && has_header(table.rows))) {
    table.names = table.rows.front();
    table.rows.erase(table.rows.begin());
    const std::size_t line = table.lines.front();
    table.lines.erase(table.lines.begin());
    std::set<std::string> seen;
    for (const std::string& name : table.names) {
      if (!seen.insert(name).second)
        throw Error(fmt::format("{}:{}: two columns have the name '{}'", printable(table.path), line, printable(name)));
    }
  } else {
    for (std::size_t i = 1; i <= table.rows.front().size(); ++i) table.names.push_back(fmt::format("column {}", i));
  }
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

std::string CsvCells::place(std::size_t row, std::size_t column) const {
  const std::string& name = names[column];
  return fmt::format("{}:{}: {}{}", printable(path), lines[row], name.starts_with("column ") ? "" : "column ",
                     printable(name));
}

double CsvCells::number(std::size_t row, std::size_t column) const {
  const std::string& text = rows[row][column];
  double value = 0;
  if (is_number(text, value) && std::isfinite(value)) return value;
  throw Error(fmt::format("{}: {}: '{}'", place(row, column),
                          text.empty() ? "a number is missing" : "not a finite number", printable(text.substr(0, 40))));
}

Header header_called(const std::string& name) {
  check_known("--header: answer", name, {"auto", "yes", "no"});
  return name == "yes" ? Header::yes : name == "no" ? Header::no : Header::guess;
}

CsvCells parse_csv(const std::string& path, std::string_view text, Header header) {
  check_utf8(path, text);
  CsvCells table{.path = path, .names = {}, .rows = {}, .lines = {}};
  Reader reader(path, text);
  std::vector<std::string> row;
  while (reader.next(row)) {
    if (!table.rows.empty() && row.size() != table.rows.front().size()) {
      throw Error(fmt::format("{}:{}: rows differ in length: {} cells, the first row has {}", printable(path),
                              reader.first_line(), row.size(), table.rows.front().size()));
    }
    table.rows.push_back(row);
    table.lines.push_back(reader.first_line());
  }
  if (!table.rows.empty()) name_columns(table, header);
  if (table.rows.empty()) throw Error(printable(path) + ": has no rows");
  return table;
}

CsvCells read_csv_cells(const std::string& path, Header header) {
  return parse_csv(path, data::read_text(path), header);
}

std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

}  // namespace gradus::tool
