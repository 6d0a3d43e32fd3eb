// One step of the optimizer: its batches, their gradients, clipping.
#include "gradus/autograd.hpp"
#include "gradus/nn/clip_grad.hpp"
#include "gradus/ops.hpp"
#include "gradus/optim/armijo_gd.hpp"
#include "gradus/optim/newton.hpp"
#include "storage/format.hpp"
#include "train/loop.hpp"

namespace gradus::train {

bool wants_the_loss_alone(const optim::Optimizer& optimizer) {
  return dynamic_cast<const optim::ArmijoGD*>(&optimizer) || dynamic_cast<const optim::Newton*>(&optimizer);
}

void Loop::step() {
  take_batches();
  move();
  ++run_.step;
  if (average_) average_->update(run_.model);
  announce(&Callback::on_step_end);
  rates_.clear();
  for (std::int64_t group = 0; group < run_.optimizer.group_count(); ++group) {
    rates_.push_back(run_.optimizer.lr(group));
  }
  const bool by_step = options_.schedule_step == ScheduleStep::batch;
  if (options_.schedule && by_step && !plateau_) options_.schedule->step();
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
  else if (loss_alone_)
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
  if (bar_) bar_->step(run_.loss, target.size(0));
}

void Loop::clip() {
  if (options_.clip_grad_value) clip_grad_value_(parameters_, *options_.clip_grad_value);
  if (options_.clip_grad_norm) {
    const bool is_error = run_.optimizer.nonfinite() == optim::NonFinite::error;
    clip_grad_norm_(parameters_, *options_.clip_grad_norm, {.error_if_nonfinite = is_error});
  }
}

}  // namespace gradus::train
