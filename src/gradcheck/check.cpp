#include "gradcheck/check.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "gradcheck/fast.hpp"
#include "gradus/autograd.hpp"
#include "gradus/ops.hpp"
#include "storage/format.hpp"

namespace gradus::check {
namespace {

constexpr std::size_t listed = 8;  // entries per input that the report keeps

bool same_bits(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0);
}

// The worse verdict wins; among equals the first reason stays.
void raise(GradcheckReport& report, Verdict verdict, const std::string& reason) {
  if (verdict <= report.verdict) return;
  report.verdict = verdict;
  report.reason = reason;
}

// How badly an entry does: by how many tolerances it is off.
double badness(const GradcheckEntry& e) {
  const double error = e.absolute_error() + (std::isfinite(e.error_bar) ? e.error_bar : 0);
  const double verdict = 1e30 * static_cast<double>(e.verdict);
  return verdict + (std::isnan(error) ? 1e29 : error / std::max(e.tolerance, 1e-300));
}

std::vector<Cotangent> cotangents(std::int64_t count, const Plan& plan) {
  Generator generator(plan.seed + 1);
  std::vector<Cotangent> rows;
  if (count <= plan.max_rows) {
    for (std::int64_t i = 0; i < count; ++i) rows.push_back({.unit = i, .weights = {}});
    rows.push_back(random_cotangent(count, generator));
  } else {
    for (int i = 0; i < 2; ++i) rows.push_back(random_cotangent(count, generator));
  }
  return rows;
}

// Which output, and which of its elements, an element of all outputs is.
void locate(GradcheckEntry& entry, std::int64_t unit, const std::vector<Tensor>& outputs) {
  if (unit < 0) return;
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    if (unit < outputs[k].numel()) {
      entry.output = static_cast<std::int64_t>(k);
      entry.output_element = unit;
      return;
    }
    unit -= outputs[k].numel();
  }
}

class Comparison {
 public:
  Comparison(const Subject& subject, const std::vector<std::string>& names, const Plan& plan)
      : subject_(subject), plan_(plan), base_(subject.sample()) {
    report_.rtol = plan.rtol;
    report_.atol = plan.atol;
    report_.fast = plan.fast;
    for (std::size_t i = 0; i < subject.variables().size(); ++i) {
      const Tensor& variable = subject.variables()[i];
      GradcheckInput input;
      input.name = names[i];
      input.shape = variable.shape();
      input.dtype = variable.dtype();
      report_.inputs.push_back(input);
    }
  }

  GradcheckReport run() {
    if (!behaves() || !differentiate()) return std::move(report_);
    if (plan_.fast) {
      check_directions(subject_, base_, *recorded_, plan_, report_);
    } else {
      for (std::size_t i = 0; i < subject_.variables().size(); ++i) check_elements(i);
    }
    for (const GradcheckInput& input : report_.inputs) {
      if (input.verdict != Verdict::pass) raise(report_, input.verdict, in_words(input));
    }
    return std::move(report_);
  }

 private:
  // Things that have to be right before any number means something. False: nothing more can be said.
  bool behaves() {
    if (!base_.finite) {
      raise(report_, Verdict::inconclusive, "the function's value is not finite");
      return false;
    }
    std::vector<std::vector<double>> before;
    for (const Tensor& variable : subject_.variables()) before.push_back(values_of(variable));
    const Sample again = subject_.sample();
    for (std::size_t i = 0; i < before.size(); ++i) {
      if (same_bits(before[i], values_of(subject_.variables()[i]))) continue;
      raise(report_, Verdict::fail, "the function changes its input " + report_.inputs[i].name + " in place");
      write_values(subject_.variables()[i], before[i]);
    }
    if (report_.failed()) return false;
    if (!same_bits(base_.values, again.values)) {
      raise(
          report_, Verdict::inconclusive,
          "the function is not deterministic: two runs at the same point differ (pass its generators in .generators)");
      return false;
    }
    return true;
  }

  // The analytic gradients; false if there are none.
  bool differentiate() {
    recorded_ = std::make_unique<Recorded>(subject_);
    if (plan_.fast) {
      rows_ = cotangents(recorded_->count(), {.rtol = 0, .atol = 0, .max_rows = 0, .seed = plan_.seed});
    } else {
      rows_ = cotangents(recorded_->count(), plan_);
    }
    if (recorded_->count() == 0) return false;
    try {
      if (!plan_.fast) {
        for (const Cotangent& row : rows_) gradients_.push_back(recorded_->gradient(row));
      }
      const Gradient once = recorded_->gradient(rows_.back());
      const Gradient twice = recorded_->gradient(rows_.back());
      for (std::size_t i = 0; i < once.size(); ++i) {
        if (same_bits(once[i], twice[i])) continue;
        raise(report_, Verdict::fail,
              "the backward pass is not reproducible: two of them differ in the gradient of " + report_.inputs[i].name);
      }
    } catch (const Error& error) {
      raise(report_, Verdict::fail, std::string("the backward pass fails: ") + error.what());
      return false;
    }
    return true;
  }

