// What is special about the newer rules; the optimizer table has what they share with all.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gradus/factory.hpp"
#include "gradus/linalg.hpp"
#include "gradus/ops.hpp"
#include "gradus/optim.hpp"
#include "gradus/random.hpp"
#include "messages.hpp"
#include "states.hpp"

using namespace gradus;
using tests::clone_of, tests::message_of, tests::StateDict;

namespace {

Tensor random_param(const Shape& shape, std::uint64_t seed, Dtype dtype = float64) {
  Generator generator(seed);
  return randn(shape, {.dtype = dtype, .generator = &generator}).set_requires_grad();
}

// One step by a random gradient of this seed.
void step_by(optim::Optimizer& optimizer, std::uint64_t seed) {
  for (Tensor& p : optimizer.parameters()) p.set_grad(random_param(p.shape(), seed++, p.dtype()).detach());
  optimizer.step();
}

// The error of loading the optimizer's own state once `key` is `value`, or gone if that is undefined.
std::string error_of_loading(optim::Optimizer& optimizer, const std::string& key, const Tensor& value) {
  const StateDict before = clone_of(optimizer.state_dict());
  StateDict state = clone_of(before);
  if (value.defined())
    state[key] = value;
  else
    state.erase(key);
  const std::string message = message_of([&] { optimizer.load_state_dict(state); });
  const StateDict after = optimizer.state_dict();
  CHECK(before.size() == after.size());
  for (const auto& [name, kept] : before) CHECK(equal(kept, after.at(name)));
  return message;
}

double rms(const Tensor& x) { return std::sqrt(mean(square(x)).item()); }

}  // namespace

TEST_CASE("parameters lists those of all groups in order") {
  const Tensor a = random_param({2}, 1), b = random_param({3}, 2);
  const optim::Adam optimizer({{.params = {a}}, {.params = {b}}});
  REQUIRE(optimizer.parameters().size() == 2);
  CHECK(optimizer.parameters()[0].is(a));
  CHECK(optimizer.parameters()[1].is(b));
}

TEST_CASE("Adafactor keeps a row and a column of variances for a matrix, and a variance for each element of a vector") {
  const Tensor matrix = random_param({4, 5}, 1), images = random_param({2, 3, 4, 5}, 2), vector = random_param({6}, 3);
  optim::Adafactor optimizer({matrix, images, vector});
  step_by(optimizer, 10);
  const StateDict state = optimizer.state_dict();
  CHECK(state.at("state.0.row_var").shape() == Shape{4, 1});
  CHECK(state.at("state.0.col_var").shape() == Shape{1, 5});
  CHECK(state.at("state.1.row_var").shape() == Shape{2, 3, 4, 1});
  CHECK(state.at("state.1.col_var").shape() == Shape{2, 3, 1, 5});
  CHECK(state.at("state.2.variance").shape() == Shape{6});
  CHECK(state.size() == 2 + 3 * 1 + 5);
}

TEST_CASE("Adafactor's update is no longer than its share of the parameter") {
  Tensor p = random_param({30, 20}, 1);
  optim::Adafactor optimizer({p}, {.lr = 0.1});
  for (std::uint64_t step = 1; step <= 5; ++step) {
    const Tensor before = p.detach().clone();
    p.set_grad(random_param({30, 20}, 10 + step).detach() * std::pow(10.0, static_cast<double>(step)));
    optimizer.step();
    CHECK(rms(p.detach() - before) <= 0.1 * rms(before) * (1 + 1e-12));
  }
}

