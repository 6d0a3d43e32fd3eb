#include "gradus/optim/lr_find.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "optim/rewind.hpp"
#include "storage/atomic_file.hpp"
#include "storage/format.hpp"

namespace gradus::optim {
namespace {

void check(const LRFindOptions& o) {
  if (!(o.start_lr > 0 && o.start_lr < o.end_lr && std::isfinite(o.end_lr))) {
    fail("lr_find: start_lr and end_lr must be above 0 and in order, got {} and {}", o.start_lr, o.end_lr);
  }
  if (o.steps < 2) fail("lr_find: steps must be at least 2, got {}", o.steps);
  if (!(o.divergence > 1)) fail("lr_find: divergence must be above 1, got {}", o.divergence);
  if (!(o.smoothing >= 0 && o.smoothing < 1)) fail("lr_find: smoothing must be in [0, 1), got {}", o.smoothing);
}

// Sets the rate of group 0, and the others in proportion.
class Sweep {
 public:
  Sweep(Optimizer& optimizer, const LRFindOptions& o) : optimizer_(optimizer), options_(o) {
    const double first = optimizer.lr(0);
    for (std::int64_t g = 0; g < optimizer.group_count(); ++g) {
      shares_.push_back(optimizer.lr(g) == first ? 1 : optimizer.lr(g) / first);
      if (!std::isfinite(shares_.back())) fail("lr_find: group {} has a rate, group 0 has 0", g);
    }
  }

  double set(std::int64_t k) {
    const double share = static_cast<double>(k) / static_cast<double>(options_.steps - 1);
    const double lr = options_.start_lr * std::pow(options_.end_lr / options_.start_lr, share);
    for (std::size_t g = 0; g < shares_.size(); ++g) optimizer_.set_lr(static_cast<std::int64_t>(g), shares_[g] * lr);
    return lr;
  }

 private:
  Optimizer& optimizer_;
  const LRFindOptions& options_;
  std::vector<double> shares_;
};

// A running mean in which older losses count less and less: what can be known during the sweep.
class RunningMean {
 public:
  explicit RunningMean(double smoothing) : smoothing_(smoothing) {}
  double add(double loss) {
    sum_ = smoothing_ * sum_ + loss;
    weight_ = smoothing_ * weight_ + 1;
    return sum_ / weight_;
  }

 private:
  double smoothing_, sum_ = 0, weight_ = 0;
};

// Tells when the loss has left its least value far below. Four times a loss below 0 would be less, hence the distance.
class Watch {
 public:
  explicit Watch(const LRFindOptions& o) : mean_(o.smoothing), times_(o.divergence) {}
  bool has_diverged(double loss) {
    const double mean = mean_.add(loss);
    if (!std::isfinite(mean) || mean > least_ + (times_ - 1) * std::abs(least_)) return true;
    least_ = std::min(least_, mean);
    return false;
  }

