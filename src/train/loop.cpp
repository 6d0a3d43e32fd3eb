#include "train/loop.hpp"

#include <algorithm>

#include "gradus/autograd.hpp"
#include "gradus/optim/schedule_free.hpp"
#include "gradus/random.hpp"
#include "storage/format.hpp"
#include "train/interrupt.hpp"
#include "train/modes.hpp"
#include "train/seconds.hpp"
#include "train/undo.hpp"

namespace gradus::train {
namespace {

data::LoaderOptions loader_options(const FitOptions& options) {
  return {.batch_size = options.batch_size, .shuffle = options.shuffle, .drop_last = false, .seed = options.seed};
}

// The result of schedule-free optimizers is not where they take gradients.
void set_schedule_free(optim::Optimizer& optimizer, bool training) {
  const auto set = [training]<class Options>(optim::ScheduleFree<Options>* rule) {
    if (rule && training) rule->train();
    if (rule && !training) rule->eval();
  };
  set(dynamic_cast<optim::ScheduleFree<optim::ScheduleFreeAdamWOptions>*>(&optimizer));
  set(dynamic_cast<optim::ScheduleFree<optim::ScheduleFreeSGDOptions>*>(&optimizer));
}

// While it lives, the optimizer trains; then it rests at its result, also if something throws.
class Training {
 public:
  explicit Training(optim::Optimizer& optimizer) : optimizer_(optimizer) { set_schedule_free(optimizer_, true); }
  ~Training() { set_schedule_free(optimizer_, false); }
  Training(const Training&) = delete;
  Training& operator=(const Training&) = delete;

 private:
  optim::Optimizer& optimizer_;
};

// While it lives, the model has the weights that are judged.
class Judged {
 public:
  Judged(nn::Module& model, optim::Optimizer& optimizer, const std::optional<MovingAverage>& average)
      : optimizer_(optimizer) {
    set_schedule_free(optimizer_, false);
    if (average) average_.emplace(model, average->weights());
  }
  ~Judged() {
    average_.reset();
    set_schedule_free(optimizer_, true);
  }
  Judged(const Judged&) = delete;
  Judged& operator=(const Judged&) = delete;

