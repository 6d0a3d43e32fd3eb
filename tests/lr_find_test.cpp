#include "gradus/optim/lr_find.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <sstream>
#include <stdexcept>

#include "gradus/factory.hpp"
#include "gradus/nn.hpp"
#include "gradus/ops.hpp"
#include "gradus/optim.hpp"
#include "gradus/random.hpp"
#include "messages.hpp"
#include "states.hpp"

using namespace gradus;
using optim::lr_find, optim::LRFindResult;
using tests::clone_of, tests::contains, tests::message_of, tests::same, tests::StateDict;

namespace {

// sum_i lambda_i x_i^2 / 2
struct Bowl {
  Tensor lambda, x;

  explicit Bowl(const std::vector<double>& curvatures)
      : lambda(tensor(curvatures, {.dtype = float64})),
        x(ones(lambda.shape(), {.dtype = float64}).set_requires_grad()) {}

  auto closure(optim::Optimizer& optimizer) {
    return [this, &optimizer] {
      optimizer.zero_grad();
      Tensor loss = sum(lambda * square(x)) / 2.0;
      loss.backward();
      return loss;
    };
  }
};

}  // namespace

TEST_CASE("on a quadratic the rate is found below 2 / lambda, and the divergence soon above") {
  for (const double lambda : {0.5, 10.0, 400.0}) {
    CAPTURE(lambda);
    Bowl bowl({lambda, lambda / 7});
    optim::SGD optimizer({bowl.x}, {.lr = 0.123});
    const LRFindResult found = lr_find(optimizer, bowl.closure(optimizer), {.end_lr = 1e3, .steps = 200});
    REQUIRE(found.suggestion.has_value());
    CHECK(*found.suggestion < 2 / lambda);
    CHECK(*found.suggestion > 0.005 / lambda);
    REQUIRE(found.diverged_at.has_value());
    CHECK(*found.diverged_at > 2 / lambda);
    CHECK(*found.diverged_at < 20 / lambda);
    CHECK(found.lrs.size() == found.losses.size());
    CHECK(found.lrs.size() == found.smoothed.size());
    CHECK(found.lrs.size() < 200);
    CHECK(found.lrs.back() == *found.diverged_at);
    CHECK(found.lrs.front() == doctest::Approx(1e-7));
    CHECK(found.lrs[1] / found.lrs[0] == doctest::Approx(std::pow(1e10, 1.0 / 199)));
  }
}

TEST_CASE("each loss is the one after the step with its rate") {
  Bowl bowl({2.0});
  optim::SGD optimizer({bowl.x});
  const LRFindResult found =
      lr_find(optimizer, bowl.closure(optimizer), {.start_lr = 0.01, .end_lr = 0.16, .steps = 5, .smoothing = 0});
  double x = 1;
  REQUIRE(found.losses.size() == 5);
  for (std::size_t i = 0; i < 5; ++i) {
    x *= 1 - 2 * found.lrs[i];
    CHECK(found.losses[i] == doctest::Approx(x * x).epsilon(1e-12));
    CHECK(found.smoothed[i] == found.losses[i]);
  }
  CHECK(found.lrs.back() == doctest::Approx(0.16));
  CHECK_FALSE(found.diverged_at.has_value());
}

TEST_CASE("the curve is smoothed to both sides alike") {
  Bowl bowl({0.0});
  optim::SGD optimizer({bowl.x});
  int calls = 0;
  const auto spike = [&] {
    const Tensor loss = bowl.closure(optimizer)();
    return loss + (calls++ == 5 ? 1.0 : 0.0);
  };
  const LRFindResult found =
      lr_find(optimizer, spike, {.steps = 9, .divergence = std::numeric_limits<double>::infinity(), .smoothing = 0.5});
  REQUIRE(found.losses.size() == 9);
  CHECK(found.losses[4] == 1);
  for (std::size_t i = 0; i < 9; ++i) CHECK(found.smoothed[i] == doctest::Approx(found.smoothed[8 - i]));
  double weights = 0;
  for (int j = -4; j <= 4; ++j) weights += std::pow(0.5, std::abs(j));
  CHECK(found.smoothed[4] == doctest::Approx(1 / weights));
}

