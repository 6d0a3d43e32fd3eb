// Numeric tables. xtensor's load_csv would read them as well, but takes what isn't a number for 0 and ragged rows as
// they come; a training set needs to be told apart from a broken file.
#include "gradus/data/csv.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>
#include <system_error>

#include "data/cells.hpp"
#include "data/file.hpp"
#include "gradus/error.hpp"
#include "gradus/factory.hpp"
#include "storage/format.hpp"

namespace gradus::data {
namespace {

struct CellRule {
  Dtype dtype = float32;
  bool allow_nan = false;
};

void check_delimiter(const char* op, char delimiter) {
  const bool is_part_of_a_cell = std::isalnum(static_cast<unsigned char>(delimiter)) ||
                                 std::string_view("+-.\"\r\n").find(delimiter) != std::string_view::npos;
  if (is_part_of_a_cell || delimiter == '\0') {
    throw Error(formatted("{}: cannot be a delimiter: {}", op, quoted_excerpt({&delimiter, 1})));
  }
}

void check_dtype(const char* op, Dtype dtype) {
  if (dtype == boolean) throw Error(formatted("{}: dtype must be float32, float64 or int64: bool", op));
}

struct Number {
  double value = 0;
  std::errc error = {};
};

Number parse_number(std::string_view cell) {
  if (cell.starts_with('+') && !cell.starts_with("+-")) cell.remove_prefix(1);
  Number number;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), number.value);
  number.error = end == cell.data() + cell.size() ? error : std::errc::invalid_argument;
  return number;
}

bool is_missing(std::string_view cell) { return cell.empty() || cell == "NA"; }

class TableReader {
 public:
  TableReader(const char* op, const std::string& path, std::optional<bool> header, char delimiter)
      : where_(formatted("{}: {}", op, path)), reader_(read_text_file(where_, path), delimiter, where_) {
    check_delimiter(op, delimiter);
    has_row_ = reader_.next_row();
    if (has_row_) columns_ = reader_.cells().size();
    if (has_row_ && header.value_or(looks_like_header())) {
      names_.assign(reader_.cells().begin(), reader_.cells().end());
      has_row_ = reader_.next_row();
    }
    if (!has_row_) throw Error(formatted("{}: has no rows of numbers", where_));
  }

  const std::string& where() const { return where_; }
  const std::vector<std::string>& names() const { return names_; }
  std::size_t columns() const { return columns_; }

  // All cells row by row, one rule per column.
  std::vector<double> read(const std::vector<CellRule>& rules) {
    std::vector<double> values;
    for (; has_row_; has_row_ = reader_.next_row()) {
      check_width();
      for (std::size_t column = 0; column < columns_; ++column) values.push_back(value(column, rules[column]));
    }
    return values;
  }

 private:
  // No cell is a number, and not all are missing: a row of missing values is data.
  bool looks_like_header() const {
    const auto& cells = reader_.cells();
    return !std::ranges::all_of(cells, is_missing) && std::ranges::none_of(cells, [](std::string_view cell) {
      return parse_number(cell).error != std::errc::invalid_argument;
    });
  }

  void check_width() const {
    const std::size_t width = reader_.cells().size();
    if (width != columns_) {
      throw Error(formatted("{}:{}: rows differ in length: {} cells, the first row has {}", where_, reader_.line(),
                            width, columns_));
    }
  }

  double value(std::size_t column, const CellRule& rule) const {
    const std::string_view cell = reader_.cells()[column];
    if (is_missing(cell)) {
      if (!rule.allow_nan || rule.dtype == int64) fail(column, "a number is missing");
      return std::numeric_limits<double>::quiet_NaN();
    }
    const auto [number, error] = parse_number(cell);
    if (error == std::errc::invalid_argument) fail(column, "not a number");
    if (error != std::errc()) fail(column, "out of the range of float64");
    if (rule.dtype == int64) {
      // From 2^53 on a double may have been rounded.
      if (!(std::abs(number) < 0x1p53) || number != std::trunc(number)) fail(column, "not a whole number below 2^53");
    } else if (!std::isfinite(number)) {
      if (!rule.allow_nan) fail(column, "not a finite number");
    } else if (rule.dtype == float32 && std::abs(number) > std::numeric_limits<float>::max()) {
      fail(column, "out of the range of float32");
    }
    return number;
  }

  [[noreturn]] void fail(std::size_t column, const char* problem) const {
    const std::string name = names_.empty() ? "" : formatted(" ({})", names_[column]);
    throw Error(formatted("{}:{}: column {}{}: {}: {}", where_, reader_.line(), column + 1, name, problem,
                          quoted_excerpt(reader_.cells()[column])));
  }

  std::string where_;
  CellReader reader_;
  bool has_row_ = false;
  std::size_t columns_ = 0;
  std::vector<std::string> names_;
};

std::size_t find_column(const TableReader& table, std::int64_t index) {
  const auto columns = static_cast<std::int64_t>(table.columns());
  if (index < -columns || index >= columns) {
    throw Error(formatted("{}: target column {} is not among its {} columns", table.where(), index, columns));
  }
  return static_cast<std::size_t>(index < 0 ? index + columns : index);
}

std::string listed(const std::vector<std::string>& names) {
  if (names.empty()) return "it has no header";
  constexpr std::size_t most = 12;
  std::string text = "there are";
  for (std::size_t i = 0; i < std::min(most, names.size()); ++i) text.append(" ").append(quoted_excerpt(names[i]));
  return names.size() > most ? text + formatted(" and {} more", names.size() - most) : text;
}

std::size_t find_column(const TableReader& table, const std::string& name) {
  const auto& names = table.names();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end() || std::find(found + 1, names.end(), name) != names.end()) {
    throw Error(formatted("{}: {} column is named {}: {}", table.where(), found == names.end() ? "no" : "more than one",
                          quoted_excerpt(name), listed(names)));
  }
  return static_cast<std::size_t>(found - names.begin());
}

Tensor matrix(const std::vector<double>& values, std::size_t columns, Dtype dtype) {
  const auto width = static_cast<std::int64_t>(columns);
  return tensor(std::span<const double>(values), {static_cast<std::int64_t>(values.size()) / width, width},
                {.dtype = dtype});
}

}  // namespace

Table read_table(const std::string& path, const TableOptions& options) {
  check_dtype("read_table", options.dtype);
  TableReader table("read_table", path, options.header, options.delimiter);
  const std::vector<CellRule> rules(table.columns(), {options.dtype, options.allow_nan});
  const std::vector<double> values = table.read(rules);
  return {table.names(), matrix(values, table.columns(), options.dtype)};
}

Dataset read_csv(const std::string& path, const CsvOptions& options) {
  const Dtype target_dtype = options.target_dtype.value_or(options.dtype);
  check_dtype("read_csv", options.dtype);
  check_dtype("read_csv", target_dtype);
  TableReader table("read_csv", path, options.header, options.delimiter);
  const std::size_t target = std::visit([&](const auto& key) { return find_column(table, key); }, options.target);
  if (table.columns() < 2) {
    throw Error(formatted("{}: a target and at least one feature take 2 columns or more: 1", table.where()));
  }
  std::vector<CellRule> rules(table.columns(), {options.dtype, options.allow_nan});
  rules[target] = {target_dtype, false};
  const std::vector<double> cells = table.read(rules);

  std::vector<double> x, y;
  for (std::size_t i = 0; i < cells.size(); ++i) (i % table.columns() == target ? y : x).push_back(cells[i]);
  return {matrix(x, table.columns() - 1, options.dtype), tensor(y, {.dtype = target_dtype})};
}

}  // namespace gradus::data