TEST_CASE("Adafactor refuses a state of another shape or kind") {
  const Tensor matrix = random_param({4, 5}, 1), vector = random_param({6}, 3);
  optim::Adafactor optimizer({matrix, vector});
  step_by(optimizer, 10);
  const auto error = [&](const std::string& key, const Tensor& value) {
    return error_of_loading(optimizer, key, value);
  };
  const Tensor wrong = ones({4, 5}, {.dtype = float64});
  CHECK(error("state.0.row_var", wrong) ==
        "load_state_dict: state.0.row_var is float64 (4, 5), the parameter is float64 (4, 5); it needs (4, 1)");
  CHECK(error("state.0.col_var", ones({1, 5})) ==
        "load_state_dict: state.0.col_var is float32 (1, 5), the parameter is float64 (4, 5); it needs (1, 5)");
  CHECK(error("state.0.variance", wrong) == "load_state_dict: unexpected key: state.0.variance");
  CHECK(error("state.1.row_var", wrong) == "load_state_dict: unexpected key: state.1.row_var");
  CHECK(error("state.0.row_var", {}) == "load_state_dict: missing key: state.0.row_var");
  CHECK(error("state.1.variance", {}) == "load_state_dict: missing key: state.1.variance");
}

TEST_CASE("LAMB moves each tensor by the same share of its length, whatever the size of its gradient") {
  Tensor small = random_param({10}, 1), large = random_param({4, 5}, 2);
  optim::LAMB optimizer({small, large}, {.lr = 0.03});
  for (std::uint64_t step = 1; step <= 3; ++step) {
    for (Tensor* p : {&small, &large}) p->set_grad(random_param(p->shape(), 10 + step).detach());
    large.set_grad(large.grad() * 1e6);
    const Tensor before[] = {small.detach().clone(), large.detach().clone()};
    optimizer.step();
    const Tensor after[] = {small.detach(), large.detach()};
    for (int i = 0; i < 2; ++i)
      CHECK(norm(after[i] - before[i]).item() == doctest::Approx(0.03 * norm(before[i]).item()));
  }
}

TEST_CASE("LAMB leaves a tensor of zeros like Adam") {
  Tensor p = zeros({3}, {.dtype = float64, .requires_grad = true}),
         q = zeros({3}, {.dtype = float64, .requires_grad = true});
  optim::LAMB lamb({p}, {.lr = 0.1, .eps = 1e-8});
  optim::Adam adam({q}, {.lr = 0.1, .eps = 1e-8});
  step_by(lamb, 1);
  step_by(adam, 1);
  CHECK(allclose(p.detach(), q.detach(), {.rtol = 1e-14, .atol = 0}));
  CHECK(norm(p).item() > 0);
}

TEST_CASE("Muon moves a matrix by a nearly orthogonal one") {
  for (const Shape& shape : {Shape{12, 12}, Shape{8, 30}, Shape{30, 8}, Shape{1, 5}, Shape{5, 1}}) {
    CAPTURE(shape);
    Tensor p = random_param(shape, 1);
    optim::Muon optimizer({p}, {.lr = 1, .weight_decay = 0});
    const Tensor before = p.detach().clone();
    step_by(optimizer, 2);
    const double adjustment = std::sqrt(std::max(1.0, static_cast<double>(shape[0]) / static_cast<double>(shape[1])));
    const Tensor singular = linalg::svdvals((before - p.detach()) / adjustment);
    CHECK(min(singular).item() > 0.4);
    CHECK(max(singular).item() < 1.3);
  }
}

TEST_CASE("Muon's cubic iteration converges to the orthogonal factor of the momentum") {
  Tensor p = random_param({6, 9}, 1);
  optim::Muon optimizer({p}, {.lr = 1, .weight_decay = 0, .ns_coefficients = {1.875, -1.25, 0.375}, .ns_steps = 40});
  const Tensor before = p.detach().clone();
  step_by(optimizer, 2);
  const auto [u, s, vh] = linalg::svd(random_param({6, 9}, 2).detach(), {.full_matrices = false});
  CHECK(allclose(before - p.detach(), matmul(u, vh), {.rtol = 0, .atol = 1e-12}));
}

