// Optimizers and schedules that go on from files.
#include <doctest/doctest.h>

#include <cmath>

#include "gradus/autograd.hpp"
#include "gradus/factory.hpp"
#include "gradus/io.hpp"
#include "gradus/nn.hpp"
#include "gradus/ops.hpp"
#include "gradus/optim.hpp"
#include "gradus/random.hpp"
#include "messages.hpp"
#include "optimizer_table.hpp"
#include "schedule_table.hpp"
#include "temporary.hpp"

using namespace gradus;
using tests::message_of;
using tests::TemporaryDirectory;

namespace {

using Params = std::vector<Tensor>;
using StateDict = std::map<std::string, Tensor>;
using optim::LRScheduler, optim::Optimizer;

Params fresh_params() {
  Generator generator(17);
  return {randn({3, 2}, {.requires_grad = true, .generator = &generator}),
          randn({5}, {.requires_grad = true, .generator = &generator})};
}

void set_gradients(const Params& params, int t) {
  Generator generator(static_cast<std::uint64_t>(t));
  for (Tensor p : params) p.set_grad(randn(p.shape(), {.generator = &generator}));
}

// A step of time of any schedule; the plateau's metric stays.
void step(LRScheduler& schedule) {
  if (auto* plateau = dynamic_cast<optim::ReduceLROnPlateau*>(&schedule))
    plateau->step(1);
  else
    schedule.step();
}

void train(const Params& params, Optimizer& optimizer, LRScheduler& schedule, int first, int last) {
  for (int t = first; t < last; ++t) {
    set_gradients(params, t);
    optimizer.step();
    step(schedule);
  }
}

StateDict numbered(const Params& params) {
  StateDict dict;
  for (std::size_t i = 0; i < params.size(); ++i) dict.emplace(std::to_string(i), params[i]);
  return dict;
}

struct Run {
  Params params;
  std::unique_ptr<Optimizer> optimizer;
  std::unique_ptr<LRScheduler> schedule;
};

// 100 steps at once are 50, files, and 50 more of fresh objects.
void check_resume(const std::function<Run()>& make) {
  const TemporaryDirectory directory;
  const Run straight = make();
  train(straight.params, *straight.optimizer, *straight.schedule, 0, 50);
  save(numbered(straight.params), directory.path("params"));
  save(straight.optimizer->state_dict(), directory.path("optimizer"));
  save(straight.schedule->state_dict(), directory.path("schedule"));
  train(straight.params, *straight.optimizer, *straight.schedule, 50, 100);

  const Run resumed = make();
  {
    const NoGrad guard;
    const StateDict params = load(directory.path("params"));
    for (std::size_t i = 0; i < resumed.params.size(); ++i) {
      Tensor p = resumed.params[i];
      p.copy_(params.at(std::to_string(i)));
    }
  }
  resumed.optimizer->load_state_dict(load(directory.path("optimizer")));
  resumed.schedule->load_state_dict(load(directory.path("schedule")));
  train(resumed.params, *resumed.optimizer, *resumed.schedule, 50, 100);

  CHECK(straight.schedule->last_epoch() == resumed.schedule->last_epoch());
  const auto same = [](const StateDict& a, const StateDict& b) {
    CHECK(a.size() == b.size());
    for (const auto& [key, value] : a) {
      CAPTURE(key);
      CHECK(equal(value, b.at(key)));
    }
  };
  same(numbered(straight.params), numbered(resumed.params));
  same(straight.optimizer->state_dict(), resumed.optimizer->state_dict());
  same(straight.schedule->state_dict(), resumed.schedule->state_dict());
}

// Runs a check on a row; an exception fails that row only.
template <class Row>
void check_row(const Row& row, const std::function<Run()>& make) {
  CAPTURE(row.name);
  try {
    check_resume(make);
  } catch (const std::exception& e) {
    FAIL_CHECK(e.what());
  }
}

}  // namespace

