// Gradients by layer and by the steps of a sequence, and which parameters are trained at all.
#include <algorithm>
#include <array>

#include "gradus/autograd.hpp"
#include "gradus/ops.hpp"
#include "storage/format.hpp"
#include "train/diagnose/rules.hpp"
#include "train/diagnose/statistics.hpp"
#include "train/diagnose/steps.hpp"

namespace gradus::train::doctor {
namespace {

using enum Illness;

// Fewer steps than this are no long way.
constexpr std::int64_t least_steps = 8;

// The gradient's size at five places along a dim, from its first entry to its last.
std::array<double, 5> along(const Tensor& gradient, std::int64_t dim) {
  std::array<double, 5> sizes{};
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const std::int64_t place = (gradient.size(dim) - 1) * static_cast<std::int64_t>(i) / 4;
    sizes[i] = rms(gradient.select(dim, place));
  }
  return sizes;
}

bool contains(const std::vector<Tensor>& list, const Tensor& p) {
  return std::ranges::any_of(list, [&](const Tensor& other) { return other.is(p); });
}

std::string names(const std::vector<std::string>& list) {
  std::string text;
  for (std::size_t i = 0; i < list.size() && i < 3; ++i) text += (i > 0 ? ", " : "") + list[i];
  return list.size() > 3 ? formatted("{} and {} more", text, list.size() - 3) : text;
}

}  // namespace

void judge_gradients(Diagnosis& diagnosis, const Patient& patient, const Examination& seen,
                     const std::set<std::string>& awake) {
  for (Symptom& s : symptoms(seen.step, patient.options.limits.steps, patient.model)) {
    // Rates are judged by trials. Weights of 0 are an illness only where their units stay equal, and a gradient of 0
    // only where it stays so: layers may start at 0 on purpose, such as the last one of a residual branch.
    if (s.illness == learning_rate_high || s.illness == learning_rate_low || s.illness == zero_weights) continue;
    if (s.illness == dead && awake.contains(s.where)) continue;
    diagnosis.findings.push_back(std::move(s));
  }
  for (const std::string& name : seen.symmetric) {
    const auto p = std::ranges::find(seen.step.parameters, name, &optim::ParameterDiagnostics::name);
    const bool is_zero = p->weight_norm == 0;
    if (is_zero && awake.contains(name)) continue;
    report(diagnosis, is_zero ? zero_weights : symmetric_units, name, 0, 0,
           formatted("All {} units of {} have the same weights{} and get the same gradient.", p->shape[0], name,
                     is_zero ? ", which are 0," : ""));
  }
}

void judge_sequences(Diagnosis& diagnosis, const Patient& patient, const Examination& seen) {
  const double limit = patient.options.limits.through_time;
  for (const auto& [path, gradient] : seen.sequences) {
    if (!gradient.defined()) continue;
    // Steps and samples are told apart by how the gradient goes along them: evenly up or down.
    for (std::int64_t dim = 0; dim + 1 < std::min<std::int64_t>(3, gradient.dim()); ++dim) {
      if (gradient.size(dim) < least_steps) continue;
      const auto sizes = along(gradient, dim);
      const double ratio = sizes.back() > 0 ? sizes.front() / sizes.back() : 1;
      const std::string way = formatted(
          "The gradient by the input of {} is {:.3g} at its first and {:.3g} at its "
          "last of {} steps, {:.3g} times as large (limit ",
          path, sizes.front(), sizes.back(), gradient.size(dim), ratio);
      if (ratio < limit && std::ranges::is_sorted(sizes)) {
        report(diagnosis, vanishing, path, ratio, limit, way + formatted("{:g}).", limit),
               "Use LSTM or GRU with a forget gate bias of 1 or more, shorter sequences, or attention.");
      } else if (ratio > 1 / limit && std::ranges::is_sorted(sizes, std::greater())) {
        report(diagnosis, exploding, path, ratio, 1 / limit, way + formatted("{:g}).", 1 / limit),
               "Start the recurrent weights smaller or orthogonal, and clip the gradients' norm.");
      }
    }
  }
}

void judge_training(Diagnosis& diagnosis, const Patient& patient, const Examination& seen) {
  const auto parameters = patient.model.named_parameters();
  const double count = static_cast<double>(parameters.size());
  if (!parameters.empty() && patient.trainable().empty()) {
    report(diagnosis, untrained, "", count, 0, formatted("All {} parameters are frozen.", parameters.size()));
  } else if (!parameters.empty() && !seen.has_gradient) {
    report(diagnosis, no_gradient, "", 0, 0, "The loss depends on none of the parameters.");
  }
  if (patient.options.optimizer == nullptr) return;
  const std::vector<Tensor> known = patient.options.optimizer->parameters();
  std::vector<std::string> lacking, frozen;
  for (const auto& [name, p] : parameters) {
    if (p.requires_grad() && !contains(known, p)) lacking.push_back(name);
    if (!p.requires_grad() && contains(known, p)) frozen.push_back(name);
  }
  if (!lacking.empty()) {
    report(diagnosis, untrained, lacking.front(), static_cast<double>(lacking.size()), 0,
           formatted("The optimizer doesn't know {} of {} parameters: {}.", lacking.size(), parameters.size(),
                     names(lacking)));
  }
  if (!frozen.empty() && frozen.size() < parameters.size()) {
    report(diagnosis, untrained, frozen.front(), static_cast<double>(frozen.size()), 0,
           formatted("The optimizer has parameters that are frozen: {}.", names(frozen)),
           "If they shall be trained call requires_grad_(); if not, leave them out of the optimizer.");
  }
}

}  // namespace gradus::train::doctor