TEST_CASE("Muon hands vectors to AdamW, and one learning rate moves both") {
  Tensor matrix = random_param({3, 4}, 1), vector = random_param({5}, 2), kernel = random_param({2, 3, 2, 2}, 3);
  Tensor twin = vector.detach().clone().set_requires_grad();
  optim::Muon muon({matrix, vector, kernel}, {.lr = 0.02, .adamw_scale = 0.1});
  optim::AdamW adamw({twin}, {.lr = 0.002});
  for (std::uint64_t step = 1; step <= 4; ++step) {
    muon.set_lr(0, 0.02 / static_cast<double>(step));
    adamw.set_lr(0, 0.02 / static_cast<double>(step) * 0.1);
    matrix.set_grad(random_param({3, 4}, step).detach());
    vector.set_grad(random_param({5}, step).detach());
    kernel.set_grad(random_param({2, 3, 2, 2}, step).detach());
    twin.set_grad(vector.grad());
    muon.step();
    adamw.step();
  }
  CHECK(equal(vector, twin));
  const StateDict state = muon.state_dict();
  CHECK(state.contains("state.0.momentum_buffer"));
  CHECK(state.contains("state.1.exp_avg"));
  CHECK(state.contains("state.2.exp_avg_sq"));
  CHECK(error_of_loading(muon, "state.0.exp_avg", ones({3, 4}, {.dtype = float64})) ==
        "load_state_dict: unexpected key: state.0.exp_avg");
  CHECK(error_of_loading(muon, "state.1.exp_avg", {}) == "load_state_dict: missing key: state.1.exp_avg");
}

TEST_CASE("a Muon matrix without gradient does not blow up") {
  Tensor p = random_param({3, 4}, 1);
  const Tensor before = p.detach().clone();
  optim::Muon optimizer({p}, {.lr = 0.1, .weight_decay = 0});
  p.set_grad(zeros({3, 4}, {.dtype = float64}));
  optimizer.step();
  CHECK(equal(p, before));
}

TEST_CASE("LAMB, Muon and SOAP fit a product of matrices") {
  const Tensor target = matmul(random_param({6, 3}, 1).detach(), random_param({3, 5}, 2).detach());
  const auto loss_after = [&](const auto& make) {
    Tensor a = random_param({6, 3}, 3), b = random_param({3, 5}, 4);
    const auto optimizer = make(std::vector<Tensor>{a, b});
    const auto loss = [&] { return mean(square(matmul(a, b) - target)); };
    const double before = loss().item();
    for (int step = 0; step < 200; ++step) {
      optimizer->zero_grad();
      loss().backward();
      optimizer->step();
    }
    return loss().item() / before;
  };
  using Params = std::vector<Tensor>;
  CHECK(loss_after([](const Params& p) { return std::make_unique<optim::LAMB>(p, optim::LAMBOptions{.lr = 0.03}); }) <
        0.01);
  CHECK(loss_after([](const Params& p) {
          return std::make_unique<optim::Muon>(p, optim::MuonOptions{.lr = 0.03, .weight_decay = 0});
        }) < 0.01);
  CHECK(loss_after([](const Params& p) {
          return std::make_unique<optim::SOAP>(p, optim::SOAPOptions{.lr = 0.1, .weight_decay = 0});
        }) < 0.01);
}

namespace {

// Both rules, to be checked alike.
template <class Check>
void for_each_schedule_free(const Check& check) {
  const auto adamw = [](const std::vector<Tensor>& params) {
    return optim::ScheduleFreeAdamW(params, {.lr = 0.1, .betas = {0.8, 0.99}, .warmup_steps = 3});
  };
  const auto sgd = [](const std::vector<Tensor>& params) {
    return optim::ScheduleFreeSGD(params, {.lr = 0.1, .momentum = 0.8, .warmup_steps = 3});
  };
  check("ScheduleFreeAdamW", adamw);
  check("ScheduleFreeSGD", sgd);
}

}  // namespace

