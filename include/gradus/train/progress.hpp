// How far a training run is: one line on a terminal, rewritten in place; a line per epoch in a file or pipe.
#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "gradus/train/history.hpp"

namespace gradus::train {

struct ProgressOptions {
  std::int64_t epochs = 1;
  std::int64_t steps_per_epoch = 1;
  std::int64_t first_step = 0;  // of all epochs: steps that were done before, by a run that is resumed
  double first_loss_sum = 0;    // and of those in the epoch that goes on: their losses times samples
  std::int64_t first_samples = 0;
  std::FILE* stream = stderr;         // stdout stays free for results
  std::optional<bool> in_place = {};  // default: whether the stream is a terminal
  // Asked when a line is drawn in the middle of an epoch: metrics so far, in the place of those of the last epoch.
  std::function<std::vector<NamedValue>()> values = {};
};

// epoch 12/30  [===========>                 ]  15800 steps/s  ETA 0:03  loss 0.0432  valid_loss 0.0907
//
// A step costs one look at the clock: the line is drawn ten times a second at most.
class ProgressBar {
 public:
  // Throws unless epochs and steps_per_epoch are positive, and first_step at least 0.
  explicit ProgressBar(const ProgressOptions& options);
  // Leaves the cursor at the beginning of a line, even if training stopped half-way.
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // One training step is done; `loss` joins the running mean of the epoch, where it weighs as much as it has samples.
  void step(double loss, std::int64_t samples = 1);
  // The epoch is over; `values`, such as the validation loss, are shown behind the training loss.
  void end_epoch(const std::vector<NamedValue>& values = {});

  // The mean of the losses in this epoch, or in the last one until the next one starts. NaN before the first step.
  double loss() const;

 private:
  double seconds() const;  // since the start
  bool in_epoch() const { return !mean_is_old_ && steps_ % options_.steps_per_epoch != 0; }
  std::vector<NamedValue> current_values() const;
  void draw_in_place();
  void print_epoch();

  ProgressOptions options_;
  bool in_place_ = false;
  bool line_is_open_ = false;
  double started_;            // on the steady clock, in seconds
  double next_draw_ = 0;      // in seconds since the start
  std::int64_t epoch_ = 0;    // finished epochs
  std::int64_t steps_ = 0;    // finished steps of all epochs
  std::int64_t samples_ = 0;  // of the epoch whose mean loss is shown
  double loss_sum_ = 0;
  bool mean_is_old_ = false;
  std::vector<NamedValue> values_;  // of the last epoch
};

}  // namespace gradus::train
