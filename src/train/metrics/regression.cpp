// Errors of predicted numbers.
#include <algorithm>
#include <cmath>
#include <limits>

#include "gradus/train/metrics.hpp"
#include "tensor/impl.hpp"
#include "train/read_entry.hpp"

namespace gradus::train {
namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

// Calls visit(index, prediction, target) for all elements.
template <class Visit>
void for_each_pair(const char* op, const Tensor& prediction, const Tensor& target, const Visit& visit) {
  if (prediction.shape() != target.shape())
    fail("{}: prediction and target must have the same shape: {} and {}", op, prediction.shape(), target.shape());
  const Tensor said = prediction.contiguous(), wanted = target.contiguous();
  dispatch(said.dtype(), [&]<class P>() {
    dispatch(wanted.dtype(), [&]<class T>() {
      const auto p = said.data<P>();
      const auto t = wanted.data<T>();
      for (std::size_t i = 0; i < p.size(); ++i) visit(i, static_cast<double>(p[i]), static_cast<double>(t[i]));
    });
  });
}

enum class Measure : std::uint8_t { absolute, squared, root };

class MeanError : public Metric {
 public:
  explicit MeanError(Measure kind) : kind_(kind) {}

  std::string name() const override { return op(); }
  void reset() override { sum_ = count_ = 0; }
  void update(const Tensor& prediction, const Tensor& target) override {
    double sum = 0;  // of the batch by itself: rounding then grows with the number of batches, not of elements
    for_each_pair(op(), prediction, target, [&](std::size_t, double said, double wanted) {
      const double error = said - wanted;
      sum += kind_ == Measure::absolute ? std::abs(error) : error * error;
    });
    sum_ += sum;
    count_ += static_cast<double>(prediction.numel());
  }
  double value() const override {
    if (count_ == 0) return missing;
    return kind_ == Measure::root ? std::sqrt(sum_ / count_) : sum_ / count_;
  }
  std::map<std::string, Tensor> state_dict() const override {
    return {{"sums", tensor(std::vector<double>{sum_, count_})}};
  }
  void load_state_dict(const std::map<std::string, Tensor>& state) override {
    const auto sums = read_entry<double>(op(), state, "sums", 2);
    sum_ = sums[0];
    count_ = sums[1];
  }

 private:
  const char* op() const {
    if (kind_ == Measure::absolute) return "mae";
    return kind_ == Measure::squared ? "mse" : "rmse";
  }

  Measure kind_;
  double sum_ = 0, count_ = 0;
};

// Variances of batches are merged as in Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for
// computing sample variances" (1979): no difference of large sums, so a large mean costs no digits.
class R2Score : public Metric {
 public:
  std::string name() const override { return "r2_score"; }
  void reset() override {
    count_ = 0;
    columns_.clear();
  }

  void update(const Tensor& prediction, const Tensor& target) override {
    if (target.numel() == 0 || target.dim() == 0) fail("r2_score: there is no sample: {}", target.shape());
    const double rows = static_cast<double>(target.size(0));
    const auto width = static_cast<std::size_t>(target.numel() / target.size(0));
    if (count_ > 0 && columns_.size() != width)
      fail("r2_score: a batch of {} columns after batches of {}", width, columns_.size());
    std::vector<Column> batch(width);
    std::vector<double> first(width);  // means are taken of the differences from it: of equal numbers they are exact
    for_each_pair("r2_score", prediction, target, [&](std::size_t i, double said, double wanted) {
      const std::size_t c = i % width;
      if (i < width) first[c] = wanted;
      batch[c].mean += (wanted - first[c]) / rows;
      batch[c].residual += (wanted - said) * (wanted - said);
    });
    for (std::size_t c = 0; c < width; ++c) batch[c].mean += first[c];
    for_each_pair("r2_score", prediction, target, [&](std::size_t i, double, double wanted) {
      Column& column = batch[i % width];
      column.spread += (wanted - column.mean) * (wanted - column.mean);
    });
    columns_.resize(width);
    for (std::size_t c = 0; c < width; ++c) merge(columns_[c], batch[c], rows);
    count_ += rows;
  }

  double value() const override {
    double sum = 0;
    for (const Column& column : columns_) sum += score(column);
    return count_ < 2 ? missing : sum / static_cast<double>(columns_.size());
  }

  std::map<std::string, Tensor> state_dict() const override {
    std::vector<double> sums = {count_};
    for (const Column& c : columns_) sums.insert(sums.end(), {c.mean, c.spread, c.residual});
    return {{"sums", tensor(sums)}};
  }
  void load_state_dict(const std::map<std::string, Tensor>& state) override {
    const auto sums = read_entry<double>("r2_score", state, "sums");
    if (sums.size() % 3 != 1) fail("r2_score: not its state: sums has {} entries", sums.size());
    count_ = sums[0];
    columns_.clear();
    for (std::size_t i = 1; i < sums.size(); i += 3) columns_.push_back({sums[i], sums[i + 1], sums[i + 2]});
  }

 private:
  struct Column {
    double mean = 0;
    double spread = 0;    // sum (target - mean)^2
    double residual = 0;  // sum (target - prediction)^2
  };

  void merge(Column& all, const Column& batch, double rows) const {
    const double total = count_ + rows, shift = batch.mean - all.mean;
    all.mean += shift * (rows / total);
    all.spread += batch.spread + shift * shift * (count_ * rows / total);
    all.residual += batch.residual;
  }

  static double score(const Column& column) {
    if (column.spread == 0) return column.residual == 0 ? 1 : 0;
    return 1 - column.residual / column.spread;
  }

  double count_ = 0;
  std::vector<Column> columns_;
};

}  // namespace

std::shared_ptr<Metric> mae() { return std::make_shared<MeanError>(Measure::absolute); }
std::shared_ptr<Metric> mse() { return std::make_shared<MeanError>(Measure::squared); }
std::shared_ptr<Metric> rmse() { return std::make_shared<MeanError>(Measure::root); }
std::shared_ptr<Metric> r2_score() { return std::make_shared<R2Score>(); }

}  // namespace gradus::train