TEST_CASE("a schedule-free optimizer goes to the average and back, each once") {
  for_each_schedule_free([](const char* rule, const auto& make) {
    CAPTURE(rule);
    Tensor p = random_param({7}, 1);
    Tensor sum_of_z = zeros({7}, {.dtype = float64});
    double weights = 0;
    auto optimizer = make({p});
    CHECK(optimizer.is_training());
    for (std::uint64_t step = 1; step <= 6; ++step) {
      step_by(optimizer, 10 + step);
      const double weight = std::pow(0.1 * std::min(1.0, static_cast<double>(step) / 3), 2);
      sum_of_z = sum_of_z + weight * optimizer.state_dict().at("state.0.z");
      weights += weight;
    }
    const Tensor y = p.detach().clone(), x = sum_of_z / weights, z = optimizer.state_dict().at("state.0.z").clone();
    CHECK(allclose(y, 0.2 * z + 0.8 * x, {.rtol = 1e-13, .atol = 1e-14}));

    optimizer.eval();
    CHECK_FALSE(optimizer.is_training());
    CHECK(allclose(p.detach(), x, {.rtol = 1e-13, .atol = 1e-14}));
    const Tensor at_x = p.detach().clone();
    optimizer.eval();
    CHECK(equal(p, at_x));
    optimizer.train();
    CHECK(optimizer.is_training());
    CHECK(allclose(p.detach(), y, {.rtol = 1e-14, .atol = 1e-15}));
    const Tensor at_y = p.detach().clone();
    optimizer.train();
    CHECK(equal(p, at_y));
    CHECK(equal(optimizer.state_dict().at("state.0.z"), z));
  });
}

TEST_CASE("a schedule-free optimizer refuses to step where it is evaluated") {
  for_each_schedule_free([](const char* rule, const auto& make) {
    CAPTURE(rule);
    Tensor p = random_param({7}, 1);
    auto optimizer = make({p});
    optimizer.eval();
    const Tensor before = p.detach().clone();
    CHECK(message_of([&] { step_by(optimizer, 2); }) == "optimizer: step() after eval(); call train() first");
    CHECK(message_of([&] { optimizer.step([&] { return sum(p); }); }) ==
          "optimizer: step() after eval(); call train() first");
    CHECK(equal(p, before));
    optimizer.train();
    step_by(optimizer, 2);
    CHECK_FALSE(equal(p, before));
  });
}

TEST_CASE("a schedule-free optimizer has no momentum that a schedule could change") {
  for_each_schedule_free([](const char* rule, const auto& make) {
    CAPTURE(rule);
    Tensor p = random_param({7}, 1);
    auto optimizer = make({p});
    CHECK_FALSE(optimizer.momentum());
    CHECK(message_of([&] { optimizer.set_momentum(0, 0.5); }) ==
          "optimizer: group 0 is schedule-free, its momentum is fixed");
    CHECK(message_of([&] { optim::OneCycleLR(optimizer, {.max_lr = 0.1, .total_steps = 10}); }) ==
          "OneCycleLR: cycle_momentum needs an optimizer that has momentum or betas");
  });
}

TEST_CASE("a schedule-free optimizer saved in either mode continues bit for bit") {
  for_each_schedule_free([](const char* rule, const auto& make) {
    CAPTURE(rule);
    for (const bool in_training : {true, false}) {
      CAPTURE(in_training);
      Tensor p = random_param({7}, 1);
      auto optimizer = make({p});
      for (std::uint64_t step = 1; step <= 4; ++step) step_by(optimizer, step);
      if (!in_training) optimizer.eval();
      Tensor q = p.detach().clone().set_requires_grad();
      auto resumed = make({q});
      resumed.load_state_dict(clone_of(optimizer.state_dict()));
      CHECK(resumed.is_training() == in_training);
      for (auto* each : {&optimizer, &resumed}) {
        each->train();
        for (std::uint64_t step = 5; step <= 8; ++step) step_by(*each, step);
        each->eval();
      }
      CHECK(equal(p, q));
    }
  });
}

TEST_CASE("a schedule-free state without its numbers is refused") {
  Tensor p = random_param({7}, 1);
  optim::ScheduleFreeSGD optimizer({p});
  step_by(optimizer, 2);
  for (const std::string name : {"z", "weight_sum", "lr_max", "train_mode"}) {
    CHECK(error_of_loading(optimizer, "state.0." + name, {}) == "load_state_dict: missing key: state.0." + name);
  }
  CHECK(error_of_loading(optimizer, "state.0.train_mode", ones({2})) ==
        "load_state_dict: state.0.train_mode must be a number, got float32 (2,)");
}

