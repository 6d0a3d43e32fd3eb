// Dead and saturated units, and signals that shrink or grow on their way.
#include <algorithm>

#include "storage/format.hpp"
#include "train/diagnose/rules.hpp"

namespace gradus::train::doctor {

using enum Illness;

void judge_activations(Diagnosis& diagnosis, const Patient& patient, const Examination& seen) {
  const DiagnoseLimits& limits = patient.options.limits;
  double most_dead = 0, most_saturated = 0;
  for (const ActivationSeen& a : seen.activations) {
    if (a.is_output) continue;
    most_dead = std::max(most_dead, a.dead_units);
    most_saturated = std::max(most_saturated, a.saturated);
  }
  diagnosis.measured.emplace_back("largest share of dead units", most_dead);
  diagnosis.measured.emplace_back("largest share of saturated values", most_saturated);
  for (const ActivationSeen& a : seen.activations) {
    // A module that is called several times is reported once. The last op may well be sure of its answer.
    if (a.is_output || diagnosis.has(dead_relu, a.path) || diagnosis.has(saturated, a.path)) continue;
    if (a.dead_units > limits.dead_units) {
      report(diagnosis, dead_relu, a.path, a.dead_units, limits.dead_units,
             formatted("{:.0f} % of the {} units are 0 for every sample of the batch (limit {:g} %).",
                       100 * a.dead_units, a.units, 100 * limits.dead_units));
    }
    if (a.saturated > limits.saturated) {
      const std::string what = a.op == "gate" ? "of a gate's values" : formatted("of the {} outputs", a.op);
      report(diagnosis, saturated, a.path, a.saturated, limits.saturated,
             formatted("{:.0f} % {} are at the ends, where the slope is below a twentieth of the largest (limit "
                       "{:g} %).",
                       100 * a.saturated, what, 100 * limits.saturated));
    }
  }
}

void judge_signal(Diagnosis& diagnosis, const Patient& patient, const Examination& seen) {
  const DiagnoseLimits& limits = patient.options.limits;
  double first = 0, least = 1, most = 1;
  std::string first_path;
  for (const LayerSeen& layer : seen.layers) {
    if (!layer.is_weighted) continue;
    if (first == 0) {
      first = layer.spread;
      first_path = layer.path;
      continue;
    }
    const double ratio = layer.spread / first;
    least = std::min(least, ratio);
    most = std::max(most, ratio);
    // The layer where it goes too far, not those behind that hand it on.
    const auto say = [&](Illness illness, double limit) {
      if (diagnosis.has(illness)) return;
      report(diagnosis, illness, layer.path, ratio, limit,
             formatted("Samples differ by {:.3g} after {} and by {:.3g} after {}, {:.3g} times as much (limit {:g}).",
                       first, first_path, layer.spread, layer.path, ratio, limit));
    };
    if (ratio < limits.signal_shrinks) say(shrinking_signal, limits.signal_shrinks);
    if (ratio > limits.signal_grows) say(growing_signal, limits.signal_grows);
  }
  if (first == 0) return;
  diagnosis.measured.emplace_back("smallest spread of a layer / the first's", least);
  diagnosis.measured.emplace_back("largest spread of a layer / the first's", most);
}

}  // namespace gradus::train::doctor
