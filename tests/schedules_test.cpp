#include "gradus/optim/schedules.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <memory>
#include <set>
#include <type_traits>
#include <nlohmann/json.hpp>

#include "allocation_counter.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "gradus/optim.hpp"
#include "messages.hpp"
#include "rows.hpp"
#include "schedule_table.hpp"

using namespace gradus;
using optim::AnnealStrategy, optim::CycleMode, optim::Optimizer, optim::Schedule;
using tests::for_each_row;
using tests::message_of;

namespace {

using StateDict = std::map<std::string, Tensor>;

double wave(std::int64_t t) { return 1 / (1 + 0.1 * static_cast<double>(t % 20)); }
double shrink(std::int64_t t) { return t % 10 == 0 ? 0.9 : 1.001; }

const nlohmann::json& reference() {
  static const auto json =
      nlohmann::json::parse(std::ifstream(GRADUS_SOURCE_DIR "/tests/data/schedules_reference.json"));
  return json;
}

Tensor parameter() { return zeros({1}, {.requires_grad = true}); }

std::unique_ptr<Optimizer> optimizer_for(const std::string& name) {
  return ::optimizer_for(name, {parameter(), parameter()});
}

std::vector<double> momenta_of(const Optimizer& optimizer) {
  std::vector<double> values;
  for (std::int64_t g = 0; g < optimizer.group_count(); ++g) values.push_back(optimizer.momentum(g).value());
  return values;
}

// A rounding error of the formula has the size of its largest term.
bool close(double ours, double theirs, double largest) { return std::abs(ours - theirs) <= 1e-12 * largest; }

// Compares what a run has seen, [t][group], with a summary of schedules.py.
void check_run(const std::vector<std::vector<double>>& run, const nlohmann::json& expected) {
  const auto at = expected["at"].get<std::vector<std::vector<double>>>();
  const auto times = reference()["times"].get<std::vector<std::size_t>>();
  REQUIRE(at.size() == times.size());
  REQUIRE(run.size() == times.back() + 1);
  for (std::size_t group = 0; group < run[0].size(); ++group) {
    CAPTURE(group);
    double largest = 0, sum = 0;
    for (const auto& values : run) {
      largest = std::max(largest, values[group]);
      sum += values[group];
    }
    for (std::size_t i = 0; i < times.size(); ++i) {
      const std::size_t t = times[i];
      CAPTURE(t);
      CAPTURE(run[t][group]);
      CAPTURE(at[i][group]);
      CHECK(close(run[t][group], at[i][group], largest));
    }
    CHECK(close(sum, expected["sum"][group].get<double>(), sum));
  }
}

}  // namespace

TEST_CASE("every schedule has PyTorch's rates and momenta, over 500 steps") {
  const auto& cases = reference()["cases"];
  std::set<std::string> unseen;
  for (const auto& item : cases.items()) unseen.insert(item.key());
  for_each_row(schedule_table(), [&](const ScheduleRow& row) {
    REQUIRE(cases.contains(row.name));
    unseen.erase(row.name);
    const auto optimizer = optimizer_for(row.name);
    const std::vector<double> first_momenta = momenta_of(*optimizer);
    const auto schedule = row.make(*optimizer);
    std::vector<std::vector<double>> rates, momenta;
    for (int t = 0; t <= reference()["steps"]; ++t) {
      if (t > 0) schedule->step();
      CHECK(schedule->last_epoch() == t);
      rates.push_back(schedule->last_lr());
      momenta.push_back(momenta_of(*optimizer));
    }
    const auto& expected = cases[row.name];
    check_run(rates, expected["lr"]);
    if (expected.contains("momentum")) {
      check_run(momenta, expected["momentum"]);
    } else {
      for (const auto& values : momenta) CHECK(values == first_momenta);
    }
  });
  CHECK_MESSAGE(unseen.empty(), "PyTorch's rates without a row: " << (unseen.empty() ? "" : *unseen.begin()));
}