 private:
  RunningMean mean_;
  double times_;
  double least_ = std::numeric_limits<double>::max();
};

// sum_j w^|i - j| loss_j / sum_j w^|i - j|: symmetric, so that the curve is not shifted to higher rates. Both sums are
// made of one pass from the left and one from the right.
std::vector<double> smooth(std::span<const double> losses, double w) {
  const std::size_t n = losses.size();
  std::vector<double> sums(n), weights(n);
  double sum = 0, weight = 0;
  for (std::size_t i = 0; i < n; ++i) {
    sums[i] = sum = w * sum + losses[i];
    weights[i] = weight = w * weight + 1;
  }
  sum = weight = 0;
  for (std::size_t i = n; i-- > 0;) {
    sums[i] += w * sum;
    weights[i] += w * weight;
    sum = w * sum + losses[i];
    weight = w * weight + 1;
  }
  for (std::size_t i = 0; i < n; ++i) sums[i] /= weights[i];
  return sums;
}

// The rates grow by the same factor each: the slope per log(lr) is a difference. Where the least loss has been passed,
// a loss that falls is only swinging.
std::optional<double> steepest(const std::vector<double>& lrs, const std::vector<double>& smoothed) {
  std::optional<double> where;
  if (smoothed.empty()) return where;
  const auto bottom = static_cast<std::size_t>(std::ranges::min_element(smoothed) - smoothed.begin());
  double least = 0;
  for (std::size_t i = 1; i < bottom; ++i) {
    const double slope = smoothed[i + 1] - smoothed[i - 1];
    if (slope < least) {
      least = slope;
      where = lrs[i];
    }
  }
  return where;
}

void run(Optimizer& optimizer, const Closure& closure, const LRFindOptions& o, LRFindResult& result) {
  Sweep sweep(optimizer, o);
  Watch watch(o);
  double lr = sweep.set(0);
  // The loss that step() returns is the one before it: it belongs to the rate before.
  watch.has_diverged(optimizer.step(closure).item());
  for (std::int64_t k = 0; k < o.steps && !result.diverged_at; ++k) {
    const bool is_last = k + 1 == o.steps;
    result.lrs.push_back(lr);
    if (!is_last) lr = sweep.set(k + 1);
    const double loss = (is_last ? closure() : optimizer.step(closure)).item();
    result.losses.push_back(loss);
    if (watch.has_diverged(loss)) result.diverged_at = result.lrs.back();
  }
}

// The smoothed curve, a character per rate, and below it a mark at the suggestion.
std::string picture(const LRFindResult& result) {
  constexpr std::size_t height = 10;
  const std::size_t count = result.smoothed.size() - (result.diverged_at ? 1 : 0);
  if (count < 2) return {};
  const std::span<const double> curve = std::span(result.smoothed).first(count);
  const auto [low, high] = std::ranges::minmax(curve);
  std::vector<std::string> lines(height, std::string(count, ' '));
  std::string axis(count, '-');
  for (std::size_t i = 0; i < count; ++i) {
    const double share = high > low ? (high - curve[i]) / (high - low) : 0;
    lines[static_cast<std::size_t>(std::lround(share * (height - 1)))][i] = '*';
    if (result.suggestion == result.lrs[i]) axis[i] = '^';
  }
  std::string text;
  for (std::size_t i = 0; i < height; ++i) {
    const std::string label = i == 0 ? formatted("{:.3g}", high) : i + 1 == height ? formatted("{:.3g}", low) : "";
    text += formatted("{:>10} |{}\n", label, lines[i]);
  }
  return text +
         formatted("{:>10} +{}\n{:>11} {:.3g} to {:.3g}\n", "", axis, "lr", result.lrs[0], result.lrs[count - 1]);
}

}  // namespace

LRFindResult lr_find(Optimizer& optimizer, Closure closure, const LRFindOptions& options) {
  check(options);
  LRFindResult result;
  {
    const Rewind rewind(optimizer);
    run(optimizer, closure, options, result);
  }
  // The burst itself, huge or NaN, would drown what was before it.
  const std::size_t usable = result.losses.size() - (result.diverged_at ? 1 : 0);
  result.smoothed = smooth(std::span(result.losses).first(usable), options.smoothing);
  result.suggestion = steepest(result.lrs, result.smoothed);
  if (result.diverged_at) result.smoothed.push_back(result.losses.back());
  return result;
}

std::string to_csv(const LRFindResult& result) {
  std::string text = "lr,loss,smoothed\n";
  for (std::size_t i = 0; i < result.lrs.size(); ++i) {
    text += formatted("{},{},{}\n", result.lrs[i], result.losses[i], result.smoothed[i]);
  }
  return text;
}

void save_csv(const LRFindResult& result, const std::string& path) {
  write_atomically("save_csv", path, to_csv(result));
}

std::string to_string(const LRFindResult& result) {
  std::string text = result.suggestion ? formatted("lr_find: the loss falls most steeply at a learning rate of {:.3g}",
                                                   *result.suggestion)
                                       : "lr_find: the loss never falls";
  text += result.diverged_at ? formatted("; it diverged at {:.3g}\n", *result.diverged_at) : "; it did not diverge\n";
  return text + picture(result);
}

}  // namespace gradus::optim
