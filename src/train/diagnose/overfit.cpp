// Can the model learn a few samples by heart?
#include <algorithm>
#include <array>
#include <cmath>

#include "gradus/autograd.hpp"
#include "gradus/ops.hpp"
#include "gradus/optim/adam.hpp"
#include "storage/format.hpp"
#include "train/diagnose/probe.hpp"
#include "train/diagnose/restore.hpp"
#include "train/diagnose/rules.hpp"
#include "train/diagnose/statistics.hpp"

namespace gradus::train::doctor {
namespace {

using enum Illness;

// Rates that one of which suits almost any model.
constexpr std::array rates{1e-2, 1e-3, 1e-1};

// Any `count` samples, always the same.
data::Dataset some_of(const data::Dataset& batch, std::int64_t count) {
  if (count >= batch.size()) return batch;
  Generator generator(1);
  const Tensor which = randperm(batch.size(), {.generator = &generator}).narrow(0, 0, count);
  return {index_select(batch.x, 0, which), index_select(batch.y, 0, which)};
}

// As many as the parameters could surely tell apart.
std::int64_t sample_count(const Patient& patient, const Tensor& output) {
  std::int64_t parameters = 0;
  for (const Tensor& p : patient.trainable()) parameters += p.numel();
  const std::int64_t n = patient.batch.size();
  const std::int64_t outputs = std::max<std::int64_t>(1, output.numel() / std::max<std::int64_t>(1, n));
  return std::min({patient.options.overfit_samples, n, parameters / outputs / 2});
}

double spread_of_outputs(const Patient& patient) {
  const NoGrad guard;
  const Tensor output = patient.model(patient.batch.x);
  const double size = rms(output);
  return size > 0 ? spread(output) / size : 0;
}

// Trains until the loss is below `enough`; the loss in the end.
double learn(const Patient& patient, const data::Dataset& samples, double lr, double enough) {
  optim::Adam optimizer(patient.trainable(), {.lr = lr});
  double least = std::numeric_limits<double>::infinity();
  for (std::int64_t i = 0; i < patient.options.overfit_steps; ++i) {
    patient.model.zero_grad();
    const Tensor loss = patient.loss_of(samples);
    const double value = loss.item();
    if (!std::isfinite(value)) break;
    loss.backward();
    least = std::min(least, value);
    if (value < enough) break;
    optimizer.step();
  }
  return least;
}

void note_awake(const Patient& patient, std::set<std::string>& awake) {
  for (const auto& [name, p] : patient.model.named_parameters()) {
    if (p.grad().defined() && rms(p.grad()) > 0) awake.insert(name);
  }
}

}  // namespace

Memorised memorise(Diagnosis& diagnosis, const Patient& patient, const LossKind& kind) {
  Memorised result;
  const Tensor output = [&] {
    const NoGrad guard;
    return patient.model(patient.batch.x);
  }();
  if (patient.trainable().empty()) return result;
  result.samples = sample_count(patient, output);
  if (result.samples < 2) {
    diagnosis.left_out.push_back("learning samples by heart: the model has too few parameters for it");
    return result;
  }
  const data::Dataset samples = some_of(patient.batch, result.samples);
  const auto constant =
      kind.is_log_likelihood
          ? kind.chance()
          : constant_loss(patient.loss, output.narrow(0, 0, std::min(output.size(0), result.samples)), samples.y);
  // Samples of one class need no learning.
  if (!constant || *constant <= 1e-6) return result;
  result.was_tried = true;
  result.constant = *constant;
  result.loss = std::numeric_limits<double>::infinity();
  const double limit = patient.options.limits.overfit * result.constant;
  for (const double lr : rates) {
    const Restore restore(patient.model, nullptr);
    result.loss = std::min(result.loss, learn(patient, samples, lr, limit / 2));
    note_awake(patient, result.awake);
    result.spread = std::max(result.spread, spread_of_outputs(patient));
    if (result.loss < limit) break;
  }
  return result;
}

void judge_memory(Diagnosis& diagnosis, const Patient& patient, const Examination& seen, const Memorised& memorised,
                  const LossKind& kind) {
  const DiagnoseLimits& limits = patient.options.limits;
  if (!memorised.was_tried) return;
  const double size = rms(seen.output), first_spread = size > 0 ? spread(seen.output) / size : 0;
  const double most = std::max(first_spread, memorised.spread);
  if (most < limits.output_spread && spread(patient.batch.x) > 0 && seen.output.size(0) == patient.batch.size()) {
    report(diagnosis, constant_output, "output", most, limits.output_spread,
           formatted("Over the batch the outputs differ by {:.2g} of their size, also after some training (limit "
                     "{:g}).",
                     most, limits.output_spread));
  }
  const double left = memorised.loss / memorised.constant;
  diagnosis.measured.emplace_back("loss of a constant prediction", memorised.constant);
  diagnosis.measured.emplace_back("loss after learning by heart", memorised.loss);
  diagnosis.measured.emplace_back("spread of the outputs / their size", most);
  if (left <= limits.overfit || kind.is_log_likelihood || diagnosis.has(conflicting_targets)) return;
  report(diagnosis, cannot_overfit, "", left, limits.overfit,
         formatted("Trained on {} samples only, the loss fell to {:.3g}, {:.2g} of the {:.3g} that the best constant "
                   "prediction costs (limit {:g}).",
                   memorised.samples, memorised.loss, left, memorised.constant, limits.overfit));
}

}  // namespace gradus::train::doctor