TEST_CASE("a schedule resumes from its state bit for bit, on an optimizer that starts anew") {
  for_each_row(schedule_table(), [](const ScheduleRow& row) {
    const auto optimizer = optimizer_for(row.name);
    const auto schedule = row.make(*optimizer);
    for (int t = 0; t < 123; ++t) schedule->step();
    const StateDict state = schedule->state_dict();
    CHECK(state.at("last_epoch").item<std::int64_t>() == 123);

    const auto other = optimizer_for(row.name);
    const auto resumed = row.make(*other);
    resumed->load_state_dict(state);
    for (int t = 0; t < 30; ++t) {
      CHECK(schedule->last_lr() == resumed->last_lr());
      CHECK(momenta_of(*optimizer) == momenta_of(*other));
      schedule->step();
      resumed->step();
    }
    resumed->set_last_epoch(0);
    CHECK(resumed->last_lr() == row.make(*optimizer_for(row.name))->last_lr());
  });
}

TEST_CASE("the base rates travel with the state") {
  optim::SGD optimizer({parameter()}, {.lr = 0.5});
  optim::StepLR schedule(optimizer, {.step_size = 1, .gamma = 0.5});
  schedule.step();
  optim::SGD other({parameter()}, {.lr = 0.125});
  optim::StepLR resumed(other, {.step_size = 1, .gamma = 0.5});
  resumed.load_state_dict(schedule.state_dict());
  CHECK(other.lr() == 0.25);
  resumed.step();
  CHECK(other.lr() == 0.125);
}

TEST_CASE("a state of another schedule is refused, and changes nothing") {
  optim::SGD optimizer({parameter()}, {.lr = 0.5});
  optim::OneCycleLR schedule(optimizer, {.max_lr = 1, .total_steps = 10});
  for (int t = 0; t < 3; ++t) schedule.step();
  const double rate = optimizer.lr(), momentum = optimizer.momentum().value();
  const auto error = [&](const std::function<void(StateDict&)>& spoil) {
    StateDict state = schedule.state_dict();
    spoil(state);
    return message_of([&] { schedule.load_state_dict(state); });
  };
  CHECK(error([](StateDict& s) { s.erase("last_epoch"); }) == "OneCycleLR: load_state_dict: missing key: last_epoch");
  CHECK(error([](StateDict& s) { s["best"] = tensor(1); }) == "OneCycleLR: load_state_dict: unexpected key: best");
  CHECK(error([](StateDict& s) { s["last_epoch"] = Tensor(); }) ==
        "OneCycleLR: load_state_dict: last_epoch is undefined");
  CHECK(error([](StateDict& s) { s["last_epoch"] = tensor(-1); }) ==
        "OneCycleLR: load_state_dict: last_epoch must be at least 0, got -1");
  CHECK(error([](StateDict& s) { s["last_epoch"] = tensor((std::int64_t{1} << 53) + 1); }) ==
        "OneCycleLR: load_state_dict: last_epoch must be at most 2^53, got 9007199254740993");
  CHECK(error([](StateDict& s) { s["last_epoch"] = tensor(1.5F); }) ==
        "OneCycleLR: load_state_dict: last_epoch must be int64 (), got float32 ()");
  CHECK(error([](StateDict& s) { s["base_lrs"] = zeros({2}, {.dtype = float64}); }) ==
        "OneCycleLR: load_state_dict: base_lrs must be float64 (1,), got float64 (2,)");
  CHECK(error([](StateDict& s) { s["last_epoch"] = tensor(11); }) ==
        "OneCycleLR: there are 10 steps in the cycle, got t = 11");
  CHECK(optimizer.lr() == rate);
  CHECK(optimizer.momentum() == momentum);
  CHECK(schedule.last_epoch() == 3);

  optim::ExponentialLR decay(optimizer, {.gamma = 0.5});
  CHECK(message_of([&] {
          decay.load_state_dict({{"last_epoch", tensor(1)}, {"base_lrs", full({1}, -1, {.dtype = float64})}});
        }) == "ExponentialLR: the rate of group 0 must be at least 0 and finite, got -0.5 at t = 1");
  decay.step();
  CHECK(optimizer.lr() == 0.25);
}

