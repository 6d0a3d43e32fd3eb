#include "gradus/train/fit.hpp"

#include <algorithm>
#include <cmath>

#include "gradus/optim/lbfgs.hpp"
#include "gradus/optim/levenberg_marquardt.hpp"
#include "gradus/optim/schedules/plateau.hpp"
#include "gradus/train/gradient_monitor.hpp"
#include "storage/format.hpp"
#include "train/loop.hpp"

namespace gradus::train {
namespace {

void check_positive(const char* option, std::int64_t value) {
  if (value <= 0) fail("fit: {} must be positive: {}", option, value);
}

void check_positive(const char* option, const std::optional<double>& value) {
  if (value && !(*value > 0)) fail("fit: {} must be positive: {}", option, *value);
}

void check_metrics(const std::vector<std::shared_ptr<Metric>>& metrics) {
  std::vector<std::string> names;
  for (const auto& metric : metrics) {
    if (!metric) fail("fit: metric {} is a null pointer", names.size());
    const std::string name = metric->name();
    if (std::ranges::find(names, name) != names.end()) fail("fit: there are two metrics named \"{}\"", name);
    names.push_back(name);
  }
}

// Callbacks may add columns; those that fit itself will add are known.
void check_columns(const std::vector<std::shared_ptr<Metric>>& metrics, const optim::Optimizer& optimizer) {
  std::vector<std::string> names{"epoch", "loss", "valid_loss", "seconds", "lr"};
  for (std::int64_t group = 1; group < optimizer.group_count(); ++group) names.push_back(formatted("lr_{}", group));
  for (const auto& metric : metrics) names.push_back("valid_" + metric->name());
  for (const auto& metric : metrics) {
    const std::string name = metric->name();
    if (std::ranges::find(names, name) != names.end()) fail("fit: a metric has the name of another column: {}", name);
  }
}

void check_callbacks(const std::vector<std::shared_ptr<Callback>>& callbacks) {
  if (std::ranges::find(callbacks, nullptr) != callbacks.end()) fail("fit: a callback is a null pointer");
  const auto watches = [](const auto& callback) { return dynamic_cast<const GradientMonitor*>(callback.get()); };
  if (std::ranges::count_if(callbacks, watches) > 1)
    fail("fit: there are two gradient monitors: their columns are the same");
}

void check_sets(const data::Dataset& train, const data::Dataset* valid) {
  if (!train.x.defined() || train.size() == 0) fail("fit: there is nothing to train on");
  if (valid && (!valid->x.defined() || valid->size() == 0)) fail("fit: there is nothing to validate on");
}

// Methods that look for the length of their step along a gradient need that gradient as it is.
void check_joint(const FitOptions& o, const optim::Optimizer& optimizer) {
  if (dynamic_cast<const optim::LevenbergMarquardt*>(&optimizer)) {
    fail("fit: LevenbergMarquardt needs residuals, not a loss: call its step(closure)");
  }
  const bool is_joint = dynamic_cast<const optim::LBFGS*>(&optimizer) || wants_the_loss_alone(optimizer);
  if (!is_joint) return;
  if (o.clip_grad_norm || o.clip_grad_value)
    fail("fit: an optimizer that searches its step can't have clipped gradients");
  if (o.sam) fail("fit: an optimizer that searches its step can't step for SAM");
}

void check(const FitOptions& o, const optim::Optimizer& optimizer) {
  check_positive("epochs", o.epochs);
  check_positive("batch_size", o.batch_size);
  check_positive("accumulate", o.accumulate);
  check_positive("clip_grad_norm", o.clip_grad_norm);
  check_positive("clip_grad_value", o.clip_grad_value);
  if (o.ema_decay && !(*o.ema_decay >= 0 && *o.ema_decay <= 1)) {
    fail("fit: ema_decay must be in [0, 1]: {}", *o.ema_decay);
  }
  if (o.save_every < 0) fail("fit: save_every must be at least 0: {}", o.save_every);
  if (o.save_every > 0 && o.resume.empty())
    fail("fit: save_every needs a path to save to, in resume: {}", o.save_every);
  if (o.schedule && &o.schedule->optimizer() != &optimizer) fail("fit: the schedule is of another optimizer");
  const auto* plateau = dynamic_cast<const optim::ReduceLROnPlateau*>(o.schedule);
  if (plateau && plateau->mode() == optim::PlateauMode::max) {
    fail("fit: ReduceLROnPlateau gets a loss: its mode must be min");
  }
  if (o.sam && &o.sam->optimizer() != &optimizer) fail("fit: sam is of another optimizer");
  if (o.progress && !o.progress_stream) fail("fit: progress_stream is a null pointer");
  check_joint(o, optimizer);
  check_metrics(o.metrics);
  check_columns(o.metrics, optimizer);
  check_callbacks(o.callbacks);
}

History run(nn::Module& model, const LossFunction& loss, optim::Optimizer& optimizer, const data::Dataset& train,
            const data::Dataset* valid, const FitOptions& options) {
  if (!loss) fail("fit: the loss is an empty function");
  check_sets(train, valid);
  check(options, optimizer);
  return Loop(model, loss, optimizer, train, valid, options).run();
}

}  // namespace

History fit(nn::Module& model, const LossFunction& loss, optim::Optimizer& optimizer, const data::Dataset& train,
            const data::Dataset& valid, const FitOptions& options) {
  return run(model, loss, optimizer, train, &valid, options);
}

History fit(nn::Module& model, const LossFunction& loss, optim::Optimizer& optimizer, const data::Dataset& train,
            const FitOptions& options) {
  return run(model, loss, optimizer, train, nullptr, options);
}

}  // namespace gradus::train
