#include "gradus/train/callbacks/functions.hpp"

#include <cmath>

#include "storage/format.hpp"

namespace gradus::train {
namespace {

class LambdaCallback final : public Callback {
 public:
  explicit LambdaCallback(const LambdaCallbackOptions& functions) : functions_(functions) {}

  void on_train_begin(Run& run) override { call(functions_.on_train_begin, run); }
  void on_epoch_begin(Run& run) override { call(functions_.on_epoch_begin, run); }
  void on_batch_begin(Run& run) override { call(functions_.on_batch_begin, run); }
  void on_backward_end(Run& run) override { call(functions_.on_backward_end, run); }
  void on_step_end(Run& run) override { call(functions_.on_step_end, run); }
  void on_batch_end(Run& run) override { call(functions_.on_batch_end, run); }
  void on_validation_begin(Run& run) override { call(functions_.on_validation_begin, run); }
  void on_validation_end(Run& run) override { call(functions_.on_validation_end, run); }
  void on_epoch_end(Run& run) override { call(functions_.on_epoch_end, run); }
  void on_train_end(Run& run) override { call(functions_.on_train_end, run); }

 private:
  static void call(const std::function<void(Run&)>& function, Run& run) {
    if (function) function(run);
  }

  LambdaCallbackOptions functions_;
};

class TerminateOnNaN final : public Callback {
 public:
  void on_batch_end(Run& run) override {
    if (std::isfinite(run.loss)) return;
    run.stop(formatted("terminate_on_nan: the loss is {} in batch {} of epoch {}", run.loss, run.batch, run.epoch));
  }
};

}  // namespace

std::shared_ptr<Callback> lambda_callback(const LambdaCallbackOptions& functions) {
  return std::make_shared<LambdaCallback>(functions);
}

std::shared_ptr<Callback> terminate_on_nan() { return std::make_shared<TerminateOnNaN>(); }

}  // namespace gradus::train
