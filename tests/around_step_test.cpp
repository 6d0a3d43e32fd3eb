// What is around an optimizer's step: names, gradients that are not finite, groups without decay, accumulation,
// diagnostics.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <fmt/format.h>

#include "allocation_counter.hpp"
#include "gradus/autograd.hpp"
#include "gradus/factory.hpp"
#include "gradus/nn.hpp"
#include "gradus/ops.hpp"
#include "gradus/optim.hpp"
#include "gradus/random.hpp"
#include "messages.hpp"

using namespace gradus;
using optim::Diagnostics, optim::Failure, optim::Finding, optim::findings, optim::NonFinite;
using tests::contains, tests::message_of;

namespace {

using Params = std::vector<Tensor>;

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

Tensor parameter(const Tensor& values, const Tensor& gradient = {}) {
  Tensor p = values.clone().set_requires_grad();
  if (gradient.defined()) p.set_grad(gradient);
  return p;
}

// A net of Linear layers with a nonlinearity between.
template <class Activation>
nn::Sequential deep_net(int depth) {
  nn::Sequential model(nn::Linear(8, 8));
  for (int i = 1; i < depth; ++i) {
    model.push_back(Activation());
    model.push_back(nn::Linear(8, 8));
  }
  return model;
}

// The kinds of the findings, and the first finding of a kind.
bool has(const std::vector<Finding>& found, Failure failure) {
  return std::ranges::any_of(found, [&](const Finding& f) { return f.failure == failure; });
}
const Finding& only(const std::vector<Finding>& found) {
  REQUIRE(found.size() == 1);
  return found[0];
}

// The diagnostics of one parameter by itself, healthy but for what a test changes.
optim::ParameterDiagnostics healthy(std::string name = "0.weight") {
  return {.name = std::move(name),
          .shape = {4, 3},
          .has_gradient = true,
          .gradient_norm = 0.5,
          .update_norm = 1e-3,
          .weight_norm = 1,
          .update_to_weight = 1e-3};
}

}  // namespace

// --- Names ----------------------------------------------------------------------------------------------------------

TEST_CASE("an optimizer made of named parameters calls them by their names") {
  nn::Sequential model(nn::Linear(2, 3), nn::Linear(3, 1));
  const auto named = model.named_parameters();
  CHECK(message_of([&] {
          optim::SGD(std::vector<optim::SGD::Group>{{.params = named}, {.params = {named[1].second}}});
        }) == "optimizer: parameter 4, (3,), is 0.bias again");
  auto twice = named;
  twice.emplace_back("again", named[2].second);
  CHECK(message_of([&] { optim::SGD optimizer(twice); }) == "optimizer: again, (1, 3), is 1.weight again");
  CHECK(message_of([&] {
          optim::SGD optimizer(optim::NamedTensors{{"missing", Tensor()}});
        }) == "optimizer: missing is undefined");

  optim::ParameterList wrong(named);
  wrong.names.pop_back();
  CHECK(message_of([&] { optim::SGD(std::vector<optim::SGD::Group>{{.params = wrong}}); }) ==
        "optimizer: got 3 names for 4 parameters");

  // They move like others.
  nn::Sequential twin = model;
  optim::Adam a(model.named_parameters(), {.lr = 0.1}), b(twin.parameters(), {.lr = 0.1});
  for (auto* net : {&model, &twin}) sum((*net)(ones({1, 2}))).backward();
  a.step();
  b.step();
  for (const auto& [name, p] : model.named_parameters()) CHECK(equal(p, twin.state_dict().at(name)));
  CHECK(a.state_dict().size() == b.state_dict().size());
}

// --- Gradients that are not finite ----------------------------------------------------------------------------------

TEST_CASE("a gradient that is not finite is let through, an error, or skipped and counted") {
  for (const double bad : {not_a_number, std::numeric_limits<double>::infinity()}) {
    CAPTURE(bad);
    const auto make = [&] {
      return optim::NamedTensors{{"good", parameter(ones({2}), ones({2}))},
                                 {"idle", parameter(ones({4}))},
                                 {"bad", parameter(ones({3}), tensor({1.0, bad, 2.0}))}};
    };
    auto params = make();
    optim::Adam optimizer(params, {.lr = 0.1});
    optimizer.set_nonfinite(NonFinite::error);
    CHECK(message_of([&] { optimizer.step(); }) ==
          fmt::format("optimizer: the gradient of bad, (3,), is not finite, its largest entry is {}", bad));
    CHECK(optimizer.state_dict().size() == 3);
    optimizer.set_nonfinite(NonFinite::skip);
    for (int i = 0; i < 3; ++i) optimizer.step();
    CHECK(optimizer.skipped_steps() == 3);
    CHECK(optimizer.state_dict().size() == 3);
    for (const auto& [name, p] : params) CHECK(equal(p, ones(p.shape())));

    params[2].second.set_grad(ones({3}));
    optimizer.step();
    CHECK(optimizer.skipped_steps() == 3);
    CHECK(allclose(params[2].second, full({3}, 0.9)));

    auto others = make();
    optim::Adam lenient(others, {.lr = 0.1});
    lenient.step();
    CHECK(std::isnan(others[2].second[1].item()));
    CHECK(lenient.skipped_steps() == 0);
  }
}

