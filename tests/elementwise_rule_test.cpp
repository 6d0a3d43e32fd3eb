// A rule of one's own, as one pass over memory.
#include <doctest/doctest.h>

#include <cmath>

#include "gradus/gradus.hpp"
#include "messages.hpp"

using namespace gradus;
using tests::message_of;

namespace {

struct SignMomentumOptions {
  double lr = 0.01;
  double momentum = 0.9;
};

// On whole tensors.
class SignMomentum final : public optim::OptimizerOf<SignMomentumOptions> {
 public:
  using OptimizerOf::OptimizerOf;

 protected:
  void update(Tensor& param, const Tensor& grad, optim::State& state, const SignMomentumOptions& o) override {
    Tensor& m = state.tensor("momentum", param);
    m.mul_(o.momentum).add_(grad, 1 - o.momentum);
    param.sub_(sign(m), o.lr);
  }
};

// The same as one pass.
class FusedSignMomentum final : public optim::OptimizerOf<SignMomentumOptions> {
 public:
  using OptimizerOf::OptimizerOf;

 protected:
  void update(Tensor& param, const Tensor& grad, optim::State& state, const SignMomentumOptions& o) override {
    const auto rule = [&](auto& p, auto g, auto& m) {
      using T = decltype(g);
      m = T(o.momentum) * m + T(1 - o.momentum) * g;
      p -= T(o.lr) * T((m > 0) - (m < 0));
    };
    optim::update_elementwise(param, grad, rule, state.tensor("momentum", param));
  }
};

// The parameter after 20 steps on gradients that vary.
template <class Rule>
Tensor after_steps(const Tensor& start) {
  Tensor p = start.clone().set_requires_grad();
  Rule optimizer({p});
  Generator generator(3);
  for (int step = 0; step < 20; ++step) {
    p.set_grad(randn(p.shape(), {.dtype = p.dtype(), .generator = &generator}));
    optimizer.step();
  }
  return p.detach();
}

}  // namespace

TEST_CASE("a rule on elements moves a parameter as the same rule on tensors does") {
  for (const Dtype dtype : {float32, float64}) {
    const Tensor start = randn({3, 41}, {.dtype = dtype});
    const double tolerance = dtype == float32 ? 1e-6 : 1e-14;
    CHECK(allclose(after_steps<FusedSignMomentum>(start), after_steps<SignMomentum>(start),
                   {.rtol = 0, .atol = tolerance}));
  }
}

TEST_CASE("a rule on elements moves a large parameter the same for any number of threads") {
  const Tensor start = randn({200000});
  const int before = get_num_threads();
  set_num_threads(1);
  const Tensor alone = after_steps<FusedSignMomentum>(start);
  set_num_threads(2);
  const Tensor shared = after_steps<FusedSignMomentum>(start);
  set_num_threads(before);
  CHECK(equal(alone, shared));
}

TEST_CASE("a rule on elements may go without state, and reaches a parameter that is not contiguous") {
  Tensor p = tensor({{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}}).t();
  const Tensor before = p.clone();
  const std::uint32_t version = p.version();
  optim::update_elementwise(p, ones({3, 2}), [](auto& value, auto slope) { value -= slope; });
  CHECK(equal(p, before - 1.0));
  CHECK(p.version() > version);
}

TEST_CASE("a rule on elements moves a parameter that requires a gradient, contiguous or not") {
  const auto rule = [](auto& value, auto slope) { value -= slope; };
  Tensor dense = zeros({3, 4}).set_requires_grad(), strided = zeros({4, 3}).t().set_requires_grad();
  optim::update_elementwise(dense, ones({3, 4}), rule);
  optim::update_elementwise(strided, ones({3, 4}), rule);
  CHECK(equal(dense.detach(), strided.detach()));
  CHECK(strided.is_leaf());
}

TEST_CASE("a rule on elements refuses a gradient or state that is not like its parameter") {
  Tensor p = zeros({2, 3});
  const auto rule = [](auto& value, auto slope, auto& s) { value = s = slope; };
  const auto error = [&](const Tensor& grad, Tensor state) {
    return message_of([&] { optim::update_elementwise(p, grad, rule, state); });
  };
  CHECK(error(zeros({3, 2}), zeros({2, 3})) ==
        "update_elementwise: the gradient is float32 (3, 2), the parameter float32 (2, 3)");
  CHECK(error(zeros({2, 3}, {.dtype = float64}), zeros({2, 3})) ==
        "update_elementwise: the gradient is float64 (2, 3), the parameter float32 (2, 3)");
  CHECK(error(zeros({2, 3}), zeros({6})) ==
        "update_elementwise: the state is float32 (6,), the parameter float32 (2, 3)");
  CHECK(error(zeros({2, 3}), zeros({3, 2}).t()) ==
        "update_elementwise: the state must be contiguous, its strides are (1, 2)");
}