TEST_CASE("a step that fails leaves the rates of all groups as they were") {
  const auto optimizer = optimizer_for("");
  optim::LambdaLR schedule(*optimizer, {.lr_lambda = {[](std::int64_t t) { return 1 + static_cast<double>(t); },
                                                      [](std::int64_t t) { return t < 2 ? 1.0 : NAN; }}});
  schedule.step();
  const auto rates = schedule.last_lr();
  CHECK(message_of([&] { schedule.step(); }) ==
        "LambdaLR: the rate of group 1 must be at least 0 and finite, got nan at t = 2");
  CHECK(schedule.last_lr() == rates);
  CHECK(schedule.last_epoch() == 1);

  // Nesterov's rule refuses a momentum of 0: after the first group has been set already.
  optim::SGD nesterov({{.params = {parameter()}, .options = {.lr = 0.5, .momentum = 0.9}},
                       {.params = {parameter()}, .options = {.lr = 0.5, .momentum = 0.9, .nesterov = true}}});
  CHECK(message_of([&] {
          Schedule(
              "mine", nesterov,
              {.lr = [](auto, double base, auto) { return base / 2; }, .momentum = [](auto, auto) { return 0.0; }});
        }) == "SGD: nesterov needs a momentum above 0 and a dampening of 0, got 0 and 0");
  CHECK(nesterov.lr(0) == 0.5);
  CHECK(momenta_of(nesterov) == std::vector<double>{0.9, 0.9});
}

TEST_CASE("the last step of one cycle is the end; one more is refused") {
  optim::SGD optimizer({parameter()}, {.momentum = 0.9});
  optim::OneCycleLR schedule(optimizer, {.max_lr = 1, .total_steps = 10, .anneal_strategy = AnnealStrategy::linear});
  for (int t = 0; t < 9; ++t) schedule.step();
  CHECK(optimizer.lr() == doctest::Approx(1.0 / 25 / 1e4));
  schedule.step();
  CHECK(optimizer.lr() == doctest::Approx(1.0 / 25 / 1e4));  // PyTorch goes beyond the end here, to a negative rate
  CHECK(message_of([&] { schedule.step(); }) == "OneCycleLR: there are 10 steps in the cycle, got t = 11");
  CHECK(schedule.last_epoch() == 10);

  // Phases of no length: nothing is divided by 0.
  for (const double start : {0.0, 0.1, 0.5, 1.0}) {
    for (const bool three : {false, true}) {
      if (three && start > 0.5) continue;
      CAPTURE(start);
      optim::OneCycleLR odd(optimizer, {.max_lr = 1, .total_steps = 10, .pct_start = start, .three_phase = three});
      for (int t = 0; t < 10; ++t) odd.step();
      CHECK(optimizer.lr() <= 1);
    }
  }
}

TEST_CASE("restarts fall on their steps however late they are") {
  optim::SGD optimizer({parameter()}, {.lr = 1});
  optim::CosineAnnealingWarmRestarts schedule(optimizer, {.T_0 = 3, .T_mult = 10});
  for (const std::int64_t restart : {3LL, 33LL, 333LL, 33333333333LL, 333333333333333333LL}) {
    CAPTURE(restart);
    schedule.set_last_epoch(restart);
    CHECK(optimizer.lr() == 1);
    schedule.set_last_epoch(restart - 1);
    CHECK(optimizer.lr() < 0.3);
  }
  schedule.set_last_epoch(std::numeric_limits<std::int64_t>::max());
  CHECK(optimizer.lr() <= 1);
}

TEST_CASE("a group that is added later joins in with its own rate") {
  optim::SGD optimizer({parameter()}, {.lr = 1});
  optim::StepLR schedule(optimizer, {.step_size = 2, .gamma = 0.5});
  schedule.step();
  optimizer.add_param_group({.params = {parameter()}, .options = {.lr = 8}});
  schedule.step();
  CHECK(schedule.last_lr() == std::vector<double>{0.5, 4});

  optim::LambdaLR narrow(optimizer, {.lr_lambda = {shrink, shrink}});
  optimizer.add_param_group({.params = {parameter()}, .options = {.lr = 8}});
  CHECK(message_of([&] { narrow.step(); }) == "schedule: an option has a value for each group, but not for a new one");
}

TEST_CASE("a state that was saved between a new group and its first step loads, and changes no rate") {
  const auto make = [] { return optim::SGD({parameter()}, {.lr = 1}); };
  const auto grow = [](optim::SGD& o) { o.add_param_group({.params = {parameter()}, .options = {.lr = 8}}); };
  const auto check = [](optim::LRScheduler& one, optim::LRScheduler& other) {
    other.load_state_dict(one.state_dict());
    for (int t = 0; t < 3; ++t) {
      CHECK(one.last_lr() == other.last_lr());
      one.step();
      other.step();
    }
  };
  for (const bool early : {false, true}) {
    CAPTURE(early);
    auto a = make(), b = make();
    optim::ExponentialLR one(a, {.gamma = 0.5});
    if (early) grow(b);
    optim::ExponentialLR other(b, {.gamma = 0.5});
    if (!early) grow(b);
    one.step();
    grow(a);
    check(one, other);

    auto c = make(), d = make();
    optim::SWALR first(c, {.swa_lr = 0.5}), second(d, {.swa_lr = 0.5});
    first.step();
    grow(c);
    grow(d);
    check(first, second);
  }
}

