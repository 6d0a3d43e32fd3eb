// Rules on the curves of a run.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "gradus/train/diagnose.hpp"
#include "storage/format.hpp"
#include "train/diagnose/finding.hpp"

namespace gradus::train {
namespace {

using doctor::report;
using enum Illness;

double mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// Each value with its neighbours, so that single epochs don't count for much.
std::vector<double> smoothed(std::span<const double> values, std::size_t reach) {
  std::vector<double> result;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t begin = i - std::min(i, reach), end = std::min(values.size(), i + reach + 1);
    result.push_back(mean(values.subspan(begin, end - begin)));
  }
  return result;
}

// What rules ask of a curve of finite values.
struct Curve {
  explicit Curve(const std::vector<double>& curve)
      : raw(curve), n(raw.size()), reach(n / 20), values(smoothed(raw, reach)) {
    best = static_cast<std::size_t>(std::ranges::min_element(values) - values.begin());
  }
  double first() const { return values.front(); }
  double least() const { return values[best]; }
  double gained() const { return first() - least(); }
  // The last tenth, two epochs at least.
  std::size_t tail() const { return std::min(n, std::max<std::size_t>(2, n / 10)); }
  double end() const { return mean(std::span(raw).last(tail())); }
  // Readers look these numbers up in their history: means are called means.
  std::string least_text() const {
    const std::size_t begin = best - std::min(best, reach), end = std::min(n, best + reach + 1);
    const std::string text = formatted("{:.3g} at epoch {}", least(), best + 1);
    return reach == 0 ? text : text + formatted(" (mean of epochs {} to {})", begin + 1, end);
  }
  std::string end_text() const { return formatted("{:.3g} (mean of the last {} epochs)", end(), tail()); }
  // Mean change from epoch to epoch in the second half.
  double swing() const {
    double sum = 0;
    for (std::size_t i = n / 2 + 1; i < n; ++i) sum += std::abs(raw[i] - raw[i - 1]);
    return sum / static_cast<double>(n - n / 2 - 1);
  }
  // Share of the epochs in the second half at which it turns round.
  double turns() const {
    std::size_t count = 0, all = 0;
    for (std::size_t i = n / 2 + 1; i + 1 < n; ++i, ++all) count += (raw[i] - raw[i - 1]) * (raw[i + 1] - raw[i]) < 0;
    return all == 0 ? 0 : static_cast<double>(count) / static_cast<double>(all);
  }