TEST_CASE("SOAP's first gradient sets up an eigenbasis and moves nothing") {
  Tensor p = random_param({3, 4}, 1);
  const Tensor before = p.detach().clone(), g = random_param({3, 4}, 2).detach();
  optim::SOAP optimizer({p});
  p.set_grad(g);
  optimizer.step();
  CHECK(equal(p, before));
  const StateDict state = optimizer.state_dict();
  CHECK(allclose(state.at("state.0.GG.0"), 0.05 * matmul(g, g.t()), {.rtol = 1e-13}));
  CHECK(allclose(state.at("state.0.GG.1"), 0.05 * matmul(g.t(), g), {.rtol = 1e-13}));
  for (const std::string side : {"0", "1"}) {
    const Tensor& q = state.at("state.0.Q." + side);
    const Tensor diagonal = matmul(q.t(), matmul(state.at("state.0.GG." + side), q));
    CHECK(allclose(matmul(q.t(), q), eye(q.size(0), {.dtype = float64}), {.rtol = 0, .atol = 1e-13}));
    CHECK(allclose(diagonal, diagonal * eye(q.size(0), {.dtype = float64}), {.rtol = 0, .atol = 1e-13}));
    CHECK(diagonal[0][0].item() >= diagonal[1][1].item());
  }
}

TEST_CASE("SOAP's basis stays orthonormal and comes near the eigenvectors") {
  Tensor p = random_param({5, 5}, 1);
  optim::SOAP optimizer({p}, {.shampoo_beta = 0.5, .precondition_frequency = 1});
  for (std::uint64_t step = 0; step < 200; ++step) step_by(optimizer, 2);
  const StateDict state = optimizer.state_dict();
  const Tensor& q = state.at("state.0.Q.0");
  CHECK(allclose(matmul(q.t(), q), eye(5, {.dtype = float64}), {.rtol = 0, .atol = 1e-12}));
  const Tensor vectors = linalg::eigh(state.at("state.0.GG.0")).eigenvectors.flip(1);
  CHECK(allclose(matmul(vectors.t(), q).abs(), eye(5, {.dtype = float64}), {.rtol = 0, .atol = 1e-6}));
}

TEST_CASE("SOAP turned by an orthogonal matrix moves the same way, turned") {
  const Tensor left = linalg::qr(random_param({4, 4}, 7).detach()).Q,
               right = linalg::qr(random_param({4, 4}, 8).detach()).Q;
  Tensor p = random_param({4, 4}, 1);
  Tensor turned = matmul(left, matmul(p.detach(), right)).set_requires_grad();
  optim::SOAP optimizer({p}, {.lr = 0.1, .precondition_frequency = 2}),
      other({turned}, {.lr = 0.1, .precondition_frequency = 2});
  for (std::uint64_t step = 1; step <= 9; ++step) {
    const Tensor g = random_param({4, 4}, 10 + step).detach();
    p.set_grad(g);
    turned.set_grad(matmul(left, matmul(g, right)));
    optimizer.step();
    other.step();
  }
  CHECK(allclose(turned.detach(), matmul(left, matmul(p.detach(), right)), {.rtol = 0, .atol = 1e-9}));
}

TEST_CASE("SOAP preconditions tensors of any number of dims, and leaves out what is too large") {
  Tensor kernel = random_param({3, 2, 4}, 1), same = kernel.detach().clone().set_requires_grad();
  optim::SOAP all({kernel}, {.lr = 0.1, .precondition_frequency = 2}), two({same}, {.lr = 0.1, .max_precond_dim = 3});
  for (std::uint64_t step = 1; step <= 5; ++step) {
    step_by(all, step);
    step_by(two, step);
  }
  CHECK(all.state_dict().at("state.0.Q.2").shape() == Shape{4, 4});
  CHECK(two.state_dict().contains("state.0.Q.1"));
  CHECK_FALSE(two.state_dict().contains("state.0.Q.2"));
  CHECK_FALSE(allclose(kernel.detach(), same.detach()));
}