TEST_CASE("a product over more steps than there can be is refused at once") {
  optim::SGD optimizer({parameter()}, {.lr = 1});
  optim::MultiplicativeLR schedule(optimizer, {.lr_lambda = shrink});
  CHECK(message_of([&] {
          schedule.load_state_dict(
              {{"last_epoch", tensor(std::int64_t{1} << 50)}, {"base_lrs", ones({1}, {.dtype = float64})}});
        }) == "MultiplicativeLR: t must be at most 1000000000, got 1125899906842624");
  CHECK(schedule.last_epoch() == 0);
  CHECK(optimizer.lr() == 1);
}

TEST_CASE("schedules on one optimizer start from the same base, and compose without being stepped") {
  optim::SGD optimizer({parameter()}, {.lr = 1});
  optim::LinearLR warmup(optimizer, {.start_factor = 0.5, .total_iters = 2});
  CHECK(optimizer.lr() == 0.5);
  optim::ExponentialLR decay(optimizer, {.gamma = 0.5});
  CHECK(optimizer.lr() == 1);
  CHECK(optimizer.initial_lr() == 1);
  optim::SequentialLR both(optimizer, {.schedulers = {warmup, decay}, .milestones = {2}});
  optim::SequentialLR nested(optimizer, {.schedulers = {both, warmup}, .milestones = {4}});
  std::vector<double> rates{optimizer.lr()};
  for (int t = 0; t < 6; ++t) {
    nested.step();
    rates.push_back(optimizer.lr());
  }
  CHECK(rates == std::vector<double>{0.5, 0.75, 1, 0.5, 0.5, 0.75, 1});
  CHECK(warmup.last_epoch() == 0);
}

TEST_CASE("any function of time is a schedule") {
  optim::SGD optimizer({parameter()}, {.lr = 1});
  optim::FunctionLR schedule(optimizer, {.lr = [](std::int64_t t) { return 1 / (2 + static_cast<double>(t)); }});
  CHECK(optimizer.lr() == 0.5);
  schedule.step();
  CHECK(optimizer.lr() == 1.0 / 3);
  Schedule mine("mine", optimizer, {.lr = [](auto t, double base, auto) { return base + static_cast<double>(t); }});
  mine.step();
  CHECK(optimizer.lr() == 2);
}

TEST_CASE("a schedule is neither copied nor moved, and takes no temporary optimizer") {
  CHECK_FALSE(std::is_copy_constructible_v<optim::StepLR>);
  CHECK_FALSE(std::is_move_constructible_v<optim::StepLR>);
  CHECK_FALSE(std::is_copy_assignable_v<optim::StepLR>);
  CHECK(std::is_constructible_v<optim::StepLR, optim::SGD&, optim::StepLROptions>);
  CHECK_FALSE(std::is_constructible_v<optim::StepLR, optim::SGD, optim::StepLROptions>);
}

TEST_CASE("a step of a schedule allocates nothing") {
  for_each_row(schedule_table(), [](const ScheduleRow& row) {
    const auto optimizer = optimizer_for(row.name);
    const auto schedule = row.make(*optimizer);
    schedule->step();
    const auto before = test::allocations();
    for (int t = 0; t < 50; ++t) schedule->step();
    if (test::counts_allocations) CHECK(test::allocations() == before);
  });
}

