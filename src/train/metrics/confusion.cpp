// Which class is taken for which.
#include <algorithm>
#include <cmath>
#include <limits>

#include "gradus/train/metrics.hpp"
#include "train/metrics/labels.hpp"
#include "train/read_entry.hpp"

namespace gradus::train {
namespace {

constexpr std::int64_t most_classes = 1 << 14;  // of which the matrix has 2 GB

void check_classes(std::int64_t classes) {
  if (classes > most_classes) fail("confusion_matrix: at most {} classes can be told apart: {}", most_classes, classes);
}

}  // namespace

ConfusionMatrix::ConfusionMatrix(const ConfusionOptions& options) : options_(options) {
  if (options.classes && *options.classes < 1) fail("confusion_matrix: classes must be positive: {}", *options.classes);
  if (options.classes) check_classes(*options.classes);
}

void ConfusionMatrix::reset() { std::ranges::fill(counts_, 0); }

void ConfusionMatrix::update(const Tensor& prediction, const Tensor& target) {
  Labels labels;
  read_labels("confusion_matrix", prediction, target, {options_.threshold, options_.ignore_index}, labels);
  if (!options_.classes) {
    grow(labels.classes);
  } else {
    grow(*options_.classes);
    for (const std::int64_t label : labels.predicted) check_label("confusion_matrix", label, classes_);
    for (const std::int64_t label : labels.target) check_label("confusion_matrix", label, classes_);
  }
  for (std::size_t i = 0; i < labels.target.size(); ++i)
    ++counts_[static_cast<std::size_t>(labels.target[i] * classes_ + labels.predicted[i])];
}

Tensor ConfusionMatrix::counts() const { return tensor(std::span<const std::int64_t>(counts_), {classes_, classes_}); }

double ConfusionMatrix::value() const {
  double sum = 0;
  std::int64_t seen = 0;
  for (std::int64_t c = 0; c < classes_; ++c) {
    const auto row =
        std::span(counts_).subspan(static_cast<std::size_t>(c * classes_), static_cast<std::size_t>(classes_));
    std::int64_t there = 0;
    for (const std::int64_t count : row) there += count;
    if (there == 0) continue;
    sum += static_cast<double>(row[static_cast<std::size_t>(c)]) / static_cast<double>(there);
    ++seen;
  }
  return seen == 0 ? std::numeric_limits<double>::quiet_NaN() : sum / static_cast<double>(seen);
}

std::map<std::string, Tensor> ConfusionMatrix::state_dict() const { return {{"counts", tensor(counts_)}}; }

void ConfusionMatrix::load_state_dict(const std::map<std::string, Tensor>& state) {
  auto counts = read_entry<std::int64_t>("confusion_matrix", state, "counts");
  const auto classes = static_cast<std::int64_t>(std::lround(std::sqrt(static_cast<double>(counts.size()))));
  if (classes * classes != static_cast<std::int64_t>(counts.size()))
    fail("confusion_matrix: not its state: counts has {} entries", counts.size());
  classes_ = classes;
  counts_ = std::move(counts);
}

void ConfusionMatrix::grow(std::int64_t classes) {
  if (classes <= classes_) return;
  check_classes(classes);
  std::vector<std::int64_t> grown(static_cast<std::size_t>(classes * classes));
  for (std::int64_t row = 0; row < classes_; ++row)
    std::copy_n(counts_.begin() + row * classes_, classes_, grown.begin() + row * classes);
  counts_ = std::move(grown);
  classes_ = classes;
}

Tensor confusion_matrix(const Tensor& prediction, const Tensor& target, const ConfusionOptions& options) {
  ConfusionMatrix matrix(options);
  matrix.update(prediction, target);
  return matrix.counts();
}

}  // namespace gradus::train
