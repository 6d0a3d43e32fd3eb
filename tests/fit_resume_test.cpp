#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "gradus/data.hpp"
#include "gradus/error.hpp"
#include "gradus/factory.hpp"
#include "gradus/io.hpp"
#include "gradus/nn.hpp"
#include "gradus/ops.hpp"
#include "gradus/optim.hpp"
#include "gradus/random.hpp"
#include "gradus/train.hpp"
#include "temporary.hpp"

using namespace gradus;
using tests::read_file;
using tests::TemporaryDirectory;

namespace {

constexpr std::int64_t epochs = 4, samples = 44, batch = 8, steps_per_epoch = 6;

// A run with all that keeps a state: weights, running statistics, dropout, moments, a schedule, averages, metrics,
// early stopping and its best weights. What it ends with are its weights and its history, but for the times.
struct Experiment {
  nn::Sequential model{nn::Linear(6, 12), nn::BatchNorm1d(12), nn::ReLU(), nn::Dropout(0.3), nn::Linear(12, 3)};
  optim::AdamW optimizer{model.parameters(), {.lr = 1e-2}};
  optim::OneCycleLR schedule{optimizer, {.max_lr = 3e-2, .total_steps = epochs * steps_per_epoch}};
  train::History history;

  static data::Dataset set(std::int64_t size) {
    const Tensor x = randn({size, 6});
    return {x, argmax(x.narrow(1, 0, 3) + 0.3 * randn({size, 3}), 1)};
  }

  // Flushing a state to the disk takes longer than all the rest: every `save_every` steps.
  void run(const std::string& state, std::int64_t save_every,
           std::vector<std::shared_ptr<train::Callback>> callbacks = {}) {
    Generator generator(5);
    const Generator before = default_generator();
    default_generator() = generator;
    const data::Dataset train_set = set(samples), valid_set = set(20);
    default_generator() = before;
    callbacks.push_back(train::early_stopping({.patience = 2}));
    history = train::fit(model, nn::CrossEntropyLoss(), optimizer, train_set, valid_set,
                         {.epochs = epochs,
                          .batch_size = batch,
                          .schedule = &schedule,
                          .metrics = {train::accuracy(), train::f1_score({.average = train::Average::macro})},
                          .callbacks = callbacks,
                          .clip_grad_norm = 1,
                          .ema_decay = 0.9,
                          .resume = state,
                          .save_every = save_every,
                          .progress = false});
  }

