// gradus lr-find: the learning rate range test.
#include <fmt/format.h>

#include <cstdio>
#include <limits>
#include <optional>
#include <string>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <gradus/data/loader.hpp>
#include <gradus/error.hpp>
#include <gradus/optim/lr_find.hpp>
#include <gradus/plot.hpp>

#include "gradus/commands.hpp"
#include "gradus/files.hpp"
#include "gradus/training.hpp"

namespace gradus::tool {
namespace {

using Json = nlohmann::ordered_json;

struct Wishes {
  TrainingOptions training;
  optim::LRFindOptions sweep;
  std::string csv;
  std::string picture;
  bool json = false;
};

// Goes round and round through the shuffled data.
class Batches {
 public:
  Batches(const data::Dataset& set, const TrainingOptions& options)
      : loader_(set, {.batch_size = options.batch_size, .shuffle = true, .seed = options.seed}), at_(loader_.begin()) {}

  data::Dataset next() {
    if (at_ == loader_.end()) at_ = loader_.begin();
    data::Dataset batch = *at_;
    ++at_;
    return batch;
  }

 private:
  data::DataLoader loader_;
  data::DataLoader::Iterator at_;
};

optim::LRFindResult sweep(const Wishes& wishes) {
  const Data data = load_data(wishes.training.data, wishes.training.seed);
  Training training = set_up(wishes.training, data);
  Batches batches(data.train, wishes.training);
  const auto closure = [&] {
    const data::Dataset batch = batches.next();
    training.optimizer->zero_grad();
    Tensor loss = training.loss(training.model(batch.x), batch.y);
    loss.backward();
    return loss;
  };
  return optim::lr_find(*training.optimizer, closure, wishes.sweep);
}

Json to_json(const optim::LRFindResult& result) {
  Json json = {{"suggestion", nullptr}, {"diverged_at", nullptr}, {"lrs", result.lrs}, {"losses", result.losses}};
  json["smoothed"] = result.smoothed;
  if (result.suggestion) json["suggestion"] = *result.suggestion;
  if (result.diverged_at) json["diverged_at"] = *result.diverged_at;
  return json;
}

void save_picture(const optim::LRFindResult& result, const std::string& path) {
  plot::Figure figure({.title = "Learning rate range test"});
  plot::Axes& axes = figure.axes({.x_label = "learning rate", .y_label = "loss", .x_log = true});
  axes.line(result.lrs, result.losses, {.label = "loss", .color = "muted", .width = 1.25});
  axes.line(result.lrs, result.smoothed, {.label = "smoothed", .color = "C0"});
  if (result.suggestion)
    axes.vline(*result.suggestion, {.label = fmt::format("suggested {:.2g}", *result.suggestion), .color = "C1"});
  figure.save(path);
}

}  // namespace

void add_lr_find(CLI::App& app, int& status) {
  static Wishes wishes;
  CLI::App* command =
      app.add_subcommand("lr-find", "Find a learning rate: it grows from step to step, and the loss tells");
  command->add_option("data", wishes.training.data.name, describe_data())->required()->type_name("DATA");
  add_data_options(*command, wishes.training.data);
  add_model_options(*command, wishes.training.model);
  add_optimizer_options(*command, wishes.training.optimizer);
  add_batch_size(*command, wishes.training.batch_size);
  add_seed(*command, wishes.training.seed);
  command->add_option("--from", wishes.sweep.start_lr, "The first rate; default 1e-7")->type_name("RATE");
  command->add_option("--to", wishes.sweep.end_lr, "The last rate; default 10")->type_name("RATE");
  command->add_option("--steps", wishes.sweep.steps, "How many; default 100")->type_name("N");
  command->add_option("--csv", wishes.csv, "Also write the curve as CSV")->type_name("FILE");
  command->add_option("--svg", wishes.picture, "Also draw it")->type_name("FILE");
  command->add_flag("--json", wishes.json, "Print JSON");
  command->footer(
      "Exit status: 0 there is a suggestion, 1 the loss never falls.\n\n"
      "Examples:\n"
      "  gradus lr-find digits --svg curve.svg\n"
      "  gradus lr-find diabetes --optimizer sgd --hidden 32 --json\n"
      "  gradus lr-find wine --optimizer adam --batch-size 16 --csv curve.csv");
  command->callback([&status] {
    for (const std::string& file : {wishes.csv, wishes.picture}) {
      if (!file.empty()) check_folder_of(file);
    }
    const optim::LRFindResult result = sweep(wishes);
    if (!wishes.csv.empty()) optim::save_csv(result, wishes.csv);
    if (!wishes.picture.empty()) save_picture(result, wishes.picture);
    std::puts((wishes.json ? to_json(result).dump(2) : optim::to_string(result)).c_str());
    status = result.suggestion ? 0 : 1;
  });
}

}  // namespace gradus::tool
