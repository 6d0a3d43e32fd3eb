#include <doctest/doctest.h>
#include <signal.h>

#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "allocation_counter.hpp"
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
using tests::TemporaryDirectory;
using train::fit;
using train::FitOptions;
using train::History;
using train::Run;

namespace {

// A line through noisy points, without shuffling: (n, 2) -> (n, 1).
data::Dataset points(std::int64_t n) {
  Generator generator(7);
  const Tensor x = randn({n, 2}, {.generator = &generator});
  return {x, matmul(x, tensor({{1.0}, {-2.0}})) + 0.1 * randn({n, 1}, {.generator = &generator})};
}

nn::Linear line() {
  manual_seed(1);
  return nn::Linear(2, 1);
}

FitOptions quiet(FitOptions options) {
  options.progress = false;
  options.shuffle = false;
  return options;
}

// Plain gradient descent on a line, and what became of its weights.
struct Trained {
  History history;
  Tensor weight;
};
Trained trained(const FitOptions& options, std::int64_t n = 12, double lr = 0.1) {
  nn::Linear model = line();
  optim::SGD optimizer(model.parameters(), {.lr = lr});
  History history = fit(model, nn::MSELoss(), optimizer, points(n), points(5), quiet(options));
  return {history, model.weight.detach().clone()};
}

double largest_difference(const Tensor& a, const Tensor& b) { return (a - b).abs().max().item(); }

std::string error_of(const FitOptions& options) {
  try {
    trained(options);
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing";
}

// Writes down every moment.
struct Diary final : train::Callback {
  std::string text;
  void note(const char* what) { text += std::string(text.empty() ? "" : " ") + what; }
  void on_train_begin(Run&) override { note("train("); }
  void on_epoch_begin(Run&) override { note("epoch("); }
  void on_batch_begin(Run& run) override { note(("batch" + std::to_string(run.batch) + "(").c_str()); }
  void on_backward_end(Run& run) override {
    note(run.optimizer.parameters()[0].grad().defined() ? "backward" : "no gradients");
  }
  void on_step_end(Run& run) override { note(("step" + std::to_string(run.step)).c_str()); }
  void on_batch_end(Run&) override { note(")"); }
  void on_validation_begin(Run& run) override { note(run.model.is_training() ? "valid(" : "valid( in eval"); }
  void on_validation_end(Run&) override { note(")"); }
  void on_epoch_end(Run& run) override {
    CHECK(run.row.front() == train::NamedValue("epoch", static_cast<double>(run.epoch)));
    CHECK(run.history.size() == run.epoch - 1);
    note(")");
  }
  void on_train_end(Run&) override { note(")"); }
};

// The mode in which the model is evaluated.
struct Probe : nn::Module {
  nn::Linear fc{2, 1};
  nn::Dropout dropout{0.5};
  std::string modes;
  GRADUS_MODULE(fc, dropout)
  Tensor forward(const Tensor& x) override {
    modes += is_training() ? (dropout.is_training() ? 't' : 'f') : 'e';
    return fc(x);
  }
};

// A metric that is no more than its name.
struct Named final : train::Metric {
  explicit Named(const char* text) : text_(text) {}
  std::string name() const override { return text_; }
  void reset() override {}
  void update(const Tensor&, const Tensor&) override {}
  double value() const override { return 0; }

 private:
  std::string text_;
};

// What happens in the first epoch after a given number of batches.
std::shared_ptr<train::Callback> after_batch(std::int64_t batch, const std::function<void(Run&)>& what) {
  return train::lambda_callback({.on_batch_end = [=](Run& run) {
    if (run.batch == batch) what(run);
  }});
}

}  // namespace

TEST_CASE("fit trains a network on the digits") {
  manual_seed(0);
  const auto [train_set, valid_set] = data::digits().split(0.8);
  nn::Sequential model(nn::Linear(64, 32), nn::ReLU(), nn::Linear(32, 10));
  optim::AdamW optimizer(model.parameters(), {.lr = 1e-2});
  const History history =
      fit(model, nn::CrossEntropyLoss(), optimizer, train_set, valid_set,
          {.epochs = 3, .metrics = {train::accuracy(), train::top_k_accuracy(2)}, .progress = false});
  CHECK(history.names() == std::vector<std::string>{"epoch", "loss", "accuracy", "top_2_accuracy", "valid_loss",
                                                    "valid_accuracy", "valid_top_2_accuracy", "lr", "seconds"});
  CHECK(history.values("epoch") == std::vector<double>{1, 2, 3});
  CHECK(history.best("valid_accuracy") > 0.9);
  CHECK(history.stop_reason() == "");
}

TEST_CASE("fit is the loop that one would write by hand, bit for bit") {
  const data::Dataset set = points(21);
  nn::Linear model = line(), same = model;
  manual_seed(4);
  optim::Adam optimizer(model.parameters(), {.lr = 0.05});
  const History history = fit(model, nn::MSELoss(), optimizer, set, {.epochs = 2, .batch_size = 8, .progress = false});
  manual_seed(4);
  optim::Adam other(same.parameters(), {.lr = 0.05});
  data::DataLoader loader(set, {.batch_size = 8, .shuffle = true});
  double total = 0;
  for (int epoch = 0; epoch < 2; ++epoch) {
    total = 0;
    for (const auto& [x, y] : loader) {
      other.zero_grad();
      const Tensor loss = mse_loss(same(x), y);
      loss.backward();
      other.step();
      total += loss.item() * static_cast<double>(x.size(0));
    }
  }
  CHECK(equal(model.weight, same.weight));
  CHECK(history.last("loss") == total / 21);
  CHECK_FALSE(history.contains("valid_loss"));
}

TEST_CASE("callbacks hear every moment, in order") {
  const auto diary = std::make_shared<Diary>();
  trained({.epochs = 1, .batch_size = 8, .callbacks = {diary}});
  CHECK(diary->text == "train( epoch( batch0( backward step1 ) batch1( backward step2 ) valid( ) ) )");
  diary->text.clear();
  trained({.epochs = 1, .batch_size = 5, .callbacks = {diary}, .accumulate = 2});
  CHECK(diary->text == "train( epoch( batch0( ) batch1( backward step1 ) batch2( backward step2 ) valid( ) ) )");
}

TEST_CASE("callbacks may add columns, and stop") {
  const auto adds = train::lambda_callback({.on_batch_end =
                                                [](Run& run) {
                                                  if (run.batch == 0) run.row.emplace_back("early", run.loss);
                                                },
                                            .on_epoch_end = [](Run& run) { run.row.emplace_back("late", 2); }});
  const auto stops = after_batch(1, [](Run& run) {
    run.stop("enough");
    run.stop("too late");
  });
  const History history = trained({.epochs = 3, .batch_size = 3, .callbacks = {adds, stops}}).history;
  CHECK(history.names() == std::vector<std::string>{"epoch", "loss", "valid_loss", "lr", "seconds", "early", "late"});
  CHECK(history.size() == 1);  // the epoch ends where it is
  CHECK(history.stop_reason() == "enough");
}

TEST_CASE("batches that are accumulated weigh as one large batch") {
  for (const std::int64_t n : {12, 11, 13, 9}) {  // also with a last step that is incomplete, and a batch that is
    CAPTURE(n);
    const Trained large = trained({.epochs = 2, .batch_size = 8}, n);
    const Trained small = trained({.epochs = 2, .batch_size = 2, .accumulate = 4}, n);
    CHECK(largest_difference(large.weight, small.weight) < 1e-6);
    CHECK(small.history.last("loss") == doctest::Approx(large.history.last("loss")));
  }
}

TEST_CASE("gradients are clipped between backward and step") {
  std::vector<double> norms;
  const auto watches = train::lambda_callback(
      {.on_backward_end = [&](Run& run) { norms.push_back(clip_grad_norm_(run.optimizer.parameters(), INFINITY)); },
       .on_step_end = [&](Run& run) { norms.push_back(clip_grad_norm_(run.optimizer.parameters(), INFINITY)); }});
  trained({.batch_size = 12, .callbacks = {watches}, .clip_grad_norm = 0.5});
  trained({.batch_size = 12, .callbacks = {watches}, .clip_grad_value = 0.25});
  CHECK(norms[0] > 1);
  CHECK(norms[1] == doctest::Approx(0.5));
  CHECK(norms[2] == norms[0]);
  CHECK(norms[3] < 0.25 * std::sqrt(3) + 1e-6);
}

TEST_CASE("schedules step by batch, by epoch, or by the validation loss") {
  nn::Linear model = line();
  optim::SGD optimizer(model.parameters(), {.lr = 1});
  std::vector<std::string> events;
  const auto rates = [&](optim::LRScheduler& schedule, const FitOptions& options) {
    FitOptions all = quiet(options);
    all.epochs = 3;
    all.batch_size = 4;  // three steps
    all.schedule = &schedule;
    const History history = fit(model, nn::MSELoss(), optimizer, points(12), points(5), all);
    events = history.events();
    return history.values("lr");
  };
  optim::StepLR by_batch(optimizer, {.step_size = 3, .gamma = 0.5});
  CHECK(rates(by_batch, {}) == std::vector<double>{1, 0.5, 0.25});
  optim::StepLR by_epoch(optimizer, {.step_size = 2, .gamma = 0.5});
  CHECK(rates(by_epoch, {.schedule_step = train::ScheduleStep::epoch}) == std::vector<double>{1, 1, 0.5});
  optim::ReduceLROnPlateau plateau(
      optimizer, {.factor = 0.5, .patience = 0, .threshold = 1e9, .threshold_mode = optim::ThresholdMode::abs});
  optimizer.set_lr(0, 1);
  CHECK(rates(plateau, {}) == std::vector<double>{1, 1, 0.5});
  CHECK(events == std::vector<std::string>{"epoch 2: the learning rate falls to 0.5",
                                           "epoch 3: the learning rate falls to 0.25"});
}

TEST_CASE("averaged weights are judged, kept and left behind") {
  for (const double decay : {0.0, 0.5, 1.0}) {
    CAPTURE(decay);
    std::vector<Tensor> after_step;
    Tensor judged;
    const auto watches = train::lambda_callback(
        {.on_step_end = [&](Run& run) { after_step.push_back(run.model.parameters()[0].clone()); },
         .on_epoch_end = [&](Run& run) { judged = run.model.parameters()[0].clone(); }});
    const Trained result = trained({.batch_size = 4, .callbacks = {watches}, .ema_decay = decay});
    Tensor average = after_step[0];
    for (std::size_t i = 1; i < after_step.size(); ++i) average = average * decay + after_step[i] * (1 - decay);
    CHECK(largest_difference(result.weight, average) < 1e-6);
    CHECK(equal(result.weight, judged));
  }
}

TEST_CASE("optimizers that evaluate the loss several times are stepped by a closure") {
  const data::Dataset set = points(12);
  const auto loss_after = [&](auto make) {
    nn::Linear model = line();
    const auto optimizer = make(model.parameters());
    const auto diary = std::make_shared<Diary>();
    const History history =
        fit(model, nn::MSELoss(), *optimizer, set, set,
            quiet({.epochs = 5, .batch_size = 12, .metrics = {train::mse()}, .callbacks = {diary}}));
    CHECK(diary->text.starts_with("train( epoch( batch0( step1 ) valid( ) ) epoch( batch0( step2 ) valid("));
    CHECK(history.values("loss")[0] == doctest::Approx(history.values("mse")[0]));
    return history.last("valid_loss");
  };
  using Parameters = std::vector<Tensor>;
  CHECK(loss_after([](const Parameters& p) { return std::make_unique<optim::Newton>(p); }) < 0.02);
  CHECK(loss_after([](const Parameters& p) { return std::make_unique<optim::ArmijoGD>(p); }) < 1);

  nn::Linear model = line();
  optim::LBFGS lbfgs(model.parameters());
  CHECK(fit(model, nn::MSELoss(), lbfgs, set, quiet({.epochs = 2, .batch_size = 12, .accumulate = 3})).last("loss") <
        0.02);

  nn::Linear one = line(), other = one;
  optim::SGD base(one.parameters(), {.lr = 0.1}), alone(other.parameters(), {.lr = 0.1});
  optim::SAM sam(base, {.rho = 0.2}), sam_alone(alone, {.rho = 0.2});
  fit(one, nn::MSELoss(), base, set, quiet({.batch_size = 12, .sam = &sam}));
  sam_alone.step([&] {
    alone.zero_grad();
    const Tensor loss = mse_loss(other(set.x), set.y);
    loss.backward();
    return loss;
  });
  CHECK(equal(one.weight, other.weight));
}

TEST_CASE("a schedule-free optimizer is validated at its average, and ends there") {
  nn::Linear model = line();
  optim::ScheduleFreeSGD optimizer(model.parameters(), {.lr = 0.1});
  Tensor judged;
  const auto watches = train::lambda_callback({.on_epoch_begin = [&](Run&) { CHECK(optimizer.is_training()); },
                                               .on_epoch_end =
                                                   [&](Run&) {
                                                     CHECK_FALSE(optimizer.is_training());
                                                     judged = model.weight.clone();
                                                   }});
  fit(model, nn::MSELoss(), optimizer, points(12), points(5), quiet({.epochs = 3, .callbacks = {watches}}));
  CHECK_FALSE(optimizer.is_training());
  CHECK(largest_difference(model.weight, judged) < 1e-6);
}

TEST_CASE("gradients that are not finite are the optimizer's affair") {
  data::Dataset set = points(4);
  set.y[1].fill_(INFINITY);
  for (const double clip : {0.0, 1.0}) {
    CAPTURE(clip);
    FitOptions options = quiet({.batch_size = 1});
    if (clip > 0) options.clip_grad_norm = clip;
    nn::Linear model = line();
    optim::SGD optimizer(model.named_parameters(), {.lr = 0.1});
    optimizer.set_nonfinite(optim::NonFinite::skip);
    fit(model, nn::MSELoss(), optimizer, set, options);
    CHECK(optimizer.skipped_steps() == 1);
    CHECK(std::isfinite(model.weight.sum().item()));
    optimizer.set_nonfinite(optim::NonFinite::error);
    CHECK_THROWS_AS(fit(model, nn::MSELoss(), optimizer, set, options), Error);
    optimizer.set_nonfinite(optim::NonFinite::allow);
    options.callbacks = {train::terminate_on_nan()};
    const History history = fit(model, nn::MSELoss(), optimizer, set, options);
    CHECK(history.stop_reason() == "terminate_on_nan: the loss is inf in batch 1 of epoch 1");
  }
}

TEST_CASE("early stopping waits for a better value, and brings the best weights back") {
  // The third epoch is the best, then there are NaN and worse ones.
  const std::vector<double> values{5, 4, 3, NAN, 3, 2.95, 6, 6, 6};
  std::vector<Tensor> weights;
  const auto scripted = train::lambda_callback({.on_epoch_end = [&](Run& run) {
    run.row.emplace_back("score", values[static_cast<std::size_t>(run.epoch - 1)]);
    weights.push_back(run.model.parameters()[0].clone());
  }});
  const auto stopped = [&](const train::EarlyStoppingOptions& options) {
    weights.clear();
    return trained({.epochs = 9, .callbacks = {scripted, train::early_stopping(options)}});
  };
  Trained run = stopped({.monitor = "score", .min_delta = 0.1, .patience = 2, .mode = train::Mode::min});
  CHECK(run.history.size() == 5);
  CHECK(equal(run.weight, weights[2]));
  CHECK(run.history.stop_reason() == "early_stopping: score got no better than 3 in 2 epochs");
  run = stopped({.monitor = "score", .patience = 3, .mode = train::Mode::min});
  CHECK(run.history.size() == 9);
  CHECK(equal(run.weight, weights[5]));
  run = stopped({.monitor = "score", .patience = 2, .mode = train::Mode::max, .restore_best_weights = false});
  CHECK(run.history.size() == 3);
  CHECK(equal(run.weight, weights[2]));
  CHECK(stopped({.monitor = "score", .patience = 2, .mode = train::Mode::min, .baseline = 1}).history.size() == 4);
  CHECK(stopped({.monitor = "score", .mode = train::Mode::min, .start_from_epoch = 4}).history.size() == 7);
  // Each epoch improves on the one before: no baseline ends that.
  const auto falling = train::lambda_callback(
      {.on_epoch_end = [](Run& r) { r.row.emplace_back("score", -static_cast<double>(r.epoch)); }});
  const auto patient =
      train::early_stopping({.monitor = "score", .patience = 2, .mode = train::Mode::min, .baseline = -100});
  CHECK(trained({.epochs = 5, .callbacks = {falling, patient}}).history.size() == 5);
  const auto empty = train::lambda_callback({.on_epoch_end = [](Run& r) { r.row.emplace_back("score", NAN); }});
  run = trained({.epochs = 5, .callbacks = {empty, train::early_stopping({.monitor = "score"})}});
  CHECK(run.history.stop_reason() == "early_stopping: score had no value to keep in 1 epoch");
  CHECK_THROWS_WITH_AS(stopped({.monitor = "score2"}),
                       "early_stopping: there is no column named \"score2\" to monitor among epoch, loss, valid_loss, "
                       "lr, seconds, score",
                       Error);
  CHECK_THROWS_WITH_AS(train::early_stopping({.patience = -1}), "early_stopping: patience must be at least 0: -1",
                       Error);
}

TEST_CASE("checkpoints keep the best weights, or all") {
  const TemporaryDirectory directory;
  Tensor second;
  const auto scripted = train::lambda_callback({.on_epoch_end = [&](Run& run) {
    run.row.emplace_back("score", std::vector<double>{1, 3, 2}[static_cast<std::size_t>(run.epoch - 1)]);
    if (run.epoch == 2) second = run.model.parameters()[0].clone();
  }});
  trained({.epochs = 3,
           .callbacks = {scripted, train::checkpoint(directory.path("best"), {.monitor = "score"}),
                         train::checkpoint(directory.path("all-{epoch}"), {.save_best_only = false})}});
  CHECK(equal(load(directory.path("best")).at("weight"), second));
  CHECK(load_metadata(directory.path("best")) == std::map<std::string, std::string>{{"epoch", "2"}, {"score", "3"}});
  for (const int epoch : {1, 2, 3}) CHECK(load(directory.path("all-" + std::to_string(epoch))).size() == 2);
  CHECK_THROWS_WITH_AS(train::checkpoint(""), "checkpoint: the path is empty", Error);

  nn::Linear model = line();
  optim::SGD optimizer(model.parameters(), {.lr = 0.1});
  const auto unseen = train::checkpoint(directory.path("{epoch}-{epoch}"), {.save_best_only = false});
  fit(model, nn::MSELoss(), optimizer, points(5), quiet({.callbacks = {unseen}}));  // without validation
  CHECK(load_metadata(directory.path("1-1")) == std::map<std::string, std::string>{{"epoch", "1"}});
  const Tensor before = model.weight.detach().clone();
  const std::string missing = directory.path("missing");
  CHECK_THROWS_WITH_AS(
      fit(model, nn::MSELoss(), optimizer, points(5), quiet({.callbacks = {train::checkpoint(missing + "/best")}})),
      ("checkpoint: there is no such directory: " + missing).c_str(), Error);
  CHECK(equal(model.weight, before));
}

TEST_CASE("fit leaves modes and the signal handler as they were, also when something throws") {
  struct Boom {};
  const auto handler = [](int) {};
  struct sigaction former {
  }, now{};
  struct sigaction own {};
  own.sa_handler = handler;
  sigaction(SIGINT, &own, &former);
  const auto throws = after_batch(1, [](Run&) { throw Boom(); });
  const auto throws_in_validation = train::lambda_callback({.on_validation_end = [](Run&) { throw Boom(); }});
  for (const auto& callback : {train::lambda_callback({}), throws, throws_in_validation}) {
    for (const bool training : {true, false}) {
      Probe model;
      model.train(training);
      model.dropout.eval();
      optim::SGD optimizer(model.parameters(), {.lr = 0.1});
      std::FILE* stream = std::tmpfile();
      FitOptions options{.batch_size = 4, .callbacks = {callback}, .ema_decay = 0.5};
      options.progress_stream = stream;
      const auto run = [&] { fit(model, nn::MSELoss(), optimizer, points(8), points(4), options); };
      if (callback == throws || callback == throws_in_validation)
        CHECK_THROWS_AS(run(), Boom);
      else
        run();
      std::fclose(stream);
      CHECK(model.is_training() == training);
      CHECK_FALSE(model.dropout.is_training());
      CHECK(model.modes.substr(0, 2) == (training ? "ff" : "tt"));  // a part that is frozen stays so
      if (callback != throws) CHECK(model.modes.substr(2) == "e");
      sigaction(SIGINT, nullptr, &now);
      CHECK((now.sa_handler == own.sa_handler));
    }
  }
  sigaction(SIGINT, &former, nullptr);
}

TEST_CASE("Ctrl-C ends the run after the step, and it can be resumed") {
  const TemporaryDirectory directory;
  const Trained whole = trained({.epochs = 2, .batch_size = 4});
  FitOptions options{.epochs = 2, .batch_size = 4, .resume = directory.path("state")};
  options.callbacks = {after_batch(1, [](Run& run) {
    if (run.epoch == 1) return;
    raise(SIGINT);
    struct sigaction now {};
    sigaction(SIGINT, nullptr, &now);
    CHECK((now.sa_handler == SIG_DFL));  // a second one kills
  })};
  const Trained interrupted = trained(options);
  CHECK(interrupted.history.size() == 1);
  CHECK(interrupted.history.stop_reason() == "interrupted");
  options.callbacks = {train::lambda_callback({})};
  const Trained resumed = trained(options);
  CHECK(equal(resumed.weight, whole.weight));
  CHECK(resumed.history.values("valid_loss") == whole.history.values("valid_loss"));
  CHECK(resumed.history.stop_reason() == "");

  std::signal(SIGINT, SIG_IGN);
  CHECK(trained({.callbacks = {after_batch(0, [](Run&) { raise(SIGINT); })}}).history.stop_reason() == "");
  std::signal(SIGINT, SIG_DFL);
}

TEST_CASE("runs in several threads do not disturb each other") {
  const Trained alone = trained({.epochs = 3, .batch_size = 4});
  std::vector<Tensor> weights(3);
  std::vector<std::thread> threads;
  for (Tensor& weight : weights) {
    threads.emplace_back([&weight] { weight = trained({.epochs = 3, .batch_size = 4}).weight; });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Tensor& weight : weights) CHECK(equal(weight, alone.weight));
}

TEST_CASE("once it is under way, a step of fit allocates nothing") {
  std::vector<std::int64_t> counts;
  const auto counter = train::lambda_callback({.on_batch_end = [&](Run&) { counts.push_back(test::allocations()); }});
  counts.reserve(100);
  std::FILE* stream = std::tmpfile();
  for (const bool all : {false, true}) {
    counts.clear();
    nn::Sequential model(nn::Linear(2, 8), nn::ReLU(), nn::Dropout(0.1), nn::Linear(8, 1));
    optim::AdamW optimizer(model.parameters(), {.lr = 0.01});
    optim::OneCycleLR schedule(optimizer, {.max_lr = 0.1, .total_steps = 50});
    FitOptions options{.batch_size = 4, .callbacks = {counter}};
    options.progress_stream = stream;
    if (all) {
      options.schedule = &schedule;
      options.clip_grad_value = 10;
    }
    fit(model, nn::MSELoss(), optimizer, points(200), options);
    REQUIRE(counts.size() == 50);
    if (test::counts_allocations) CHECK(counts[48] == counts[8]);
  }
  std::fclose(stream);
}

TEST_CASE("a seed makes a run repeatable") {
  const auto weight = [](std::uint64_t seed) {
    nn::Linear model = line();
    optim::SGD optimizer(model.parameters(), {.lr = 0.1});
    rand({static_cast<std::int64_t>(seed)});  // what was drawn before does not matter
    fit(model, nn::MSELoss(), optimizer, points(9), {.batch_size = 2, .seed = seed / 2, .progress = false});
    return model.weight.detach().clone();
  };
  CHECK(equal(weight(2), weight(3)));
  CHECK_FALSE(equal(weight(2), weight(4)));
}

TEST_CASE("progress says loss and metrics, or nothing") {
  const auto printed = [](const auto& run) {
    std::FILE* stream = std::tmpfile();
    run(stream);
    std::string text(static_cast<std::size_t>(std::ftell(stream)), '\0');
    std::rewind(stream);
    REQUIRE(std::fread(text.data(), 1, text.size(), stream) == text.size());
    std::fclose(stream);
    return text;
  };
  const std::string text = printed([](std::FILE* stream) {
    nn::Linear model = line();
    optim::SGD optimizer(model.parameters(), {.lr = 0.1});
    fit(model, nn::MSELoss(), optimizer, points(9), points(4),
        {.epochs = 2, .metrics = {train::mae()}, .progress_stream = stream});
  });
  CAPTURE(text);
  CHECK(text.starts_with("epoch 1/2  loss "));
  for (const char* part : {"  mae ", "  valid_loss ", "  valid_mae ", "  lr 0.1000  ", " steps/s  in 0:00\n"}) {
    CHECK(text.find(part) != std::string::npos);
  }
  CHECK(text.find("seconds") == std::string::npos);

  // To a file every so-many-th epoch, and the last one, wherever that is.
  const std::string stopped = printed([](std::FILE* stream) {
    train::ProgressBar bar({.epochs = 1000, .steps_per_epoch = 1, .stream = stream});
    for (int epoch = 0; epoch < 17; ++epoch) {
      bar.step(1);
      bar.end_epoch();
    }
  });
  CAPTURE(stopped);
  CHECK(stopped.starts_with("epoch 10/1000 "));
  CHECK(stopped.find("\nepoch 17/1000 ") != std::string::npos);
  const std::string endless = printed([](std::FILE* stream) {
    train::ProgressBar bar({.epochs = INT64_MAX, .steps_per_epoch = 9, .stream = stream});
    bar.step(1);
    bar.end_epoch();
  });
  CHECK(endless.find("ETA") != std::string::npos);

  // Of a run that goes on in its second epoch. Metrics that are new take the place of old ones.
  const std::string line = printed([](std::FILE* stream) {
    train::ProgressBar bar({.epochs = 3,
                            .steps_per_epoch = 4,
                            .first_step = 5,
                            .first_loss_sum = 8,
                            .first_samples = 4,
                            .stream = stream,
                            .in_place = true,
                            .values = [] {
                              return std::vector<train::NamedValue>{{"mae", 0.5}};
                            }});
    bar.step(5, 2);
    CHECK(bar.loss() == 3);
    bar.step(3);
    bar.step(3);
    bar.end_epoch({{"mae", 0.25}, {"valid_mae", 0.75}});
    std::this_thread::sleep_for(std::chrono::milliseconds(110));
    bar.step(1);
  });
  CAPTURE(line);
  CHECK(line.starts_with("\repoch 2/3  [==="));
  CHECK(line.find("loss 3.0000  mae 0.5000") != std::string::npos);
  CHECK(line.rfind("epoch 3/3") < line.rfind("loss 1.0000  mae 0.5000  valid_mae"));
}

TEST_CASE("fit refuses options that make no sense") {
  nn::Linear other = line();
  optim::SGD not_it(other.parameters(), {.lr = 0.1});
  optim::StepLR schedule(not_it, {.step_size = 1});
  optim::SAM foreign(not_it);
  const auto named = [](const char* name) { return std::make_shared<Named>(name); };
  const std::vector<std::pair<FitOptions, std::string>> refused{
      {{.epochs = 0}, "epochs must be positive: 0"},
      {{.batch_size = 0}, "batch_size must be positive: 0"},
      {{.accumulate = -1}, "accumulate must be positive: -1"},
      {{.clip_grad_norm = 0}, "clip_grad_norm must be positive: 0"},
      {{.clip_grad_value = NAN}, "clip_grad_value must be positive: nan"},
      {{.ema_decay = 1.5}, "ema_decay must be in [0, 1]: 1.5"},
      {{.resume = "x", .save_every = -1}, "save_every must be at least 0: -1"},
      {{.save_every = 3}, "save_every needs a path to save to, in resume: 3"},
      {{.schedule = &schedule}, "the schedule is of another optimizer"},
      {{.sam = &foreign}, "sam is of another optimizer"},
      {{.metrics = {named("loss")}}, "a metric has the name of another column: loss"},
      {{.metrics = {named("valid_x"), named("x")}}, "a metric has the name of another column: valid_x"},
      {{.callbacks = {train::gradient_monitor(), train::gradient_monitor()}},
       "there are two gradient monitors: their columns are the same"},
      {{.metrics = {nullptr}}, "metric 0 is a null pointer"},
      {{.metrics = {train::mae(), train::mae()}}, "there are two metrics named \"mae\""},
      {{.callbacks = {nullptr}}, "a callback is a null pointer"},
  };
  for (const auto& [options, text] : refused) CHECK(error_of(options) == "fit: " + text);

  nn::Linear model = line();
  optim::SGD optimizer(model.parameters(), {.lr = 0.1});
  optim::SAM sam(optimizer);
  CHECK_THROWS_WITH_AS(fit(model, {}, optimizer, points(3)), "fit: the loss is an empty function", Error);
  CHECK_THROWS_WITH_AS(fit(model, nn::MSELoss(), optimizer, data::Dataset()), "fit: there is nothing to train on",
                       Error);
  CHECK_THROWS_WITH_AS(fit(model, nn::MSELoss({.reduction = Reduction::none}), optimizer, points(3), quiet({})),
                       "fit: the loss must be a single number, got (3, 1)", Error);
  optim::ReduceLROnPlateau rises(optimizer, {.mode = optim::PlateauMode::max});
  CHECK_THROWS_WITH_AS(fit(model, nn::MSELoss(), optimizer, points(3), quiet({.schedule = &rises})),
                       "fit: ReduceLROnPlateau gets a loss: its mode must be min", Error);
  optim::LBFGS lbfgs(model.parameters());
  CHECK_THROWS_WITH_AS(fit(model, nn::MSELoss(), lbfgs, points(3), quiet({.clip_grad_norm = 1})),
                       "fit: an optimizer that searches its step can't have clipped gradients", Error);
  optim::LevenbergMarquardt squares(model.parameters());
  CHECK_THROWS_WITH_AS(fit(model, nn::MSELoss(), squares, points(3), quiet({})),
                       "fit: LevenbergMarquardt needs residuals, not a loss: call its step(closure)", Error);
}