TEST_CASE("after lr_find a net and its optimizer are as before, and go on as if nothing had been") {
  manual_seed(1);
  const Tensor x = randn({32, 3}), y = randn({32, 1});
  for (const bool throws : {false, true}) {
    CAPTURE(throws);
    nn::Sequential model(nn::Linear(3, 8), nn::Tanh(), nn::Linear(8, 1));
    const auto make = [](nn::Sequential& net) {
      return optim::AdamW(optim::decay_groups(net, optim::AdamWOptions{.lr = 1e-2}));
    };
    auto optimizer = make(model);
    optimizer.set_lr(1, 2e-2);
    optimizer.set_nonfinite(optim::NonFinite::skip);
    optimizer.track_updates();
    int calls = 0;
    const auto closure_for = [&](nn::Sequential& net, optim::Optimizer& o) {
      return [&, stop = throws] {
        if (stop && ++calls == 20) throw std::runtime_error("no more data");
        o.zero_grad();
        Tensor loss = mse_loss(net(x), y);
        loss.backward();
        return loss;
      };
    };
    const auto train = [&](nn::Sequential& net, optim::Optimizer& o) {
      for (int i = 0; i < 5; ++i) {
        o.zero_grad();
        mse_loss(net(x), y).backward();
        o.step();
      }
    };
    train(model, optimizer);

    nn::Sequential twin = model;
    auto other = make(twin);
    other.load_state_dict(optimizer.state_dict());
    const Tensor held_gradient = model.parameters()[0].grad();
    const Tensor gradient_before = held_gradient.clone();
    const StateDict held = optimizer.state_dict(), before = clone_of(held), weights = clone_of(model.state_dict());

    if (throws) {
      CHECK_THROWS_WITH(lr_find(optimizer, closure_for(model, optimizer)), "no more data");
    } else {
      const LRFindResult found = lr_find(optimizer, closure_for(model, optimizer));
      REQUIRE(found.suggestion.has_value());
      CHECK(*found.suggestion > 1e-5);
      CHECK(*found.suggestion < 1);
    }
    CHECK(same(model.state_dict(), weights));
    CHECK(same(optimizer.state_dict(), before));
    CHECK(same(held, before));  // the very tensors that the caller holds
    CHECK(model.parameters()[0].grad().is(held_gradient));
    CHECK(equal(held_gradient, gradient_before));
    CHECK(optimizer.lr(0) == 1e-2);
    CHECK(optimizer.lr(1) == 2e-2);
    CHECK(optimizer.skipped_steps() == 0);
    CHECK(optimizer.diagnostics().parameters.size() == 4);

    train(model, optimizer);
    train(twin, other);
    CHECK(same(model.state_dict(), twin.state_dict()));
  }
}

TEST_CASE("groups keep their ratio to the first during lr_find") {
  const Bowl a({1.0}), b({1.0});
  optim::SGD optimizer({{.params = {a.x}, .options = {.lr = 0.1}}, {.params = {b.x}, .options = {.lr = 0.3}}});
  std::vector<double> ratios;
  lr_find(optimizer,
          [&] {
            optimizer.zero_grad();
            ratios.push_back(optimizer.lr(1) / optimizer.lr(0));
            Tensor loss = sum(square(a.x)) + sum(square(b.x));
            loss.backward();
            return loss;
          },
          {.steps = 10});
  for (const double ratio : ratios) CHECK(ratio == doctest::Approx(3));
}