TEST_CASE("SOAP on a vector is Adam from the second gradient on") {
  Tensor p = random_param({6}, 1), q = p.detach().clone().set_requires_grad();
  optim::SOAP soap({p}, {.lr = 0.1, .eps = 0, .weight_decay = 0});
  optim::Adam adam({q}, {.lr = 0.1, .betas = {0.95, 0.95}, .eps = 0});
  step_by(soap, 1);
  for (std::uint64_t step = 2; step <= 6; ++step) {
    step_by(soap, step);
    step_by(adam, step);
  }
  CHECK(allclose(p.detach(), q.detach(), {.rtol = 1e-13, .atol = 1e-14}));
}

TEST_CASE("SOAP refuses what has no eigenbasis, and keeps its own") {
  Tensor p = random_param({2, 3}, 1);
  optim::SOAP optimizer({p});
  step_by(optimizer, 2);
  step_by(optimizer, 3);
  const Tensor before = p.detach().clone();
  const StateDict state = clone_of(optimizer.state_dict());
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), 1e200}) {
    p.set_grad(full({2, 3}, bad, {.dtype = float64}));
    CHECK(message_of([&] { optimizer.step(); }) ==
          "SOAP: the gradient of a parameter (2, 3) is not finite, or too large for its square");
  }
  CHECK(equal(p, before));
  for (const auto& [key, value] : optimizer.state_dict()) CHECK(equal(value, state.at(key)));
}

TEST_CASE("SOAP looks at all gradients before any parameter moves") {
  Tensor a = random_param({2, 3}, 1), b = random_param({2, 2}, 2);
  optim::SOAP optimizer({a, b});
  step_by(optimizer, 2);
  step_by(optimizer, 4);
  const Tensor before = a.detach().clone();
  const StateDict state = clone_of(optimizer.state_dict());
  a.set_grad(ones({2, 3}, {.dtype = float64}));
  b.set_grad(full({2, 2}, 1e200, {.dtype = float64}));
  CHECK(message_of([&] { optimizer.step(); }) ==
        "SOAP: the gradient of a parameter (2, 2) is not finite, or too large for its square");
  CHECK(equal(a, before));
  for (const auto& [key, value] : optimizer.state_dict()) CHECK(equal(value, state.at(key)));
  b.set_grad(full({2, 2}, std::numeric_limits<double>::infinity(), {.dtype = float64}));
  optimizer.set_nonfinite(optim::NonFinite::skip);
  optimizer.step();
  CHECK(optimizer.skipped_steps() == 1);
}

TEST_CASE("SOAP refuses a state of another shape, and sets up a basis that is missing") {
  Tensor p = random_param({2, 3}, 1);
  optim::SOAP optimizer({p});
  step_by(optimizer, 2);
  const Tensor wrong = ones({2, 3}, {.dtype = float64});
  CHECK(error_of_loading(optimizer, "state.0.Q.1", wrong) ==
        "load_state_dict: state.0.Q.1 is float64 (2, 3), the parameter is float64 (2, 3); it needs (3, 3)");
  CHECK(error_of_loading(optimizer, "state.0.GG.0", wrong) ==
        "load_state_dict: state.0.GG.0 is float64 (2, 3), the parameter is float64 (2, 3); it needs (2, 2)");
  CHECK(error_of_loading(optimizer, "state.0.Q.2", wrong) == "load_state_dict: unexpected key: state.0.Q.2");
  CHECK(error_of_loading(optimizer, "state.0.exp_avg", {}) == "load_state_dict: missing key: state.0.exp_avg");

  StateDict state = clone_of(optimizer.state_dict());
  state.erase("state.0.Q.1");
  optimizer.load_state_dict(state);
  const Tensor before = p.detach().clone();
  step_by(optimizer, 3);
  CHECK(equal(p, before));
  CHECK(optimizer.state_dict().contains("state.0.Q.1"));
  step_by(optimizer, 4);
  CHECK_FALSE(equal(p, before));
}
