#include "train/loop.hpp"

#include <chrono>

#include "gradus/autograd.hpp"
#include "gradus/nn/clip_grad.hpp"
#include "gradus/ops.hpp"
#include "gradus/optim/armijo_gd.hpp"
#include "gradus/optim/newton.hpp"
#include "gradus/optim/schedules/plateau.hpp"
#include "storage/format.hpp"
#include "train/modes.hpp"

namespace gradus::train {
namespace {

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

data::LoaderOptions loader_options(const FitOptions& options) {
  return {.batch_size = options.batch_size, .shuffle = options.shuffle, .drop_last = false, .seed = options.seed};
}

// These take derivatives of the loss themselves, as often as they need.
bool wants_the_loss_alone(const optim::Optimizer& optimizer) {
  return dynamic_cast<const optim::ArmijoGD*>(&optimizer) || dynamic_cast<const optim::Newton*>(&optimizer);
}

}  // namespace

Loop::Loop(nn::Module& model, const LossFunction& loss, optim::Optimizer& optimizer, const data::Dataset& train,
           const data::Dataset* valid, const FitOptions& options)
    : loss_(loss),
      options_(options),
      valid_(valid),
      run_{.model = model, .optimizer = optimizer, .history = history_},
      parameters_(optimizer.parameters()),
      loader_(train, loader_options(options)) {
  run_.epochs = options.epochs;
  run_.batches = loader_.size();
}

History Loop::run() {
  const Modes modes(run_.model);
  if (!run_.model.is_training()) run_.model.train();
  const EnableGrad guard;
  if (options_.progress) {
    bar_.emplace(
        ProgressOptions{.epochs = run_.epochs, .steps_per_epoch = run_.batches, .stream = options_.progress_stream});
  }
  announce(&Callback::on_train_begin);
  while (run_.epoch < run_.epochs && !run_.stop_reason) train_epoch();
  bar_.reset();
  announce(&Callback::on_train_end);
  return std::move(history_);
}

// --- an epoch -------------------------------------------------------------------------------------------------------

void Loop::train_epoch() {
  begin_epoch();
  while (next_batch_ < run_.batches && !run_.stop_reason) step();
  if (epoch_loss_.samples > 0) end_epoch();
}

void Loop::begin_epoch() {
  ++run_.epoch;
  run_.row.clear();
  loader_.set_next_epoch(run_.epoch - 1);
  batches_ = loader_.begin();
  next_batch_ = 0;
  epoch_loss_ = {};
  for (const auto& metric : options_.metrics) metric->reset();
  epoch_started_ = steady_seconds();
  announce(&Callback::on_epoch_begin);
}

void Loop::end_epoch() {
  std::vector<NamedValue> row{{"epoch", static_cast<double>(run_.epoch)}, {"loss", epoch_loss_.value()}};
  add_metrics(row, "");
  std::swap(run_.row, row);
  if (valid_) validate();
  for (std::size_t group = 0; group < rates_.size(); ++group) {
    run_.row.emplace_back(group == 0 ? std::string("lr") : fmt::format("lr_{}", group), rates_[group]);
  }
  run_.row.emplace_back("seconds", steady_seconds() - epoch_started_ + seconds_before_);
  run_.row.insert(run_.row.end(), row.begin(), row.end());  // what callbacks have added on the way
  step_schedule_by_epoch();
  announce(&Callback::on_epoch_end);
  history_.append(run_.row);
  if (bar_) bar_->end_epoch({run_.row.begin() + 2, run_.row.end()});
}

void Loop::validate() {
  announce(&Callback::on_validation_begin);
  {
    const Modes modes(run_.model);
    run_.model.eval();
    const NoGrad guard;
    Mean loss;
    for (const auto& metric : options_.metrics) metric->reset();
    data::DataLoader loader(*valid_, {.batch_size = options_.batch_size});
    for (const auto& [x, y] : loader) {
      const Tensor output = run_.model(x);
      loss.add(loss_(output, y).item(), x.size(0));
      for (const auto& metric : options_.metrics) metric->update(output, y);
    }
    run_.row.emplace_back("valid_loss", loss.value());
    add_metrics(run_.row, "valid_");
  }
  announce(&Callback::on_validation_end);
}

void Loop::add_metrics(std::vector<NamedValue>& row, const char* prefix) const {
  for (const auto& metric : options_.metrics) row.emplace_back(prefix + metric->name(), metric->value());
}

void Loop::step_schedule_by_epoch() {
  if (auto* plateau = dynamic_cast<optim::ReduceLROnPlateau*>(options_.schedule)) {
    const std::string_view judged = valid_ ? "valid_loss" : "loss";
    for (const auto& [name, value] : run_.row) {
      if (name == judged) plateau->step(value);
    }
  } else if (options_.schedule && options_.schedule_step == ScheduleStep::epoch) {
    options_.schedule->step();
  }
}

// --- a step ---------------------------------------------------------------------------------------------------------

void Loop::step() {
  take_batches();
  move();
  ++run_.step;
  announce(&Callback::on_step_end);
  rates_.clear();
  for (std::int64_t group = 0; group < run_.optimizer.group_count(); ++group) {
    rates_.push_back(run_.optimizer.lr(group));
  }
  const bool by_step = options_.schedule_step == ScheduleStep::batch;
  if (options_.schedule && by_step && !dynamic_cast<optim::ReduceLROnPlateau*>(options_.schedule)) {
    options_.schedule->step();
  }
  announce(&Callback::on_batch_end);
}

void Loop::take_batches() {
  group_.clear();
  group_samples_ = 0;
  run_.batch = next_batch_ - 1;
  for (std::int64_t i = 0; i < options_.accumulate && next_batch_ < run_.batches; ++i) {
    group_.push_back(**batches_);
    group_samples_ += group_.back().size();
    ++*batches_;
    ++next_batch_;
  }
}

void Loop::move() {
  evaluated_ = false;
  const auto gradients = [this] { return loss_and_gradients(); };
  const auto value = [this] { return loss_alone(); };
  if (options_.sam)
    options_.sam->step(gradients);
  else if (wants_the_loss_alone(run_.optimizer))
    run_.optimizer.step(value);
  else
    run_.optimizer.step(gradients);
}

// What optimizers know as the closure: zero_grad, forward, backward.
Tensor Loop::loss_and_gradients() {
  const bool is_first = !std::exchange(evaluated_, true);
  run_.optimizer.zero_grad();
  Tensor total;
  for (std::size_t i = 0; i < group_.size(); ++i) {
    const Tensor loss = evaluate(i, is_first);
    loss.backward();
    total = i == 0 ? loss.detach() : total + loss.detach();
    if (is_first && i + 1 < group_.size()) announce(&Callback::on_batch_end);
  }
  if (is_first) announce(&Callback::on_backward_end);
  clip();
  return total;
}

Tensor Loop::loss_alone() {
  const bool is_first = !std::exchange(evaluated_, true);
  Tensor total;
  for (std::size_t i = 0; i < group_.size(); ++i) {
    const Tensor loss = evaluate(i, is_first);
    total = i == 0 ? loss : total + loss;
    if (is_first && i + 1 < group_.size()) announce(&Callback::on_batch_end);
  }
  return total;
}

// The loss of one batch of the step, as its share of the mean over all samples of the step.
Tensor Loop::evaluate(std::size_t index, bool is_first) {
  const auto& [x, y] = group_[index];
  if (is_first) {
    ++run_.batch;
    announce(&Callback::on_batch_begin);
  }
  const Tensor output = run_.model(x);
  Tensor loss = loss_(output, y);
  if (loss.numel() != 1) fail("fit: the loss must be a single number, got {}", loss.shape());
  if (is_first) observe(output, y, loss);
  if (group_.size() == 1) return loss;
  return loss * (static_cast<double>(x.size(0)) / static_cast<double>(group_samples_));
}

void Loop::observe(const Tensor& output, const Tensor& target, const Tensor& loss) {
  run_.loss = loss.item();
  epoch_loss_.add(run_.loss, target.size(0));
  if (!options_.metrics.empty()) {
    const NoGrad guard;
    const Tensor prediction = output.detach();
    for (const auto& metric : options_.metrics) metric->update(prediction, target);
  }
  if (bar_) bar_->step(run_.loss);
}

void Loop::clip() {
  if (options_.clip_grad_value) clip_grad_value_(parameters_, *options_.clip_grad_value);
  if (options_.clip_grad_norm) {
    const bool is_error = run_.optimizer.nonfinite() == optim::NonFinite::error;
    clip_grad_norm_(parameters_, *options_.clip_grad_norm, {.error_if_nonfinite = is_error});
  }
}

}  // namespace gradus::train