TEST_CASE("a loss that becomes NaN has diverged, one that never falls gives no suggestion") {
  Bowl bowl({1.0});
  optim::SGD optimizer({bowl.x}, {.lr = 0.1});
  int calls = 0;
  const auto broken = [&] {
    const Tensor loss = bowl.closure(optimizer)();
    return loss * (++calls > 7 ? std::numeric_limits<double>::quiet_NaN() : 1.0);
  };
  const LRFindResult found = lr_find(optimizer, broken, {.steps = 50});
  REQUIRE(found.diverged_at.has_value());
  CHECK(found.losses.size() == 7);
  CHECK(std::isnan(found.smoothed.back()));
  CHECK(std::isfinite(found.smoothed[5]));

  optim::SGD uphill({bowl.x}, {.lr = 0.1, .maximize = true});
  const LRFindResult none = lr_find(uphill, bowl.closure(uphill));
  CHECK_FALSE(none.suggestion.has_value());
  CHECK(contains(to_string(none), "lr_find: the loss never falls; it diverged at "));
  CHECK(bowl.x[0].item() == 1);
}

TEST_CASE("lr_find's curve is told as CSV and as a picture") {
  Bowl bowl({1.0});
  optim::SGD optimizer({bowl.x}, {.lr = 0.1});
  const LRFindResult found = lr_find(optimizer, bowl.closure(optimizer), {.end_lr = 100});
  std::istringstream csv(to_csv(found));
  std::string line;
  std::getline(csv, line);
  CHECK(line == "lr,loss,smoothed");
  std::size_t rows = 0;
  while (std::getline(csv, line)) {
    double lr = 0, loss = 0;
    char comma = 0;
    std::istringstream(line) >> lr >> comma >> loss;
    CHECK(lr == found.lrs[rows]);
    CHECK(loss == found.losses[rows]);
    ++rows;
  }
  CHECK(rows == found.lrs.size());
  const std::string text = to_string(found);
  CHECK(contains(text, "lr_find: the loss falls most steeply at a learning rate of "));
  CHECK(contains(text, "; it diverged at "));
  CHECK(contains(text, "^"));
  CHECK(contains(text, "lr 1e-07 to "));
}

TEST_CASE("wrong options of lr_find are refused before a step") {
  Bowl bowl({1.0});
  optim::SGD optimizer({bowl.x}, {.lr = 0.1});
  const auto error = [&](const optim::LRFindOptions& options) {
    return message_of([&] { lr_find(optimizer, bowl.closure(optimizer), options); });
  };
  CHECK(error({.start_lr = 0}) == "lr_find: start_lr and end_lr must be above 0 and in order, got 0 and 10");
  CHECK(error({.start_lr = 2, .end_lr = 1}) ==
        "lr_find: start_lr and end_lr must be above 0 and in order, got 2 and 1");
  CHECK(error({.steps = 1}) == "lr_find: steps must be at least 2, got 1");
  CHECK(error({.divergence = 1}) == "lr_find: divergence must be above 1, got 1");
  CHECK(error({.smoothing = 1}) == "lr_find: smoothing must be in [0, 1), got 1");
  CHECK(bowl.x[0].item() == 1);
  Bowl other({1.0});
  optim::SGD two({{.params = {bowl.x}, .options = {.lr = 0}}, {.params = {other.x}, .options = {.lr = 1}}});
  CHECK(message_of([&] { lr_find(two, bowl.closure(two)); }) == "lr_find: group 1 has a rate, group 0 has 0");
  CHECK(two.lr(1) == 1);
}

TEST_CASE("an optimizer that refuses gradients that are not finite has its divergence found, and refuses again") {
  Bowl bowl({1.0});
  optim::SGD optimizer({bowl.x}, {.lr = 0.1});
  optimizer.set_nonfinite(optim::NonFinite::error);
  int calls = 0;
  const auto burst = [&] {
    const Tensor loss = bowl.closure(optimizer)();
    if (++calls < 8) return loss;
    bowl.x.set_grad(full({1}, NAN, {.dtype = float64}));
    return loss * NAN;
  };
  const LRFindResult found = lr_find(optimizer, burst, {.steps = 50});
  CHECK(found.diverged_at.has_value());
  CHECK(found.losses.size() == 7);
  CHECK(bowl.x[0].item() == 1);
  bowl.x.set_grad(full({1}, NAN, {.dtype = float64}));
  CHECK(contains(message_of([&] { optimizer.step(); }), "is not finite"));
}
