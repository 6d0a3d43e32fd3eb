// The training loop as one call.
#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gradus/data/dataset.hpp"
#include "gradus/nn/module.hpp"
#include "gradus/optim/optimizer.hpp"
#include "gradus/optim/sam.hpp"
#include "gradus/optim/schedules/schedule.hpp"
#include "gradus/train/callback.hpp"
#include "gradus/train/history.hpp"
#include "gradus/train/metric.hpp"

namespace gradus::train {

// Of predictions and targets, a number: nn::CrossEntropyLoss(), or any function. It shall be the mean over the samples.
using LossFunction = std::function<Tensor(const Tensor& input, const Tensor& target)>;

enum class ScheduleStep : std::uint8_t {
  batch,  // after each step of the optimizer
  epoch,
};

struct FitOptions {
  std::int64_t epochs = 1;
  std::int64_t batch_size = 32;
  bool shuffle = true;
  // A schedule of this optimizer. ReduceLROnPlateau gets the validation loss after each epoch, or else the loss; its
  // mode must be min.
  optim::LRScheduler* schedule = nullptr;
  ScheduleStep schedule_step = ScheduleStep::batch;
  // Computed of the training batches, as the model was when it saw them, and of the validation set.
  std::vector<std::shared_ptr<Metric>> metrics = {};
  std::vector<std::shared_ptr<Callback>> callbacks = {};  // called in this order
  std::optional<double> clip_grad_norm = {};
  std::optional<double> clip_grad_value = {};  // before the norm is
  std::int64_t accumulate = 1;                 // batches to a step, as one batch so many times as large
  std::optional<double> ema_decay = {};        // judge, keep and end with an exponential moving average of the weights
  optim::SAM* sam = nullptr;               // steps in the place of the optimizer, which must be the one it is made of
  std::optional<std::uint64_t> seed = {};  // manual_seed() before the first epoch; and of the shuffling
  // A file for the state of the run: if it is there, the run goes on from it; it is written as the run goes. With the
  // weights it holds the whole history: to write it takes longer the more epochs there were. Rates and other settings
  // that an optimizer or a schedule keeps in its state are those of the state.
  std::string resume = {};
  // What else must be as it was for the run to go on, by name and value: the caller's settings, a checksum of the data.
  std::vector<std::pair<std::string, std::string>> resume_settings = {};
  std::int64_t save_every = 0;  // steps of the optimizer; 0: at the end of each epoch
  bool progress = true;
  std::FILE* progress_stream = stderr;
};

// Trains the model and leaves it in the mode, training or evaluation, in which it was; a model that evaluates is
// trained as a whole, one that trains with those of its parts that train. Validation is in evaluation mode, without
// recording. Returns the columns
//
//   epoch   loss   <metric>   valid_loss   valid_<metric>   lr   seconds   and what callbacks have added
//
// with a row per epoch. Losses are means over samples; lr is that of the epoch's last step, "lr_1" that of the second
// group of parameters.
//
// Each step asks the optimizer for step(closure): those that evaluate the loss several times, as LBFGS, work as well;
// callbacks and metrics see the first evaluation. What becomes of gradients that are not finite is the optimizer's
// set_nonfinite(). Ctrl-C ends the run after the step: what was learnt stays, the state is written, and stop_reason()
// says "interrupted"; a second Ctrl-C kills.
//
// A run with `resume` that dies, at whatever moment, and is started again by the same program goes on as if it had
// never ended, bit for bit: the state holds weights, buffers, the optimizer, the schedule, averages, the thread's
// default generator, the place in the epoch, metrics, history and callbacks. `epochs` and `save_every` may be others
// than before. A run that is complete is not trained on.
//
// Throws if an option is out of its range, a set is empty, or the state is damaged or that of another run: then model,
// optimizer, schedule and the generator are as before, though callbacks may have heard on_train_begin. Throws, too, if
// the loss is not a single number, which is known only after the first forward.
History fit(nn::Module& model, const LossFunction& loss, optim::Optimizer& optimizer, const data::Dataset& train,
            const data::Dataset& valid, const FitOptions& options = {});
// Without validation.
History fit(nn::Module& model, const LossFunction& loss, optim::Optimizer& optimizer, const data::Dataset& train,
            const FitOptions& options = {});

}  // namespace gradus::train
