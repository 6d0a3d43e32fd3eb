// Inputs and targets, and the first number that isn't finite.
#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>

#include "gradus/autograd.hpp"
#include "gradus/ops.hpp"
#include "storage/format.hpp"
#include "train/diagnose/probe.hpp"
#include "train/diagnose/rules.hpp"
#include "train/diagnose/statistics.hpp"

namespace gradus::train::doctor {
namespace {

using enum Illness;

// With more classes than this the targets are words, which are never even.
constexpr std::int64_t most_classes = 50;

struct Feature {
  double mean = 0, deviation = 0;
  double size() const { return std::hypot(mean, deviation); }
};

std::vector<Feature> features_of(const Tensor& x) {
  const Tensor units = by_unit(x.to(float64)).contiguous();
  const Tensor means = units.mean({1}).contiguous(), deviations = units.std({1}, {.correction = 0}).contiguous();
  std::vector<Feature> features;
  for (std::int64_t i = 0; i < units.size(0); ++i) features.push_back({means[i].item(), deviations[i].item()});
  return features;
}

// How many samples have each class; none if the targets aren't one class for each sample.
std::vector<double> class_counts(const Tensor& y, const LossKind& kind) {
  const bool is_one_each = y.dim() == 1 || (y.dim() == 2 && y.size(1) == 1);
  if (!is_one_each || kind.classes < 2 || kind.classes > most_classes) return {};
  std::vector<double> counts(static_cast<std::size_t>(kind.classes));
  const Tensor classes = y.to(int64).reshape({-1}).contiguous();
  for (const std::int64_t c : classes.data<std::int64_t>()) {
    if (c >= 0 && c < kind.classes) ++counts[static_cast<std::size_t>(c)];
  }
  return counts;
}

void judge_classes(Diagnosis& diagnosis, const Tensor& y, const LossKind& kind, double limit) {
  const std::vector<double> counts = class_counts(y, kind);
  double total = 0, entropy = 0;
  for (const double count : counts) total += count;
  if (total == 0) return;
  for (const double count : counts) {
    if (count > 0) entropy -= count / total * std::log(count / total);
  }
  const double classes = static_cast<double>(counts.size()), even = std::log(classes);
  diagnosis.measured.emplace_back("entropy of the classes / of even ones", entropy / even);
  // Twice n times the missing entropy is about chi-squared: small batches of fair coins are uneven, too.
  const double surprise = 2 * total * (even - entropy), usual = classes - 1;
  if (entropy >= limit * even || surprise < usual + 4 * std::sqrt(2 * usual)) return;
  const auto most = std::ranges::max_element(counts);
  const bool all_the_same = *most == total;
  report(diagnosis, class_imbalance, "target", entropy / even, limit,
         formatted("Class {} has {:.0f} % of the {} samples; the entropy of the classes is {:.2g} of that of even "
                   "ones (limit {:g}).",
                   most - counts.begin(), 100 * *most / total, total, entropy / even, limit),
         all_the_same ? "Shuffle: data that are sorted by class give batches like this one." : "");
}

// Share of samples whose input is that of another one with another target.
double conflicts(const data::Dataset& batch) {
  const Tensor x = batch.x.detach().to(float64).contiguous(), y = batch.y.detach().to(float64).contiguous();
  const std::int64_t n = batch.size();
  const auto bytes = [n](const Tensor& t, std::int64_t i) {
    const auto row = t.data<double>().subspan(static_cast<std::size_t>(i * (t.numel() / n)),
                                              static_cast<std::size_t>(t.numel() / n));
    return std::string_view(reinterpret_cast<const char*>(row.data()), row.size_bytes());
  };
  std::map<std::string_view, std::map<std::string_view, std::int64_t>> targets;
  for (std::int64_t i = 0; i < n; ++i) ++targets[bytes(x, i)][bytes(y, i)];
  std::int64_t count = 0;
  for (const auto& [input, answers] : targets) {
    if (answers.size() < 2) continue;
    for (const auto& [answer, times] : answers) count += times;
  }
  return static_cast<double>(count) / static_cast<double>(n);
}

// The path of the layer that makes the first of them, of numbers that are finite.
std::string source_of_nonfinite(const Examination& seen) {
  for (const LayerSeen& layer : seen.layers) {
    if (layer.input_finite && !layer.output_finite) return layer.path;
  }
  return all_finite(seen.output) ? "loss" : "output";
}

}  // namespace

void judge_finite(Diagnosis& diagnosis, const Patient& patient, const Examination& seen) {
  const auto say = [&](const std::string& where, const std::string& evidence) {
    report(diagnosis, nonfinite, where, std::numeric_limits<double>::quiet_NaN(), 0, evidence);
  };
  const bool input = all_finite(patient.batch.x), target = all_finite(patient.batch.y);
  if (!input) say("input", "The inputs hold NaN or infinity.");
  if (!target) say("target", "The targets hold NaN or infinity.");
  for (const auto& [name, p] : patient.model.named_parameters()) {
    if (!all_finite(p)) say(name, formatted("{} holds NaN or infinity.", name));
  }
  if (!diagnosis.findings.empty() || seen.forward_finite()) return;
  const std::string where = source_of_nonfinite(seen);
  say(where, where == "loss" ? formatted("Outputs and targets are finite, but the loss is {}.", seen.loss)
                             : formatted("{} makes NaN or infinity of numbers that are finite.", where));
}

void judge_inputs(Diagnosis& diagnosis, const Patient& patient, const Examination& seen) {
  const DiagnoseLimits& limits = patient.options.limits;
  const NoGrad guard;
  const Tensor& x = seen.entering;
  if (!x.defined() || !is_floating_point(x.dtype()) || x.numel() == 0) return;
  const std::vector<Feature> features = features_of(x);
  const auto largest = std::ranges::max_element(features, {}, &Feature::size);
  const std::string where = seen.entrance;
  const auto name = [&](const auto& feature) { return formatted("feature {}", &*feature - features.data()); };
  diagnosis.measured.emplace_back("largest feature, root mean square", largest->size());
  if (largest->size() > limits.input_scale) {
    report(diagnosis, unscaled_inputs, where, largest->size(), limits.input_scale,
           formatted("The root mean square of {} is {:.3g} (limit {:g}): mean {:.3g}, deviation {:.3g}.", name(largest),
                     largest->size(), limits.input_scale, largest->mean, largest->deviation));
  } else if (largest->size() < limits.least_input) {
    report(diagnosis, unscaled_inputs, where, largest->size(), limits.least_input,
           formatted("The largest of {} features has a root mean square of {:.3g} (limit {:g}).", features.size(),
                     largest->size(), limits.least_input));
  } else {
    const auto offset = [](const Feature& f) { return f.deviation > 0 ? std::abs(f.mean) / f.deviation : 0; };
    const auto farthest = std::ranges::max_element(features, {}, offset);
    if (offset(*farthest) <= limits.input_offset) return;
    report(diagnosis, unscaled_inputs, where, offset(*farthest), limits.input_offset,
           formatted("The mean of {} is {:.3g}, {:.3g} times its deviation of {:.3g} (limit {:g}).", name(farthest),
                     farthest->mean, offset(*farthest), farthest->deviation, limits.input_offset));
  }
}

void judge_targets(Diagnosis& diagnosis, const Patient& patient, const LossKind& kind) {
  const DiagnoseLimits& limits = patient.options.limits;
  const NoGrad guard;
  const auto& [x, y] = patient.batch;
  judge_classes(diagnosis, y, kind, limits.class_entropy);
  if (is_floating_point(y.dtype()) && kind.classes == 0) {
    const double size = rms(y);
    if (size > limits.target_scale || (size < limits.least_target && size > 0)) {
      const double limit = size > limits.target_scale ? limits.target_scale : limits.least_target;
      report(diagnosis, unscaled_targets, "target", size, limit,
             formatted("The root mean square of the targets is {:.3g} (limit {:g}).", size, limit));
    }
  }
  // Tokens have many successors, as is their nature.
  if (!is_floating_point(x.dtype()) || y.dim() > 1 || kind.classes < 2) return;
  const double share = conflicts(patient.batch);
  if (share > limits.conflicts) {
    report(diagnosis, conflicting_targets, "target", share, limits.conflicts,
           formatted("{:.0f} % of the samples have the same input as another one, but another target (limit {:g} %).",
                     100 * share, 100 * limits.conflicts));
  }
}

}  // namespace gradus::train::doctor