 private:
  optim::Optimizer& optimizer_;
  std::optional<optim::SwapWeights> average_;
};

}  // namespace

Loop::Loop(nn::Module& model, const LossFunction& loss, optim::Optimizer& optimizer, const data::Dataset& train,
           const data::Dataset* valid, const FitOptions& options)
    : loss_(loss),
      options_(options),
      valid_(valid),
      run_{.model = model, .optimizer = optimizer, .history = history_},
      parameters_(optimizer.parameters()),
      loader_(train, loader_options(options)),
      plateau_(dynamic_cast<optim::ReduceLROnPlateau*>(options.schedule)),
      loss_alone_(wants_the_loss_alone(optimizer)) {
  if (options.ema_decay) average_.emplace(model, *options.ema_decay);
  run_.epochs = options.epochs;
  run_.batches = loader_.size();
}

History Loop::run() {
  const Modes modes(run_.model);
  std::optional<Undo> undo;  // only a resumed run can be refused once it has changed something
  if (!options_.resume.empty()) undo.emplace(run_, options_.schedule, generator_before_);
  if (!run_.model.is_training()) run_.model.train();
  const Training training(run_.optimizer);
  const Interrupt interrupt;
  const EnableGrad guard;
  if (options_.seed) manual_seed(*options_.seed);
  begin_run();
  if (undo) undo->keep();
  undo.reset();
  write_notes();
  if (options_.progress) show_progress();
  while (goes_on()) train_epoch();
  finish();
  return std::move(history_);
}

// A run that was stopped still ends its epoch, whichever process does it.
bool Loop::goes_on() const {
  if (run_.stop_reason) return in_epoch_ && epoch_loss_.samples > 0 && !interrupted_;
  return run_.epoch - (in_epoch_ ? 1 : 0) < run_.epochs;
}

void Loop::write_notes() {
  history_.note("epochs", std::to_string(run_.epochs));
  for (const auto& [name, value] : facts()) {
    if (!value.empty() && value != "none") history_.note(name, value);
  }
}

void Loop::show_progress() {
  const std::int64_t finished = std::min(run_.epoch - (in_epoch_ ? 1 : 0), run_.epochs);
  bar_.emplace(ProgressOptions{.epochs = run_.epochs,
                               .steps_per_epoch = run_.batches,
                               .first_step = finished * run_.batches + (in_epoch_ ? next_batch_ : 0),
                               .first_loss_sum = in_epoch_ ? epoch_loss_.sum : 0,
                               .first_samples = in_epoch_ ? epoch_loss_.samples : 0,
                               .stream = options_.progress_stream,
                               .in_place = {},
                               .values = [this] {
                                 std::vector<NamedValue> values;
                                 add_metrics(values, "");
                                 return values;
                               }});
}

void Loop::finish() {
  bar_.reset();
  if (!options_.resume.empty()) save_state();
  history_.set_stop_reason(run_.stop_reason.value_or(""));
  if (average_) run_.model.load_state_dict(average_->weights().state_dict());
  set_schedule_free(run_.optimizer, false);
  announce(&Callback::on_train_end);
}

// --- an epoch -------------------------------------------------------------------------------------------------------

void Loop::train_epoch() {
  if (!in_epoch_) begin_epoch();
  while (next_batch_ < run_.batches && !run_.stop_reason) {
    step();
    if (options_.save_every > 0 && run_.step % options_.save_every == 0) save_state();
    notice_interrupt();
  }
  if (epoch_loss_.samples == 0 || interrupted_) return;
  end_epoch();
  if (!options_.resume.empty() && options_.save_every == 0) save_state();
  notice_interrupt();
}

void Loop::notice_interrupt() {
  if (run_.stop_reason || !Interrupt::requested()) return;
  interrupted_ = true;
  run_.stop("interrupted");
}

void Loop::begin_epoch() {
  ++run_.epoch;
  run_.row.clear();
  next_batch_ = 0;
  epoch_loss_ = {};
  seconds_before_ = 0;
  for (const auto& metric : options_.metrics) metric->reset();
  enter_epoch();
  in_epoch_ = true;
  announce(&Callback::on_epoch_begin);
}

// Goes on with the batches of this epoch from the next one.
void Loop::enter_epoch() {
  loader_.set_next_epoch(run_.epoch - 1);
  batches_ = loader_.begin();
  for (std::int64_t i = 0; i < next_batch_; ++i) ++*batches_;
  epoch_started_ = steady_seconds();
}

double Loop::seconds() const { return seconds_before_ + steady_seconds() - epoch_started_; }

void Loop::end_epoch() {
  std::vector<NamedValue> row{{"epoch", static_cast<double>(run_.epoch)}, {"loss", epoch_loss_.value()}};
  add_metrics(row, "");
  std::swap(run_.row, row);
  std::vector<NamedValue> shown;  // beside the loss
  {
    const Judged judged(run_.model, run_.optimizer, average_);
    if (valid_) validate();
    for (std::size_t group = 0; group < rates_.size(); ++group) {
      run_.row.emplace_back(group == 0 ? std::string("lr") : formatted("lr_{}", group), rates_[group]);
    }
    shown.assign(run_.row.begin() + 2, run_.row.end());
    run_.row.emplace_back("seconds", seconds());
    run_.row.insert(run_.row.end(), row.begin(), row.end());  // what callbacks have added on the way
    step_schedule_by_epoch();
    announce(&Callback::on_epoch_end);
  }
  history_.append(run_.row);
  in_epoch_ = false;
  if (bar_) bar_->end_epoch(shown);
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
  if (plateau_) {
    const double before = run_.optimizer.lr();
    const std::string_view judged = valid_ ? "valid_loss" : "loss";
    for (const auto& [name, value] : run_.row) {
      if (name == judged) plateau_->step(value);
    }
    const double after = run_.optimizer.lr();
    if (after < before) history_.add_event(formatted("epoch {}: the learning rate falls to {:g}", run_.epoch, after));
  } else if (options_.schedule && options_.schedule_step == ScheduleStep::epoch) {
    options_.schedule->step();
  }
}

}  // namespace gradus::train
