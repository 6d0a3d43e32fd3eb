// gradus compare: optimizers, learning rates or batch sizes side by side.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <optional>
#include <string>
#include <vector>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <gradus/error.hpp>

#include "gradus/commands.hpp"
#include "gradus/contest.hpp"
#include "gradus/contest_picture.hpp"
#include "gradus/files.hpp"
#include "gradus/text_table.hpp"
#include "gradus/training.hpp"
#include "gradus/words.hpp"

namespace gradus::tool {
namespace {

using Json = nlohmann::ordered_json;

struct Wishes {
  TrainingOptions training;
  std::string on;
  std::string optimizers = "adamw";
  std::string lrs;
  std::string batch_sizes;
  SurfaceRace surface;
  std::string picture;
  std::optional<double> target = {};
  bool json = false;
};

// What a heat ended with: on data the score.
struct Result {
  Summary last, best, steps, seconds;
  std::int64_t reached = 0;  // heats that met the target
};

// "adam:0.05" has a rate of its own.
OptimizerOptions optimizer_of(const std::string& word, const OptimizerOptions& common) {
  const std::vector<std::string> parts = split(word, ':');
  check_known("--optimizers: optimizer", parts[0], known_optimizers());
  OptimizerOptions options = common;
  options.name = parts[0];
  if (parts.size() > 1) options.lr = to_number("--optimizers: " + word, parts[1]);
  return options;
}

// All combinations; a label says what differs.
std::vector<Contestant> contestants_of(const Wishes& wishes) {
  const std::vector<std::string> optimizers = split(wishes.optimizers, ',');
  const std::vector<std::string> lrs = split(wishes.lrs, ','), sizes = split(wishes.batch_sizes, ',');
  std::vector<Contestant> contestants;
  for (const std::string& optimizer : optimizers) {
    for (const std::string& lr : lrs) {
      for (const std::string& size : sizes) {
        Contestant one{.label = optimizer, .optimizer = optimizer_of(optimizer, wishes.training.optimizer)};
        std::vector<std::string> label;
        if (optimizers.size() > 1 || (lrs.size() == 1 && sizes.size() == 1)) label.push_back(optimizer);
        if (!lr.empty() && optimizer.find(':') != std::string::npos)
          throw Error(fmt::format("--optimizers: {}: has a rate of its own, and --lrs gives another", optimizer));
        if (!lr.empty()) one.optimizer.lr = to_number("--lrs", lr);
        if (lrs.size() > 1) label.push_back("lr " + lr);
        one.batch_size = size.empty() ? wishes.training.batch_size : to_whole_number("--batch-sizes", size);
        if (one.batch_size < 1) throw Error(fmt::format("--batch-sizes: must be positive: {}", one.batch_size));
        if (sizes.size() > 1) label.push_back("batch " + size);
        one.label = join(label);
        contestants.push_back(one);
      }
    }
  }
  return contestants;
}

const problems::Problem* surface_called(const std::string& name) {
  for (const problems::Problem& problem : problems::all()) {
    if (problem.name == name) return &problem;
  }
  return nullptr;
}

[[noreturn]] void refuse_field(const std::string& name) {
  std::vector<std::string> known = known_data();
  for (const problems::Problem& problem : problems::all()) known.push_back(problem.name);
  refuse_unknown("compare: surface, data set or file", name, known);
}

class Comparison {
 public:
  explicit Comparison(const Wishes& wishes) : wishes_(wishes), surface_(surface_called(wishes.on)) {
    const auto known = known_data();
    if (surface_ == nullptr && std::ranges::find(known, wishes.on) == known.end() &&
        wishes.on.find_first_of("./") == std::string::npos)
      refuse_field(wishes.on);
  }

  void run() {
    const std::vector<Contestant> contestants = contestants_of(wishes_);
    TrainingOptions options = wishes_.training;
    options.data.name = wishes_.on;
    check(contestants, options);
    for (const Contestant& contestant : contestants) {
      std::fprintf(stderr, "%s ...\n", contestant.label.c_str());
      if (surface_ != nullptr) {
        standings_.push_back(race(contestant, *surface_, wishes_.surface));
      } else {
        standings_.push_back(race(contestant, options, wishes_.surface.seeds));
      }
    }
    target_ = wishes_.target.value_or(default_target());
  }

  void print_table() const {
    const std::string last = surface_ != nullptr ? "loss" : "score", seeds = std::to_string(wishes_.surface.seeds);
    std::vector<std::string> header = {wishes_.on, last,     "best " + last, "steps to " + cell(target_),
                                       "reached",  "seconds"};
    TextTable table(header);
    for (const Standing& standing : standings_) {
      const Result result = result_of(standing);
      table.add({standing.contestant.label, cell(result.last.mean, result.last.std),
                 cell(result.best.mean, result.best.std), cell(result.steps.mean, result.steps.std),
                 fmt::format("{}/{}", result.reached, seeds), cell(result.seconds.mean)});
    }
    std::fputs(table.to_string().c_str(), stdout);
  }

