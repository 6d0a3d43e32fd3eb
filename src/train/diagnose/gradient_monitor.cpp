#include "gradus/train/gradient_monitor.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "gradus/autograd.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "nn/gradients.hpp"
#include "optim/measure.hpp"
#include "optim/schedules/state.hpp"
#include "storage/format.hpp"
#include "train/diagnose/finding.hpp"
#include "train/diagnose/steps.hpp"

namespace gradus::train {
namespace {

// "blocks.0.up.weight" -> "grad_norm/blocks.0.up"; a parameter of the model itself has itself.
std::string column_of(const std::string& parameter) { return "grad_norm/" + parameter.substr(0, parameter.rfind('.')); }

double& value_of(std::vector<NamedValue>& values, const std::string& name) {
  const auto found = std::ranges::find(values, name, &NamedValue::first);
  return found != values.end() ? found->second : values.emplace_back(name, 0.0).second;
}

// How far beyond its limit, whichever side that is on.
double excess(const Symptom& s) {
  if (!std::isfinite(s.value)) return std::numeric_limits<double>::infinity();
  if (s.limit == 0 || s.value == 0) return std::abs(s.value) + std::abs(s.limit);
  return std::abs(std::log(std::abs(s.value / s.limit)));
}

}  // namespace

GradientMonitor::GradientMonitor(const GradientMonitorOptions& options) : options_(options) {
  if (options.every < 0) fail("gradient_monitor: every must not be negative: {}", options.every);
}

void GradientMonitor::on_train_begin(Run& run) {
  looks_ = next_ = 0;
  is_looking_ = false;
  seen_.clear();
  sums_ = {{"grad_norm", 0.0}, {"update_ratio", 0.0}};
  if (!options_.layers) return;
  for (const auto& [name, parameter] : run.model.named_parameters()) value_of(sums_, column_of(name));
}

void GradientMonitor::on_epoch_begin(Run&) {
  looks_ = 0;
  is_looking_ = false;
  for (auto& [name, sum] : sums_) sum = 0;
}

bool GradientMonitor::is_due(const Run& run) const {
  return options_.every > 0 ? run.step >= next_ : looks_ == 0 && run.batch >= run.batches / 2;
}

void GradientMonitor::on_backward_end(Run& run) {
  is_looking_ = is_due(run);
  if (!is_looking_) return;
  if (options_.every > 0) next_ = run.step + options_.every;
  const NoGrad guard;
  look_.parameters.clear();
  before_.clear();
  for (const Tensor& p : run.model.parameters()) {
    const Tensor grad = p.grad();
    optim::ParameterDiagnostics& seen = look_.parameters.emplace_back();
    seen.gradient_norm = grad.defined() ? total_norm({grad}) : 0;
    before_.push_back(p.detach().clone());
  }
}

void GradientMonitor::on_step_end(Run& run) {
  if (!is_looking_) return;
  is_looking_ = false;
  ++looks_;
  double all = 0, updates = 0, weights = 0;
  std::vector<NamedValue> layers;
  const auto parameters = run.model.named_parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    optim::ParameterDiagnostics& p = look_.parameters[i];
    // The step may have been preceded by clipping: the norm that was seen before is the one to tell.
    const double norm = p.gradient_norm;
    p = optim::measure_update(parameters[i].first, parameters[i].second, before_[i]);
    p.gradient_norm = norm;
    double& layer = value_of(layers, column_of(p.name));
    layer = std::hypot(layer, norm);
    all = std::hypot(all, norm);
    updates = std::hypot(updates, p.update_norm);
    weights = std::hypot(weights, p.weight_norm);
  }
  value_of(sums_, "grad_norm") += all;
  value_of(sums_, "update_ratio") += weights > 0 ? updates / weights : 0;
  if (options_.layers) {
    for (const auto& [name, norm] : layers) value_of(sums_, name) += norm;
  }
  judge(run);
}

void GradientMonitor::judge(const Run& run) {
  for (const Symptom& s : doctor::symptoms(look_, options_.limits, run.model)) {
    const auto known = std::ranges::find_if(seen_, [&](const Seen& old) { return old.symptom.illness == s.illness; });
    if (known == seen_.end())
      seen_.push_back({s, run.epoch});
    else if (excess(s) > excess(known->symptom))
      *known = {s, run.epoch};
  }
}

void GradientMonitor::on_epoch_end(Run& run) {
  if (looks_ > 0) {
    for (const auto& [name, sum] : sums_) run.row.emplace_back(name, sum / static_cast<double>(looks_));
  }
  if (!seen_.empty()) run.history.note("gradients on the way", diagnosis().to_string());
}

std::map<std::string, Tensor> GradientMonitor::state_dict() const {
  std::vector<double> sums;
  for (const auto& [name, sum] : sums_) sums.push_back(sum);
  return {{"looks", tensor(looks_)}, {"next", tensor(next_)}, {"sums", tensor(sums, {.dtype = float64})}};
}

void GradientMonitor::load_state_dict(const std::map<std::string, Tensor>& state) {
  optim::StateReader reader("gradient_monitor", state);
  const std::int64_t looks = reader.count("looks"), next = reader.count("next");
  const std::vector<double> sums = reader.numbers("sums", static_cast<std::int64_t>(sums_.size()));
  reader.finish();
  looks_ = looks;
  next_ = next;
  for (std::size_t i = 0; i < sums.size(); ++i) sums_[i].second = sums[i];
}

Diagnosis GradientMonitor::diagnosis() const {
  Diagnosis result;
  for (const auto& [symptom, epoch] : seen_) {
    result.findings.push_back(symptom);
    result.findings.back().evidence += formatted(" (epoch {})", epoch);
  }
  doctor::conclude(result);
  return result;
}

std::shared_ptr<GradientMonitor> gradient_monitor(const GradientMonitorOptions& options) {
  return std::make_shared<GradientMonitor>(options);
}

}  // namespace gradus::train