  void check_elements(std::size_t variable) {
    GradcheckInput& input = report_.inputs[variable];
    for (std::int64_t element = 0; element < input.shape.numel(); ++element) {
      Line line(subject_, {.variable = variable, .element = element, .weights = {}}, base_);
      for (std::size_t row = 0; row < rows_.size(); ++row) {
        GradcheckEntry entry;
        entry.element = element;
        locate(entry, rows_[row].unit, recorded_->outputs());
        entry.analytic = gradients_[row][variable][static_cast<std::size_t>(element)];
        judge_on(line, rows_[row], base_, plan_, entry, std::abs(entry.analytic), input.failed < 4);
        count(input, entry);
      }
    }
  }

  static std::string in_words(const GradcheckInput& input) {
    const GradcheckEntry& worst = input.worst.front();
    if (input.verdict == Verdict::fail) {
      return formatted("the derivative by {} is wrong: analytic {:.9g}, numeric {:.9g} ({} of {} entries)", input.name,
                       worst.analytic, worst.numeric, input.failed, input.checked);
    }
    return formatted("the derivative by {} can't be judged: {} ({} of {} entries)", input.name, worst.reason,
                     input.inconclusive, input.checked);
  }

  const Subject& subject_;
  const Plan plan_;
  const Sample base_;
  GradcheckReport report_;
  std::unique_ptr<Recorded> recorded_;
  std::vector<Cotangent> rows_;
  std::vector<Gradient> gradients_;  // per row
};

}  // namespace

Plan plan_of(const GradcheckOptions& options, Dtype dtype) {
  const bool single = dtype == float32;
  return {.rtol = options.rtol >= 0 ? options.rtol
                  : single          ? 3e-3
                                    : 1e-5,
          .atol = options.atol >= 0 ? options.atol
                  : single          ? 1e-4
                                    : 1e-10,
          .fast = options.fast,
          .confidence = options.confidence,
          .max_rows = options.max_jacobian_rows,
          .seed = options.seed};
}

Recorded::Recorded(const Subject& subject, std::vector<Tensor> outputs)
    : subject_(subject), outputs_(std::move(outputs)), recorded_versions_(versions()) {
  for (const Tensor& output : outputs_) count_ += output.numel();
}

std::uint64_t Recorded::versions() const {
  std::uint64_t sum = 0;
  for (const Tensor& variable : subject_.variables()) sum += variable.version();
  return sum;
}

Gradient Recorded::gradient(const Cotangent& cotangent) {
  if (versions() != recorded_versions_) {
    outputs_ = subject_.run();
    recorded_versions_ = versions();
  }
  Gradient total;
  for (const Tensor& variable : subject_.variables()) total.emplace_back(variable.numel(), 0.0);
  std::int64_t start = 0;
  for (const Tensor& output : outputs_) {
    const std::int64_t first = std::exchange(start, start + output.numel());
    const bool touched = cotangent.unit < 0 || (cotangent.unit >= first && cotangent.unit < start);
    if (!output.requires_grad() || output.numel() == 0 || !touched) continue;
    std::vector<double> weights(static_cast<std::size_t>(output.numel()), 0.0);
    if (cotangent.unit >= 0)
      weights[static_cast<std::size_t>(cotangent.unit - first)] = 1;
    else
      std::copy_n(cotangent.weights.begin() + first, output.numel(), weights.begin());
    const std::vector<Tensor> part = grad(output, subject_.variables(),
                                          {.grad_outputs = from_values(weights, output.shape(), output.dtype()),
                                           .retain_graph = true,
                                           .allow_unused = true});
    for (std::size_t i = 0; i < part.size(); ++i) {
      if (!part[i].defined()) continue;
      const std::vector<double> values = values_of(part[i]);
      for (std::size_t j = 0; j < values.size(); ++j) total[i][j] += values[j];
    }
  }
  return total;
}

Cotangent random_cotangent(std::int64_t count, Generator& generator) {
  return {.unit = -1, .weights = random_weights(count, generator)};
}

