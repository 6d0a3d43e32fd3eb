// The doctor on models: it finds what was planted, where it was planted, and nothing in healthy ones; and it leaves its
// patients as they were.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <stdexcept>

#include "doctor_cases.hpp"
#include "messages.hpp"
#include "states.hpp"

using namespace gradus;
using namespace gradus::tests;
using train::Diagnosis, train::Illness;

namespace {

// With GRADUS_DOCTOR_SEEDS=20 there are more of them, and healthy ranges are printed.
std::uint64_t seed_count() {
  const char* const text = std::getenv("GRADUS_DOCTOR_SEEDS");
  return text ? std::strtoull(text, nullptr, 10) : 3;
}

Diagnosis diagnosis_of(const DoctorCase& c, std::uint64_t seed) {
  manual_seed(seed);
  DoctorPatient patient = c.make();
  return train::diagnose(*patient.model, patient.loss, patient.batch, {.optimizer = patient.optimizer.get()});
}

}  // namespace

TEST_CASE("the doctor finds each planted illness at its place") {
  std::size_t found = 0, all = 0;
  for (const DoctorCase& c : sick_cases()) {
    for (std::uint64_t seed = 1; seed <= seed_count(); ++seed) {
      CAPTURE(c.name);
      CAPTURE(seed);
      const Diagnosis diagnosis = diagnosis_of(c, seed);
      CAPTURE(diagnosis.to_string());
      CHECK(diagnosis.has(c.illness, c.where));
      ++all;
      found += diagnosis.has(c.illness, c.where);
    }
  }
  CHECK(sick_cases().size() >= 25);
  MESSAGE("planted ", all, ": found ", found);
}

TEST_CASE("the doctor finds nothing in healthy models") {
  std::size_t alarms = 0, all = 0;
  std::map<std::string, std::pair<double, double>> ranges;
  for (const DoctorCase& c : healthy_cases()) {
    for (std::uint64_t seed = 1; seed <= seed_count(); ++seed) {
      CAPTURE(c.name);
      CAPTURE(seed);
      const Diagnosis diagnosis = diagnosis_of(c, seed);
      CAPTURE(diagnosis.to_string());
      CHECK(diagnosis.healthy());
      for (const auto& [name, value] : diagnosis.measured) {
        auto& [least, most] = ranges.try_emplace(name, value, value).first->second;
        least = std::min(least, value);
        most = std::max(most, value);
      }
      ++all;
      alarms += !diagnosis.healthy();
    }
  }
  CHECK(healthy_cases().size() >= 25);
  MESSAGE("healthy ", all, ": alarms ", alarms);
  if (!std::getenv("GRADUS_DOCTOR_SEEDS")) return;
  for (const auto& [name, range] : ranges) MESSAGE(name, ": ", range.first, " to ", range.second);
}

TEST_CASE("the doctor leaves parameters, buffers, gradients, optimizer, modes and generator as they were") {
  manual_seed(3);
  const data::Dataset batch = blobs(16, 6, 3);
  nn::Sequential model(nn::Linear(6, 8), nn::BatchNorm1d(8), nn::ReLU(), nn::Dropout(0.5), nn::Linear(8, 3));
  optim::Adam optimizer(model.parameters(), {.lr = 1e-2});
  const train::LossFunction loss = nn::CrossEntropyLoss();
  loss(model(batch.x), batch.y).backward();
  optimizer.step();
  model[1].eval();

  const StateDict weights = clone_of(model.state_dict()), moments = clone_of(optimizer.state_dict());
  const Tensor gradient = model.parameters()[0].grad(), values = gradient.clone();
  const std::uint64_t position = default_generator().position();
  const auto is_untouched = [&] {
    CHECK(same(model.state_dict(), weights));
    CHECK(same(optimizer.state_dict(), moments));
    CHECK(model.parameters()[0].grad().is(gradient));
    CHECK(equal(gradient, values));
    CHECK(default_generator().position() == position);
    CHECK(!model[1].is_training());
    CHECK(model[3].is_training());
    CHECK(model.is_training());
    CHECK(!model[0].has_forward_hooks());
  };
  train::diagnose(model, loss, batch, {.optimizer = &optimizer});
  is_untouched();

  int calls = 0;
  const train::LossFunction failing = [&](const Tensor& o, const Tensor& y) {
    if (++calls > 25) throw std::runtime_error("out of paper");
    return cross_entropy(o, y);
  };
  CHECK_THROWS_WITH(train::diagnose(model, failing, batch, {.optimizer = &optimizer}), "out of paper");
  is_untouched();
}

TEST_CASE("the doctor takes every optimizer, also those that look ahead") {
  const train::LossFunction loss = nn::MSELoss();
  manual_seed(4);
  const data::Dataset batch{randn({12, 3}), randn({12, 1})};
  nn::Sequential model(nn::Linear(3, 1));
  optim::Newton newton(model.parameters());
  optim::ArmijoGD armijo(model.parameters());
  optim::LBFGS lbfgs(model.parameters());
  for (optim::Optimizer* optimizer : std::vector<optim::Optimizer*>{&newton, &armijo, &lbfgs}) {
    CAPTURE(optimizer->lr(0));
    const Diagnosis diagnosis = train::diagnose(model, loss, batch, {.optimizer = optimizer});
    CHECK(!diagnosis.has(Illness::learning_rate_low));
    const auto gain = std::ranges::find(diagnosis.measured, "loss after a trial / before", &train::NamedValue::first);
    REQUIRE(gain != diagnosis.measured.end());
    CHECK(gain->second < 1);
  }
}