  const std::vector<double>& raw;
  std::size_t n, reach;
  std::vector<double> values;
  std::size_t best;
};

bool is_not_finite(double value) { return !std::isfinite(value); }

// Nothing is left to gain: the rest is rounding.
bool is_solved(double loss) { return std::abs(loss) <= 1e-6; }

// True if there is a loss that is not a number: what follows can't be judged.
bool judge_finite(Diagnosis& diagnosis, const std::vector<double>& loss) {
  const auto bad = std::ranges::find_if(loss, is_not_finite);
  if (bad == loss.end()) return false;
  const auto epoch = bad - loss.begin() + 1;
  report(diagnosis, nonfinite, "loss", *bad, 0,
         formatted("The loss is {} at epoch {} of {}.", *bad, epoch, loss.size()));
  return true;
}

bool judge_divergence(Diagnosis& diagnosis, const Curve& loss, const HistoryLimits& limits) {
  const double rise = loss.end() - loss.least();
  // A loss that never fell has gained nothing to compare with: a tenth of it stands in.
  const double scale = std::max(loss.gained(), 0.1 * std::abs(loss.first()));
  const double share = scale > 0 ? rise / scale : 0;
  if (!(share > limits.divergence && loss.best + 2 < loss.n) || (loss.turns() > 0.5 && loss.end() < loss.first())) {
    return false;
  }
  report(diagnosis, divergence, "loss", share, limits.divergence,
         formatted("The loss rose from {} to {}, by {:.3g} of what had been gained (limit {:g}).", loss.least_text(),
                   loss.end_text(), share, limits.divergence));
  return true;
}

bool judge_oscillation(Diagnosis& diagnosis, const Curve& loss, const HistoryLimits& limits) {
  const double gained = loss.first() - std::min(loss.least(), loss.end());
  const double share = gained > 0 ? loss.swing() / gained : 0;
  const bool is_visible = loss.swing() > 0.05 * std::abs(loss.end());
  if (!(share > limits.oscillation && loss.turns() > limits.turns && is_visible)) return false;
  report(diagnosis, oscillation, "loss", share, limits.oscillation,
         formatted("The loss changes by {:.3g} from epoch to epoch, {:.3g} of all that was gained (limit {:g}), and "
                   "turns round after {:.0f} % of the epochs.",
                   loss.swing(), share, limits.oscillation, 100 * loss.turns()));
  report(diagnosis, learning_rate_high, "", share, limits.oscillation,
         "A loss that jumps up and down around its mean is a sign of steps that are too long.");
  return true;
}

// The longest stretch in which hardly anything is gained, if much is gained after it.
std::pair<std::size_t, std::size_t> longest_rest(const Curve& loss) {
  std::pair<std::size_t, std::size_t> longest{0, 0};
  for (std::size_t begin = 0, end = 0; begin < loss.n; ++begin) {
    end = std::max(end, begin);
    while (end + 1 < loss.n && std::abs(loss.values[end + 1] - loss.values[begin]) < 0.02 * loss.gained()) ++end;
    const bool much_follows = loss.values[end] - loss.least() > 0.3 * loss.gained() && loss.best > end;
    if (much_follows && end - begin > longest.second - longest.first) longest = {begin, end};
  }
  return longest;
}

bool judge_plateau(Diagnosis& diagnosis, const Curve& loss, const HistoryLimits& limits) {
  const double share = loss.first() != 0 ? loss.gained() / std::abs(loss.first()) : 0;
  if (share < limits.plateau) {
    report(diagnosis, plateau, "loss", share, limits.plateau,
           formatted("The loss fell from {:.4g} to {:.4g} in {} epochs, by {:.2g} % (limit {:g} %).", loss.first(),
                     loss.least(), loss.n, 100 * share, 100 * limits.plateau));
    return true;
  }
  const auto [begin, end] = longest_rest(loss);
  const double length = static_cast<double>(end - begin) / static_cast<double>(loss.n);
  if (length < limits.plateau_length || end - begin < 4) return false;
  report(diagnosis, plateau, "loss", length, limits.plateau_length,
         formatted("The loss stood still near {:.3g} from epoch {} to {}, {:.0f} % of the run (limit {:g} %), and "
                   "fell to {:.3g} afterwards.",
                   loss.values[end], begin + 1, end + 1, 100 * length, 100 * limits.plateau_length, loss.least()),
         "Pass it faster by momentum or Adam, a warm-up, normalization, or another initialization.");
  return true;
}

void judge_overfitting(Diagnosis& diagnosis, const Curve& loss, const Curve& valid, const HistoryLimits& limits) {
  const double rise = valid.end() - valid.least();
  const double share = valid.least() != 0 ? rise / std::abs(valid.least()) : 0;
  const bool training_went_on = loss.end() < loss.values[valid.best];
  if (!(share > limits.overfitting && rise > valid.swing() && training_went_on && valid.best + 3 < valid.n)) return;
  report(diagnosis, overfitting, "valid_loss", share, limits.overfitting,
         formatted("valid_loss rose from {} to {}, by {:.0f} % (limit {:g} %), while loss fell from {:.3g} to {:.3g} "
                   "(the same means).",
                   valid.least_text(), valid.end_text(), 100 * share, 100 * limits.overfitting, loss.values[valid.best],
                   loss.end()));
}

void judge_end(Diagnosis& diagnosis, const Curve& loss, const HistoryLimits& limits) {
  if (diagnosis.has(overfitting) || loss.gained() <= 0) return;
  const std::size_t before = loss.n - 1 - std::max<std::size_t>(1, loss.n / 5);
  const double share = (loss.values[before] - loss.values.back()) / loss.gained();
  if (share <= limits.still_falling || loss.turns() > limits.turns) return;
  if (loss.gained() < 0.3 * std::abs(loss.first())) {
    report(diagnosis, learning_rate_low, "", share, limits.still_falling,
           formatted("The loss fell by only {:.0f} % in {} epochs, and evenly: {:.0f} % of that in the last fifth of "
                     "them (limit {:g} %).",
                     100 * loss.gained() / std::abs(loss.first()), loss.n, 100 * share, 100 * limits.still_falling));
  } else {
    report(diagnosis, stopped_early, "", share, limits.still_falling,
           formatted("The last fifth of the epochs brought {:.0f} % of all that the loss fell (limit {:g} %).",
                     100 * share, 100 * limits.still_falling));
  }
}

// The column's median and its largest value, if there is one.
void judge_steps(Diagnosis& diagnosis, const History& history, const HistoryLimits& limits) {
  const auto column = [&](const char* name) {
    std::vector<double> values = history.contains(name) ? history.values(name) : std::vector<double>();
    std::erase_if(values, is_not_finite);
    std::ranges::sort(values);
    return values;
  };
  if (const auto norms = column("grad_norm"); !norms.empty() && norms.back() > limits.grad_norm) {
    report(diagnosis, exploding, "", norms.back(), limits.grad_norm,
           formatted("The gradient's norm reached {:.3g} (limit {:g}).", norms.back(), limits.grad_norm));
  }
  const auto ratios = column("update_ratio");
  if (ratios.empty()) return;
  const double median = ratios[ratios.size() / 2];
  diagnosis.measured.emplace_back("median update_ratio", median);
  if (median > limits.update_ratio) {
    report(diagnosis, learning_rate_high, "", median, limits.update_ratio,
           formatted("A step changes the weights by {:.2g} of their norm (limit {:g}, common is 0.001).", median,
                     limits.update_ratio));
  } else if (median < limits.least_update) {
    report(diagnosis, learning_rate_low, "", median, limits.least_update,
           formatted("A step changes the weights by {:.2g} of their norm (limit {:g}, common is 0.001).", median,
                     limits.least_update));
  }
}

void judge_curves(Diagnosis& diagnosis, const History& history, const HistoryLimits& limits) {
  const Curve loss(history.values("loss"));
  diagnosis.measured.emplace_back("first loss", loss.raw.front());
  diagnosis.measured.emplace_back("least loss", std::ranges::min(loss.raw));
  diagnosis.measured.emplace_back("last loss", loss.raw.back());
  if (history.size() < limits.least_epochs) return;
  if (std::ranges::all_of(loss.raw, is_solved)) return;
  const bool is_unsteady = judge_divergence(diagnosis, loss, limits) || judge_oscillation(diagnosis, loss, limits);
  if (is_unsteady || judge_plateau(diagnosis, loss, limits)) return;
  if (history.contains("valid_loss") && std::ranges::none_of(history.values("valid_loss"), is_not_finite)) {
    judge_overfitting(diagnosis, loss, Curve(history.values("valid_loss")), limits);
  }
  judge_end(diagnosis, loss, limits);
}

}  // namespace

Diagnosis diagnose(const History& history, const HistoryLimits& limits) {
  Diagnosis diagnosis;
  const std::vector<double>& loss = history.values("loss");
  diagnosis.measured.emplace_back("epochs", static_cast<double>(history.size()));
  if (!loss.empty() && !judge_finite(diagnosis, loss)) judge_curves(diagnosis, history, limits);
  judge_steps(diagnosis, history, limits);
  doctor::conclude(diagnosis);
  return diagnosis;
}

}  // namespace gradus::train
