#pragma once

#include <memory>
#include <string>

#include "gradus/train/callback.hpp"

namespace gradus::train {

struct CheckpointOptions {
  std::string monitor = "valid_loss";  // a column of the history
  Mode mode = Mode::automatic;
  bool save_best_only = true;  // false: after every epoch, and the column may be missing
};

// Saves the model's state_dict() as a safetensors file, with the epoch and the monitored value as metadata. "{epoch}"
// in the path becomes the epoch's number. Throws if the path is empty; when the run begins, if there is no such
// directory; during the run, if there is no such column or the file cannot be written.
std::shared_ptr<Callback> checkpoint(const std::string& path, const CheckpointOptions& options = {});

}  // namespace gradus::train