TEST_CASE("large finite gradients are finite, and to look at gradients allocates nothing") {
  Tensor p = parameter(ones({3}), full({3}, 3e38));
  optim::SGD optimizer({p}, {.lr = 1e-37});
  optimizer.set_nonfinite(NonFinite::error);
  optimizer.step();
  CHECK(p[0].item() == doctest::Approx(-29));
  const auto before = test::allocations();
  for (int i = 0; i < 10; ++i) optimizer.step();
  if (test::counts_allocations) CHECK(test::allocations() == before);
  optim::SGD unnamed({parameter(ones({1}), ones({1})), parameter(ones({2, 2}), full({2, 2}, -INFINITY))});
  unnamed.set_nonfinite(NonFinite::error);
  CHECK(message_of([&] { unnamed.step(); }) ==
        "optimizer: the gradient of parameter 1, (2, 2), is not finite, its largest entry is inf");
}

// --- Groups without decay -------------------------------------------------------------------------------------------

TEST_CASE("decay groups leave out what has less than two dims, and keep names and options") {
  nn::Sequential model(nn::Linear(2, 3), nn::Linear(3, 1, {.bias = false}));
  optim::AdamW optimizer(optim::decay_groups(model, optim::AdamWOptions{.lr = 0.5, .weight_decay = 0.1}));
  CHECK(optimizer.group_count() == 2);
  CHECK(optimizer.options(0).weight_decay == 0.1);
  CHECK(optimizer.options(1).weight_decay == 0);
  CHECK(optimizer.lr(1) == 0.5);
  const auto groups = optim::decay_groups(model, optim::AdamWOptions{});
  CHECK(groups[0].params.names == std::vector<std::string>{"0.weight", "1.weight"});
  CHECK(groups[1].params.names == std::vector<std::string>{"0.bias"});

  // With gradients of zero only the decay moves a parameter.
  const auto before = nn::Sequential(model).state_dict();
  for (Tensor p : model.parameters()) p.set_grad(zeros(p.shape()));
  optimizer.step();
  for (const auto& [name, p] : model.named_parameters()) {
    CAPTURE(name);
    CHECK(equal(p, name == "0.bias" ? before.at(name) : before.at(name) * (1 - 0.5 * 0.1)));
  }

  // Any rule that decays; parameters without names; no empty group.
  const auto biases = optim::decay_groups(Params{ones({3}), ones({})}, optim::SGDOptions{.weight_decay = 1});
  CHECK(biases.size() == 1);
  CHECK(biases[0].options.weight_decay == 0);
  CHECK(biases[0].params.size() == 2);
  CHECK(optim::decay_groups(Params{}, optim::LionOptions{}).empty());
  optim::ParameterList wrong(model.named_parameters());
  wrong.names.pop_back();
  CHECK(message_of([&] { optim::decay_groups(wrong, optim::LionOptions{}); }) ==
        "decay_groups: got 2 names for 3 parameters");
}

// --- Accumulation ---------------------------------------------------------------------------------------------------

TEST_CASE("accumulated gradients of small batches are those of the large one") {
  manual_seed(5);
  const Tensor x = randn({12, 3}, {.dtype = float64}), y = randn({12, 1}, {.dtype = float64});
  nn::Sequential small(nn::Linear(3, 4, {.dtype = float64}), nn::Tanh(), nn::Linear(4, 1, {.dtype = float64}));
  nn::Sequential large = small;
  optim::Adam a(small.parameters(), {.lr = 0.05}), b(large.parameters(), {.lr = 0.05});
  for (int step = 0; step < 5; ++step) {
    a.zero_grad();
    for (std::int64_t i = 0; i < 3; ++i) {
      (mse_loss(small(x.narrow(0, 4 * i, 4)), y.narrow(0, 4 * i, 4)) / 3.0).backward();
    }
    a.step();
    b.zero_grad();
    mse_loss(large(x), y).backward();
    b.step();
  }
  const auto theirs = large.state_dict();
  for (const auto& [name, p] : small.state_dict()) CHECK(allclose(p, theirs.at(name), {.rtol = 1e-10, .atol = 1e-12}));
}

