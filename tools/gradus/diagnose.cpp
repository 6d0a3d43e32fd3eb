// gradus diagnose: what is wrong with a network, its data or its learning rate.
#include <cstdio>
#include <string>
#include <CLI/CLI.hpp>

#include <gradus/data/loader.hpp>
#include <gradus/error.hpp>
#include <gradus/train.hpp>

#include "gradus/commands.hpp"
#include "gradus/training.hpp"

namespace gradus::tool {
namespace {

struct Wishes {
  TrainingOptions training;
  std::int64_t epochs = 0;
  std::string history;
  bool json = false;
};

train::Diagnosis read_history(const std::string& path) {
  return train::diagnose(path.ends_with(".json") ? train::History::load_json(path) : train::History::load_csv(path));
}

// A batch of the shuffled training samples: the network as it starts, or after some epochs.
train::Diagnosis examine(Wishes& wishes) {
  if (wishes.training.data.name.empty()) throw Error("diagnose: what? Give DATA, or the --history of a run");
  const Data data = load_data(wishes.training.data, wishes.training.seed);
  wishes.training.epochs = wishes.epochs;
  Training training = set_up(wishes.training, data);
  if (wishes.epochs > 0) {
    check_complete(train::fit(training.model, training.loss, *training.optimizer, data.train,
                              fit_options(wishes.training, training)));
  }
  data::DataLoader loader(data.train,
                          {.batch_size = wishes.training.batch_size, .shuffle = true, .seed = wishes.training.seed});
  return train::diagnose(training.model, training.loss, *loader.begin(), {.optimizer = training.optimizer.get()});
}

}  // namespace

void add_diagnose(CLI::App& app, int& status) {
  static Wishes wishes;
  CLI::App* command =
      app.add_subcommand("diagnose", "Examine a network on a batch: what is wrong, where, and what to try");
  command->add_option("data", wishes.training.data.name, describe_data())->type_name("DATA");
  add_data_options(*command, wishes.training.data);
  add_model_options(*command, wishes.training.model);
  add_optimizer_options(*command, wishes.training.optimizer);
  add_batch_size(*command, wishes.training.batch_size);
  add_seed(*command, wishes.training.seed);
  command->add_option("--after", wishes.epochs, "Train for so many epochs first; default 0: the network as it starts")
      ->check(not_negative())
      ->type_name("EPOCHS");
  command->add_option("--history", wishes.history, "Instead: read the curves of a run, history.csv or history.json")
      ->type_name("FILE");
  command->add_flag("--json", wishes.json, "Print JSON");
  command->footer(
      "Exit status: 0 nothing was found, 1 something was.\n\n"
      "Examples:\n"
      "  gradus diagnose digits --hidden 64\n"
      "  gradus diagnose wine --optimizer sgd --lr 0.1 --after 5 --json\n"
      "  gradus diagnose iris --optimizer sgd --lr 50 || echo \"see a doctor\"\n"
      "  gradus train wine --report run\n"
      "  gradus diagnose --history run/history.csv || true");
  command->callback([&status, command] {
    if (!wishes.history.empty()) {
      refuse_options(*command, {"data", "--after"}, "a history has been trained already");
      for (const char* heading : {"Data", "Model", "Training"})
        refuse_options(*command, options_under(*command, heading), "a history has been trained already");
    }
    const train::Diagnosis diagnosis = wishes.history.empty() ? examine(wishes) : read_history(wishes.history);
    std::fputs((wishes.json ? diagnosis.to_json() : diagnosis.to_string()).c_str(), stdout);
    status = diagnosis.healthy() ? 0 : 1;
  });
}

}  // namespace gradus::tool
