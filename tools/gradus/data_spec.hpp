// What to learn from: a CSV file, or a data set that is known by its name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gradus/data.hpp>

#include "gradus/csv_cells.hpp"

namespace gradus::tool {

enum class Task : std::uint8_t { classification, regression };
std::string_view to_string(Task task);

inline constexpr double default_valid = 0.2;

struct DataOptions {
  std::string name;                  // of a data set, or the path of a CSV file
  std::string target;                // a column's name, or its number from 1; default: the last
  std::string task = "auto";         // or classification, regression
  std::string header = "auto";       // or yes, no: of a CSV file
  std::optional<double> valid = {};  // the share of samples that is held out; default: 0.2, or the set's own test part
  std::int64_t samples = 0;          // only so many, chosen by the seed; 0: all
};

// How cells become inputs, and outputs become answers: all that has to be known to use a model on new data.
struct Encoding {
  Task task = Task::classification;
  std::vector<std::string> features;  // the columns
  std::string target;
  std::vector<std::string> classes;  // in the order of the outputs; none for regression
  Shape input;                       // of one sample: (features), or (channels, height, width)
  Tensor mean, scale;                // of the inputs: x becomes (x - mean) / scale
  Tensor target_mean, target_scale;  // of the target of a regression, ()

  std::int64_t outputs() const;
  // (n, features) -> (n, ...input), standardised.
  Tensor encode(const Tensor& raw) const;
};

struct Data {
  std::string name;
  Encoding encoding;
  data::Dataset train, valid;  // standardised by what the training part alone says

  std::int64_t size() const { return train.size() + valid.size(); }
};

// The names of data sets, those that must be fetched first included.
std::vector<std::string> known_data();
// The same seed gives the same parts. Throws if there is no such data, naming what there is.
Data load_data(const DataOptions& options, std::uint64_t seed);

// Of the numbers that are learnt from: a file may have changed under its name.
std::string checksum(const Data& data);

// Images known by their name, as rows of pixels, with their labels: all digits, or the test part of what was fetched.
std::optional<data::Dataset> images_called(const std::string& name);
// The table of that name or path, as it is.
CsvCells read_table_of(const std::string& name, Header header = Header::guess);
// The features of a table, columns found by their names: (rows, features). Throws if one is not there.
Tensor features_of(const CsvCells& table, const Encoding& encoding);
// The target as the model counts it: (rows), class numbers; or (rows, 1), in its own units.
Tensor target_of(const CsvCells& table, std::size_t column, const Encoding& encoding);

}  // namespace gradus::tool
