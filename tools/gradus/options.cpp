#include "gradus/options.hpp"

#include <charconv>
#include <string>
#include <utility>
#include <CLI/CLI.hpp>

#include <gradus/error.hpp>

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

// Adds options under one heading of the help.
class Heading {
 public:
  Heading(CLI::App& command, std::string title) : command_(command), title_(std::move(title)) {}

  // `type` stands for the value in the help.
  template <class T>
  CLI::Option* add(const char* name, T& value, const char* type, const std::string& text) const {
    return command_.add_option(name, value, text)->type_name(type)->group(title_);
  }
  void add_flag(const char* name, bool& value, const char* text) const {
    command_.add_flag(name, value, text)->group(title_);
  }

 private:
  CLI::App& command_;
  std::string title_;
};

void add_rates(CLI::App& command, OptimizerOptions& options) {
  const Heading training(command, "Training");
  training.add("--lr", options.lr, "RATE", "Learning rate; default: the optimizer's");
  training.add("--momentum", options.momentum, "M", "Momentum, or the first beta");
  training.add("--weight-decay", options.weight_decay, "D", "Default: the optimizer's");
}

void add_length(CLI::App& command, TrainingOptions& options) {
  const Heading training(command, "Training");
  training.add("--epochs", options.epochs, "N", "Times through the data; default 20")->check(positive());
  training.add("--loss", options.loss, "NAME",
               "cross_entropy, mse, l1, huber or smooth_l1; default: as the task needs");
  training.add("--clip", options.clip, "NORM", "Clip the norm of the gradient");
}

void add_kind(CLI::App& command, ModelOptions& options) {
  const Heading model(command, "Model");
  model.add("--model", options.model, "NAME", "mlp, conv (for images) or linear; default mlp");
  model.add("--norm", options.norm, "NAME", "none, batch or layer, before each activation; default none");
}

}  // namespace

void refuse_options(const CLI::App& command, const std::vector<std::string>& names, const std::string& why) {
  for (const std::string& name : names) {
    if (command.count(name) > 0) throw Error(command.get_name() + ": " + name + ": " + why);
  }
}

std::vector<std::string> options_under(const CLI::App& command, const std::string& heading) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_group() == heading) names.push_back(option->get_name());
  }
  return names;
}

CLI::Validator positive() { return at_least(1, "must be positive"); }
CLI::Validator not_negative() { return at_least(0, "must not be negative"); }

std::string describe_data() { return "A CSV file, or a data set: " + join(known_data()); }

void add_data_options(CLI::App& command, DataOptions& options) {
  const Heading data(command, "Data");
  data.add("--target", options.target, "COLUMN", "The column to predict, by name or number; default: the last");
  data.add("--task", options.task, "TASK", "auto, classification or regression; auto looks at the target");
  data.add("--header", options.header, "ANSWER", "Is the first row of a CSV file one: auto, yes or no; default auto");
  data.add("--valid", options.valid, "SHARE", "Share of the samples that is held out; default 0.2");
  data.add("--samples", options.samples, "N", "Only so many samples, drawn by the seed")->check(not_negative());
}

void add_model_options(CLI::App& command, ModelOptions& options) {
  const Heading model(command, "Model");
  add_kind(command, options);
  model.add("--hidden", options.hidden, "N,N", "Widths of its hidden layers; default 64");
  model.add("--activation", options.activation, "NAME", join(known_activations()) + "; default relu");
  model.add("--dropout", options.dropout, "P", "After each hidden layer; default 0");
  CLI::Option* layers = model.add("--layers", options.layers, "WORDS",
                                  "All of it instead: 64,relu,dropout:0.2 or conv:16,relu,maxpool:2,64");
  for (const char* part : {"--model", "--norm", "--hidden", "--activation", "--dropout"})
    layers->excludes(command.get_option(part));
}

void add_optimizer_options(CLI::App& command, OptimizerOptions& options) {
  const Heading training(command, "Training");
  training.add("--optimizer", options.name, "NAME", join(optimizers_for_batches()) + "; default adamw");
  add_rates(command, options);
  training.add_flag("--nesterov", options.nesterov, "Nesterov's momentum");
}

void add_loop_options(CLI::App& command, TrainingOptions& options) {
  const Heading training(command, "Training");
  training.add("--schedule", options.schedule, "NAME", join(known_schedules()) + "; default constant");
  add_length(command, options);
}

void add_batch_size(CLI::App& command, std::int64_t& batch_size) {
  const Heading training(command, "Training");
  training.add("--batch-size", batch_size, "N", "Samples per step; default 32")->check(positive());
}

void add_seed(CLI::App& command, std::uint64_t& seed) {
  const Heading training(command, "Training");
  training.add("--seed", seed, "N", "Of split, weights and order; default 0")->check(not_negative());
}

void add_training_options(CLI::App& command, TrainingOptions& options) {
  const Heading training(command, "Training");
  add_loop_options(command, options);
  add_batch_size(command, options.batch_size);
  training.add("--early-stopping", options.early_stopping, "N", "Stop after so many epochs without a better loss")
      ->check(not_negative());
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