TEST_CASE("wrong options of schedules are refused, and leave the rate alone") {
  using namespace optim;
  SGD optimizer({parameter()}, {.lr = 0.5, .momentum = 0.9});
  struct NoMomentumOptions {
    double lr = 0.5;
  };
  struct Plain final : OptimizerOf<NoMomentumOptions> {
    using OptimizerOf::OptimizerOf;
    void update(Tensor&, const Tensor&, State&, const NoMomentumOptions&) override {}
  };
  Plain plain({parameter()});
  SGD other({parameter()});
  const StepLR stairs(optimizer, {.step_size = 3});
  const OneCycleLR cycle(optimizer, {.max_lr = 0.5, .total_steps = 3, .div_factor = 1});
  const StepLR foreign(other, {.step_size = 3});
  optimizer.set_lr(0, 0.5);
  struct Refused {
    std::string error;
    std::function<void()> make;
  };
  const std::vector<Refused> table{
      {"StepLR: step_size must be at least 1, got 0", [&] { StepLR(optimizer, {}); }},
      {"StepLR: gamma must be at least 0 and finite, got -1",
       [&] { StepLR(optimizer, {.step_size = 1, .gamma = -1}); }},
      {"MultiStepLR: gamma must be at least 0 and finite, got inf",
       [&] { MultiStepLR(optimizer, {.milestones = {1}, .gamma = INFINITY}); }},
      {"ConstantLR: factor must be in [0, 1], got 1.5", [&] { ConstantLR(optimizer, {.factor = 1.5}); }},
      {"ConstantLR: total_iters must be at least 0, got -1", [&] { ConstantLR(optimizer, {.total_iters = -1}); }},
      {"LinearLR: start_factor must be in [0, 1], got -0.5", [&] { LinearLR(optimizer, {.start_factor = -0.5}); }},
      {"LinearLR: end_factor must be in [0, 1], got nan", [&] { LinearLR(optimizer, {.end_factor = NAN}); }},
      {"LinearLR: total_iters must be at least 1, got 0", [&] { LinearLR(optimizer, {.total_iters = 0}); }},
      {"ExponentialLR: gamma must be at least 0 and finite, got nan", [&] { ExponentialLR(optimizer, {}); }},
      {"PolynomialLR: total_iters must be at least 1, got 0", [&] { PolynomialLR(optimizer, {.total_iters = 0}); }},
      {"PolynomialLR: power must be at least 0 and finite, got -1", [&] { PolynomialLR(optimizer, {.power = -1}); }},
      {"CosineAnnealingLR: T_max must be at least 1, got 0", [&] { CosineAnnealingLR(optimizer, {}); }},
      {"CosineAnnealingLR: eta_min must be at least 0 and finite, got -1",
       [&] { CosineAnnealingLR(optimizer, {.T_max = 1, .eta_min = -1}); }},
      {"CosineAnnealingWarmRestarts: T_0 must be at least 1, got 0",
       [&] { CosineAnnealingWarmRestarts(optimizer, {}); }},
      {"CosineAnnealingWarmRestarts: T_mult must be at least 1, got 0",
       [&] { CosineAnnealingWarmRestarts(optimizer, {.T_0 = 1, .T_mult = 0}); }},
      {"CyclicLR: base_lr must be at least 0 and finite, got nan", [&] { CyclicLR(optimizer, {.max_lr = 1}); }},
      {"CyclicLR: max_lr has 2 values for 1 groups",
       [&] {
         CyclicLR(optimizer, {.base_lr = 1, .max_lr = {1, 2}});
       }},
      {"CyclicLR: step_size_up must be at least 1, got 0",
       [&] { CyclicLR(optimizer, {.base_lr = 1, .max_lr = 2, .step_size_up = 0}); }},
      {"CyclicLR: max_momentum must be in [0, 1), got 1",
       [&] { CyclicLR(optimizer, {.base_lr = 1, .max_lr = 2, .max_momentum = 1}); }},
      {"CyclicLR: cycle_momentum needs an optimizer that has momentum or betas",
       [&] { CyclicLR(plain, {.base_lr = 1, .max_lr = 2}); }},
      {"OneCycleLR: cycle_momentum needs an optimizer that has momentum or betas",
       [&] { OneCycleLR(plain, {.max_lr = 1, .total_steps = 2}); }},
      {"OneCycleLR: max_lr must be at least 0 and finite, got nan", [&] { OneCycleLR(optimizer, {.total_steps = 2}); }},
      {"OneCycleLR: total_steps, or both epochs and steps_per_epoch, must be at least 1, got 0, 3 and 0",
       [&] { OneCycleLR(optimizer, {.max_lr = 1, .epochs = 3}); }},
      {"OneCycleLR: total_steps, or both epochs and steps_per_epoch, must be at least 1, got 5, 3 and 2",
       [&] { OneCycleLR(optimizer, {.max_lr = 1, .total_steps = 5, .epochs = 3, .steps_per_epoch = 2}); }},
      {"OneCycleLR: pct_start must be in [0, 1], got 1.5",
       [&] { OneCycleLR(optimizer, {.max_lr = 1, .total_steps = 5, .pct_start = 1.5}); }},
      {"OneCycleLR: three_phase needs a pct_start of at most 0.5, got 0.75",
       [&] { OneCycleLR(optimizer, {.max_lr = 1, .total_steps = 5, .pct_start = 0.75, .three_phase = true}); }},
      {"OneCycleLR: div_factor must be above 0, got 0",
       [&] { OneCycleLR(optimizer, {.max_lr = 1, .total_steps = 5, .div_factor = 0}); }},
      {"OneCycleLR: final_div_factor must be above 0, got -1",
       [&] { OneCycleLR(optimizer, {.max_lr = 1, .total_steps = 5, .final_div_factor = -1}); }},
      {"LambdaLR: lr_lambda has 2 values for 1 groups",
       [&] {
         LambdaLR(optimizer, {.lr_lambda = {wave, wave}});
       }},
      {"MultiplicativeLR: lr_lambda is an empty function",
       [&] { MultiplicativeLR(optimizer, {.lr_lambda = std::function<double(std::int64_t)>()}); }},
      {"FunctionLR: the rate of group 0 must be at least 0 and finite, got -1 at t = 0",
       [&] { FunctionLR(optimizer, {.lr = [](std::int64_t) { return -1.0; }}); }},
      {"mine: the closed form has no function for the rate", [&] { Schedule("mine", optimizer, {}); }},
      {"SequentialLR: got an empty list of schedulers", [&] { SequentialLR(optimizer, {}); }},
      {"SequentialLR: milestones must be one less than schedulers, got 1 and 1",
       [&] { SequentialLR(optimizer, {.schedulers = {stairs}, .milestones = {3}}); }},
      {"SequentialLR: milestones must increase from 1, got 3 after 3",
       [&] {
         SequentialLR(optimizer, {.schedulers = {stairs, stairs, stairs}, .milestones = {3, 3}});
       }},
      {"SequentialLR: scheduler 1 is of another optimizer",
       [&] {
         SequentialLR(optimizer, {.schedulers = {stairs, foreign}, .milestones = {3}});
       }},
      {"SequentialLR: all schedulers or none must cycle the momentum",
       [&] {
         SequentialLR(optimizer, {.schedulers = {stairs, cycle}, .milestones = {3}});
       }},
      {"ChainedScheduler: got an empty list of schedulers", [&] { ChainedScheduler(optimizer, {}); }},
      {"WarmupCosine: total_steps must be more than warmup_steps, got 5 and 5",
       [&] { WarmupCosine(optimizer, {.warmup_steps = 5, .total_steps = 5}); }},
      {"WarmupStableDecay: decay_steps must be at least 1, got 0", [&] { WarmupStableDecay(optimizer, {}); }},
      {"InverseSquareRoot: warmup_steps must be at least 1, got 0", [&] { InverseSquareRoot(optimizer, {}); }},
      {"ReduceLROnPlateau: factor must be in [0, 1), got 1", [&] { ReduceLROnPlateau(optimizer, {.factor = 1}); }},
      {"ReduceLROnPlateau: patience must be at least 0, got -1",
       [&] { ReduceLROnPlateau(optimizer, {.patience = -1}); }},
      {"ReduceLROnPlateau: min_lr has 3 values for 1 groups",
       [&] {
         ReduceLROnPlateau(optimizer, {.min_lr = {1, 2, 3}});
       }},
      {"ReduceLROnPlateau: step needs a metric",
       [&] {
         ReduceLROnPlateau plateau(optimizer);
         static_cast<LRScheduler&>(plateau).step();
       }},
  };
  for (const Refused& refused : table) {
    CHECK(message_of(refused.make) == refused.error);
    CHECK(optimizer.lr() == 0.5);
  }
  CHECK(message_of([&] { plain.set_momentum(0, 0.5); }) == "optimizer: group 0 has neither momentum nor betas");
  CHECK_FALSE(plain.momentum().has_value());
}

