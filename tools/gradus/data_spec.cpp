#include "gradus/data_spec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <set>

#include <gradus/error.hpp>
#include <gradus/factory.hpp>
#include <gradus/ops.hpp>

#include "gradus/bundled.hpp"
#include "gradus/words.hpp"

namespace gradus::tool {
namespace {

// A target of whole numbers is a label if there are so few of them.
constexpr std::size_t most_classes = 20;
const std::vector<std::string> fetched = {"mnist", "fashion-mnist"};

bool is_whole(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789", text[0] == '-' ? 1 : 0) == std::string::npos &&
         text != "-";
}

bool are_numbers(const CsvCells& table, std::size_t column) {
  try {
    for (std::size_t row = 0; row < table.rows.size(); ++row) table.number(row, column);
    return true;
  } catch (const Error&) {
    return false;
  }
}

std::vector<std::string> distinct(const CsvCells& table, std::size_t column) {
  std::set<std::string> words;
  for (const auto& row : table.rows) words.insert(row[column]);
  std::vector<std::string> sorted(words.begin(), words.end());
  if (are_numbers(table, column))
    std::ranges::stable_sort(sorted, {}, [](const std::string& word) { return to_number("target", word); });
  return sorted;
}

Task task_of(const CsvCells& table, std::size_t target, const std::string& wanted) {
  check_known("task", wanted, {"auto", "classification", "regression"});
  if (wanted != "auto") return wanted == "regression" ? Task::regression : Task::classification;
  if (!are_numbers(table, target)) return Task::classification;
  const bool whole = std::ranges::all_of(table.rows, [&](const auto& row) { return is_whole(row[target]); });
  return whole && distinct(table, target).size() <= most_classes ? Task::classification : Task::regression;
}

// Digits, MNIST and its relatives: one channel, classes 0 to 9.
Encoding encoding_of_images(const data::Dataset& images) {
  Encoding encoding;
  encoding.target = "label";
  encoding.input = {images.x.size(1), images.x.size(2), images.x.size(3)};
  for (int i = 0; i < 10; ++i) encoding.classes.push_back(std::to_string(i));
  const std::int64_t pixels = encoding.input.numel();
  for (std::int64_t i = 1; i <= pixels; ++i) encoding.features.push_back(fmt::format("pixel {}", i));
  return encoding;
}

// Where every second row has a class of its own, they are names or texts, of which nothing can be learnt.
void check_classes(const CsvCells& table, const Encoding& encoding) {
  if (encoding.task != Task::classification) return;
  const std::size_t classes = encoding.classes.size(), rows = table.rows.size();
  if (classes < 2)
    throw Error(fmt::format("{}: the target {} has one value only: '{}'", printable(table.path),
                            printable(encoding.target), printable(encoding.classes[0])));
  if (classes > most_classes && classes > rows / 2)
    throw Error(fmt::format("{}: the target {} has {} values in {} rows: these are no classes", printable(table.path),
                            printable(encoding.target), classes, rows));
}

Encoding encoding_of_table(const CsvCells& table, const DataOptions& options) {
  Encoding encoding;
  const std::size_t target = options.target.empty() ? table.names.size() - 1 : table.column(options.target);
  if (table.names.size() < 2)
    throw Error(fmt::format("{}: a target and at least one feature take 2 columns or more: 1", printable(table.path)));
  encoding.task = task_of(table, target, options.task);
  encoding.target = table.names[target];
  for (std::size_t i = 0; i < table.names.size(); ++i) {
    if (i != target) encoding.features.push_back(table.names[i]);
  }
  encoding.input = {static_cast<std::int64_t>(encoding.features.size())};
  if (encoding.task == Task::classification) encoding.classes = distinct(table, target);
  check_classes(table, encoding);
  return encoding;
}

// Pixels are alike, so one mean and one scale do for all of them; columns of a table have their own.
void standardise(Data& data) {
  Encoding& encoding = data.encoding;
  if (encoding.input.size() == 1) {
    const data::StandardScaler scaler(data.train.x);
    encoding.mean = scaler.mean();
    encoding.scale = scaler.scale();
  } else {
    encoding.mean = data.train.x.mean();
    encoding.scale = std(data.train.x);
  }
  for (data::Dataset* part : {&data.train, &data.valid}) part->x = (part->x - encoding.mean) / encoding.scale;
  if (encoding.task == Task::classification) return;
  const data::StandardScaler scaler(data.train.y);
  encoding.target_mean = scaler.mean().flatten()[0];
  encoding.target_scale = scaler.scale().flatten()[0];
  for (data::Dataset* part : {&data.train, &data.valid}) part->y = scaler.transform(part->y);
}

data::Dataset sampled(const data::Dataset& all, std::int64_t samples, std::uint64_t seed) {
  if (samples <= 0 || samples >= all.size()) return all;
  return all.split(static_cast<double>(samples) / static_cast<double>(all.size()), {.seed = seed}).first;
}

void split(Data& data, const data::Dataset& all, const DataOptions& options, std::uint64_t seed) {
  const double valid = options.valid.value_or(default_valid);
  if (!(valid > 0 && valid < 1)) throw Error(fmt::format("--valid must be above 0 and below 1: {}", valid));
  std::tie(data.train, data.valid) = sampled(all, options.samples, seed).split(1 - valid, {.seed = seed});
}

bool is_fetched(const std::string& name) { return std::ranges::find(fetched, name) != fetched.end(); }

std::string folder_of(const std::string& name) {
  std::string folder = data::stored(name);
  if (!std::filesystem::exists(folder))
    throw Error(fmt::format("{}: is not there yet; gradus data fetch {}", name, name));
  return folder;
}

// Images have one target and one task, and some have a test part of their own.
void check_image_options(const DataOptions& options) {
  if (!options.target.empty() && options.target != "label")
    throw Error(fmt::format("--target: {} has one only, label: {}", options.name, printable(options.target)));
  if (options.task != "auto" && options.task != "classification")
    throw Error(fmt::format("--task: {} is for classification: {}", options.name, printable(options.task)));
  if (options.valid && is_fetched(options.name))
    throw Error(fmt::format("--valid: {} has a test part of its own, which is held out", options.name));
}

Data load_images(const DataOptions& options, std::uint64_t seed) {
  check_image_options(options);
  Data data{.name = options.name, .encoding = {}, .train = {}, .valid = {}};
  if (options.name == "digits") {
    data::Dataset digits = data::digits();
    digits.x = digits.x.reshape({-1, 1, 8, 8});
    split(data, digits, options, seed);
  } else {
    const std::string folder = folder_of(options.name);
    data.train = sampled(data::mnist(folder), options.samples, seed);
    data.valid = sampled(data::mnist(folder, {.train = false}), (options.samples + 4) / 5, seed);
  }
  data.encoding = encoding_of_images(data.train);
  return data;
}

Data load_table(const CsvCells& table, const DataOptions& options, std::uint64_t seed) {
  Data data{.name = options.name, .encoding = encoding_of_table(table, options), .train = {}, .valid = {}};
  const Tensor x = features_of(table, data.encoding);
  split(data, {x, target_of(table, *table.find(data.encoding.target), data.encoding)}, options, seed);
  return data;
}

}  // namespace

std::string_view to_string(Task task) { return task == Task::classification ? "classification" : "regression"; }

std::int64_t Encoding::outputs() const {
  return task == Task::classification ? static_cast<std::int64_t>(classes.size()) : 1;
}

Tensor Encoding::encode(const Tensor& raw) const {
  Shape shape = input;
  shape.insert(0, raw.size(0));
  return (raw.reshape(shape) - mean) / scale;
}

std::vector<std::string> known_data() {
  std::vector<std::string> names = bundled_tables();
  names.insert(names.begin(), "digits");
  names.insert(names.end(), fetched.begin(), fetched.end());
  return names;
}

std::string checksum(const Data& data) {
  std::uint64_t sum = 0xCBF29CE484222325U;  // FNV-1a
  for (const Tensor& part : {data.train.x, data.train.y, data.valid.x, data.valid.y}) {
    const Tensor values = part.to(float64).contiguous();
    for (const std::byte byte : std::as_bytes(values.data<double>()))
      sum = (sum ^ std::to_integer<std::uint64_t>(byte)) * 0x100000001B3U;
  }
  return fmt::format("{:016x}", sum);
}

std::optional<data::Dataset> images_called(const std::string& name) {
  if (name != "digits" && !is_fetched(name)) return std::nullopt;
  const data::Dataset images = name == "digits" ? data::digits() : data::mnist(folder_of(name), {.train = false});
  return data::Dataset{images.x.reshape({images.size(), -1}), images.y};
}

CsvCells read_table_of(const std::string& name, Header header) {
  if (const auto text = bundled_table(name)) return parse_csv(name, *text);
  if (std::filesystem::exists(name)) return read_csv_cells(name, header);
  if (name.find_first_of("./") != std::string::npos) throw Error(printable(name) + ": there is no such file");
  refuse_unknown("data set or file", name, known_data());
}

Tensor features_of(const CsvCells& table, const Encoding& encoding) {
  std::vector<std::size_t> columns;
  for (const std::string& name : encoding.features) columns.push_back(table.column(name));
  std::vector<double> values;
  values.reserve(columns.size() * table.rows.size());
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    for (const std::size_t column : columns) values.push_back(table.number(row, column));
  }
  const Shape shape{static_cast<std::int64_t>(table.rows.size()), static_cast<std::int64_t>(columns.size())};
  return tensor(std::span<const double>(values), shape, {.dtype = float32});
}

Tensor target_of(const CsvCells& table, std::size_t column, const Encoding& encoding) {
  if (encoding.task == Task::regression) {
    std::vector<double> values;
    for (std::size_t row = 0; row < table.rows.size(); ++row) values.push_back(table.number(row, column));
    return tensor(values, {.dtype = float32}).reshape({-1, 1});
  }
  std::vector<std::int64_t> labels;
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    const auto found = std::ranges::find(encoding.classes, table.rows[row][column]);
    if (found == encoding.classes.end())
      throw Error(fmt::format("{}: not a class that is known: '{}'", table.place(row, column),
                              printable(table.rows[row][column])));
    labels.push_back(found - encoding.classes.begin());
  }
  return tensor(labels);
}

Data load_data(const DataOptions& options, std::uint64_t seed) {
  const bool is_image = options.name == "digits" || is_fetched(options.name);
  const bool is_path = options.name.find_first_of("./") != std::string::npos || std::filesystem::exists(options.name);
  if (!is_path) check_known("data set or file", options.name, known_data());
  const Header header = header_called(options.header);
  Data data = is_image ? load_images(options, seed) : load_table(read_table_of(options.name, header), options, seed);
  standardise(data);
  return data;
}

}  // namespace gradus::tool
