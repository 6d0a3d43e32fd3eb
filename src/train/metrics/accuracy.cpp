// Shares of samples that are right.

#include <cmath>
#include <limits>

#include "gradus/train/metrics.hpp"
#include "storage/format.hpp"
#include "tensor/impl.hpp"
#include "train/metrics/labels.hpp"
#include "train/read_entry.hpp"

namespace gradus::train {
namespace {

class Share : public Metric {
 public:
  void reset() override { right_ = seen_ = 0; }
  double value() const override {
    if (seen_ == 0) return std::numeric_limits<double>::quiet_NaN();
    return static_cast<double>(right_) / static_cast<double>(seen_);
  }
  std::map<std::string, Tensor> state_dict() const override {
    return {{"counts", tensor(std::vector<std::int64_t>{right_, seen_})}};
  }
  void load_state_dict(const std::map<std::string, Tensor>& state) override {
    const auto counts = read_entry<std::int64_t>(name(), state, "counts", 2);
    right_ = counts[0];
    seen_ = counts[1];
  }

 protected:
  void count(bool right) {
    right_ += right;
    ++seen_;
  }

 private:
  std::int64_t right_ = 0, seen_ = 0;
};

class Accuracy : public Share {
 public:
  explicit Accuracy(const AccuracyOptions& options) : options_{options.threshold, options.ignore_index} {}

  std::string name() const override { return "accuracy"; }
  void update(const Tensor& prediction, const Tensor& target) override {
    read_labels("accuracy", prediction, target, options_, labels_);
    for (std::size_t i = 0; i < labels_.target.size(); ++i) count(labels_.predicted[i] == labels_.target[i]);
  }

 private:
  LabelOptions options_;
  Labels labels_;
};

class TopKAccuracy : public Share {
 public:
  explicit TopKAccuracy(const TopKOptions& options) : options_(options) {
    if (options.k < 1) fail("top_k_accuracy: k must be positive: {}", options.k);
  }

  std::string name() const override { return formatted("top_{}_accuracy", options_.k); }
  void update(const Tensor& prediction, const Tensor& target) override {
    const ScoreLayout layout = score_layout("top_k_accuracy", prediction.shape(), target.shape());
    read_integers("top_k_accuracy", target, labels_);
    const Tensor scores = prediction.contiguous();
    dispatch_floating("top_k_accuracy", scores.dtype(), [&]<class T>() {
      const T* all = scores.data<T>().data();
      for (std::int64_t place = 0; place < layout.outer * layout.inner; ++place) {
        const std::int64_t label = labels_[static_cast<std::size_t>(place)];
        if (label == options_.ignore_index) continue;
        check_label("top_k_accuracy", label, layout.classes);
        const std::int64_t outer = place / layout.inner, inner = place % layout.inner;
        count(rank(all + outer * layout.classes * layout.inner + inner, layout, label) < options_.k);
      }
    });
  }

 private:
  // How many classes come before the label's: with larger scores (NaN is largest), or with the same one and first.
  template <class T>
  static std::int64_t rank(const T* scores, const ScoreLayout& layout, std::int64_t label) {
    const T own = scores[label * layout.inner];
    std::int64_t before = 0;
    for (std::int64_t c = 0; c < layout.classes; ++c) {
      const T other = scores[c * layout.inner];
      const bool is_equal = other == own || (std::isnan(other) && std::isnan(own));
      before += is_equal ? c < label : other > own || std::isnan(other);
    }
    return before;
  }

  TopKOptions options_;
  std::vector<std::int64_t> labels_;
};

}  // namespace

std::shared_ptr<Metric> accuracy(const AccuracyOptions& options) { return std::make_shared<Accuracy>(options); }
std::shared_ptr<Metric> top_k_accuracy(const TopKOptions& options) { return std::make_shared<TopKAccuracy>(options); }
std::shared_ptr<Metric> top_k_accuracy(std::int64_t k) { return top_k_accuracy(TopKOptions{.k = k}); }

}  // namespace gradus::train
