// A pluggable optimizer: the base owns the loop, the step count, groups, state and saving; the subclass is the rule.
#include <gradus/gradus.hpp>
#include <cstdio>
using namespace gradus;

struct SignMomentumOptions {
  double lr = 1e-2;
  double momentum = 0.9;
};

// On whole tensors: m = momentum * m + (1 - momentum) * g; p -= lr * sign(m).
class SignMomentum final : public optim::OptimizerOf<SignMomentumOptions> {
 public:
  using OptimizerOf::OptimizerOf;

 protected:
  void update(Tensor& param, const Tensor& grad, optim::State& state, const SignMomentumOptions& o) override {
    Tensor& m = state.tensor("momentum", param);  // zeros like param at the first step, then the kept one
    m.mul_(o.momentum).add_(grad, 1 - o.momentum);
    param.sub_(sign(m), o.lr);
  }
};

// The same in one pass over memory: what to do with each element, float or double.
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

// The loss of a linear model after 400 steps.
template <class Rule>
double trained_loss() {
  manual_seed(0);
  nn::Linear model(8, 1);
  const Tensor x = randn({256, 8}), truth = randn({8, 1});
  const Tensor y = matmul(x, truth);
  Rule optimizer(model.parameters(), {.lr = 0.1});
  optim::ExponentialLR decay(optimizer, {.gamma = 0.98});  // schedules work on it as on any other
  double value = 0;
  for (int step = 0; step < 400; ++step) {
    optimizer.zero_grad();
    const Tensor loss = mse_loss(model(x), y);
    loss.backward();
    clip_grad_norm_(model.parameters(), 1.0);
    optimizer.step();
    decay.step();
    value = loss.item();
  }
  return value;
}

int main() {
  const double tensors = trained_loss<SignMomentum>(), elements = trained_loss<FusedSignMomentum>();
  std::printf("loss after 400 steps: %.2e on whole tensors, %.2e as one pass\n", tensors, elements);
  return tensors < 1e-2 && elements < 1e-2 ? 0 : 1;
}
