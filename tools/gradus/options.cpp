#include "gradus/options.hpp"

#include <charconv>
#include <CLI/CLI.hpp>

#include "gradus/words.hpp"

namespace gradus::tool {
namespace {

CLI::Validator at_least(double least, const char* rule) {
  const auto check = [least, rule](std::string& text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return "not a number: '" + printable(text) + "'";
    return value >= least ? std::string() : rule + (": " + text);
  };
  return {check, "", rule};
}

void add_rates(CLI::App& command, OptimizerOptions& options) {
  command.add_option("--lr", options.lr, "Learning rate; default: the optimizer's")
      ->type_name("RATE")
      ->group("Training");
  command.add_option("--momentum", options.momentum, "Momentum, or the first beta")->type_name("M")->group("Training");
  command.add_option("--weight-decay", options.weight_decay, "Default: the optimizer's")
      ->type_name("D")
      ->group("Training");
}

void add_length(CLI::App& command, TrainingOptions& options) {
  command.add_option("--epochs", options.epochs, "Times through the data; default 20")
      ->type_name("N")
      ->check(positive())
      ->group("Training");
  command.add_option("--loss", options.loss, "cross_entropy, mse, l1, huber or smooth_l1; default: as the task needs")
      ->type_name("NAME")
      ->group("Training");
  command.add_option("--clip", options.clip, "Clip the norm of the gradient")->type_name("NORM")->group("Training");
}

void add_kind(CLI::App& command, ModelOptions& options) {
  command.add_option("--model", options.model, "mlp, conv (for images) or linear; default mlp")
      ->type_name("NAME")
      ->group("Model");
  command.add_option("--norm", options.norm, "none, batch or layer, before each activation; default none")
      ->type_name("NAME")
      ->group("Model");
}

}  // namespace

CLI::Validator positive() { return at_least(1, "must be positive"); }
CLI::Validator not_negative() { return at_least(0, "must not be negative"); }

std::string describe_data() { return "A CSV file, or a data set: " + join(known_data()); }

void add_data_options(CLI::App& command, DataOptions& options) {
  command.add_option("--target", options.target, "The column to predict, by name or number; default: the last")
      ->type_name("COLUMN")
      ->group("Data");
  command.add_option("--task", options.task, "auto, classification or regression; auto looks at the target")
      ->type_name("TASK")
      ->group("Data");
  command.add_option("--header", options.header, "Is the first row of a CSV file one: auto, yes or no; default auto")
      ->type_name("ANSWER")
      ->group("Data");
  command.add_option("--valid", options.valid, "Share of the samples that is held out; default 0.2")
      ->type_name("SHARE")
      ->group("Data");
  command.add_option("--samples", options.samples, "Only so many samples, drawn by the seed")
      ->type_name("N")
      ->check(not_negative())
      ->group("Data");
}

void add_model_options(CLI::App& command, ModelOptions& options) {
  add_kind(command, options);
  command.add_option("--hidden", options.hidden, "Widths of its hidden layers; default 64")
      ->type_name("N,N")
      ->group("Model");
  command.add_option("--activation", options.activation, join(known_activations()) + "; default relu")
      ->type_name("NAME")
      ->group("Model");
  command.add_option("--dropout", options.dropout, "After each hidden layer; default 0")
      ->type_name("P")
      ->group("Model");
  command.add_option("--layers", options.layers, "All of it instead: 64,relu,dropout:0.2 or conv:16,relu,maxpool:2,64")
      ->type_name("WORDS")
      ->group("Model");
}

void add_optimizer_options(CLI::App& command, OptimizerOptions& options) {
  command.add_option("--optimizer", options.name, join(optimizers_for_batches()) + "; default adamw")
      ->type_name("NAME")
      ->group("Training");
  add_rates(command, options);
  command.add_flag("--nesterov", options.nesterov, "Nesterov's momentum")->group("Training");
}

void add_loop_options(CLI::App& command, TrainingOptions& options) {
  command.add_option("--schedule", options.schedule, join(known_schedules()) + "; default constant")
      ->type_name("NAME")
      ->group("Training");
  add_length(command, options);
}

void add_batch_size(CLI::App& command, std::int64_t& batch_size) {
  command.add_option("--batch-size", batch_size, "Samples per step; default 32")
      ->type_name("N")
      ->check(positive())
      ->group("Training");
}

void add_seed(CLI::App& command, std::uint64_t& seed) {
  command.add_option("--seed", seed, "Of split, weights and order; default 0")
      ->type_name("N")
      ->check(not_negative())
      ->group("Training");
}

void add_training_options(CLI::App& command, TrainingOptions& options) {
  add_loop_options(command, options);
  add_batch_size(command, options.batch_size);
  command.add_option("--early-stopping", options.early_stopping, "Stop after so many epochs without a better loss")
      ->type_name("N")
      ->check(not_negative())
      ->group("Training");
  add_seed(command, options.seed);
}

void add_contest_options(CLI::App& command, TrainingOptions& options) {
  add_rates(command, options.optimizer);
  add_loop_options(command, options);
  add_batch_size(command, options.batch_size);
}

void add_search_options(CLI::App& command, TrainingOptions& options) {
  add_kind(command, options.model);
  add_length(command, options);
  add_seed(command, options.seed);
}

}  // namespace gradus::tool
