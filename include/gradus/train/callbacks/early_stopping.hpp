#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "gradus/train/callback.hpp"

namespace gradus::train {

struct EarlyStoppingOptions {
  std::string monitor = "valid_loss";  // a column of the history
  double min_delta = 0;                // a value is better only if it is so by more than this
  std::int64_t patience = 0;           // epochs without a better value, after which training ends
  Mode mode = Mode::automatic;
  std::optional<double> baseline = {};  // a better value renews patience only if it is better than this one, too
  bool restore_best_weights = true;     // in the end the model has the weights of the best epoch
  std::int64_t start_from_epoch = 0;    // epochs that are not looked at
};

// Ends the run after an epoch that is no better than the best one, once patience is used up, as in Keras; which never
// ends it after the first epoch, as this does if its value is NaN and patience 0 or 1. NaN is never better. Throws
// unless patience, min_delta and start_from_epoch are at least 0; and during the run, if there is no such column.
std::shared_ptr<Callback> early_stopping(const EarlyStoppingOptions& options = {});

}  // namespace gradus::train