  void check_same(const Experiment& other) const {
    const auto weights = model.state_dict(), others = other.model.state_dict();
    for (const auto& [name, value] : weights) {
      CAPTURE(name);
      CHECK(equal(value, others.at(name)));
    }
    REQUIRE(history.names() == other.history.names());
    for (const std::string& name : history.names()) {
      CAPTURE(name);
      if (name != "seconds") CHECK(history.values(name) == other.history.values(name));
    }
    CHECK(history.stop_reason() == other.history.stop_reason());
  }
};

// As a program would make it.
Experiment fresh() {
  manual_seed(3);
  return {};
}

// What fit says to a state; the weights, the rate and the generator must be as before.
std::string refusal(const std::string& state) {
  Experiment experiment = fresh();
  const auto before = experiment.model.state_dict();
  std::map<std::string, Tensor> copies;
  for (const auto& [name, value] : before) copies.emplace(name, value.clone());
  const double lr = experiment.optimizer.lr();
  const std::uint64_t position = default_generator().position();
  std::string text = "nothing";
  try {
    experiment.run(state, 1000, {train::lambda_callback({})});
  } catch (const Error& error) {
    text = error.what();
    for (const auto& [name, value] : copies) CHECK(equal(value, before.at(name)));
    CHECK(experiment.optimizer.lr() == lr);
    CHECK(default_generator().position() == position);
  }
  return text;
}

constexpr const char* child_variable = "GRADUS_TEST_FIT_CHILD";

// The run in a process of its own: this program's hidden test case. It leaves "weights" and "history" there if it ends.
pid_t start_child(const std::string& directory) {
  const pid_t child = fork();
  if (child != 0) return child;
  setenv(child_variable, directory.c_str(), 1);
  setenv("OMP_NUM_THREADS", "1", 1);
  execl("/proc/self/exe", "gradus_tests", "--no-skip", "--test-case=*that may be killed at any moment", "--minimal",
        static_cast<char*>(nullptr));
  _exit(127);
}

using Clock = std::chrono::steady_clock;

// Until the run has begun. False if the child ends without.
bool wait_for_start(const std::string& directory, pid_t child) {
  while (!std::filesystem::exists(directory + "/begun")) {
    if (waitpid(child, nullptr, WNOHANG) != 0) return false;
    std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
  return true;
}

// How long the run takes without anybody killing it.
Clock::duration duration_of_run(const std::string& directory) {
  const pid_t child = start_child(directory);
  REQUIRE(wait_for_start(directory, child));
  const auto begin = Clock::now();
  waitpid(child, nullptr, 0);
  return Clock::now() - begin;
}

// More by hand: GRADUS_TEST_FIT_KILLS=50
int number_of_kills() {
  const char* wanted = std::getenv("GRADUS_TEST_FIT_KILLS");
  return wanted ? std::atoi(wanted) : 5;
}

}  // namespace

TEST_CASE("a run that is complete is not trained on, unless it gets more epochs") {
  const TemporaryDirectory directory;
  const auto trained = [&](const std::string& state, std::int64_t wanted, std::int64_t patience) {
    manual_seed(2);
    auto model = std::make_unique<nn::Linear>(6, 3);
    optim::Adam optimizer(model->parameters(), {.lr = 0.1});
    const train::History history =
        train::fit(*model, nn::CrossEntropyLoss(), optimizer, Experiment::set(20), Experiment::set(10),
                   {.epochs = wanted,
                    .callbacks = {train::early_stopping({.patience = patience})},
                    .resume = state.empty() ? state : directory.path(state),
                    .progress = false});
    return std::pair(model->weight.detach().clone(), history);
  };
  const auto [weight, history] = trained("", 5, 100);
  trained("more", 3, 100);
  for (int again = 0; again < 2; ++again) {
    const auto [resumed, whole] = trained("more", 5, 100);
    CHECK(equal(resumed, weight));
    CHECK(whole.values("valid_loss") == history.values("valid_loss"));
  }
  const auto [stopped_weight, stopped] = trained("stopped", 100, 2);
  CHECK(stopped.size() < 100);
  const auto [same_weight, same] = trained("stopped", 100, 2);
  CHECK(equal(stopped_weight, same_weight));
  CHECK(same == stopped);
}

TEST_CASE("a state that is damaged, or of another run, is refused and changes nothing") {
  const TemporaryDirectory directory;
  const std::string state = directory.path("state"), bad = directory.path("bad");
  Experiment saved = fresh();
  saved.run(state, 1000, {train::lambda_callback({.on_batch_end = [](train::Run& run) {
              if (run.step == 9) raise(SIGINT);  // in the middle of the second epoch
            }})});
  const auto tensors = load(state);
  const auto texts = load_metadata(state);
  const auto says = [&](const std::string& text) {
    CAPTURE(text);
    return refusal(bad).find(text) != std::string::npos;
  };

  save(tensors, bad, {.metadata = texts});
  CHECK(refusal(bad) == "nothing");
  save(tensors, bad);
  CHECK(refusal(bad) == "fit: resume: " + bad + ": is not the state of a run of fit");
  const auto is_refused = [&] { return refusal(bad).starts_with("fit: resume: " + bad + ": "); };
  int turn = 0;  // flushing files takes its time: each key meets one of the harms
  for (const auto& [key, value] : tensors) {
    CAPTURE(key);
    auto other = tensors;
    if (turn % 3 == 0) other.erase(key);
    if (turn % 3 == 1) other[key] = zeros({2, 3, 1});
    if (turn % 3 == 2) other[key + "x"] = zeros({1});
    if (key.ends_with("initial_lr")) continue;  // it may be missing, as in states of other programs
    CAPTURE(turn++ % 3);
    save(other, bad, {.metadata = texts});
    CHECK(is_refused());
  }
  for (const auto& [key, value] : texts) {
    CAPTURE(key);
    auto other = texts;
    other[key] = "no";
    if (turn++ % 2 == 0) other.erase(key);
    save(tensors, bad, {.metadata = other});
    CHECK(is_refused());
  }
  auto other = texts;
  other["run.batch_size"] = "16";
  save(tensors, bad, {.metadata = other});
  CHECK(says("is the state of another run: batch_size was 16, is 8"));
  auto wrong = tensors;
  wrong["run.next_batch"] = tensor(std::int64_t{7});
  save(wrong, bad, {.metadata = texts});
  CHECK(says("run: next_batch is 7 of 6"));
  wrong = tensors;
  wrong["run.samples"] = tensor(std::int64_t{0});
  save(wrong, bad, {.metadata = texts});
  CHECK(says("run: 0 samples in 3 batches"));
  const std::string content = read_file(state);
  directory.write("bad", content.substr(0, content.size() - 1));
  CHECK(says("load: "));
  directory.write("bad", "");
  CHECK(says("load: "));
}

TEST_CASE("a state that is refused leaves a schedule-free optimizer as it was") {
  const TemporaryDirectory directory;
  nn::Linear model(2, 1);
  optim::ScheduleFreeSGD optimizer(model.parameters(), {.lr = 0.1});
  const data::Dataset set{randn({8, 2}), randn({8, 1})};
  train::FitOptions options{.batch_size = 4, .seed = 1, .progress = false};
  train::fit(model, nn::MSELoss(), optimizer, set, options);
  const Tensor weight = model.weight.detach().clone();
  const std::uint64_t seed = default_generator().seed() + 1;
  manual_seed(seed);
  options.resume = directory.path("bad");
  save({{"a", ones({1})}}, options.resume);
  CHECK_THROWS_AS(train::fit(model, nn::MSELoss(), optimizer, set, options), Error);
  CHECK(equal(model.weight, weight));
  CHECK_FALSE(optimizer.is_training());
  CHECK(default_generator().seed() == seed);
  CHECK(default_generator().position() == 0);

  options.resume = "";
  struct Boom {};
  options.callbacks = {train::lambda_callback({.on_batch_end = [](train::Run&) { throw Boom(); }})};
  CHECK_THROWS_AS(train::fit(model, nn::MSELoss(), optimizer, set, options), Boom);
  CHECK_FALSE(optimizer.is_training());
}

TEST_CASE("a run goes on only with the layers and the settings with which it began") {
  const TemporaryDirectory directory;
  const std::string state = directory.path("state");
  const auto train = [&](nn::Sequential model, const std::string& rate) {
    optim::SGD optimizer(model.parameters(), {.lr = 0.1});
    train::fit(model, nn::CrossEntropyLoss(), optimizer, Experiment::set(20),
               {.batch_size = 4, .resume = state, .resume_settings = {{"rate", rate}}, .progress = false});
  };
  const auto other = "fit: resume: " + state + ": is the state of another run: ";
  train(nn::Sequential(nn::Linear(6, 3), nn::ReLU()), "0.1");
  CHECK_NOTHROW(train(nn::Sequential(nn::Linear(6, 3), nn::ReLU()), "0.1"));
  CHECK_THROWS_WITH(train(nn::Sequential(nn::Linear(6, 3), nn::Tanh()), "0.1"),
                    doctest::Contains((other + "model was Sequential Linear ReLU").c_str()));
  CHECK_THROWS_WITH(train(nn::Sequential(nn::Linear(6, 3), nn::ReLU()), "0.2"),
                    doctest::Contains((other + "setting rate was 0.1, is 0.2").c_str()));
}

TEST_CASE("a run that was stopped ends its epoch, also if another process has to") {
  const TemporaryDirectory directory;
  struct Death {};
  const auto trained = [&](const std::string& state, bool dies) {
    manual_seed(2);
    nn::Linear model(6, 3);
    optim::Adam optimizer(model.parameters(), {.lr = 0.1});
    const auto stops = train::lambda_callback({.on_batch_end =
                                                   [](train::Run& run) {
                                                     if (run.step == 3) run.stop("enough");
                                                   },
                                               .on_validation_begin =
                                                   [=](train::Run&) {
                                                     if (dies) throw Death();
                                                   }});
    return train::fit(model, nn::CrossEntropyLoss(), optimizer, Experiment::set(20), Experiment::set(10),
                      {.epochs = 5,
                       .batch_size = 4,
                       .callbacks = {stops},
                       .resume = directory.path(state),
                       .save_every = 1,
                       .progress = false});
  };
  const train::History whole = trained("whole", false);
  CHECK_THROWS_AS(trained("dies", true), Death);
  const train::History resumed = trained("dies", false);
  REQUIRE(whole.size() == 1);
  REQUIRE(resumed.size() == 1);
  CHECK(resumed.values("loss") == whole.values("loss"));
  CHECK(resumed.values("valid_loss") == whole.values("valid_loss"));
  CHECK(resumed.stop_reason() == "enough");
}

TEST_CASE("that the state can't be written is known before training") {
  const TemporaryDirectory directory;
  nn::Linear model(2, 1);
  optim::SGD optimizer(model.parameters(), {.lr = 0.1});
  const Tensor before = model.weight.detach().clone();
  CHECK_THROWS_AS(train::fit(model, nn::MSELoss(), optimizer, {ones({4, 2}), ones({4, 1})},
                             {.resume = directory.path("missing/state"), .progress = false}),
                  Error);
  CHECK(equal(model.weight, before));
}

TEST_CASE("early stopping takes the best weights only if it is asked for them") {
  manual_seed(1);
  nn::Linear model(2, 1);
  optim::SGD optimizer(model.parameters(), {.lr = 0.1});
  const data::Dataset set{randn({8, 2}), randn({8, 1})};
  const auto keeps = train::early_stopping(), keeps_none = train::early_stopping({.restore_best_weights = false});
  train::fit(model, nn::MSELoss(), optimizer, set, set,
             {.epochs = 1, .callbacks = {keeps, keeps_none}, .progress = false});
  auto state = keeps->state_dict();
  keeps->load_state_dict(state);
  const char* refused = "early_stopping: there are best weights, but nothing that asks for them";
  CHECK_THROWS_WITH_AS(keeps_none->load_state_dict(state), refused, Error);
  state["best_epoch"] = tensor(std::int64_t{0});
  CHECK_THROWS_WITH_AS(keeps->load_state_dict(state), refused, Error);
}

TEST_CASE("a run that may be killed at any moment" * doctest::skip()) {
  const char* directory = std::getenv(child_variable);
  if (!directory) return;
  const std::string place = std::string(directory) + "/";
  Experiment experiment = fresh();
  std::ofstream(place + "begun") << "yes";
  experiment.run(place + "state", 2, {train::checkpoint(place + "best")});
  experiment.history.save_json(place + "history");
  save(experiment.model.state_dict(), place + "weights");
}

TEST_CASE("a run that is killed goes on, bit for bit") {
  const TemporaryDirectory directory;
  const auto folder = [&](const std::string& name) {
    std::filesystem::create_directory(directory.path(name));
    return directory.path(name);
  };
  const std::string unbroken = folder("unbroken");
  const auto duration = duration_of_run(unbroken);
  const auto weights = load(unbroken + "/weights");
  std::mt19937_64 random(std::random_device{}());
  int in_the_run = 0;
  for (int kill_number = 0; kill_number < number_of_kills(); ++kill_number) {
    const std::string place = folder(std::to_string(kill_number));
    const pid_t child = start_child(place);
    REQUIRE(wait_for_start(place, child));
    const auto wait = std::uniform_int_distribution<Clock::rep>(0, kill_number == 0 ? 0 : duration.count())(random);
    CAPTURE(wait);
    std::this_thread::sleep_for(Clock::duration(wait));
    // One of them is in the middle for sure.
    while (kill_number == 0 && !std::filesystem::exists(place + "/state")) std::this_thread::yield();
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    in_the_run += std::filesystem::exists(place + "/state") && !std::filesystem::exists(place + "/weights");

    waitpid(start_child(place), nullptr, 0);
    REQUIRE(std::filesystem::exists(place + "/weights"));
    for (const auto& [name, value] : load(place + "/weights")) {
      CAPTURE(name);
      CHECK(equal(value, weights.at(name)));
    }
    CHECK(read_file(place + "/best") == read_file(unbroken + "/best"));
    const train::History history = train::History::load_json(place + "/history");
    CHECK(history.values("valid_loss") == train::History::load_json(unbroken + "/history").values("valid_loss"));
  }
  MESSAGE(in_the_run << " of " << number_of_kills() << " kills were in the middle of the run");
  CHECK(in_the_run > 0);
}

TEST_CASE("a run goes on from after each of its steps, bit for bit") {
  const TemporaryDirectory directory;
  Experiment unbroken = fresh();
  unbroken.run("", 0);
  const Tensor next = rand({3});

  Experiment saved = fresh();
  int states = 0;
  saved.run(directory.path("state"), 1, {train::lambda_callback({.on_batch_begin = [&](train::Run&) {
              const std::string state = directory.path("state");
              if (std::filesystem::exists(state)) {
                std::filesystem::copy(state, directory.path(std::to_string(states++)));
              }
            }})});
  saved.check_same(unbroken);
  CHECK(states == epochs * steps_per_epoch);
  for (int i = 0; i < states; ++i) {
    CAPTURE(i);
    Experiment resumed = fresh();
    resumed.run(directory.path(std::to_string(i)), 1000, {train::lambda_callback({})});
    resumed.check_same(unbroken);
    CHECK(equal(rand({3}), next));
  }
}