TEST_CASE("every schedule resumes from files bit for bit, with its optimizer") {
  for (const ScheduleRow& row : schedule_table()) {
    check_row(row, [&] {
      Params params = fresh_params();
      auto optimizer = optimizer_for(row.name, params);
      auto schedule = row.make(*optimizer);
      return Run{std::move(params), std::move(optimizer), std::move(schedule)};
    });
  }
}

TEST_CASE("the schedules that remember resume from files bit for bit") {
  struct Row {
    std::string name;
    std::function<std::unique_ptr<LRScheduler>(Optimizer&)> make;
  };
  const std::vector<Row> rows{
      {"ReduceLROnPlateau",
       [](Optimizer& o) {
         return std::make_unique<optim::ReduceLROnPlateau>(
             o, optim::ReduceLROnPlateauOptions{.factor = 0.8, .patience = 3, .cooldown = 2});
       }},
      {"SWALR",
       [](Optimizer& o) {
         return std::make_unique<optim::SWALR>(o, optim::SWALROptions{.swa_lr = 0.05, .anneal_epochs = 70});
       }},
  };
  for (const Row& row : rows) {
    check_row(row, [&] {
      Params params = fresh_params();
      auto optimizer = optimizer_for("", params);
      auto schedule = row.make(*optimizer);
      return Run{std::move(params), std::move(optimizer), std::move(schedule)};
    });
  }
}

TEST_CASE("every optimizer resumes from files bit for bit, with a schedule") {
  for (const OptimizerRow& row : optimizer_table()) {
    check_row(row, [&] {
      Params params = fresh_params();
      auto optimizer = row.make(params);
      auto schedule = std::make_unique<optim::WarmupCosine>(
          *optimizer, optim::WarmupCosineOptions{.warmup_steps = 20, .total_steps = 90});
      return Run{std::move(params), std::move(optimizer), std::move(schedule)};
    });
  }
}

TEST_CASE("what a schedule has made of momentum and betas travels with the optimizer alone") {
  const Params params = fresh_params();
  optim::SGD sgd(params, {.momentum = 0.9});
  optim::Adam adam(params, {.betas = {0.9, 0.99}});
  for (Optimizer* optimizer : {static_cast<Optimizer*>(&sgd), static_cast<Optimizer*>(&adam)}) {
    optim::OneCycleLR cycle(*optimizer, {.max_lr = 0.1, .total_steps = 10});
    for (int t = 0; t < 3; ++t) cycle.step();
  }
  REQUIRE(sgd.momentum().value() != 0.9);
  CHECK(sgd.state_dict().at("param_groups.0.momentum").item() == sgd.momentum().value());
  CHECK(
      equal(adam.state_dict().at("param_groups.0.betas"), tensor({adam.momentum().value(), 0.99}, {.dtype = float64})));

  optim::SGD other_sgd(params, {.momentum = 0.9});
  other_sgd.load_state_dict(sgd.state_dict());
  CHECK(other_sgd.momentum() == sgd.momentum());
  optim::Adam other_adam(params, {.betas = {0.9, 0.99}});
  other_adam.load_state_dict(adam.state_dict());
  CHECK(other_adam.momentum() == adam.momentum());
  CHECK(other_adam.options().betas == adam.options().betas);

  // Refused values change neither momentum nor rate.
  StateDict state = adam.state_dict();
  state["param_groups.0.lr"] = tensor(7.0, {.dtype = float64});
  state["param_groups.0.betas"] = tensor({0.5, 1.0}, {.dtype = float64});
  CHECK(message_of([&] { other_adam.load_state_dict(state); }) == "Adam: betas must be in [0, 1), got 0.5 and 1");
  state["param_groups.0.betas"] = tensor({0.5, 0.5, 0.5}, {.dtype = float64});
  CHECK(message_of([&] { other_adam.load_state_dict(state); }) ==
        "load_state_dict: param_groups.0.betas must be 2 numbers, its shape is (3,)");
  state.erase("param_groups.0.betas");
  CHECK(message_of([&] { other_adam.load_state_dict(state); }) == "load_state_dict: missing key: param_groups.0.betas");
  CHECK(other_adam.lr() == adam.lr());
  CHECK(other_adam.options().betas == adam.options().betas);
}

