#include "gradus/optim/averaged_model.hpp"

#include <doctest/doctest.h>

#include "gradus/autograd.hpp"
#include "gradus/io.hpp"
#include "gradus/nn.hpp"
#include "gradus/ops.hpp"
#include "gradus/random.hpp"
#include "messages.hpp"
#include "states.hpp"
#include "temporary.hpp"

using namespace gradus;
using optim::AveragedModel, optim::SwapWeights;
using tests::clone_of, tests::message_of, tests::same, tests::StateDict;

namespace {

// A layer with a running number, as normalization has.
struct Counting : nn::Module {
  nn::Linear linear{2, 1, {.dtype = float64}};
  nn::Buffer running{zeros({2}, {.dtype = float64})};
  nn::Buffer batches{zeros({}, {.dtype = int64})};
  GRADUS_MODULE(linear, running, batches)

  Tensor forward(const Tensor& x) override { return linear(x) * running.sum(); }

  // Everything becomes a function of k.
  void move(double k) {
    const NoGrad guard;
    linear.weight.fill_(k * k);
    linear.bias.fill_(k);
    running.fill_(10 * k);
    batches.fill_(k);
  }
};

}  // namespace

TEST_CASE("an averaged model is the mean of the models that it has seen") {
  Counting model;
  AveragedModel<Counting> averaged(model);
  CHECK(averaged.n_averaged.item<std::int64_t>() == 0);
  double sum_of_weights = 0;
  for (int k = 1; k <= 6; ++k) {
    model.move(k);
    sum_of_weights += k * k;
    averaged.update_parameters(model);
    CHECK(averaged.n_averaged.item<std::int64_t>() == k);
    CHECK(averaged.module.linear.weight[0][0].item() == doctest::Approx(sum_of_weights / k).epsilon(1e-14));
    CHECK(averaged.module.linear.bias[0].item() == doctest::Approx((k + 1) / 2.0).epsilon(1e-14));
    // Buffers are the last ones.
    CHECK(averaged.module.running[0].item() == 10 * k);
    CHECK(averaged.module.batches.item<std::int64_t>() == k);
  }
  CHECK(model.linear.bias[0].item() == 6);
}

TEST_CASE("an averaged model with a decay is an exponential moving average") {
  Counting model;
  AveragedModel<Counting> averaged(model, {.decay = 0.9, .use_buffers = true});
  double bias = 0, running = 0;
  for (int k = 1; k <= 6; ++k) {
    model.move(k);
    averaged.update_parameters(model);
    bias = k == 1 ? 1 : 0.9 * bias + 0.1 * k;
    running = k == 1 ? 10 : 0.9 * running + 0.1 * 10 * k;
    CHECK(averaged.module.linear.bias[0].item() == doctest::Approx(bias).epsilon(1e-14));
    CHECK(averaged.module.running[1].item() == doctest::Approx(running).epsilon(1e-14));
    CHECK(averaged.module.batches.item<std::int64_t>() == k);  // integers are copied
  }
}

TEST_CASE("an averaged model evaluates by itself and records nothing while it averages") {
  Counting model;
  model.move(2);
  AveragedModel<Counting> averaged(model);
  averaged.update_parameters(model);
  const Tensor x = ones({1, 2}, {.dtype = float64});
  CHECK(equal(averaged(x).detach(), model(x).detach()));
  for (const Tensor& p : averaged.parameters()) CHECK(p.is_leaf());
  averaged.eval();
  CHECK_FALSE(averaged.module.is_training());
}

TEST_CASE("an averaged model has PyTorch's keys and resumes from a file") {
  const tests::TemporaryDirectory directory;
  Counting model;
  AveragedModel<Counting> averaged(model), resumed(model);
  for (int k = 1; k <= 3; ++k) {
    model.move(k);
    averaged.update_parameters(model);
  }
  CHECK(averaged.state_dict().contains("n_averaged"));
  CHECK(averaged.state_dict().contains("module.linear.weight"));
  save(averaged.state_dict(), directory.path("average"));
  resumed.load_state_dict(load(directory.path("average")));
  model.move(9);
  averaged.update_parameters(model);
  resumed.update_parameters(model);
  CHECK(same(averaged.state_dict(), resumed.state_dict()));
}

TEST_CASE("an averaged model refuses a wrong decay and another model") {
  const nn::Linear linear(2, 3);
  CHECK(message_of([&] { AveragedModel(linear, {.decay = 1.5}); }) ==
        "AveragedModel: decay must be in [0, 1], got 1.5");
  AveragedModel averaged(linear);
  CHECK(message_of([&] { averaged.update_parameters(nn::Linear(3, 3)); }) ==
        "AveragedModel: weight is float32 (3, 3), the average's float32 (3, 2)");
  CHECK(message_of([&] { averaged.update_parameters(nn::Linear(2, 3, {.bias = false})); }) ==
        "AveragedModel: the average has 2 tensors, the model 1");
  CHECK(averaged.n_averaged.item<std::int64_t>() == 0);
  CHECK(equal(averaged.module.weight, linear.weight));
}

TEST_CASE("a model has other weights while the guard lives, and its own after, also after an exception") {
  Counting model;
  model.move(1);
  AveragedModel<Counting> averaged(model);
  for (int k = 2; k <= 4; ++k) {
    model.move(k);
    averaged.update_parameters(model);
  }
  const StateDict own = clone_of(model.state_dict()), average = clone_of(averaged.module.state_dict());
  const Tensor handle = model.linear.weight;
  {
    const SwapWeights guard(model, averaged.module);
    CHECK(same(model.state_dict(), average));
    CHECK(handle.is(model.linear.weight));
    model.move(100);
  }
  CHECK(same(model.state_dict(), own));
  CHECK(same(averaged.module.state_dict(), average));
  try {
    const SwapWeights guard(model, averaged.module);
    throw 1;
  } catch (int) {
  }
  CHECK(same(model.state_dict(), own));
  CHECK_FALSE(message_of([&] { SwapWeights(model, nn::Linear(2, 2)); }).empty());
  CHECK(same(model.state_dict(), own));
}

TEST_CASE("an average with a decay of 0 is the last model, bit for bit") {
  nn::Linear model(3, 4);
  AveragedModel averaged(model, {.decay = 0.0});
  for (const double scale : {1.0, 0.1, 1e10, 0.3}) {
    {
      const NoGrad guard;
      model.weight.copy_(randn({4, 3}) * scale);
    }
    averaged.update_parameters(model);
    CHECK(same(averaged.module.state_dict(), model.state_dict()));
  }
}