// --- ReduceLROnPlateau ----------------------------------------------------------------------------------------------

namespace {

optim::ReduceLROnPlateauOptions plateau_options(const std::string& name) {
  using namespace optim;
  if (name == "ReduceLROnPlateau") return {};
  if (name == "ReduceLROnPlateau/min_lr")
    return {.factor = 0.5, .patience = 3, .cooldown = 5, .min_lr = {0.01, 0.0001}};
  if (name == "ReduceLROnPlateau/max") {
    return {.mode = PlateauMode::max,
            .factor = 0.7,
            .patience = 20,
            .threshold = 0.05,
            .threshold_mode = ThresholdMode::abs};
  }
  if (name == "ReduceLROnPlateau/max, rel") {
    return {.mode = PlateauMode::max, .factor = 0.7, .patience = 20, .threshold = 0.05};
  }
  REQUIRE(name == "ReduceLROnPlateau/eps");
  return {.factor = 0.9, .patience = 2, .threshold = 0.05, .threshold_mode = ThresholdMode::abs, .eps = 1e-3};
}

}  // namespace

TEST_CASE("a plateau reduces the rates when PyTorch does, also after a resume") {
  const auto metrics = reference()["metrics"].get<std::vector<double>>();
  for (const auto& item : reference()["plateaus"].items()) {
    CAPTURE(item.key());
    const auto optimizer = optimizer_for("");
    auto schedule = std::make_unique<optim::ReduceLROnPlateau>(*optimizer, plateau_options(item.key()));
    std::vector<std::vector<double>> rates{schedule->last_lr()};
    std::unique_ptr<Optimizer> other;
    for (std::size_t t = 0; t < metrics.size(); ++t) {
      if (t % 50 == 17) {
        const StateDict state = schedule->state_dict();
        other = optimizer_for("");
        schedule = std::make_unique<optim::ReduceLROnPlateau>(*other, plateau_options(item.key()));
        schedule->load_state_dict(state);
      }
      schedule->step(metrics[t]);
      rates.push_back(schedule->last_lr());
    }
    CHECK(rates.back() != rates.front());
    check_run(rates, item.value()["lr"]);
  }
}