TEST_CASE("a damaged file is refused or read, but an optimizer never half-loaded") {
  const TemporaryDirectory directory;
  const Params params = fresh_params();
  optim::Adam optimizer(params, {.lr = 0.1});
  set_gradients(params, 0);
  optimizer.step();
  const std::string good_path = directory.path("good");
  save(optimizer.state_dict(), good_path);
  const std::string good = tests::read_file(good_path);

  // An optimizer at another place, which must stay there if the file is refused.
  const Params others = fresh_params();
  optim::Adam other(others, {.lr = 0.25, .betas = {0.5, 0.5}});
  for (int t = 1; t < 4; ++t) {
    set_gradients(others, t);
    other.step();
  }
  StateDict before;
  for (const auto& [key, value] : other.state_dict()) before.emplace(key, value.clone());
  const auto is_unchanged = [&] {
    const StateDict now = other.state_dict();
    if (now.size() != before.size()) return false;
    for (const auto& [key, value] : before) {
      if (!equal(value, now.at(key))) return false;
    }
    return true;
  };
  const auto refuses = [&](const std::string& content) {
    const std::string path = directory.write("bad", content);
    return !message_of([&] { other.load_state_dict(load(path)); }).empty();
  };

  for (std::size_t length = 0; length < good.size(); length += 7) CHECK(refuses(good.substr(0, length)));
  CHECK(refuses(good + '\0'));
  CHECK(is_unchanged());

  // Another offset, shape or dtype of the same length: two tensors that overlap, one beyond the end, a gap.
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string content = good;
    const std::size_t at = content.find(from);
    REQUIRE(at != std::string::npos);
    return content.replace(at, from.size(), to);
  };
  CHECK(refuses(replaced("\"data_offsets\":[0,", "\"data_offsets\":[8,")));
  CHECK(refuses(replaced("\"shape\":[3,2]", "\"shape\":[2,3]")));
  CHECK(refuses(replaced("\"shape\":[3,2]", "\"shape\":[9,9]")));
  CHECK(refuses(replaced("\"F32\"", "\"I32\"")));
  CHECK(refuses(replaced("exp_avg_sq", "exp_avg_sp")));
  CHECK(refuses(replaced("state.1.", "state.7.")));
  CHECK(is_unchanged());

  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string content = good;
    content[i] = static_cast<char>(content[i] ^ 0x20);
    if (refuses(content)) {
      CHECK(is_unchanged());
    } else {
      other.load_state_dict(before);
    }
  }
}

TEST_CASE("the rate before any schedule travels with the optimizer, for the schedule of a second phase") {
  const Params params = fresh_params();
  optim::SGD straight({params[0]}, {.lr = 1}), resumed({params[1]}, {.lr = 1});
  CHECK_FALSE(straight.state_dict().contains("param_groups.0.initial_lr"));
  optim::StepLR schedule(straight, {.step_size = 2});
  for (int t = 0; t < 4; ++t) schedule.step();
  const StateDict state = straight.state_dict();
  CHECK(state.at("param_groups.0.initial_lr").item() == 1);
  resumed.set_lr(0, 7);
  resumed.load_state_dict(state);
  for (optim::SGD* optimizer : {&straight, &resumed}) {
    optim::CosineAnnealingLR second(*optimizer, {.T_max = 10});
    second.step();
  }
  CHECK(straight.lr() == resumed.lr());
  CHECK(resumed.initial_lr() == 1);

  // A state from elsewhere may lack it: then it stays.
  StateDict other = state;
  other.erase("param_groups.0.initial_lr");
  resumed.load_state_dict(other);
  CHECK(resumed.initial_lr() == 1);
  other["param_groups.0.initial_lr"] = tensor(INFINITY, {.dtype = float64});
  CHECK(message_of([&] { resumed.load_state_dict(other); }) ==
        "load_state_dict: param_groups.0.initial_lr must be finite, got inf");
}
