#include "gradus/training.hpp"

#include <fmt/format.h>

#include <gradus/error.hpp>
#include <gradus/nn/loss.hpp>
#include <gradus/random.hpp>

#include "gradus/words.hpp"

namespace gradus::tool {

std::vector<std::string> known_losses(Task task) {
  if (task == Task::classification) return {"cross_entropy"};
  return {"mse", "l1", "huber", "smooth_l1"};
}

train::LossFunction loss_called(const std::string& name, Task task) {
  check_known("--loss: loss for " + std::string(to_string(task)), name, known_losses(task));
  if (name == "mse") return nn::MSELoss();
  if (name == "l1") return nn::L1Loss();
  if (name == "huber") return nn::HuberLoss();
  if (name == "smooth_l1") return nn::SmoothL1Loss();
  return nn::CrossEntropyLoss();
}

Training set_up(const TrainingOptions& options, const Data& data) {
  if (needs_closure(options.optimizer.name))
    throw Error(fmt::format("--optimizer: {} evaluates the loss by itself and is for surfaces, not for mini-batches",
                            options.optimizer.name));
  Training training;
  training.encoding = data.encoding;
  training.loss = loss_called(options.loss.value_or(known_losses(data.encoding.task).front()), data.encoding.task);
  training.layers = layers_of(options.model, data.encoding.outputs());
  manual_seed(options.seed);
  training.model = build_model(training.layers, data.encoding.input);
  training.optimizer = make_optimizer(options.optimizer, training.model.named_parameters());
  const std::int64_t batches = (data.train.size() + options.batch_size - 1) / options.batch_size;
  training.schedule = make_schedule(options.schedule, *training.optimizer, options.epochs * batches);
  return training;
}

std::string score_name(Task task) { return task == Task::classification ? "accuracy" : "r2_score"; }

train::FitOptions fit_options(const TrainingOptions& options, const Training& training) {
  train::FitOptions fit{.epochs = options.epochs, .batch_size = options.batch_size};
  fit.schedule = training.schedule.get();
  fit.metrics = {training.encoding.task == Task::classification ? train::accuracy() : train::r2_score()};
  if (options.early_stopping > 0) fit.callbacks.push_back(train::early_stopping({.patience = options.early_stopping}));
  fit.clip_grad_norm = options.clip;
  fit.seed = options.seed;
  fit.progress = false;
  return fit;
}

void check_complete(const train::History& history) {
  if (history.stop_reason() == "interrupted") throw Error("interrupted");
}

train::History train_quietly(const TrainingOptions& options, const Data& data, Training& training) {
  train::FitOptions fit = fit_options(options, training);
  fit.callbacks.push_back(train::terminate_on_nan());
  train::History history = train::fit(training.model, training.loss, *training.optimizer, data.train, data.valid, fit);
  check_complete(history);
  return history;
}

}  // namespace gradus::tool