  void print_json() const {
    Json rows = Json::array();
    for (const Standing& standing : standings_) {
      const Result result = result_of(standing);
      rows.push_back({{"label", standing.contestant.label},
                      {"optimizer", standing.contestant.optimizer.name},
                      {"batch_size", standing.contestant.batch_size},
                      {"last", {{"mean", result.last.mean}, {"std", result.last.std}}},
                      {"best", {{"mean", result.best.mean}, {"std", result.best.std}}},
                      {"steps_to_target", {{"mean", result.steps.mean}, {"std", result.steps.std}}},
                      {"reached", result.reached},
                      {"seconds", result.seconds.mean}});
    }
    const Json all = {{"on", wishes_.on},
                      {"measure", surface_ != nullptr ? "loss" : "score"},
                      {"target", target_},
                      {"seeds", wishes_.surface.seeds},
                      {"rows", rows}};
    std::puts(all.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
  }

  void save_picture(const std::string& path) const {
    surface_ != nullptr ? save_race(standings_, *surface_, path) : save_race(standings_, wishes_.on, path);
  }

 private:
  // The last contestant may be one that can't run.
  void check(const std::vector<Contestant>& contestants, const TrainingOptions& options) const {
    const Data data = surface_ == nullptr ? load_data(options.data, 0) : Data{};
    for (const Contestant& contestant : contestants)
      surface_ != nullptr ? check_race(contestant, *surface_) : check_race(contestant, options, data);
  }

  // Near the minimum; or nearly what the best has reached, which is then a question of how fast.
  double default_target() const {
    if (surface_ != nullptr) return surface_->minima.empty() ? -1 : surface_->minima.front().value + 1e-4;
    double best = -std::numeric_limits<double>::infinity();
    for (const Standing& standing : standings_) best = std::max(best, result_of(standing).best.mean);
    return best - 0.02 * std::abs(best);
  }

  Result result_of(const Standing& standing) const {
    std::vector<double> last, best, steps, seconds;
    for (const Heat& heat : standing.heats) {
      const bool on_data = surface_ == nullptr;
      const std::vector<double>& values = on_data ? heat.scores : heat.losses;
      constexpr double none = std::numeric_limits<double>::quiet_NaN();
      last.push_back(values.empty() ? none : values.back());
      best.push_back(values.empty() ? none : on_data ? std::ranges::max(values) : std::ranges::min(values));
      const double needed = on_data ? steps_to_score(heat, target_) : steps_to_loss(heat, target_);
      if (!std::isnan(needed)) steps.push_back(needed);
      seconds.push_back(heat.seconds);
    }
    Result result{summary_of(last), summary_of(best), summary_of(steps), summary_of(seconds)};
    result.reached = static_cast<std::int64_t>(steps.size());
    if (steps.empty()) result.steps.mean = std::numeric_limits<double>::quiet_NaN();
    return result;
  }

  const Wishes& wishes_;
  const problems::Problem* surface_;
  std::vector<Standing> standings_;
  double target_ = 0;
};

// A surface has neither data nor a network, and data have epochs instead of steps.
void refuse_what_does_not_count(const CLI::App& command, const Wishes& wishes) {
  if (surface_called(wishes.on) == nullptr) return refuse_options(command, {"--steps"}, "is for surfaces");
  for (const char* heading : {"Data", "Model"})
    refuse_options(command, options_under(command, heading), "means nothing on a surface");
  refuse_options(command, {"--batch-sizes", "--batch-size", "--epochs", "--schedule", "--loss", "--clip"},
                 "means nothing on a surface");
}

void run(const CLI::App& command, const Wishes& wishes) {
  refuse_what_does_not_count(command, wishes);
  if (!wishes.picture.empty()) check_folder_of(wishes.picture);
  Comparison comparison(wishes);
  comparison.run();
  wishes.json ? comparison.print_json() : comparison.print_table();
  if (!wishes.picture.empty()) comparison.save_picture(wishes.picture);
}

}  // namespace

void add_compare(CLI::App& app, int&) {
  static Wishes wishes;
  CLI::App* command =
      app.add_subcommand("compare", "Optimizers, learning rates or batch sizes side by side, several seeds each");
  command->add_option("--on", wishes.on, "A surface such as rosenbrock, a data set or a CSV file")
      ->required()
      ->type_name("WHERE");
  command->add_option("--optimizers", wishes.optimizers, "Names, each with a rate of its own if it wants: sgd:0.1,adam")
      ->type_name("NAMES");
  command->add_option("--lrs", wishes.lrs, "Learning rates")->type_name("RATES");
  command->add_option("--batch-sizes", wishes.batch_sizes, "On data")->type_name("SIZES");
  command->add_option("--seeds", wishes.surface.seeds, "Runs of each; default 1")->type_name("N")->check(positive());
  command->add_option("--steps", wishes.surface.steps, "On a surface; default 500")->type_name("N")->check(positive());
  command->add_option("--reach", wishes.target, "The loss on a surface, or score on data, to count steps to")
      ->type_name("VALUE");
  command->add_option("--svg", wishes.picture, "Also draw the curves, and the paths on a surface of two dimensions")
      ->type_name("FILE");
  command->add_flag("--json", wishes.json, "Print JSON instead of a table");
  add_data_options(*command, wishes.training.data);
  add_model_options(*command, wishes.training.model);
  add_contest_options(*command, wishes.training);
  command->footer(
      "The score on data is the accuracy or R2 of what was held out. Steps are counted up to 1e-4 above the minimum "
      "of\n"
      "a surface, or up to 98 % of the best score that any of them reached, unless --reach says otherwise.\n\n"
      "Examples:\n"
      "  gradus compare --optimizers sgd:1e-3,momentum:1e-3,adam:0.1,lbfgs --on rosenbrock --svg race.svg\n"
      "  gradus compare --optimizers sgd,adam,adamw --on digits --seeds 2 --epochs 3 --svg curves.svg\n"
      "  gradus compare --batch-sizes 16,64 --on iris --seeds 3 --epochs 10 --json\n"
      "  gradus compare --lrs 0.001,0.01,0.1 --optimizers momentum --on wine --epochs 10");
  command->callback([command] { run(*command, wishes); });
}

}  // namespace gradus::tool
