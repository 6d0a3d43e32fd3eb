// gradus train: one run, and what it leaves in its folder.
#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <gradus/error.hpp>

#include "gradus/commands.hpp"
#include "gradus/files.hpp"
#include "gradus/model_file.hpp"
#include "gradus/text_table.hpp"
#include "gradus/training.hpp"
#include "gradus/words.hpp"

namespace gradus::tool {
namespace {

using Json = nlohmann::ordered_json;

struct Wishes {
  TrainingOptions training;
  std::string report;
  bool resume = false;
  bool quiet = false;
  bool json = false;
};

struct Outcome {
  train::History history;
  double seconds = 0;
  std::int64_t parameters = 0;
  std::vector<std::string> files;
};

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// What a run was is written beside what it gave.
void take_notes(train::History& history, const Wishes& wishes, const Data& data, const Training& training) {
  const TrainingOptions& options = wishes.training;
  history.note("data",
               fmt::format("{}: {} samples to train on, {} held out", data.name, data.train.size(), data.valid.size()));
  history.note("task", fmt::format("{} of {}", to_string(data.encoding.task), data.encoding.target));
  history.note("network", training.layers);
  history.note("optimizer", fmt::format("{}, lr {}", options.optimizer.name, training.optimizer->initial_lr()));
  history.note("schedule", options.schedule);
  history.note("seed", std::to_string(options.seed));
}

void save_files(Outcome& outcome, const Wishes& wishes, const Training& training) {
  const std::string folder = wishes.report + "/";
  outcome.files = {folder + "model.safetensors", folder + "history.csv", folder + "report.html"};
  save_model({training.model, training.layers, training.encoding}, outcome.files[0]);
  outcome.history.save_csv(outcome.files[1]);
  outcome.history.save_report(outcome.files[2], {.title = "Training on " + wishes.training.data.name});
}

std::string text_of(const std::optional<double>& value) { return value ? fmt::format("{}", *value) : "default"; }

// What fit does not know or would take back from the state: a run goes on only with the settings with which it began.
std::vector<std::pair<std::string, std::string>> settings_of(const TrainingOptions& options, const Data& data) {
  return {{"data", checksum(data)},
          {"target", data.encoding.target},
          {"--optimizer", options.optimizer.name},
          {"--lr", text_of(options.optimizer.lr)},
          {"--momentum", text_of(options.optimizer.momentum)},
          {"--weight-decay", text_of(options.optimizer.weight_decay)},
          {"--nesterov", options.optimizer.nesterov ? "yes" : "no"},
          {"--schedule", options.schedule},
          {"--loss", options.loss.value_or("default")},
          {"--early-stopping", std::to_string(options.early_stopping)}};
}

Outcome train_as(const Wishes& wishes, const Data& data, Training& training) {
  train::FitOptions options = fit_options(wishes.training, training);
  options.progress = !wishes.quiet;
  options.callbacks.push_back(train::terminate_on_nan());
  if (!wishes.report.empty()) make_folder(wishes.report);
  const std::string state = wishes.report + "/state.safetensors";
  if (wishes.resume) {
    options.resume = state;
    options.resume_settings = settings_of(wishes.training, data);
  }
  Outcome outcome;
  for (const Tensor& parameter : training.model.parameters()) outcome.parameters += parameter.numel();
  const double start = now();
  outcome.history = train::fit(training.model, training.loss, *training.optimizer, data.train, data.valid, options);
  outcome.seconds = now() - start;
  take_notes(outcome.history, wishes, data, training);
  if (wishes.report.empty()) return outcome;
  if (!wishes.resume) remove_file(state);  // an earlier run's, whose other files are now written over
  save_files(outcome, wishes, training);
  return outcome;
}

// The last row says more than a mean over the epoch would.
Json values_of(const train::History& history, bool best) {
  Json values;
  for (const std::string& name : history.names()) {
    if (best && !name.starts_with("valid_")) continue;
    values[name] = best ? history.best(name) : history.last(name);
  }
  return values;
}

void print_json(const Outcome& outcome, const Data& data, const Training& training) {
  const train::History& history = outcome.history;
  const Json all = {{"data", data.name},
                    {"task", to_string(data.encoding.task)},
                    {"train", data.train.size()},
                    {"valid", data.valid.size()},
                    {"layers", training.layers},
                    {"parameters", outcome.parameters},
                    {"epochs", history.size()},
                    {"seconds", outcome.seconds},
                    {"stop_reason", history.stop_reason()},
                    {"last", values_of(history, false)},
                    {"best", values_of(history, true)},
                    {"files", outcome.files}};
  std::puts(all.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
}

void print_summary(const Outcome& outcome, const Data& data, const Training& training) {
  const train::History& history = outcome.history;
  const std::string score = "valid_" + score_name(data.encoding.task);
  fmt::print("{}: {} of {}, {} samples to train on, {} held out\n", printable(data.name), to_string(data.encoding.task),
             printable(data.encoding.target), data.train.size(), data.valid.size());
  fmt::print("network {}, {} parameters\n", training.layers, outcome.parameters);
  fmt::print("{} epochs in {:.2f} s", history.size(), outcome.seconds);
  if (history.size() > 0) {
    fmt::print(": loss {}, valid_loss {}, {} {} (best {} in epoch {})", cell(history.last("loss")),
               cell(history.last("valid_loss")), score, cell(history.last(score)), cell(history.best(score)),
               history.best_row(score) + 1);
  }
  fmt::print("\n");
  if (!history.stop_reason().empty()) fmt::print("stopped: {}\n", history.stop_reason());
  for (const std::string& file : outcome.files) fmt::print("{}\n", file);
}

int run(const Wishes& wishes) {
  if (wishes.resume && wishes.report.empty()) throw Error("train: --resume needs --report DIR, where the run is kept");
  const Data data = load_data(wishes.training.data, wishes.training.seed);
  Training training = set_up(wishes.training, data);
  const Outcome outcome = train_as(wishes, data, training);
  wishes.json ? print_json(outcome, data, training) : print_summary(outcome, data, training);
  const train::History& history = outcome.history;
  if (history.stop_reason() == "interrupted") return 130;
  return history.size() > 0 && !std::isfinite(history.last("loss")) ? 1 : 0;
}

}  // namespace

void add_train(CLI::App& app, int& status) {
  static Wishes wishes;
  CLI::App* command = app.add_subcommand("train", "Train a network on a CSV file or a data set");
  command->add_option("data", wishes.training.data.name, describe_data())->required()->type_name("DATA");
  add_data_options(*command, wishes.training.data);
  add_model_options(*command, wishes.training.model);
  add_optimizer_options(*command, wishes.training.optimizer);
  add_training_options(*command, wishes.training);
  command->add_option("--report", wishes.report, "Put model.safetensors, history.csv and report.html into this folder")
      ->type_name("DIR");
  command->add_flag("--resume", wishes.resume, "Keep the run's state there, and go on from it if it is there");
  command->add_flag("-q,--quiet", wishes.quiet, "No progress on stderr");
  command->add_flag("--json", wishes.json, "Print JSON instead of a summary");
  command->footer(
      "A run that is resumed needs the data and the options with which it began; only --epochs may be others.\n"
      "Exit status: 0 trained, 1 the loss is not finite, 2 an error, 130 interrupted: what was learnt is kept.\n\n"
      "Examples:\n"
      "  gradus train digits\n"
      "  gradus train iris --hidden 16 --epochs 40 --report run\n"
      "  gradus train diabetes --layers 32,relu,dropout:0.2 --optimizer sgd --lr 0.05 --schedule cosine\n"
      "  gradus train digits --model conv --epochs 2 --lr 3e-3 --schedule one-cycle --json\n"
      "  gradus train wine --target alcohol --task regression --early-stopping 5");
  command->callback([&status] { status = run(wishes); });
}

}  // namespace gradus::tool
