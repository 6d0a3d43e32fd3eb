// Metrics with the semantics of scikit-learn, gathered from batch to batch: fit(..., {.metrics = {train::accuracy()}}).
//
// Where classes are predicted, a batch is one of
//   scores (n, classes), labels (n)                 the class with the largest score, the first among equals
//   scores (n, classes, ...) or (..., classes)      for labels (n, ...) or (...), as in cross_entropy and in text
//   scores (n, classes), shares (n, classes)        the class with the largest share
//   scores (n) or (n, 1), labels (n) or (n, 1)      two classes; 1 where the score is above the threshold
//   labels (...), labels (...)                      predictions that are integers
// Labels may have any dtype but are whole numbers: smoothed ones are rounded by the caller. What can't be read so is an
// Error, as is a label that is no class.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "gradus/tensor.hpp"
#include "gradus/train/metric.hpp"

namespace gradus::train {

struct AccuracyOptions {
  double threshold = 0;  // of a single score: 0 for logits, 0.5 for probabilities
  std::int64_t ignore_index = -100;
};

// The share of samples whose class is right.
std::shared_ptr<Metric> accuracy(const AccuracyOptions& options = {});

struct TopKOptions {
  std::int64_t k = 5;
  std::int64_t ignore_index = -100;
};

// The share of samples whose class is among those with the k largest scores: "top_5_accuracy". Needs scores.
std::shared_ptr<Metric> top_k_accuracy(const TopKOptions& options = {});
std::shared_ptr<Metric> top_k_accuracy(std::int64_t k);

// mean |prediction - target|, over all elements. Both must have the same shape: (n) and (n, 1) would be a mistake.
std::shared_ptr<Metric> mae();
// mean (prediction - target)^2
std::shared_ptr<Metric> mse();
// sqrt(mean (prediction - target)^2)
std::shared_ptr<Metric> rmse();
// 1 - sum (prediction - target)^2 / sum (target - mean)^2, the mean of it over the columns of (n, outputs). A target
// that does not vary gives 1 if it is predicted exactly, else 0.
std::shared_ptr<Metric> r2_score();

enum class Average : std::uint8_t {
  binary,    // of class pos_label alone, with labels 0 and 1
  micro,     // of all decisions together: the accuracy
  macro,     // the mean over the classes that were there or were predicted
  weighted,  // the same, weighted by how often a class was there
};

struct ScoreOptions {
  Average average = Average::binary;
  std::int64_t pos_label = 1;
  double threshold = 0;
  std::int64_t ignore_index = -100;
};

// right / predicted, by class. 0 for a class that was never predicted.
std::shared_ptr<Metric> precision(const ScoreOptions& options = {});
// right / there, by class. 0 for a class that was never there.
std::shared_ptr<Metric> recall(const ScoreOptions& options = {});
// 2 precision recall / (precision + recall), by class
std::shared_ptr<Metric> f1_score(const ScoreOptions& options = {});

struct ConfusionOptions {
  std::optional<std::int64_t> classes = {};  // default: as many as there are scores, or as the largest label asks for
  double threshold = 0;
  std::int64_t ignore_index = -100;
};

// How often class i (row) was taken for class j (column): int64, (classes, classes).
Tensor confusion_matrix(const Tensor& prediction, const Tensor& target, const ConfusionOptions& options = {});

// The same from batch to batch. As a metric it is the balanced accuracy: the mean over the classes of the share that
// was found.
class ConfusionMatrix : public Metric {
 public:
  explicit ConfusionMatrix(const ConfusionOptions& options = {});

  std::int64_t classes() const { return classes_; }
  Tensor counts() const;

  std::string name() const override { return "balanced_accuracy"; }
  void reset() override;
  void update(const Tensor& prediction, const Tensor& target) override;
  double value() const override;
  std::map<std::string, Tensor> state_dict() const override;
  void load_state_dict(const std::map<std::string, Tensor>& state) override;

 private:
  void grow(std::int64_t classes);

  ConfusionOptions options_;
  std::int64_t classes_ = 0;
  std::vector<std::int64_t> counts_;  // row-major
};

}  // namespace gradus::train
