// How far a training run is: one line on a terminal, rewritten in place; a line per epoch in a file or pipe.
#pragma once

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "gradus/train/history.hpp"

namespace gradus::train {

struct ProgressOptions {
  std::int64_t epochs = 1;
  std::int64_t steps_per_epoch = 1;
  std::FILE* stream = stderr;         // stdout stays free for results
  std::optional<bool> in_place = {};  // default: whether the stream is a terminal
};

// epoch 12/30  [===========>                 ]  15800 steps/s  ETA 0:03  loss 0.0432  valid_loss 0.0907
//
// A step costs one look at the clock: the line is drawn ten times a second at most.
class ProgressBar {
 public:
  // Throws unless epochs and steps_per_epoch are positive.
  explicit ProgressBar(const ProgressOptions& options);
  // Leaves the cursor at the beginning of a line, even if training stopped half-way.
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // One training step is done; `loss` joins the running mean of the epoch.
  void step(double loss);
  // The epoch is over; `values`, such as the validation loss, are shown behind the training loss.
  void end_epoch(const std::vector<NamedValue>& values = {});

  // The mean of the losses in this epoch, or in the last one until the next one starts. NaN before the first step.
  double loss() const;

 private:
  double seconds() const;  // since the start
  void draw_in_place();
  void print_epoch();

  ProgressOptions options_;
  bool in_place_ = false;
  bool line_is_open_ = false;
  double started_;                  // on the steady clock, in seconds
  double next_draw_ = 0;            // in seconds since the start
  std::int64_t epoch_ = 0;          // finished epochs
  std::int64_t steps_ = 0;          // finished steps of all epochs
  std::int64_t steps_in_mean_ = 0;  // of the epoch whose mean loss is shown
  double loss_sum_ = 0;
  bool mean_is_old_ = false;
  std::string values_;
};

}  // namespace gradus::train