// --- Diagnostics ----------------------------------------------------------------------------------------------------

TEST_CASE("diagnostics measure the last step of each parameter") {
  Tensor weight = parameter(tensor({{3.0, 0.0}, {0.0, 4.0}}), tensor({{6.0, 8.0}, {0.0, 0.0}}));
  Tensor idle = parameter(full({4}, 2));
  Tensor strided = parameter(ones({2, 3}).t(), tensor({{1.0, not_a_number}, {0.0, INFINITY}, {0.0, 0.0}}));
  optim::SGD optimizer(optim::NamedTensors{{"weight", weight}, {"idle", idle}, {"strided", strided}}, {.lr = 0.01});
  CHECK(message_of([&] { optimizer.diagnostics(); }) == "diagnostics: call track_updates() before the step");
  optimizer.track_updates();
  CHECK(message_of([&] { optimizer.diagnostics(); }) == "diagnostics: there was no step since track_updates()");
  optimizer.step();

  const Diagnostics d = optimizer.diagnostics();
  REQUIRE(d.parameters.size() == 3);
  CHECK_FALSE(d.skipped);
  CHECK(d.parameters[0].name == "weight");
  CHECK(d.parameters[0].shape == Shape{2, 2});
  CHECK(d.parameters[0].has_gradient);
  CHECK(d.parameters[0].gradient_norm == doctest::Approx(10));
  CHECK(d.parameters[0].update_norm == doctest::Approx(0.1));
  CHECK(d.parameters[0].weight_norm == doctest::Approx(5));
  CHECK(d.parameters[0].update_to_weight == doctest::Approx(0.02));
  CHECK(d.parameters[0].zero_share == 0.5);
  CHECK(d.parameters[0].nonfinite_share == 0);
  CHECK_FALSE(d.parameters[1].has_gradient);
  CHECK(d.parameters[1].weight_norm == doctest::Approx(4));
  CHECK(d.parameters[1].update_norm == 0);
  CHECK(d.parameters[2].zero_share == 0.5);
  CHECK(d.parameters[2].nonfinite_share == doctest::Approx(1.0 / 3));
  CHECK(std::isnan(d.parameters[2].gradient_norm));

  optimizer.set_nonfinite(NonFinite::skip);
  optimizer.step();
  CHECK(optimizer.diagnostics().skipped);
  CHECK(optimizer.diagnostics().parameters[0].update_norm == 0);
  CHECK(contains(to_string(optimizer.diagnostics()), "The step was left out"));
  optimizer.track_updates(false);
  CHECK(message_of([&] { optimizer.diagnostics(); }) == "diagnostics: call track_updates() before the step");
}

TEST_CASE("a tracked step moves as one that is not") {
  for (const bool track : {false, true}) {
    Tensor p = parameter(tensor({{1.0, 2.0}, {3.0, 4.0}}), ones({2, 2}));
    optim::Adam optimizer({p}, {.lr = 0.1});
    optimizer.track_updates(track);
    for (int i = 0; i < 3; ++i) optimizer.step();
    CHECK(allclose(p, tensor({{0.7, 1.7}, {2.7, 3.7}})));
  }
}

TEST_CASE("diagnostics are told as a table, and in words") {
  Diagnostics d{.parameters = {healthy("encoder.weight"), healthy("bias")}};
  d.parameters[1].shape = {3};
  d.parameters[1].has_gradient = false;
  d.parameters[1].update_norm = d.parameters[1].update_to_weight = 0;
  CHECK(to_string(d) ==
        "parameter       shape   |gradient|  |update|  |weight|  update/weight   zero  non-finite\n"
        "encoder.weight  (4, 3)         0.5     0.001         1          0.001  0.0 %       0.0 %\n"
        "bias            (3,)             -         0         1              0      -           -\n"
        "- bias has no gradient: the loss does not depend on it, or backward() was not called\n");
  d.parameters.pop_back();
  CHECK(findings(d).empty());
  CHECK(contains(to_string(d), "\nNothing to find fault with.\n"));
}

