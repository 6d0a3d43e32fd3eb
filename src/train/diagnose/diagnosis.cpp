#include "gradus/train/diagnosis.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <ostream>
#include <nlohmann/json.hpp>

#include "storage/format.hpp"
#include "train/diagnose/finding.hpp"

namespace gradus::train {
namespace {

struct Entry {
  Illness illness;
  Severity severity;
  std::string_view name;
  std::string_view advice;
};

using enum Illness;
using enum Severity;

// In the order of the enum.
constexpr std::array entries{
    Entry{nonfinite, fatal, "non-finite numbers",
          "Look for NaN in the data, log(0), sqrt(0) and divisions by 0; lower the learning rate; clip gradients."},
    Entry{no_gradient, fatal, "no gradient",
          "Use the module in forward, and don't detach() or rebuild its result from raw values."},
    Entry{untrained, serious, "parameters left out of training",
          "Give the optimizer model.parameters(), and freeze with requires_grad_(false) only what shall stay."},
    Entry{dead, serious, "dead gradient",
          "Look at the units behind: start from smaller weights and zero biases, lower the learning rate."},
    Entry{vanishing, serious, "vanishing gradients",
          "Use ReLU or GELU, He or Xavier initialization, normalization or residual connections."},
    Entry{exploding, serious, "exploding gradients",
          "Start from smaller weights, normalize, clip gradients, or lower the learning rate."},
    Entry{flat, mild, "flat", "If this isn't the minimum, start from other weights or raise the learning rate."},
    Entry{zero_weights, serious, "zero weights", "Start from random weights: He for ReLU, Xavier for tanh."},
    Entry{symmetric_units, serious, "symmetric units",
          "Start from random weights: units that are equal get equal gradients and never differ."},
    Entry{dead_relu, serious, "dead ReLUs",
          "Lower the learning rate, start with He initialization and zero biases, scale the inputs, or use LeakyReLU."},
    Entry{saturated, serious, "saturated units",
          "Start from smaller weights (Xavier), scale the inputs, normalize before the activation, or use ReLU."},
    Entry{shrinking_signal, serious, "shrinking signal",
          "Start from larger weights (He for ReLU, Xavier for tanh), or normalize between the layers."},
    Entry{growing_signal, serious, "growing signal",
          "Start from smaller weights (He for ReLU, Xavier for tanh), or normalize between the layers."},
    Entry{
        unscaled_inputs, serious, "unscaled inputs",
        "Bring every feature to mean 0 and deviation 1, with the numbers of the training set (data::StandardScaler)."},
    Entry{unscaled_targets, mild, "unscaled targets",
          "Train on (target - mean) / deviation, and undo that for predictions."},
    Entry{class_imbalance, mild, "class imbalance",
          "Shuffle; if the data are like that, weight the loss by class and judge by F1, not by accuracy."},
    Entry{conflicting_targets, mild, "conflicting targets", "Look for duplicates and wrong labels in the data."},
    Entry{broadcast_loss, fatal, "targets broadcast against outputs",
          "Give both the same shape: output.squeeze(1), or target.unsqueeze(1)."},
    Entry{double_softmax, serious, "probabilities where logits are expected",
          "Drop the last softmax or sigmoid: this loss applies it by itself."},
    Entry{missing_log_softmax, fatal, "no log-probabilities", "End the model with LogSoftmax, or use cross-entropy."},
    Entry{out_of_reach, serious, "targets out of reach",
          "Let the model end with a linear layer, or scale the targets to what the activation can give."},
    Entry{high_first_loss, mild, "high first loss",
          "Start the last layer from smaller weights and a zero bias: the first guess should be a vague one."},
    Entry{constant_output, fatal, "the output ignores the input",
          "Look for a layer that gives the same for all samples: dead, of zero weights, or summed over the batch."},
    Entry{cannot_overfit, serious, "cannot learn a few samples by heart",
          "Look for an error before tuning: labels, loss, a dead or detached layer, a model that is too small."},
    Entry{learning_rate_high, serious, "learning rate too high",
          "Lower it, warm up, or let optim::lr_find suggest one."},
    Entry{learning_rate_low, mild, "learning rate too low", "Raise it tenfold, or let optim::lr_find suggest one."},
    Entry{divergence, fatal, "divergence", "Lower the learning rate, clip gradients, warm up."},
    Entry{oscillation, serious, "oscillation",
          "Lower the learning rate or the momentum, let a schedule end low, or take larger batches."},
    Entry{plateau, serious, "plateau",
          "Try another learning rate or Adam, look at initialization and gradients with diagnose(model, loss, batch)."},
    Entry{overfitting, mild, "overfitting",
          "Stop at the best epoch (early_stopping), get more data, add weight decay, dropout or augmentation."},
    Entry{stopped_early, mild, "stopped while the loss was falling",
          "Train for more epochs, or raise the learning rate."},
};
static_assert(std::ranges::is_sorted(entries, {}, &Entry::illness) && entries.back().illness == stopped_early &&
              entries.size() == static_cast<std::size_t>(stopped_early) + 1);

const Entry& entry(Illness illness) { return entries[static_cast<std::size_t>(illness)]; }

// JSON has no infinities: they are strings.
nlohmann::ordered_json number(double value) {
  if (std::isfinite(value)) return value;
  if (std::isnan(value)) return "nan";
  return value > 0 ? "inf" : "-inf";
}

}  // namespace

std::string_view to_string(Illness illness) { return entry(illness).name; }
Severity severity_of(Illness illness) { return entry(illness).severity; }

std::string_view to_string(Severity severity) {
  static constexpr std::array<std::string_view, 3> names{"mild", "serious", "fatal"};
  return names[static_cast<std::size_t>(severity)];
}

bool Diagnosis::has(Illness illness) const {
  return std::ranges::any_of(findings, [&](const Symptom& s) { return s.illness == illness; });
}

bool Diagnosis::has(Illness illness, std::string_view where) const {
  return std::ranges::any_of(findings, [&](const Symptom& s) { return s.illness == illness && s.where == where; });
}

std::string Diagnosis::to_string() const {
  std::string text;
  std::size_t width = 0;
  for (const NamedValue& m : measured) width = std::max(width, m.first.size());
  for (const auto& [name, value] : measured) text += formatted("{:<{}}  {:.4g}\n", name, width, value);
  for (const std::string& reason : left_out) text += formatted("left out: {}\n", reason);
  if (healthy()) return text + "healthy: nothing to find fault with\n";
  for (const Symptom& s : findings) {
    text += formatted("{:<7}  {}{}\n         {}\n         Try: {}\n", train::to_string(severity_of(s.illness)),
                      train::to_string(s.illness), s.where.empty() ? "" : " at " + s.where, s.evidence, s.advice);
  }
  return text;
}

std::string Diagnosis::to_json() const {
  nlohmann::ordered_json json = {{"healthy", healthy()}, {"findings", nlohmann::ordered_json::array()}};
  for (const Symptom& s : findings) {
    json["findings"].push_back({{"illness", train::to_string(s.illness)},
                                {"severity", train::to_string(severity_of(s.illness))},
                                {"where", s.where},
                                {"value", number(s.value)},
                                {"limit", number(s.limit)},
                                {"evidence", s.evidence},
                                {"advice", s.advice}});
  }
  json["measured"] = nlohmann::ordered_json::object();
  for (const auto& [name, value] : measured) json["measured"][name] = number(value);
  json["left_out"] = left_out;
  return json.dump(2) + '\n';
}

std::ostream& operator<<(std::ostream& out, const Diagnosis& diagnosis) { return out << diagnosis.to_string(); }

namespace doctor {

void conclude(Diagnosis& diagnosis) {
  for (Symptom& s : diagnosis.findings) {
    if (s.advice.empty()) s.advice = entry(s.illness).advice;
  }
  std::ranges::stable_sort(diagnosis.findings, std::ranges::greater(),
                           [](const Symptom& s) { return severity_of(s.illness); });
}

}  // namespace doctor
}  // namespace gradus::train