void judge(GradcheckEntry& entry, const Estimate& estimate) {
  entry.numeric = estimate.value;
  entry.error_bar = estimate.bar;
  const double error = std::abs(entry.analytic - entry.numeric);
  if ((entry.analytic == 0 && entry.numeric == 0 && !estimate.at_kink) || error + entry.error_bar <= entry.tolerance) {
    entry.verdict = Verdict::pass;  // values that do not change at all prove a zero, whatever their round-off
  } else if (estimate.at_kink) {
    entry.verdict = Verdict::inconclusive;
    const double low = std::min(estimate.left, estimate.right), high = std::max(estimate.left, estimate.right);
    const double slack = 1e-6 * std::max(std::abs(low), std::abs(high));
    entry.reason = formatted(
        "{}: the one-sided derivatives are {:.6g} and {:.6g}, the analytic {:.6g} {}", estimate.doubt, estimate.left,
        estimate.right, entry.analytic,
        entry.analytic >= low - slack && entry.analytic <= high + slack ? "lies between" : "does not lie between");
  } else if (!std::isfinite(entry.analytic) && std::isfinite(estimate.value)) {
    entry.verdict = Verdict::fail;
    entry.reason = "the analytic value is not finite";
  } else if (error - entry.error_bar > entry.tolerance) {
    entry.verdict = Verdict::fail;
    entry.reason = "they differ";
  } else {
    entry.verdict = Verdict::inconclusive;
    entry.reason = estimate.doubt.empty() ? "round-off: the numeric value is not known well enough" : estimate.doubt;
  }
}

namespace {

// An output next to 0 may be the difference of larger numbers, and round-off all that is left of its derivative. What
// is negligible beside the largest output need not be known better.
void pass_if_negligible(GradcheckEntry& entry, const Sample& base, double atol) {
  double largest = 0;
  for (const double value : base.values) largest = std::max(largest, std::abs(value));
  const double size = std::max(std::abs(entry.analytic), std::abs(entry.numeric) + entry.error_bar);
  if (entry.output < 0 || !(size <= atol * largest / 2)) return;
  entry.tolerance = atol * largest;
  entry.verdict = Verdict::pass;
  entry.reason.clear();
}

}  // namespace

void judge_on(Line& line, const Cotangent& row, const Sample& base, const Plan& plan, GradcheckEntry& entry,
              double size, bool confirm) {
  const double scale = row.magnitude(base.values) / line.scale();
  const auto judged = [&](const Estimate& estimate) {
    const double numeric = std::isfinite(estimate.value) && entry.element >= 0 ? std::abs(estimate.value) : 0;
    entry.tolerance = plan.rtol * std::max(size, numeric) + plan.atol * scale;
    judge(entry, estimate);
    return entry.verdict == Verdict::pass;
  };
  if (judged(line.quick(row)) || (entry.verdict == Verdict::fail && !confirm)) return;
  Estimate estimate = line.careful(row, entry.analytic);
  if (judged(estimate) || estimate.at_kink || (entry.verdict == Verdict::fail && !confirm)) return;
  // Waves and poles may look smooth to steps that happen to fit, or like noise to long ones: no verdict against the
  // tape on the word of one length of steps.
  for (const double length : line.other_lengths()) {
    const Estimate other = line.careful(row, entry.analytic, length);
    if (judged(other)) return;
    estimate = reconciled(estimate, other);
  }
  judged(estimate);
  if (entry.verdict == Verdict::fail && entry.numeric == 0 && line.is_flat(row)) {
    // Not a bit of the values changes: that they are constant is known up to the round-off of what they are made of.
    if (std::abs(entry.analytic) <= line.unseen_slope()) {
      entry.verdict = Verdict::inconclusive;
      entry.reason = "round-off: no value changes, but they are made of numbers so large that none would";
    }
  } else if (entry.verdict == Verdict::fail && line.has_hidden_kink(row)) {
    judged(line.at_kink(row));
  }
  if (entry.verdict == Verdict::inconclusive) pass_if_negligible(entry, base, plan.atol / line.scale());
  // A zero that is computed as 1e-18 has derivatives that mean as little.
  if (entry.verdict == Verdict::fail) pass_if_negligible(entry, base, 64 * line.epsilon() / line.scale());
}

void count(GradcheckInput& input, const GradcheckEntry& entry) {
  ++input.checked;
  if (entry.verdict == Verdict::fail) ++input.failed;
  if (entry.verdict == Verdict::inconclusive) ++input.inconclusive;
  input.verdict = std::max(input.verdict, entry.verdict);
  const auto worse = [](const GradcheckEntry& a, const GradcheckEntry& b) { return badness(a) > badness(b); };
  if (input.worst.size() == listed && !worse(entry, input.worst.back())) return;
  input.worst.insert(std::upper_bound(input.worst.begin(), input.worst.end(), entry, worse), entry);
  if (input.worst.size() > listed) input.worst.pop_back();
}

GradcheckReport compare(const Subject& subject, const std::vector<std::string>& names, const Plan& plan) {
  return Comparison(subject, names, plan).run();
}

}  // namespace gradus::check
