// gradus search: hyper-parameters by grid, by chance or by successive halving.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <limits>
#include <string>
#include <vector>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <gradus/error.hpp>

#include "gradus/commands.hpp"
#include "gradus/files.hpp"
#include "gradus/search_picture.hpp"
#include "gradus/search_space.hpp"
#include "gradus/search_state.hpp"
#include "gradus/text_table.hpp"
#include "gradus/training.hpp"
#include "gradus/words.hpp"

namespace gradus::tool {
namespace {

using Json = nlohmann::ordered_json;

struct Axis {
  const char* name;
  const char* help;
  bool whole = false;
};
constexpr Axis axes[] = {{"lr", "Learning rates"},
                         {"weight-decay", "Weight decays"},
                         {"momentum", "Momenta, or first betas"},
                         {"dropout", "After each hidden layer"},
                         {"batch-size", "Samples per step", true},
                         {"hidden", "Widths of the hidden layers", true},
                         {"depth", "How many hidden layers", true},
                         {"optimizer", "Names"},
                         {"activation", "Names"},
                         {"schedule", "Names"}};

struct Wishes {
  TrainingOptions training;
  std::string specs[std::size(axes)];
  std::string method = "random";
  std::int64_t trials = 20;
  std::int64_t points = 3;
  std::int64_t eta = 3;
  std::string state;
  std::string picture;
  bool json = false;
};

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

std::vector<Dimension> space_of(const Wishes& wishes) {
  std::vector<Dimension> space;
  for (std::size_t i = 0; i < std::size(axes); ++i) {
    if (!wishes.specs[i].empty()) space.push_back(parse_dimension(axes[i].name, wishes.specs[i], axes[i].whole));
  }
  if (space.empty()) throw Error("search: nothing to choose from: give --lr 1e-4:1e-1:log or another range or list");
  return space;
}

// All that decides on what a trial gives. A state that was made for another one is of no use.
std::string description_of(const Wishes& wishes, const std::vector<Dimension>& space, const Data& data) {
  const TrainingOptions& t = wishes.training;
  Json chosen;
  for (const Dimension& dimension : space) chosen[dimension.name] = dimension.text;
  Json json = {{"search", t.data.name},
               {"data", checksum(data)},
               {"target", t.data.target},
               {"task", t.data.task},
               {"valid", t.data.valid.value_or(default_valid)},
               {"samples", t.data.samples},
               {"space", chosen},
               {"method", wishes.method},
               {"trials", wishes.trials},
               {"points", wishes.points},
               {"eta", wishes.eta},
               {"seed", t.seed},
               {"epochs", t.epochs},
               {"model", t.model.model},
               {"layers", t.model.layers},
               {"hidden", t.model.hidden},
               {"norm", t.model.norm},
               {"activation", t.model.activation},
               {"dropout", t.model.dropout},
               {"optimizer", t.optimizer.name},
               {"schedule", t.schedule},
               {"batch_size", t.batch_size}};
  if (t.loss) json["loss"] = *t.loss;
  if (t.clip) json["clip"] = *t.clip;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// Runs that broke down come last.
bool is_better(const Trial& a, const Trial& b) {
  if (std::isnan(a.score) || std::isnan(b.score)) return !std::isnan(a.score) && std::isnan(b.score);
  return a.score > b.score;
}

class Search {
 public:
  explicit Search(const Wishes& wishes)
      : wishes_(wishes),
        space_(space_of(wishes)),
        data_(load_data(wishes.training.data, wishes.training.seed)),
        state_(wishes.state, description_of(wishes, space_, data_)) {}

  void run() {
    check_known("--method: method", wishes_.method, {"grid", "random", "halving"});
    const std::vector<Choice> choices = wishes_.method == "grid"
                                            ? grid_of(space_, wishes_.points)
                                            : draws_of(space_, wishes_.trials, wishes_.training.seed);
    for (const Choice& choice : choices)
      set_up(apply(wishes_.training, space_, choice), data_);  // throws before the work
    check_trials(choices);
    if (state_.taken_up() > 0) fmt::print(stderr, "{} trials are in {} already\n", state_.taken_up(), wishes_.state);
    wishes_.method == "halving" ? halve(choices) : try_all(choices);
  }

  // The best first. Of a configuration that was trained for several budgets, the longest counts.
  std::vector<Trial> ranking() const {
    std::vector<Trial> longest;
    for (const Trial& trial : state_.trials()) {
      if (!longest.empty() && longest.back().number == trial.number)
        longest.back() = trial;
      else
        longest.push_back(trial);
    }
    std::ranges::stable_sort(longest, [](const Trial& a, const Trial& b) {
      if (a.epochs != b.epochs) return a.epochs > b.epochs;
      return is_better(a, b);
    });
    return longest;
  }

  const std::vector<Dimension>& space() const { return space_; }
  std::string score() const { return "valid_" + score_name(data_.encoding.task); }

 private:
  // The file may have been changed by hand.
  void check_trials(const std::vector<Choice>& choices) const {
    for (const Trial& trial : state_.trials()) {
      const auto number = static_cast<std::size_t>(trial.number);
      if (trial.number < 0 || number >= choices.size() || trial.choice != choices[number] || trial.epochs < 1)
        throw Error(fmt::format("search: {}: trial {} is not one of this search", wishes_.state, trial.number));
    }
  }
  void try_all(const std::vector<Choice>& choices) {
    for (std::size_t i = 0; i < choices.size(); ++i)
      trial(static_cast<std::int64_t>(i), choices[i], wishes_.training.epochs);
  }

  // All with a small budget, the best eta-th of them with eta times as much, and so on to --epochs. Each rung trains
  // anew: its schedule is one of that many epochs.
  // [Jamieson and Talwalkar, Non-stochastic best arm identification and hyperparameter optimization, AISTATS 2016]
  void halve(const std::vector<Choice>& choices) {
    std::int64_t rungs = 1;
    for (std::int64_t left = wishes_.trials; left / wishes_.eta >= 1 && budget(rungs + 1, 0) >= 1; left /= wishes_.eta)
      ++rungs;
    std::vector<Trial> field;
    for (std::size_t i = 0; i < choices.size(); ++i) field.push_back({.number = static_cast<std::int64_t>(i)});
    for (std::int64_t rung = 0; rung < rungs; ++rung) {
      for (Trial& one : field)
        one = trial(one.number, choices[static_cast<std::size_t>(one.number)], budget(rungs, rung));
      std::ranges::stable_sort(field, is_better);
      field.resize(std::max<std::size_t>(1, field.size() / static_cast<std::size_t>(wishes_.eta)));
    }
  }
  std::int64_t budget(std::int64_t rungs, std::int64_t rung) const {
    std::int64_t epochs = wishes_.training.epochs;
    for (std::int64_t i = rung + 1; i < rungs; ++i) epochs /= wishes_.eta;
    return epochs;
  }

  Trial trial(std::int64_t number, const Choice& choice, std::int64_t epochs) {
    if (const Trial* made = state_.find(number, epochs)) return *made;
    TrainingOptions options = apply(wishes_.training, space_, choice);
    options.epochs = epochs;
    Training training = set_up(options, data_);
    const double start = now();
    const train::History history = train_quietly(options, data_, training);
    constexpr double none = std::numeric_limits<double>::quiet_NaN();
    const bool judged = history.contains(score());
    const Trial made{.number = number,
                     .epochs = epochs,
                     .choice = choice,
                     .score = judged ? history.best(score()) : none,
                     .loss = judged ? history.best("valid_loss") : none,
                     .seconds = now() - start};
    fmt::print(stderr, "trial {} ({}), {} epochs: {} {}\n", number + 1, join(choice), epochs, score(),
               cell(made.score));
    return state_.add(made);
  }

  const Wishes& wishes_;
  std::vector<Dimension> space_;
  Data data_;
  SearchState state_;
};

void print_table(const Search& search) {
  std::vector<std::string> header = {"trial"};
  for (const Dimension& dimension : search.space()) header.push_back(dimension.name);
  for (const char* name : {"epochs", "valid_loss"}) header.emplace_back(name);
  header.push_back(search.score());
  header.emplace_back("seconds");
  TextTable table(header);
  for (const Trial& trial : search.ranking()) {
    std::vector<std::string> row = {std::to_string(trial.number + 1)};
    row.insert(row.end(), trial.choice.begin(), trial.choice.end());
    row.insert(row.end(), {std::to_string(trial.epochs), cell(trial.loss), cell(trial.score), cell(trial.seconds)});
    table.add(row);
  }
  std::fputs(table.to_string().c_str(), stdout);
}

void print_json(const Search& search) {
  Json trials = Json::array();
  for (const Trial& trial : search.ranking()) {
    Json choice;
    for (std::size_t i = 0; i < search.space().size(); ++i) choice[search.space()[i].name] = trial.choice[i];
    trials.push_back({{"trial", trial.number + 1},
                      {"choice", choice},
                      {"epochs", trial.epochs},
                      {"valid_loss", trial.loss},
                      {search.score(), trial.score},
                      {"seconds", trial.seconds}});
  }
  std::puts(
      Json{{"score", search.score()}, {"trials", trials}}.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
}

void run(const Wishes& wishes) {
  if (!wishes.picture.empty()) check_folder_of(wishes.picture);
  Search search(wishes);
  search.run();
  wishes.json ? print_json(search) : print_table(search);
  if (!wishes.picture.empty()) save_search(search.ranking(), search.space(), search.score(), wishes.picture);
}

}  // namespace

void add_search(CLI::App& app, int&) {
  static Wishes wishes;
  CLI::App* command =
      app.add_subcommand("search", "Search for good settings: by grid, by chance, by successive halving");
  command->add_option("data", wishes.training.data.name, describe_data())->required()->type_name("DATA");
  for (std::size_t i = 0; i < std::size(axes); ++i) {
    command->add_option(std::string("--") + axes[i].name, wishes.specs[i], axes[i].help)
        ->type_name("LIST|RANGE")
        ->group("What to choose from");
  }
  command->add_option("--method", wishes.method, "grid, random or halving; default random")->type_name("NAME");
  command->add_option("--trials", wishes.trials, "Configurations to draw; default 20")
      ->type_name("N")
      ->check(positive());
  command->add_option("--points", wishes.points, "Values of a range in a grid; default 3")
      ->type_name("N")
      ->check(positive());
  command->add_option("--eta", wishes.eta, "Of halving: what the field is divided by; default 3")
      ->type_name("N")
      ->check(CLI::Range(2, 100));
  command->add_option("--state", wishes.state, "Keep the trials in this file, and go on from it if it is there")
      ->type_name("FILE");
  command->add_option("--svg", wishes.picture, "Also draw the trials as lines through parallel axes")
      ->type_name("FILE");
  command->add_flag("--json", wishes.json, "Print JSON instead of a table");
  add_data_options(*command, wishes.training.data);
  add_search_options(*command, wishes.training);
  command->footer(
      "A list is a,b,c; a range low:high, or low:high:log. The score is the best accuracy or R2 of what was held out:\n"
      "as it was chosen by, it flatters.\n\n"
      "Examples:\n"
      "  gradus search iris --lr 1e-4:1e-1:log --hidden 4:64:log --trials 6 --epochs 5 --state search.jsonl\n"
      "  gradus search wine --lr 1e-3,1e-2 --batch-size 16,32 --method grid --epochs 5 --svg search.svg\n"
      "  gradus search digits --lr 1e-4:1e-1:log --weight-decay 1e-5:1e-1:log --method halving --trials 9 --epochs 9");
  command->callback([] { run(wishes); });
}

}  // namespace gradus::tool
