#include "gradus/train/diagnose.hpp"

#include <cmath>

#include "gradus/autograd.hpp"
#include "gradus/nn/dropout.hpp"
#include "storage/format.hpp"
#include "train/diagnose/probe.hpp"
#include "train/diagnose/restore.hpp"
#include "train/diagnose/rules.hpp"

namespace gradus::train {
namespace {

using namespace doctor;

void check(const data::Dataset& batch, const DiagnoseOptions& o) {
  if (!batch.x.defined() || batch.size() < 1) fail("diagnose: the batch is empty");
  if (o.overfit_samples < 1) fail("diagnose: overfit_samples must be positive: {}", o.overfit_samples);
  if (o.overfit_steps < 1) fail("diagnose: overfit_steps must be positive: {}", o.overfit_steps);
  if (o.trial_steps < 1) fail("diagnose: trial_steps must be positive: {}", o.trial_steps);
}

// As in training, but for dropout: its noise would hide what is looked for.
void prepare(nn::Module& model) {
  if (!model.is_training()) model.train();
  for (nn::Module* module : model.modules()) {
    if (dynamic_cast<nn::Dropout*>(module) != nullptr || dynamic_cast<nn::Dropout2d*>(module) != nullptr)
      module->eval();
  }
}

void judge(Diagnosis& diagnosis, const Patient& patient) {
  const Examination seen = [&] {
    const Restore restore(patient.model, patient.options.optimizer);
    return examine(patient);
  }();
  diagnosis.measured.emplace_back("loss", seen.loss);
  judge_finite(diagnosis, patient, seen);
  // What follows would be about NaN only.
  if (!diagnosis.findings.empty()) return;
  const LossKind kind = probe(patient, seen.output);
  judge_training(diagnosis, patient, seen);
  judge_inputs(diagnosis, patient, seen);
  judge_targets(diagnosis, patient, kind);
  judge_outputs(diagnosis, patient, seen, kind);
  judge_first_loss(diagnosis, patient, seen, kind, constant_loss(patient.loss, seen.output, patient.batch.y));
  judge_activations(diagnosis, patient, seen);
  judge_signal(diagnosis, patient, seen);
  judge_sequences(diagnosis, patient, seen);
  const bool can_train = patient.options.trials && seen.has_gradient;
  const Memorised memorised = can_train ? memorise(diagnosis, patient, kind) : Memorised();
  judge_gradients(diagnosis, patient, seen, memorised.awake);
  judge_memory(diagnosis, patient, seen, memorised, kind);
  if (can_train) judge_rates(diagnosis, patient, seen);
}

}  // namespace

Diagnosis diagnose(nn::Module& model, const LossFunction& loss, const data::Dataset& batch,
                   const DiagnoseOptions& options) {
  check(batch, options);
  const EnableGrad recording;
  // The optimizer may have parameters that the model hasn't, such as those of the loss.
  const Restore restore(model, options.optimizer);
  prepare(model);
  Diagnosis diagnosis;
  // Not the samples are trained, even if they ask for it.
  data::Dataset samples = batch;
  samples.x = batch.x.detach();
  if (batch.y.defined()) samples.y = batch.y.detach();
  judge(diagnosis, {model, loss, samples, options});
  doctor::conclude(diagnosis);
  return diagnosis;
}

}  // namespace gradus::train
