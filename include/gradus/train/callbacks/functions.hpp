// Callbacks that are no more than a function.
#pragma once

#include <functional>
#include <memory>

#include "gradus/train/callback.hpp"

namespace gradus::train {

struct LambdaCallbackOptions {
  std::function<void(Run&)> on_train_begin = {};
  std::function<void(Run&)> on_epoch_begin = {};
  std::function<void(Run&)> on_batch_begin = {};
  std::function<void(Run&)> on_backward_end = {};
  std::function<void(Run&)> on_step_end = {};
  std::function<void(Run&)> on_batch_end = {};
  std::function<void(Run&)> on_validation_begin = {};
  std::function<void(Run&)> on_validation_end = {};
  std::function<void(Run&)> on_epoch_end = {};
  std::function<void(Run&)> on_train_end = {};
};

// Calls these functions: `lambda_callback({.on_epoch_end = [](train::Run& run) { ... }})`.
std::shared_ptr<Callback> lambda_callback(const LambdaCallbackOptions& functions);

// Ends the run after a batch whose loss is NaN or infinite. LBFGS and SAM throw at such a loss by themselves, and
// before.
std::shared_ptr<Callback> terminate_on_nan();

}  // namespace gradus::train
