// The rules, each of which looks at one part of an examination.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "train/diagnose/examination.hpp"
#include "train/diagnose/finding.hpp"

namespace gradus::train::doctor {

// What is fed in: data.cpp.
void judge_inputs(Diagnosis& diagnosis, const Patient& patient, const Examination& seen);
struct LossKind;
void judge_targets(Diagnosis& diagnosis, const Patient& patient, const LossKind& kind);
// The first place where a number isn't finite.
void judge_finite(Diagnosis& diagnosis, const Patient& patient, const Examination& seen);

// What comes out of layers: signals.cpp.
void judge_activations(Diagnosis& diagnosis, const Patient& patient, const Examination& seen);
void judge_signal(Diagnosis& diagnosis, const Patient& patient, const Examination& seen);

// What comes back: gradients.cpp. `awake` are parameters whose gradient was 0 at first only; none if nobody looked.
void judge_gradients(Diagnosis& diagnosis, const Patient& patient, const Examination& seen,
                     const std::set<std::string>& awake);
void judge_sequences(Diagnosis& diagnosis, const Patient& patient, const Examination& seen);
void judge_training(Diagnosis& diagnosis, const Patient& patient, const Examination& seen);

// Whether outputs suit the loss: outputs.cpp, with what probe.hpp found out about the loss.
void judge_outputs(Diagnosis& diagnosis, const Patient& patient, const Examination& seen, const LossKind& kind);
void judge_first_loss(Diagnosis& diagnosis, const Patient& patient, const Examination& seen, const LossKind& kind,
                      std::optional<double> constant);

// What short trainings say: overfit.cpp and rates.cpp.
struct Memorised {
  bool was_tried = false;
  double loss = 0, constant = 0;  // after it, and of the best constant prediction for these samples
  std::int64_t samples = 0;
  double spread = 0;            // of the outputs over the batch / their size
  std::set<std::string> awake;  // parameters that have a gradient by then
};
Memorised memorise(Diagnosis& diagnosis, const Patient& patient, const LossKind& kind);
void judge_memory(Diagnosis& diagnosis, const Patient& patient, const Examination& seen, const Memorised& memorised,
                  const LossKind& kind);
void judge_rates(Diagnosis& diagnosis, const Patient& patient, const Examination& seen);

}  // namespace gradus::train::doctor
