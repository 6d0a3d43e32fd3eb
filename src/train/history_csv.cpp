// History as a table that every spreadsheet reads.

#include <charconv>
#include <cmath>
#include <iterator>
#include <limits>

#include "data/cells.hpp"
#include "data/file.hpp"
#include "gradus/error.hpp"
#include "gradus/train/history.hpp"
#include "storage/atomic_file.hpp"
#include "storage/format.hpp"

namespace gradus::train {
namespace {

// Readers take blanks around a cell for layout: a name that has any is quoted as well.
std::string csv_cell(const std::string& text) {
  const bool is_padded = text.empty() || text.find_first_of(" \t") == 0 || text.find_last_of(" \t") == text.size() - 1;
  if (!is_padded && text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

double parse_cell(std::string_view cell, const std::string& where, std::int64_t line) {
  if (cell.empty()) return std::numeric_limits<double>::quiet_NaN();
  double value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error != std::errc() || end != cell.data() + cell.size())
    throw Error(formatted("{}:{}: not a number: {}", where, line, data::quoted_excerpt(cell)));
  return value;
}

std::vector<NamedValue> empty_row(const std::vector<std::string>& names) {
  std::vector<NamedValue> row;
  for (const std::string& name : names) row.emplace_back(name, 0);
  return row;
}

}  // namespace

void History::save_csv(const std::string& path) const {
  std::string text;
  const auto end_cell = [&](std::size_t column) { text += column + 1 == names_.size() ? '\n' : ','; };
  for (std::size_t column = 0; column < names_.size(); ++column) {
    text += csv_cell(names_[column]);
    end_cell(column);
  }
  for (std::size_t row = 0; row < static_cast<std::size_t>(rows_); ++row) {
    for (std::size_t column = 0; column < columns_.size(); ++column) {
      const double value = columns_[column][row];
      if (!std::isnan(value))
        gradus::append(text, "{}", value);
      else if (columns_.size() == 1)
        text += "\"\"";  // an empty line would be no row
      end_cell(column);
    }
  }
  write_atomically("save_csv", path, text);
}

History History::load_csv(const std::string& path) {
  const std::string where = "load_csv: " + path;
  data::CellReader reader(data::read_text_file(where, path), ',', where);
  History history;
  if (!reader.next_row()) return history;
  const std::vector<std::string> names(reader.cells().begin(), reader.cells().end());
  try {
    history.append(empty_row(names));  // checks the names, once
  } catch (const Error& error) {
    throw Error(formatted("{}:{}: {}", where, reader.line(), error.what()));
  }
  history.rows_ = 0;
  for (auto& column : history.columns_) column.clear();
  while (reader.next_row()) {
    if (reader.cells().size() != names.size())
      throw Error(formatted("{}:{}: the header has {} cells, this row {}", where, reader.line(), names.size(),
                            reader.cells().size()));
    for (std::size_t i = 0; i < names.size(); ++i)
      history.columns_[i].push_back(parse_cell(reader.cells()[i], where, reader.line()));
    ++history.rows_;
  }
  return history;
}

}  // namespace gradus::train