TEST_CASE("a learning rate of 0 is too low, under any rule") {
  const train::LossFunction loss = nn::CrossEntropyLoss();
  const data::Dataset batch = blobs(16, 4, 2);
  nn::Sequential model(nn::Linear(4, 2));
  optim::SGD sgd(model.parameters(), {.lr = 0});
  optim::Adam adam(model.parameters(), {.lr = 0});
  for (optim::Optimizer* optimizer : std::vector<optim::Optimizer*>{&sgd, &adam}) {
    const Diagnosis diagnosis = train::diagnose(model, loss, batch, {.optimizer = optimizer});
    CHECK(diagnosis.has(Illness::learning_rate_low));
    CHECK(diagnosis.to_string().find("The learning rate is 0") != std::string::npos);
    // Tenfold, it would still be 0.
    CHECK(diagnosis.to_string().find("Set one, for example 1e-3") != std::string::npos);
    CHECK(diagnosis.to_string().find("Raise it tenfold") == std::string::npos);
  }
}

TEST_CASE("the doctor finds nothing in a run that has nothing left to gain") {
  for (const double loss : {0.0, 1e-9, 1e-6}) {
    for (const int epochs : {8, 20}) {
      train::History still, noisy;
      for (int i = 0; i < epochs; ++i) {
        still.append({{"loss", loss}});
        noisy.append({{"loss", loss * (1 - 0.1 * (i % 4))}});
      }
      CAPTURE(loss);
      CAPTURE(epochs);
      CHECK(train::diagnose(still).healthy());
      CHECK(train::diagnose(noisy).healthy());
    }
  }
  for (const double loss : {-3.0, 1e-5, 0.7}) {
    CAPTURE(loss);
    train::History history;
    for (int i = 0; i < 8; ++i) history.append({{"loss", loss}});
    CHECK(train::diagnose(history).has(Illness::plateau));
  }
}

TEST_CASE("the doctor says which of its numbers are means") {
  const auto evidence = [](const train::History& history) {
    const Diagnosis diagnosis = train::diagnose(history);
    return diagnosis.findings.size() == 1 ? diagnosis.findings[0].evidence : diagnosis.to_string();
  };
  train::History overfit, diverged, longer;
  const std::vector<double> valid{1, 0.8, 0.7, 0.75, 0.8, 0.85};
  for (std::size_t i = 0; i < valid.size(); ++i)
    overfit.append({{"loss", 1 / (1 + static_cast<double>(i))}, {"valid_loss", valid[i]}});
  CHECK(evidence(overfit) ==
        "valid_loss rose from 0.7 at epoch 3 to 0.825 (mean of the last 2 epochs), by 18 % (limit 10 %), while loss "
        "fell from 0.333 to 0.183 (the same means).");
  for (const double loss : {1.0, 0.5, 0.6, 0.7, 0.8, 1.0}) diverged.append({{"loss", loss}});
  CHECK(evidence(diverged) ==
        "The loss rose from 0.5 at epoch 2 to 0.9 (mean of the last 2 epochs), by 0.8 of what had been gained (limit "
        "0.5).");
  for (int i = 0; i < 30; ++i) longer.append({{"loss", std::abs(i - 9) + 1}});
  CHECK(evidence(longer).starts_with(
      "The loss rose from 1.67 at epoch 10 (mean of epochs 9 to 11) to 20 (mean of the last 3 epochs), by "));
}

TEST_CASE("the doctor leaves samples that require a gradient, and parameters beyond the model's, as they were") {
  manual_seed(5);
  data::Dataset batch = blobs(16, 4, 2);
  batch.x.set_requires_grad();
  nn::Sequential model(nn::Linear(4, 2));
  nn::Parameter scale(ones({}));
  const train::LossFunction loss = [&](const Tensor& o, const Tensor& y) { return cross_entropy(scale * o, y); };
  std::vector<Tensor> all = model.parameters();
  all.push_back(scale);
  optim::SGD optimizer(all, {.lr = 0.1});
  CHECK(train::diagnose(model, loss, batch, {.optimizer = &optimizer, .overfit_samples = 4}).left_out.empty());
  CHECK(!batch.x.grad().defined());
  CHECK(!scale.grad().defined());
  CHECK(scale.item() == 1);
}

TEST_CASE("the doctor refuses options that make no sense") {
  nn::Sequential model(nn::Linear(2, 2));
  const train::LossFunction loss = nn::CrossEntropyLoss();
  const data::Dataset batch = blobs(4, 2, 2);
  CHECK(message_of([&] { train::diagnose(model, loss, data::Dataset()); }) == "diagnose: the batch is empty");
  CHECK(message_of([&] { train::diagnose(model, loss, batch, {.overfit_samples = 0}); }) ==
        "diagnose: overfit_samples must be positive: 0");
  CHECK(message_of([&] { train::diagnose(model, loss, batch, {.trial_steps = -1}); }) ==
        "diagnose: trial_steps must be positive: -1");
}
