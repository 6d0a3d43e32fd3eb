// What the doctor says: symptoms, each with its place, its evidence and what to try.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "gradus/train/history.hpp"

namespace gradus::train {

// What may be wrong. Those that a step of the optimizer shows, too, are named as its optim::Failure.
enum class Illness : std::uint8_t {
  // numbers and gradients
  nonfinite,    // NaN or infinite entries
  no_gradient,  // the loss does not depend on the parameter
  untrained,    // trainable parameters that the optimizer lacks, or frozen ones that it has; or all are frozen
  dead,         // a gradient of nothing but zeros
  vanishing,    // gradients that fall by orders of magnitude from the last layers to the first, or from step to step
  exploding,    // gradients that are huge, or grow as much on the way
  flat,         // hardly any gradient anywhere
  // weights and activations
  zero_weights,      // a layer of zeros, whose units can't become different
  symmetric_units,   // units of the same weights and the same gradient stay the same
  dead_relu,         // units that are 0 for the whole batch
  saturated,         // sigmoids and tanhs at their ends, gates of recurrent layers among them
  shrinking_signal,  // outputs of layers that differ less and less from sample to sample: poor initialization
  growing_signal,    // or more and more
  // the batch
  unscaled_inputs,      // features far from mean 0 and scale 1
  unscaled_targets,     // the same of what a regression is to predict
  class_imbalance,      // of the targets
  conflicting_targets,  // the same input with different targets
  // outputs and loss
  broadcast_loss,       // (n, 1) against (n): every prediction is compared with every target
  double_softmax,       // probabilities where the loss expects logits
  missing_log_softmax,  // logits where the loss expects log probabilities
  out_of_reach,         // targets that the last activation can't produce
  high_first_loss,      // far above log(classes), or above that of a constant prediction
  constant_output,      // the output does not depend on the input
  cannot_overfit,       // not even a few samples are learnt by heart
  // steps
  learning_rate_high,
  learning_rate_low,
  // curves
  divergence,
  oscillation,
  plateau,
  overfitting,
  stopped_early,  // the loss was still falling
};
// "dead ReLUs"
std::string_view to_string(Illness illness);

enum class Severity : std::uint8_t {
  mild,     // training could go better
  serious,  // it goes badly
  fatal,    // it can't work
};
std::string_view to_string(Severity severity);
Severity severity_of(Illness illness);

struct Symptom {
  Illness illness;
  std::string where;     // the path of a module or parameter, "input", "target", "output"; "" if it is about all
  double value = 0;      // what was measured
  double limit = 0;      // what it should have kept to
  std::string evidence;  // a sentence with these numbers
  std::string advice;    // what to try, a sentence
};

struct Diagnosis {
  std::vector<Symptom> findings;      // the worst first
  std::vector<NamedValue> measured;   // "loss", "sharpness", ...: what was looked at, sick or not
  std::vector<std::string> left_out;  // examinations that could not be made, and why

  bool healthy() const { return findings.empty(); }
  bool has(Illness illness) const;
  bool has(Illness illness, std::string_view where) const;
  std::string to_string() const;  // a table of what was measured, then finding by finding
  std::string to_json() const;
};

std::ostream& operator<<(std::ostream& out, const Diagnosis& diagnosis);
inline std::string format_as(const Diagnosis& diagnosis) { return diagnosis.to_string(); }

}  // namespace gradus::train
