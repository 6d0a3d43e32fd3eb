// Precision, recall and their harmonic mean, from three counts per class.
#include <algorithm>
#include <cmath>
#include <limits>

#include "gradus/train/metrics.hpp"
#include "train/metrics/labels.hpp"
#include "train/read_entry.hpp"

namespace gradus::train {
namespace {

constexpr std::int64_t most_classes = 1 << 24;  // whose counts take 400 MB

struct ClassCounts {
  std::int64_t right = 0, predicted = 0, there = 0;

  bool occurs() const { return predicted + there > 0; }
};

double ratio(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

using Rule = double (*)(const ClassCounts&);

double precision_of(const ClassCounts& c) { return ratio(c.right, c.predicted); }
double recall_of(const ClassCounts& c) { return ratio(c.right, c.there); }
double f1_of(const ClassCounts& c) { return ratio(2 * c.right, c.predicted + c.there); }

class ClassScore : public Metric {
 public:
  ClassScore(const char* name, Rule rule, const ScoreOptions& options) : name_(name), rule_(rule), options_(options) {
    if (options.average == Average::binary && options.pos_label != 0 && options.pos_label != 1)
      fail("{}: pos_label must be 0 or 1: {}", name, options.pos_label);
  }

  std::string name() const override { return name_; }
  void reset() override { counts_.clear(); }

  void update(const Tensor& prediction, const Tensor& target) override {
    read_labels(name_, prediction, target, {options_.threshold, options_.ignore_index}, labels_);
    if (labels_.classes > most_classes)
      fail("{}: at most {} classes can be told apart: {}", name_, most_classes, labels_.classes);
    for (std::size_t i = 0; i < labels_.target.size(); ++i) {
      const std::int64_t said = labels_.predicted[i], wanted = labels_.target[i];
      if (options_.average == Average::binary && std::max(said, wanted) > 1)
        fail("{}: with more than two classes average must be micro, macro or weighted: class {}", name_,
             std::max(said, wanted));
      ++of(said).predicted;
      ++of(wanted).there;
      of(wanted).right += said == wanted;
    }
  }

  double value() const override {
    if (counts_.empty()) return std::numeric_limits<double>::quiet_NaN();
    switch (options_.average) {
      case Average::binary:
        return options_.pos_label < static_cast<std::int64_t>(counts_.size())
                   ? rule_(counts_[static_cast<std::size_t>(options_.pos_label)])
                   : 0;
      case Average::micro:
        return rule_(total());
      case Average::macro:
        return mean([](const ClassCounts& c) { return c.occurs() ? 1.0 : 0.0; });
      case Average::weighted:
        break;
    }
    return mean([](const ClassCounts& c) { return static_cast<double>(c.there); });
  }

  std::map<std::string, Tensor> state_dict() const override {
    std::vector<std::int64_t> counts;
    for (const ClassCounts& c : counts_) counts.insert(counts.end(), {c.right, c.predicted, c.there});
    return {{"counts", tensor(counts)}};
  }
  void load_state_dict(const std::map<std::string, Tensor>& state) override {
    const auto counts = read_entry<std::int64_t>(name_, state, "counts");
    if (counts.size() % 3 != 0) fail("{}: not its state: counts has {} entries", name_, counts.size());
    counts_.clear();
    for (std::size_t i = 0; i < counts.size(); i += 3) counts_.push_back({counts[i], counts[i + 1], counts[i + 2]});
  }

 private:
  ClassCounts& of(std::int64_t label) {
    const auto index = static_cast<std::size_t>(label);
    if (index >= counts_.size()) counts_.resize(index + 1);
    return counts_[index];
  }

  ClassCounts total() const {
    ClassCounts sum;
    for (const ClassCounts& c : counts_) {
      sum.right += c.right;
      sum.predicted += c.predicted;
      sum.there += c.there;
    }
    return sum;
  }

  template <class Weight>
  double mean(const Weight& weight) const {
    double sum = 0, weights = 0;
    for (const ClassCounts& c : counts_) {
      sum += weight(c) * rule_(c);
      weights += weight(c);
    }
    return sum / weights;
  }

  const char* name_;
  Rule rule_;
  ScoreOptions options_;
  Labels labels_;
  std::vector<ClassCounts> counts_;
};

}  // namespace

std::shared_ptr<Metric> precision(const ScoreOptions& options) {
  return std::make_shared<ClassScore>("precision", precision_of, options);
}
std::shared_ptr<Metric> recall(const ScoreOptions& options) {
  return std::make_shared<ClassScore>("recall", recall_of, options);
}
std::shared_ptr<Metric> f1_score(const ScoreOptions& options) {
  return std::make_shared<ClassScore>("f1_score", f1_of, options);
}

}  // namespace gradus::train
