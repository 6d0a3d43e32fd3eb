#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "gradus/data.hpp"
#include "gradus/error.hpp"
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

  void run(const std::string& state, std::vector<std::shared_ptr<train::Callback>> callbacks = {}) {
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
                          .save_every = state.empty() ? 0 : 1,
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

}  // namespace

TEST_CASE("a run goes on from after each of its steps, bit for bit") {
  const TemporaryDirectory directory;
  Experiment unbroken = fresh();
  unbroken.run("");
  const Tensor next = rand({3});

  Experiment saved = fresh();
  int states = 0;
  saved.run(directory.path("state"), {train::lambda_callback({.on_batch_begin = [&](train::Run&) {
              const std::string state = directory.path("state");
              if (std::filesystem::exists(state)) {
                std::filesystem::copy(state, directory.path(std::to_string(states++)));
              }
            }})});
  saved.check_same(unbroken);
  CHECK(states == epochs * steps_per_epoch - 1);
  for (int i = 0; i < states; ++i) {
    CAPTURE(i);
    Experiment resumed = fresh();
    resumed.run(directory.path(std::to_string(i)), {train::lambda_callback({})});
    resumed.check_same(unbroken);
    CHECK(equal(rand({3}), next));
  }
}
