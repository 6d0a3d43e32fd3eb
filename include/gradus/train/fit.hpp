// The training loop as one call.
#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>
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
  optim::LRScheduler* schedule = nullptr;
  ScheduleStep schedule_step = ScheduleStep::batch;
  std::vector<std::shared_ptr<Metric>> metrics = {};
  std::vector<std::shared_ptr<Callback>> callbacks = {};
  std::optional<double> clip_grad_norm = {};
  std::optional<double> clip_grad_value = {};
  std::int64_t accumulate = 1;  // batches per step: as one batch so many times as large
  std::optional<double> ema_decay = {};
  optim::SAM* sam = nullptr;  // steps in the optimizer's place; it must be made of that optimizer
  std::optional<std::uint64_t> seed = {};
  std::string resume = {};
  std::int64_t save_every = 0;  // steps; 0: at the end of each epoch
  bool progress = true;
  std::FILE* progress_stream = stderr;
};

History fit(nn::Module& model, const LossFunction& loss, optim::Optimizer& optimizer, const data::Dataset& train,
            const data::Dataset& valid, const FitOptions& options = {});
// Without validation.
History fit(nn::Module& model, const LossFunction& loss, optim::Optimizer& optimizer, const data::Dataset& train,
            const FitOptions& options = {});

}  // namespace gradus::train