TEST_CASE("a metric that is not a number never counts as better") {
  optim::SGD optimizer({parameter()}, {.lr = 1});
  optim::ReduceLROnPlateau schedule(optimizer, {.patience = 1});
  schedule.step(3);
  for (int t = 0; t < 2; ++t) schedule.step(NAN);
  CHECK(optimizer.lr() == 0.1);
  CHECK(schedule.best() == 3);

  StateDict state = schedule.state_dict();
  state["_last_lr"] = full({1}, -1, {.dtype = float64});
  CHECK(message_of([&] { schedule.load_state_dict(state); }) ==
        "ReduceLROnPlateau: _last_lr must be at least 0 and finite, got -1");
  CHECK(optimizer.lr() == 0.1);
}

namespace {

// A rule with a rate that it takes, and none above.
struct BoundedOptions {
  double lr = 0.5;
  double most = 1;
  void validate() const {
    if (!(lr <= most)) throw Error("bounded");
  }
};
struct Bounded final : optim::OptimizerOf<BoundedOptions> {
  using OptimizerOf::OptimizerOf;
  void update(Tensor&, const Tensor&, optim::State&, const BoundedOptions&) override {}
};

}  // namespace

TEST_CASE("a plateau and SWALR set the rates of all groups or of none") {
  const auto same = [](const StateDict& a, const StateDict& b) {
    for (const auto& [key, value] : a) CHECK(equal(value, b.at(key)));
  };
  optim::SGD optimizer(
      {{.params = {parameter()}, .options = {.lr = 1}}, {.params = {parameter()}, .options = {.lr = 2}}});
  optim::ReduceLROnPlateau plateau(optimizer, {.patience = 0, .min_lr = {0.0, 0.0}});
  plateau.step(1);
  optimizer.add_param_group({.params = {parameter()}, .options = {.lr = 4}});
  const StateDict before = plateau.state_dict();
  CHECK(message_of([&] { plateau.step(2); }) ==
        "schedule: an option has a value for each group, but not for a new one");
  same(before, plateau.state_dict());
  StateDict after = before;
  after["_last_lr"] = tensor({3.0, 3.0, INFINITY}, {.dtype = float64});
  CHECK_FALSE(message_of([&] { plateau.load_state_dict(after); }).empty());
  same(before, plateau.state_dict());

  Bounded bounded(std::vector<Bounded::Group>{{{parameter()}, {.most = 9}}, {{parameter()}, {.most = 0.5}}});
  optim::SWALR swa(bounded, {.swa_lr = 8, .anneal_epochs = 1});
  CHECK(message_of([&] { swa.step(); }) == "bounded");
  CHECK(swa.last_lr() == std::vector<double>{0.5, 0.5});
  CHECK(swa.last_epoch() == 0);
  CHECK(message_of([&] { optim::SWALR(bounded, {.swa_lr = 8, .anneal_epochs = 0}); }) == "bounded");
  CHECK(swa.last_lr() == std::vector<double>{0.5, 0.5});
  optim::ReduceLROnPlateau other(bounded);
  after = other.state_dict();
  after["_last_lr"] = tensor({3.0, 3.0}, {.dtype = float64});
  CHECK(message_of([&] { other.load_state_dict(after); }) == "bounded");
  CHECK(other.last_lr() == std::vector<double>{0.5, 0.5});
}

