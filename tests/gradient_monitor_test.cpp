#include <doctest/doctest.h>

#include <cmath>

#include "gradus/factory.hpp"
#include "gradus/nn.hpp"
#include "gradus/ops.hpp"
#include "gradus/optim.hpp"
#include "gradus/random.hpp"
#include "gradus/train.hpp"
#include "messages.hpp"
#include "temporary.hpp"

using namespace gradus;

namespace {

data::Dataset ones_set(std::int64_t n) { return {ones({n, 2}), ones({n, 1})}; }

nn::Linear linear_of(double weight) {
  nn::Linear layer(2, 1, {.bias = false});
  const NoGrad guard;
  layer.weight.fill_(weight);
  return layer;
}

}  // namespace

TEST_CASE("the gradient monitor writes the norms before clipping and the update's ratio, once an epoch") {
  // loss = (2 w - 1)^2 for w = 1: both gradients are 2, their norm sqrt(8); clipped to 1 and times 0.1 the step is
  // 0.1.
  nn::Sequential model(linear_of(1));
  optim::SGD optimizer(model.parameters(), {.lr = 0.1});
  const auto monitor = train::gradient_monitor();
  const train::History history =
      train::fit(model, nn::MSELoss(), optimizer, ones_set(4),
                 {.epochs = 2, .batch_size = 4, .callbacks = {monitor}, .clip_grad_norm = 1, .progress = false});
  REQUIRE(history.size() == 2);
  CHECK(history.values("grad_norm")[0] == doctest::Approx(std::sqrt(8.0)));
  CHECK(history.values("grad_norm/0")[0] == doctest::Approx(std::sqrt(8.0)));
  CHECK(history.values("update_ratio")[0] == doctest::Approx(0.1 / std::sqrt(2.0)));
  CHECK(history.values("grad_norm")[1] < history.values("grad_norm")[0]);
  CHECK(monitor->seen().empty());
  CHECK(monitor->diagnosis().healthy());
}

TEST_CASE("the gradient monitor takes the mean over looks, as many as asked for") {
  struct Count : train::Callback {
    std::vector<double> norms;
    void on_backward_end(train::Run& run) override { norms.push_back(run.model.parameters()[0].grad().norm().item()); }
  };
  nn::Sequential model(linear_of(1));
  optim::SGD optimizer(model.parameters(), {.lr = 0.01});
  const auto count = std::make_shared<Count>();
  const train::History history =
      train::fit(model, nn::MSELoss(), optimizer, ones_set(6),
                 {.epochs = 1,
                  .batch_size = 1,
                  .callbacks = {train::gradient_monitor({.every = 2, .layers = false}), count},
                  .progress = false});
  REQUIRE(count->norms.size() == 6);
  CHECK(history.values("grad_norm")[0] ==
        doctest::Approx((count->norms[0] + count->norms[2] + count->norms[4]) / 3).epsilon(1e-6));
  CHECK(!history.contains("grad_norm/0"));
}

TEST_CASE("the gradient monitor goes on with a run that is resumed, and begins anew with another") {
  const tests::TemporaryDirectory directory;
  const auto monitored = [&](const std::string& state, std::int64_t stop_at,
                             const std::shared_ptr<train::Callback>& monitor) {
    nn::Sequential model(linear_of(1));
    optim::SGD optimizer(model.parameters(), {.lr = 0.01});
    struct Death {};
    const auto dies = train::lambda_callback({.on_batch_begin = [&](train::Run& run) {
      if (run.step == stop_at) throw Death();
    }});
    train::History history;
    try {
      history = train::fit(model, nn::MSELoss(), optimizer, ones_set(6),
                           {.epochs = 2,
                            .batch_size = 1,
                            .callbacks = {monitor, dies},
                            .resume = state,
                            .save_every = state.empty() ? 0 : 1,
                            .progress = false});
    } catch (const Death&) {
    }
    return history;
  };
  for (const std::int64_t every : {0, 2, 4}) {
    CAPTURE(every);
    const auto monitor = train::gradient_monitor({.every = every});
    const train::History whole = monitored("", -1, monitor);
    const std::string state = directory.path("state" + std::to_string(every));
    monitored(state, 5, train::gradient_monitor({.every = every}));
    const train::History resumed = monitored(state, -1, train::gradient_monitor({.every = every}));
    const train::History again = monitored("", -1, monitor);
    CHECK(resumed.names() == whole.names());
    for (const char* name : {"grad_norm", "grad_norm/0", "update_ratio"}) {
      CAPTURE(name);
      CHECK(resumed.values(name) == whole.values(name));
      REQUIRE(again.contains(name));
      CHECK(again.values(name) == whole.values(name));
    }
  }
}

TEST_CASE("the gradient monitor remembers the worst of each illness and its epoch") {
  nn::Sequential model(linear_of(1));
  optim::SGD optimizer(model.parameters(), {.lr = 2});  // 2 / sharpness is 1/2
  const auto monitor = train::gradient_monitor();
  const train::History history = train::fit(model, nn::MSELoss(), optimizer, ones_set(2),
                                            {.epochs = 5, .batch_size = 2, .callbacks = {monitor}, .progress = false});
  REQUIRE(!history.notes().empty());
  CHECK(history.notes().back() ==
        std::pair<std::string, std::string>("gradients on the way", monitor->diagnosis().to_string()));
  const train::Diagnosis diagnosis = monitor->diagnosis();
  CAPTURE(diagnosis.to_string());
  CHECK(diagnosis.has(train::Illness::learning_rate_high, "0.weight"));
  CHECK(diagnosis.has(train::Illness::exploding));
  REQUIRE(monitor->seen().size() == 2);
  for (const auto& seen : monitor->seen()) {
    if (seen.symptom.illness == train::Illness::exploding) CHECK(seen.epoch == 5);
  }
  CHECK(tests::message_of([] { train::gradient_monitor({.every = -1}); }) ==
        "gradient_monitor: every must not be negative: -1");
}
