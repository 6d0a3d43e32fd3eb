// Data, network, optimizer and schedule as the options ask for, ready to train.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <gradus/train.hpp>

#include "gradus/options.hpp"

namespace gradus::tool {

struct Training {
  Encoding encoding;
  std::string layers;
  nn::Sequential model;
  train::LossFunction loss;
  std::unique_ptr<optim::Optimizer> optimizer;
  std::unique_ptr<optim::LRScheduler> schedule;  // or none
};

std::vector<std::string> known_losses(Task task);
train::LossFunction loss_called(const std::string& name, Task task);

// The network as options and seed ask for, with what trains it. Throws if one of the names is not known.
Training set_up(const TrainingOptions& options, const Data& data);

// The metric by which runs are judged: "accuracy", or "r2_score".
std::string score_name(Task task);
// For train::fit, without progress.
train::FitOptions fit_options(const TrainingOptions& options, const Training& training);

// Throws if the run was interrupted: half a run is no result.
void check_complete(const train::History& history);
// Trains without a word; a run that diverges ends there. Throws if it is interrupted.
train::History train_quietly(const TrainingOptions& options, const Data& data, Training& training);

}  // namespace gradus::tool
