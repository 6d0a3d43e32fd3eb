// What a training run tells of itself while it goes on, and who listens.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gradus/nn/module.hpp"
#include "gradus/optim/optimizer.hpp"
#include "gradus/train/history.hpp"

namespace gradus::train {

// A run of fit(), as its callbacks see it.
struct Run {
  nn::Module& model;
  optim::Optimizer& optimizer;
  History& history;        // of the epochs before this one
  std::int64_t epoch = 0;  // from 1
  std::int64_t epochs = 0;
  std::int64_t batch = 0;  // in the epoch, from 0
  std::int64_t batches = 0;
  std::int64_t step = 0;                                   // the optimizer's steps so far
  double loss = std::numeric_limits<double>::quiet_NaN();  // of the last batch
  std::vector<NamedValue> row = {};                        // this epoch's; a callback may add columns
  std::optional<std::string> stop_reason = {};

  // Training ends after this step. The epoch ends where it is: it is validated and leaves its row; only Ctrl-C leaves
  // none. The first reason counts.
  void stop(std::string reason) {
    if (!stop_reason) stop_reason = std::move(reason);
  }
};

// Derive, and override the moments of interest. In their order:
//
//   on_train_begin
//     on_epoch_begin
//       on_batch_begin   on_backward_end   on_step_end   on_batch_end       (each batch)
//     on_validation_begin   on_validation_end                               (if there is a validation set)
//     on_epoch_end
//   on_train_end
//
// With `accumulate` there are several batches to one backward end and step. From on_validation_begin to on_epoch_end
// the model has the weights that are judged: with `ema_decay`, the averaged ones. Newton and ArmijoGD, which take their
// derivatives themselves, have no backward end. What a callback throws ends the run.
class Callback {
 public:
  virtual ~Callback() = default;

  virtual void on_train_begin(Run&) {}
  virtual void on_epoch_begin(Run&) {}
  virtual void on_batch_begin(Run&) {}
  virtual void on_backward_end(Run&) {}  // gradients are there, neither clipped nor used yet
  virtual void on_step_end(Run&) {}
  virtual void on_batch_end(Run&) {}
  virtual void on_validation_begin(Run&) {}
  virtual void on_validation_end(Run&) {}
  virtual void on_epoch_end(Run&) {}  // the row is complete, but not in the history yet
  virtual void on_train_end(Run&) {}  // also of a run that was stopped, but not of one that threw

  // What it must remember for a run that is resumed to go on as if it had never ended.
  virtual std::map<std::string, Tensor> state_dict() const { return {}; }
  // After on_train_begin.
  virtual void load_state_dict(const std::map<std::string, Tensor>&) {}
};

}  // namespace gradus::train
