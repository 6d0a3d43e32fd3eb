// A run written down while it goes on. Put these behind the callbacks that add columns.
//
// Each fit() starts a log anew. A resumed run goes on where its saved state was: what was written after that goes. If a
// crash left less than that, it goes on behind the last whole line or record. What can't be opened is an Error at once.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "gradus/train/callback.hpp"

namespace gradus::train {

struct LoggerOptions {
  std::int64_t every = 0;  // steps between records of the last batch's loss; 0: none
};

// A line of JSON for each epoch, on the disk before the next one begins:
//   {"step": 45, "epoch": 1, "loss": 0.7, "valid_loss": 0.8, ...}
// and for each `every` steps {"step": 10, "epoch": 1, "batch": 9, "loss": 0.9, "lr": 0.003}. NaN is null, infinity
// "inf". If the run is stopped, the last line has its "stop_reason". Each line is one write to the end of the file.
std::shared_ptr<Callback> jsonl_logger(const std::string& path, const LoggerOptions& options = {});

// An event file for TensorBoard in the directory, which is made if need be: the columns of an epoch over the number of
// the epoch, and "batch/loss" and "batch/lr" over that of the step. `tensorboard --logdir` shows directories side by
// side.
std::shared_ptr<Callback> tensorboard(const std::string& log_dir, const LoggerOptions& options = {});

}  // namespace gradus::train
