// SAM: climbs, looks at the slope there, comes back and steps.
#include <doctest/doctest.h>

#include <limits>
#include <stdexcept>
#include <vector>

#include "gradus/autograd.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "gradus/optim.hpp"
#include "gradus/random.hpp"
#include "messages.hpp"

using namespace gradus;
using gradus::tests::contains;
using gradus::tests::message_of;

namespace {

Tensor random_param(const Shape& shape, std::uint64_t seed, Dtype dtype = float64) {
  Generator generator(seed);
  return randn(shape, {.dtype = dtype, .generator = &generator}).set_requires_grad();
}

}  // namespace

TEST_CASE("SAM steps by the gradient at the worst point nearby, from where it was") {
  // The loss is sum a p^2 / 2, whose gradient is a p.
  const Tensor a = tensor({1.0, 10.0, -3.0}, {.dtype = float64}), start = tensor({0.3, -0.2, 0.5}, {.dtype = float64});
  for (const bool adaptive : {false, true}) {
    CAPTURE(adaptive);
    Tensor p = start.clone().set_requires_grad();
    optim::SGD base({p}, {.lr = 0.1});
    optim::SAM sam(base, {.rho = 0.05, .adaptive = adaptive});
    std::vector<Tensor> seen;
    const Tensor loss = sam.step([&] {
      seen.push_back(p.detach().clone());
      base.zero_grad();
      Tensor value = sum(a * square(p)) / 2.0;
      value.backward();
      return value;
    });
    CHECK(loss.item() == doctest::Approx(sum(a * square(start)).item() / 2));
    REQUIRE(seen.size() == 2);
    CHECK(equal(seen[0], start));
    const Tensor g = a * start;
    const Tensor climb = adaptive ? square(start) * g / norm(start * g) : g / norm(g);
    CHECK(allclose(seen[1], start + 0.05 * climb, {.rtol = 1e-14, .atol = 0}));
    CHECK(allclose(p.detach(), start - 0.1 * a * seen[1], {.rtol = 1e-14, .atol = 0}));
  }
}

TEST_CASE("SAM comes back bit for bit, and its halves must alternate") {
  Tensor p = random_param({101}, 1, float32), frozen = random_param({3}, 2);
  const Tensor before = p.detach().clone(), before_frozen = frozen.detach().clone();
  optim::SGD base({p, frozen}, {.lr = 0});
  optim::SAM sam(base, {.rho = 3});
  CHECK(message_of([&] { sam.second_step(); }) == "SAM: second_step() without first_step() before it");
  p.set_grad(random_param({101}, 3, float32).detach());
  const Tensor g = p.grad().clone();
  sam.first_step();
  CHECK(norm(p.detach() - before).item() == doctest::Approx(3));
  CHECK(equal(p.grad(), g));
  CHECK(equal(frozen, before_frozen));
  CHECK(message_of([&] { sam.first_step(); }) == "SAM: first_step() twice without second_step() in between");
  sam.second_step();
  CHECK(equal(p, before));
}

TEST_CASE("SAM restores the parameters if the closure throws where it has climbed") {
  Tensor p = random_param({5}, 1);
  const Tensor before = p.detach().clone();
  optim::SGD base({p}, {.lr = 0.1});
  optim::SAM sam(base);
  int calls = 0;
  const auto closure = [&] {
    if (++calls == 2) throw std::runtime_error("no more data");
    base.zero_grad();
    Tensor loss = sum(square(p));
    loss.backward();
    return loss;
  };
  CHECK_THROWS_WITH(sam.step(closure), "no more data");
  CHECK(equal(p, before));
  sam.step(closure);
  CHECK_FALSE(equal(p, before));
}

TEST_CASE("SAM does not climb without a slope, nor by one that is not finite") {
  Tensor p = random_param({5}, 1);
  const Tensor before = p.detach().clone();
  optim::SGD base({p}, {.lr = 0.1});
  optim::SAM sam(base);
  p.set_grad(zeros({5}, {.dtype = float64}));
  sam.first_step();
  CHECK(equal(p, before));
  sam.second_step();
  CHECK(equal(p, before));
  p.set_grad(full({5}, std::numeric_limits<double>::quiet_NaN(), {.dtype = float64}));
  CHECK(message_of([&] { sam.first_step(); }) == "SAM: the norm of the gradients is nan");
  CHECK(equal(p, before));
  CHECK(message_of([&] { optim::SAM(base, {.rho = -1}); }) == "SAM: rho must be at least 0, got -1");
}

TEST_CASE("SAM leaves gradients that are not finite to an optimizer that looks at them") {
  Tensor p = tensor({-1.0}, {.dtype = float64, .requires_grad = true});
  optim::SGD base({p}, {.lr = 0.1});
  optim::SAM sam(base);
  const auto step = [&] {
    return sam.step([&] {
      base.zero_grad();
      Tensor loss = sum(sqrt(p));
      loss.backward();
      return loss;
    });
  };
  CHECK(contains(message_of(step), "SAM: the norm of the gradients is "));
  base.set_nonfinite(optim::NonFinite::error);
  CHECK(contains(message_of(step), "optimizer: the gradient of parameter 0, (1,), is not finite"));
  base.set_nonfinite(optim::NonFinite::skip);
  step();
  CHECK(base.skipped_steps() == 1);
  CHECK(p.item() == -1);
  p.detach().copy_(ones({1}, {.dtype = float64}));
  step();
  CHECK(base.skipped_steps() == 1);
  CHECK(p.item() < 1);
}

TEST_CASE("SAM does not climb by a slope that is too small to have a direction") {
  for (const double slope : {1e-310, 1e-170}) {
    Tensor p = tensor({1.0, 2.0}, {.dtype = float64, .requires_grad = true});
    optim::SGD base({p}, {.lr = 0.1});
    optim::SAM sam(base);
    p.set_grad(tensor({slope, 0.0}, {.dtype = float64}));
    sam.first_step();
    CHECK(equal(p.detach(), tensor({1.0, 2.0}, {.dtype = float64})));
  }
}

TEST_CASE("SAM climbs by gradients whose squares overflow") {
  Tensor p = tensor({1.0F, 2.0F}, {.requires_grad = true});
  optim::SGD base({p}, {.lr = 0.1});
  optim::SAM sam(base);
  p.set_grad(tensor({1e20F, 0.0F}));
  sam.first_step();
  CHECK(allclose(p.detach(), tensor({1.05F, 2.0F})));
}

TEST_CASE("SAM evaluates with gradients, also where nothing is recorded") {
  Tensor p = tensor({2.0}, {.dtype = float64, .requires_grad = true});
  optim::SGD base({p}, {.lr = 0.1});
  optim::SAM sam(base);
  const NoGrad guard;
  sam.step([&] {
    base.zero_grad();
    Tensor loss = sum(square(p));
    loss.backward();
    return loss;
  });
  CHECK(p.item() == doctest::Approx(2 - 0.1 * 2 * 2.05));
}

TEST_CASE("SAM wraps any optimizer: its state is the base's") {
  Tensor p = random_param({5}, 1);
  optim::Adam base({p}, {.lr = 0.1});
  optim::SAM sam(base, {.rho = 0.1});
  const auto loss = [&] { return sum(square(p)); };
  const double before = loss().item();
  for (int step = 0; step < 50; ++step) {
    sam.step([&] {
      base.zero_grad();
      Tensor value = loss();
      value.backward();
      return value;
    });
  }
  CHECK(loss().item() < 0.1 * before);
  CHECK(base.state_dict().at("state.0.step").item<std::int64_t>() == 50);
}