// --- SWALR ----------------------------------------------------------------------------------------------------------

namespace {

// The names are those of tools/reference/schedules.py.
optim::SWALROptions swa_options(const std::string& name) {
  if (name == "SWALR") return {.swa_lr = 0.05};
  if (name == "SWALR/linear")
    return {.swa_lr = {0.05, 0.3}, .anneal_epochs = 300, .anneal_strategy = AnnealStrategy::linear};
  if (name == "SWALR/cos") return {.swa_lr = {0.05, 0.3}, .anneal_epochs = 200};
  REQUIRE(name == "SWALR/at once");
  return {.swa_lr = 0.05, .anneal_epochs = 0};
}

}  // namespace

TEST_CASE("SWALR takes over from another schedule as in PyTorch, also after a resume") {
  const auto swa_start = reference()["swa_start"].get<std::int64_t>();
  for (const auto& item : reference()["swa"].items()) {
    CAPTURE(item.key());
    auto optimizer = optimizer_for("");
    auto decay = std::make_unique<optim::ExponentialLR>(*optimizer, optim::ExponentialLROptions{.gamma = 0.99});
    auto schedule = std::make_unique<optim::SWALR>(*optimizer, swa_options(item.key()));
    std::vector<std::vector<double>> rates{schedule->last_lr()};
    for (std::int64_t t = 0; t < reference()["steps"]; ++t) {
      if (t % 50 == 17) {
        const StateDict decay_state = decay->state_dict(), swa_state = schedule->state_dict();
        auto other = optimizer_for("");
        decay = std::make_unique<optim::ExponentialLR>(*other, optim::ExponentialLROptions{.gamma = 0.99});
        schedule = std::make_unique<optim::SWALR>(*other, swa_options(item.key()));
        optimizer = std::move(other);
        decay->load_state_dict(decay_state);
        schedule->load_state_dict(swa_state);
        CHECK(schedule->last_lr() == rates.back());
      }
      if (t < swa_start)
        decay->step();
      else
        schedule->step();
      rates.push_back(schedule->last_lr());
    }
    check_run(rates, item.value()["lr"]);
  }
}

TEST_CASE("SWALR refuses wrong options and states of another schedule") {
  optim::SGD optimizer({parameter()}, {.lr = 0.5});
  CHECK(message_of([&] { optim::SWALR(optimizer, {}); }) == "SWALR: swa_lr must be at least 0 and finite, got nan");
  CHECK(message_of([&] {
          optim::SWALR(optimizer, {.swa_lr = {0.1, 0.2}});
        }) == "SWALR: swa_lr has 2 values for 1 groups");
  CHECK(message_of([&] { optim::SWALR(optimizer, {.swa_lr = 0.1, .anneal_epochs = -1}); }) ==
        "SWALR: anneal_epochs must be at least 0, got -1");
  optim::SWALR schedule(optimizer, {.swa_lr = 0.1});
  CHECK(optimizer.lr() == 0.5);
  StateDict state = schedule.state_dict();
  state["first_lrs"] = full({1}, -1, {.dtype = float64});
  CHECK(message_of([&] { schedule.load_state_dict(state); }) ==
        "SWALR: first_lrs must be at least 0 and finite, got -1");
  CHECK(message_of([&] {
          schedule.load_state_dict({{"last_epoch", tensor(1)}});
        }) == "SWALR: load_state_dict: missing key: first_lrs");
  CHECK(optimizer.lr() == 0.5);

  // A group that comes later starts from its own rate.
  for (int t = 0; t < 10; ++t) schedule.step();
  CHECK(optimizer.lr() == 0.1);
  optimizer.add_param_group({.params = {parameter()}, .options = {.lr = 3}});
  schedule.step();
  CHECK(optimizer.lr(1) == 0.1);
}
