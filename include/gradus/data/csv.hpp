// Tables of numbers in text files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "gradus/data/dataset.hpp"

namespace gradus::data {

struct TableOptions {
  std::optional<bool> header = {};  // default: the first row is a header if none of its cells is a number
  char delimiter = ',';
  Dtype dtype = float32;   // float32, float64, or int64 (then every cell must be a whole number)
  bool allow_nan = false;  // empty cells, NA, nan and inf are accepted (empty and NA as NaN), otherwise refused
};

struct Table {
  std::vector<std::string> names;  // of the columns; empty without a header
  Tensor values;                   // (rows, columns)
};

// Reads comma-separated numbers as in RFC 4180: quoted cells, any line ends, blank lines skipped.
// Throws Error with file, line, column and the received text for anything that isn't a number, and for ragged rows.
Table read_table(const std::string& path, const TableOptions& options = {});

struct CsvOptions {
  std::optional<bool> header = {};
  char delimiter = ',';
  std::variant<std::int64_t, std::string> target =
      std::int64_t{-1};                    // column by index (negative: from the end) or name
  Dtype dtype = float32;                   // of x
  std::optional<Dtype> target_dtype = {};  // of y; default: dtype. int64 for class labels.
  bool allow_nan = false;                  // in x; a target is never allowed to be missing
};

// The same as a dataset: one column is the target y (rows,), the others are the features x (rows, columns - 1).
Dataset read_csv(const std::string& path, const CsvOptions& options = {});

}  // namespace gradus::data
