// Is the learning rate too high, or too low?
#include <algorithm>
#include <cmath>

#include "gradus/functional.hpp"
#include "gradus/optim/sgd.hpp"
#include "storage/format.hpp"
#include "train/diagnose/restore.hpp"
#include "train/diagnose/rules.hpp"

namespace gradus::train::doctor {
namespace {

using enum Illness;

double highest_rate(const optim::Optimizer& optimizer) {
  double highest = 0;
  for (std::int64_t g = 0; g < optimizer.group_count(); ++g) highest = std::max(highest, optimizer.lr(g));
  return highest;
}

// lr * sharpness above which gradient descent on a quadratic diverges; none for other rules. [Heavy ball and Nesterov:
// Cohen et al., 2021, appendix B]
std::optional<double> stability(const optim::Optimizer& optimizer) {
  const auto* sgd = dynamic_cast<const optim::SGD*>(&optimizer);
  if (sgd == nullptr) return std::nullopt;
  const optim::SGDOptions& o = sgd->options();
  if (o.nesterov) return (2 + 2 * o.momentum) / (1 + 2 * o.momentum);
  return 2 * (1 + o.momentum) / (o.momentum > 0 ? 1 - o.dampening : 1);
}

// The largest stable rate over the sharpness of the loss; none if it can't be had.
std::optional<double> stable_rate(Diagnosis& diagnosis, const Patient& patient) {
  const auto factor = stability(*patient.options.optimizer);
  const auto trainable = patient.trainable();
  if (!patient.options.sharpness || !factor || trainable.empty()) return std::nullopt;
  try {
    const double sharpness = largest_hessian_eigenvalue([&] { return patient.loss_of(patient.batch); }, trainable,
                                                        {.tolerance = 1e-2, .max_iterations = 20});
    diagnosis.measured.emplace_back("sharpness", sharpness);
    if (!(sharpness > 0)) return std::nullopt;
    diagnosis.measured.emplace_back("largest stable learning rate", *factor / sharpness);
    return *factor / sharpness;
  } catch (const Error& error) {
    diagnosis.left_out.push_back(formatted("sharpness: {}", error.what()));
    return std::nullopt;
  }
}

struct Trial {
  double first = 0, end = 0, most = 0;
  double gain() const { return std::isfinite(end) ? first - end : -std::numeric_limits<double>::infinity(); }
};

// Some steps with the optimizer, its rates times `factor`.
Trial try_steps(const Patient& patient, double factor) {
  optim::Optimizer& optimizer = *patient.options.optimizer;
  const Restore restore(patient.model, &optimizer);
  for (std::int64_t g = 0; g < optimizer.group_count(); ++g) optimizer.set_lr(g, factor * optimizer.lr(g));
  std::vector<double> losses;
  for (std::int64_t i = 0; i <= patient.options.trial_steps; ++i) {
    // Rules that look ahead throw where the loss is no number any more.
    try {
      losses.push_back(i < patient.options.trial_steps ? patient.step().item() : patient.loss_of(patient.batch).item());
    } catch (const Error&) {
      if (losses.empty()) throw;
      losses.push_back(std::numeric_limits<double>::infinity());
    }
    if (!std::isfinite(losses.back())) break;
  }
  Trial trial{losses.front(), 0, *std::ranges::max_element(losses)};
  const std::size_t k = std::min<std::size_t>(5, losses.size());
  for (std::size_t i = losses.size() - k; i < losses.size(); ++i) trial.end += losses[i] / static_cast<double>(k);
  if (!std::isfinite(trial.end)) trial.end = trial.most = std::numeric_limits<double>::infinity();
  return trial;
}

// The largest update of a layer, as a share of its weights.
double largest_update(const Examination& seen) {
  double most = 0;
  for (const auto& p : seen.step.parameters) {
    if (p.shape.size() >= 2 && p.weight_norm > 0) most = std::max(most, p.update_to_weight);
  }
  return most;
}

bool judge_high(Diagnosis& diagnosis, const Patient& patient, const Examination& seen, const Trial& trial,
                std::optional<double> stable) {
  const DiagnoseLimits& limits = patient.options.limits;
  const double lr = highest_rate(*patient.options.optimizer);
  if (stable && lr > limits.stable_rate * *stable) {
    report(diagnosis, learning_rate_high, "", lr / *stable, limits.stable_rate,
           formatted("The learning rate of {:.3g} is {:.3g} times the largest that is stable here (limit {:g}), "
                     "{:.3g}, by the sharpness of the loss.",
                     lr, lr / *stable, limits.stable_rate, *stable));
    return true;
  }
  const double scale = std::abs(trial.first), rise = scale > 0 ? trial.end / scale : 0;
  const double peak = scale > 0 ? trial.most / scale : 0;
  if (trial.end - trial.first > (limits.trial_rise - 1) * scale || peak > limits.trial_peak) {
    report(diagnosis, learning_rate_high, "", rise, limits.trial_rise,
           formatted("With a learning rate of {:.3g} the loss goes from {:.3g} up to {:.3g} and is {:.3g} after {} "
                     "steps on this batch.",
                     lr, trial.first, trial.most, trial.end, patient.options.trial_steps));
    return true;
  }
  const double update = largest_update(seen);
  // A line search, or a problem that is nearly solved by one step, may well take such a step.
  if (update <= limits.whole_update || trial.gain() > 0.5 * scale) return false;
  report(diagnosis, learning_rate_high, "", update, limits.whole_update,
         formatted("One step with a learning rate of {:.3g} changes a layer by {:.2g} of its norm (limit {:g}, common "
                   "is 0.001).",
                   lr, update, limits.whole_update));
  return true;
}

void judge_low(Diagnosis& diagnosis, const Patient& patient, const Examination& seen, const Trial& trial,
               std::optional<double> stable) {
  const DiagnoseLimits& limits = patient.options.limits;
  const double lr = highest_rate(*patient.options.optimizer), update = largest_update(seen);
  if (lr == 0) {
    report(diagnosis, learning_rate_low, "", 0, limits.least_rate,
           "The learning rate is 0: the optimizer moves no parameter.",
           "Set one, for example 1e-3, or what optim::lr_find suggests.");
    return;
  }
  const bool is_tiny = update > 0 && update < limits.small_update;
  if (!(is_tiny || (stable && lr < limits.least_rate * *stable))) return;
  // A model that has learnt takes small steps, too: only a much larger gain by a much larger rate proves it.
  double gain = std::max(try_steps(patient, 100).gain(), try_steps(patient, 1e4).gain());
  constexpr double most = std::numeric_limits<double>::max();
  if (stable) gain = std::max(gain, try_steps(patient, std::min(most, *stable / lr / 4)).gain());
  if (!(gain > 0.05 * std::abs(trial.first) && trial.gain() < 0.1 * gain)) return;
  const double value = is_tiny ? update : lr / *stable, limit = is_tiny ? limits.small_update : limits.least_rate;
  const std::string what = is_tiny ? formatted("changes no layer by more than {:.2g} of its norm", update)
                                   : formatted("is {:.2g} of the largest stable one", value);
  report(diagnosis, learning_rate_low, "", value, limit,
         formatted("A learning rate of {:.3g} {} (limit {:g}): in {} steps the loss gains {:.2g}, with one far "
                   "higher {:.2g}.",
                   lr, what, limit, patient.options.trial_steps, trial.gain(), gain));
}

}  // namespace

void judge_rates(Diagnosis& diagnosis, const Patient& patient, const Examination& seen) {
  if (patient.options.optimizer == nullptr || diagnosis.has(nonfinite) || patient.trainable().empty()) return;
  const auto stable = stable_rate(diagnosis, patient);
  const Trial trial = try_steps(patient, 1);
  if (stable)
    diagnosis.measured.emplace_back("learning rate / largest stable one",
                                    highest_rate(*patient.options.optimizer) / *stable);
  diagnosis.measured.emplace_back("loss after a trial / before", trial.end / trial.first);
  diagnosis.measured.emplace_back("largest loss in the trial / before", trial.most / trial.first);
  diagnosis.measured.emplace_back("largest update of a layer / its norm", largest_update(seen));
  if (!judge_high(diagnosis, patient, seen, trial, stable)) judge_low(diagnosis, patient, seen, trial, stable);
}

}  // namespace gradus::train::doctor