TEST_CASE("each failure has its finding, with the number and its limit") {
  const auto find = [](const std::function<void(optim::ParameterDiagnostics&)>& spoil) {
    Diagnostics d{.parameters = {healthy()}};
    spoil(d.parameters[0]);
    return findings(d);
  };
  const Finding nonfinite = only(find([](auto& p) {
    p.nonfinite_share = 0.25;
    p.gradient_norm = not_a_number;
  }));
  CHECK(nonfinite.failure == Failure::nonfinite);
  CHECK(nonfinite.parameter == "0.weight");
  CHECK(nonfinite.value == 0.25);
  CHECK(contains(nonfinite.text, "25 % of the gradient of 0.weight are NaN or infinite (limit 0)"));

  const Finding weights = only(find([](auto& p) { p.weight_norm = p.update_to_weight = not_a_number; }));
  CHECK(weights.failure == Failure::nonfinite);
  CHECK(contains(weights.text, "0.weight has weights that are NaN or infinite"));
  const Finding update = only(find([](auto& p) { p.update_norm = p.update_to_weight = INFINITY; }));
  CHECK(update.failure == Failure::nonfinite);
  CHECK(contains(update.text, "the update of 0.weight is NaN or infinite"));
  // A NaN among the layers hides no other.
  Diagnostics mixed{.parameters = {healthy("a"), healthy("b")}};
  mixed.parameters[0].update_norm = mixed.parameters[0].update_to_weight = not_a_number;
  mixed.parameters[1].update_to_weight = 0.3;
  CHECK(has(findings(mixed), Failure::learning_rate_high));
  // What moves without a gradient, as in Newton's method, has a loss that depends on it.
  CHECK(find([](auto& p) { p.has_gradient = false; }).empty());

  const Finding high = only(find([](auto& p) { p.update_to_weight = 0.3; }));
  CHECK(high.failure == Failure::learning_rate_high);
  CHECK(high.value == 0.3);
  CHECK(high.limit == 0.1);
  CHECK(contains(high.text, "0.3 of its norm (limit 0.1, healthy is about 0.001): the learning rate is too high"));
  CHECK(only(find([](auto& p) { p.update_to_weight = 1e-6; })).failure == Failure::learning_rate_low);
  CHECK(only(find([](auto& p) { p.gradient_norm = 2e3; })).failure == Failure::exploding);
  CHECK(only(find([](auto& p) { p.gradient_norm = 1e-9; })).failure == Failure::flat);
  CHECK(has(find([](auto& p) {
              p.gradient_norm = 0;
              p.zero_share = 1;
            }),
            Failure::dead));
  CHECK(only(find([](auto& p) { p.weight_norm = 0; })).failure == Failure::zero_weights);

  // A bias says nothing about the rate, unless there is nothing else.
  Diagnostics d{.parameters = {healthy(), healthy("0.bias")}};
  d.parameters[1].shape = {4};
  d.parameters[1].update_to_weight = 1;
  CHECK(findings(d).empty());
  d.parameters.erase(d.parameters.begin());
  CHECK(has(findings(d), Failure::learning_rate_high));

  // The limits are the caller's.
  CHECK(findings({.parameters = {healthy()}}, {.update_to_weight = 1e-4}).size() == 1);
  for (int i = 0; i < 9; ++i) CHECK_FALSE(to_string(static_cast<Failure>(i)).empty());
}

TEST_CASE("gradients that vanish or explode by layer are found in a net") {
  const auto diagnose = [](nn::Sequential& model, double scale) {
    Generator generator(2);
    const NoGrad guard;
    for (Tensor p : model.parameters()) {
      if (p.dim() == 2) p.copy_(randn(p.shape(), {.generator = &generator}) * scale);
    }
    optim::SGD optimizer(model.named_parameters(), {.lr = 1e-3});
    optimizer.track_updates();
    {
      const EnableGrad recorded;
      mean(square(model(randn({16, 8}, {.generator = &generator})))).backward();
    }
    optimizer.step();
    return optimizer.diagnostics();
  };
  nn::Sequential saturated = deep_net<nn::Sigmoid>(8);
  const auto vanishing = findings(diagnose(saturated, 0.35));
  REQUIRE(has(vanishing, Failure::vanishing));
  for (const Finding& f : vanishing) {
    if (f.failure != Failure::vanishing) continue;
    CHECK(f.parameter == "0.weight");
    CHECK(f.value < 1e-3);
    CHECK(contains(f.text, "at 14.weight"));
    CHECK(contains(f.text, "at 0.weight"));
  }
  nn::Sequential wild = deep_net<nn::ReLU>(8);
  CHECK(has(findings(diagnose(wild, 3)), Failure::exploding));
  nn::Sequential sound = deep_net<nn::ReLU>(4);
  const auto sound_findings = findings(diagnose(sound, std::sqrt(2.0 / 8)));
  CHECK_FALSE(has(sound_findings, Failure::vanishing));
  CHECK_FALSE(has(sound_findings, Failure::exploding));
}
