// Checkpoints: the same derivatives, of any order, from less memory.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <thread>
#include <vector>

#include <gradus/anomaly.hpp>
#include <gradus/autograd.hpp>
#include <gradus/checkpoint.hpp>
#include <gradus/factory.hpp>
#include <gradus/function.hpp>
#include <gradus/functional.hpp>
#include <gradus/memory.hpp>
#include <gradus/nn.hpp>
#include <gradus/ops.hpp>
#include <gradus/random.hpp>

#include "messages.hpp"

using namespace gradus;
using tests::contains;
using tests::message_of;

namespace {

using Tensors = std::vector<Tensor>;

Tensor leaf(std::initializer_list<Nested> values) { return tensor(values, {.dtype = float64, .requires_grad = true}); }

Tensor random_leaf(const Shape& shape) { return randn(shape, {.dtype = float64, .requires_grad = true}); }

bool same(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && eq(a, b).to(float64).sum().item() == static_cast<double>(a.numel());
}

struct Exponential : Function<Exponential> {
  static Tensor forward(AutogradContext& ctx, const Tensor& x) {
    const Tensor twice = 2.0 * x;
    const Tensor y = exp(twice);
    ctx.save_for_backward({y, twice});
    return y;
  }
  static Tensors backward(AutogradContext& ctx, const Tensor& g) { return {2.0 * g * exp(ctx.saved_tensors()[1])}; }
};

// A block with many kinds of saved tensors: inputs, inner results, outputs, parameters.
struct Block {
  Tensor w = random_leaf({4, 4}), b = random_leaf({4});
  Tensor operator()(const Tensor& x) const {
    const Tensor h = tanh(linear(x, w, b));
    return h * sigmoid(x) + softmax(matmul(h, w), 1) - 0.1 * Exponential::apply(0.1 * h);
  }
};

}  // namespace

TEST_CASE("a checkpoint changes neither values nor gradients") {
  const std::int64_t nodes = live_nodes();
  {
    manual_seed(1);
    const Block block;
    const Tensor x = random_leaf({3, 4});
    int runs = 0;
    const auto counted = [&](const Tensor& in) {
      ++runs;
      return block(in);
    };
    const Tensor plain = block(2.0 * x);
    const Tensors expected = grad(sum(square(plain)), {x, block.w, block.b});
    const Tensor y = checkpoint(counted, 2.0 * x);
    CHECK(runs == 1);
    CHECK(same(y, plain));
    const Tensors found = grad(sum(square(y)), {x, block.w, block.b}, {.retain_graph = true});
    CHECK(runs == 2);
    for (std::size_t i = 0; i < found.size(); ++i) CHECK(same(found[i], expected[i]));
    // A second pass over a retained graph finds the values of the first.
    CHECK(same(grad(sum(square(y)), {x})[0], expected[0]));
    CHECK(runs == 2);
  }
  CHECK(live_nodes() == nodes);
}

TEST_CASE("backward through a checkpoint reaches parameters and inputs") {
  const std::int64_t nodes = live_nodes();
  {
    manual_seed(2);
    Block block;
    Tensor x = random_leaf({3, 4});
    sum(block(block(x))).backward();
    const Tensor gx = x.grad(), gw = block.w.grad();
    x.zero_grad();
    block.w.zero_grad();
    sum(checkpoint(block, checkpoint(block, x))).backward();
    CHECK(same(x.grad(), gx));
    CHECK(same(block.w.grad(), gw));
  }
  CHECK(live_nodes() == nodes);
}

TEST_CASE("a checkpoint has derivatives of higher order") {
  const std::int64_t nodes = live_nodes();
  {
    manual_seed(3);
    const Block block;
    const Tensor x = random_leaf({2, 4}), v = randn({2, 4}, {.dtype = float64});
    const auto second = [&](const Tensor& y) {
      const Tensors first = grad(sum(square(y)), {x, block.w}, {.create_graph = true});
      return grad(sum(first[0] * v) + sum(square(first[1])), {x, block.w, block.b}, {.create_graph = true});
    };
    const Tensors expected = second(block(x));
    const Tensors found = second(checkpoint(block, x));
    for (std::size_t i = 0; i < found.size(); ++i) CHECK(allclose(found[i], expected[i], {.rtol = 1e-12}));
    CHECK(allclose(grad(sum(found[0]), {x})[0], grad(sum(expected[0]), {x})[0], {.rtol = 1e-11}));
    const auto loss = [&](const Tensor& in) { return sum(square(checkpoint(block, in))); };
    const auto plain_loss = [&](const Tensor& in) { return sum(square(block(in))); };
    CHECK(allclose(hessian(loss, x), hessian(plain_loss, x), {.rtol = 1e-12}));
    // A first pass without recording does not spoil the history for a second with it.
    const Tensor y = sum(square(checkpoint(block, x)));
    grad(y, {x}, {.retain_graph = true});
    const Tensor first = grad(y, {x}, {.create_graph = true})[0];
    CHECK(allclose(grad(sum(first * v), {x})[0], hvp(plain_loss, x, v), {.rtol = 1e-12}));
  }
  CHECK(live_nodes() == nodes);
}

TEST_CASE("checkpoints of several inputs, some of which need no gradient") {
  Tensor a = leaf({1, 2}), b = leaf({3, 4});
  const Tensor c = tensor({5.0, 6.0}, {.dtype = float64});
  const Tensor y = checkpoint([](const Tensors& in) { return in[0] * in[1] * in[2]; }, {a, b, c});
  sum(y).backward();
  CHECK(same(a.grad(), tensor({15.0, 24.0}, {.dtype = float64})));
  CHECK(same(b.grad(), tensor({5.0, 12.0}, {.dtype = float64})));
  CHECK_FALSE(c.grad().defined());
}

TEST_CASE("checkpoints nest") {
  const std::int64_t nodes = live_nodes();
  {
    manual_seed(4);
    const Block block;
    const Tensor x = random_leaf({3, 4});
    const auto twice = [&](const Tensor& in) { return checkpoint(block, checkpoint(block, in) * 0.5); };
    const auto deep = [&](const Tensor& in) { return checkpoint(twice, tanh(checkpoint(twice, in))); };
    const auto plain = [&](const Tensor& in) {
      const auto two = [&](const Tensor& z) { return block(block(z) * 0.5); };
      return two(tanh(two(in)));
    };
    const Tensors expected = grad(sum(plain(x)), {x, block.w});
    const Tensors found = grad(sum(checkpoint(deep, x)), {x, block.w});
    CHECK(same(found[0], expected[0]));
    CHECK(same(found[1], expected[1]));
    const auto loss = [&](const Tensor& in) { return sum(checkpoint(twice, in)); };
    const auto plain_loss = [&](const Tensor& in) { return sum(block(block(in) * 0.5)); };
    const Tensor v = randn({3, 4}, {.dtype = float64});
    CHECK(allclose(hvp(loss, x, v), hvp(plain_loss, x, v), {.rtol = 1e-12}));
  }
  CHECK(live_nodes() == nodes);
}

TEST_CASE("random numbers are drawn again and the generator is put back") {
  Tensor x = random_leaf({50});
  const auto noisy = [](const Tensor& in) { return exp(in * bernoulli(full_like(in, 0.5))); };
  manual_seed(5);
  const Tensor expected = grad(sum(noisy(x)), {x})[0];
  manual_seed(5);
  const Tensor y = checkpoint(noisy, x);
  rand({10});
  const std::uint64_t position = default_generator().position();
  CHECK(same(grad(sum(y), {x})[0], expected));
  CHECK(default_generator().position() == position);
  manual_seed(5);
  const Tensor z = checkpoint(noisy, x, {.preserve_rng_state = false});
  CHECK_FALSE(same(grad(sum(z), {x})[0], expected));
}

TEST_CASE("without recording a checkpoint is the function and nothing else") {
  const std::int64_t nodes = live_nodes();
  Tensor x = leaf({1, 2});
  int runs = 0;
  const auto f = [&](const Tensor& in) {
    ++runs;
    return exp(in);
  };
  {
    const NoGrad guard;
    CHECK(checkpoint(f, x).is_leaf());
  }
  CHECK(checkpoint(f, x.detach()).is_leaf());
  CHECK(runs == 2);
  CHECK(live_nodes() == nodes);
  sum(checkpoint([](const Tensor& in) { return in; }, x)).backward();
  CHECK(same(x.grad(), ones({2}, {.dtype = float64})));
}

TEST_CASE("a checkpoint made on one thread runs again on another, with the numbers of the first") {
  const std::int64_t nodes = live_nodes();
  {
    Tensor x = random_leaf({50});
    const auto noisy = [](const Tensor& in) { return exp(in * bernoulli(full_like(in, 0.5))); };
    manual_seed(8);
    const Tensor expected = grad(sum(noisy(x)), {x})[0];
    manual_seed(8);
    const Tensor y = sum(checkpoint(noisy, x));
    Tensor found;
    std::thread([&] { found = grad(y, {x})[0]; }).join();
    CHECK(same(found, expected));
  }
  CHECK(live_nodes() == nodes);
}

TEST_CASE("a module is checkpointed in place") {
  manual_seed(6);
  nn::Sequential model(nn::Linear(4, 8), nn::Tanh(), nn::Linear(8, 2), nn::ReLU());
  const Tensor x = randn({5, 4});
  sum(square(model(x))).backward();
  Tensors expected;
  for (const Tensor& parameter : model.parameters()) expected.push_back(parameter.grad());
  model.zero_grad();
  sum(square(checkpoint(model, x))).backward();
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(same(model.parameters()[i].grad(), expected[i]));
  // Ops are fused or not as they were in the first run, whoever watches the second.
  model.zero_grad();
  {
    const Tensor y = checkpoint(model, x);
    const DetectAnomaly guard;
    sum(square(y)).backward();
  }
  const Tensor y = [&] {
    const DetectAnomaly guard;
    return checkpoint(model, x);
  }();
  sum(square(y)).backward();
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CHECK(allclose(model.parameters()[i].grad(), 2.0 * expected[i]));
  }
}

TEST_CASE("a function that is not the same each time is found out") {
  const std::int64_t nodes = live_nodes();
  {
    Tensor x = leaf({1, 2});
    int runs = 0;
    const auto backward_of = [&](const std::function<Tensor(const Tensor&)>& f) {
      runs = 0;
      return message_of([&] { sum(checkpoint(f, x)).backward(); });
    };
    CHECK(backward_of([&](const Tensor& in) { return runs++ == 0 ? exp(exp(in)) : exp(in); }) ==
          "checkpoint: the function must compute the same each time: it saved 2 tensors at first, then 1");
    CHECK(backward_of([&](const Tensor& in) { return runs++ == 0 ? exp(in) : exp(exp(in)); }) ==
          "checkpoint: the function must compute the same each time: it saved 1 tensors at first, then 2 or more");
    CHECK(backward_of([&](const Tensor& in) { return runs++ == 0 ? exp(in) : exp(sum(in)); }) ==
          "checkpoint: the function must compute the same each time: saved tensor 1 was float64 (2,), then float64 ()");
    CHECK(backward_of([&](const Tensor& in) {
            const Tensor y = exp(in);
            sum(y).backward();
            return y;
          }) == "checkpoint: the function must not differentiate what it has recorded itself");
    CHECK(backward_of([&](const Tensor& in) -> Tensor {
            if (runs++ > 0) throw Error("thrown by the function");
            return exp(in);
          }) == "thrown by the function");
    CHECK_FALSE(x.grad().defined());
    CHECK(is_grad_enabled());
    // After a failure another try is possible.
    runs = 0;
    const Tensor y = sum(checkpoint([&](const Tensor& in) { return runs++ == 1 ? exp(exp(in)) : exp(in); }, x));
    CHECK(message_of([&] { y.backward({.retain_graph = true}); }) != "");
    y.backward();
    CHECK(same(x.grad(), exp(x.detach())));
  }
  CHECK(live_nodes() == nodes);
}

TEST_CASE("inputs and parameters that were changed in place since are found out") {
  Tensor x = leaf({1, 2}), bias = leaf({1, 1});
  const Tensor y = 2.0 * x;
  const Tensor z = sum(checkpoint([&](const Tensor& in) { return exp(in + bias); }, y));
  {
    const NoGrad guard;
    bias.add_(1.0);
  }
  CHECK(message_of([&] { z.backward({.retain_graph = true}); }) ==
        "exp: a tensor of shape (2,) that its derivative needs was changed in place since (version 1, saved at 0)");
  const Tensor u = sum(checkpoint([](const Tensor& in) { return exp(in); }, y));
  {
    const NoGrad guard;
    y.detach().fill_(0);
  }
  CHECK(message_of([&] { u.backward(); }) ==
        "exp: a tensor of shape (2,) that its derivative needs was changed in place since (version 1, saved at 0)");
}

TEST_CASE("checkpoints save memory: a deep chain of linear and tanh") {
  manual_seed(7);
  constexpr int segments = 8, layers = 8;
  constexpr std::int64_t width = 32, batch = 512;
  Tensors weights;
  for (int i = 0; i < segments * layers; ++i) {
    weights.push_back(((rand({width, width}) - 0.5) * 0.5).set_requires_grad());
  }
  Tensor x = randn({batch, width}, {.requires_grad = true});
  const auto segment = [&](int s) {
    return [&, s](const Tensor& in) {
      Tensor h = in;
      for (int i = s * layers; i < (s + 1) * layers; ++i) h = tanh(linear(h, weights[static_cast<std::size_t>(i)]));
      return h;
    };
  };
  struct Cost {
    std::int64_t stored, peak;
    Tensor gradient;
  };
  const auto measure = [&](bool saving) {
    for (Tensor& weight : weights) weight.zero_grad();
    x.zero_grad();
    const std::int64_t before = memory_stats().in_use;
    reset_peak_memory_stats();
    Tensor h = x;
    for (int s = 0; s < segments; ++s) h = saving ? checkpoint(segment(s), h) : segment(s)(h);
    const std::int64_t stored = memory_stats().in_use - before;
    sum(square(h)).backward();
    return Cost{stored, memory_stats().peak - before, x.grad()};
  };
  const Cost plain = measure(false);
  const Cost saving = measure(true);
  CHECK(same(plain.gradient, saving.gradient));
  MESSAGE("64 layers: " << plain.stored / 1024 << " KiB stored, peak " << plain.peak / 1024 << " KiB; in 8 checkpoints "
                        << saving.stored / 1024 << " KiB stored, peak " << saving.peak / 1024 << " KiB");
  CHECK(plain.stored > 5 * saving.stored);
  CHECK(plain.peak > 2.5 * static_cast<double>(saving.peak));
}

TEST_CASE("what is changed in place inside of a checkpoint is noticed as it is outside") {
  const auto changes = [](const std::vector<Tensor>& in) {
    Tensor h = exp(in[0]);
    h.mul_(2);
    return h;
  };
  const Tensor x = tensor({0.0, 1.0}, {.dtype = float64, .requires_grad = true});
  CHECK_THROWS_AS(sum(changes({x})).backward(), Error);
  CHECK_THROWS_AS(sum(checkpoint(changes, {x})).backward(), Error);
  const auto keeps = [](const std::vector<Tensor>& in) {
    Tensor h = in[0] * 1.0;
    const Tensor y = h * h;
    h.add_(1);
    return y + h;
  };
  CHECK_THROWS_AS(sum(checkpoint(keeps, {x})).backward(), Error);
}

TEST_CASE("a checkpoint keeps nothing in its second run that no derivative reads") {
  const Tensor x = ones({4096}, {.dtype = float64, .requires_grad = true});
  const Tensor factor = full({4096}, 0.5, {.dtype = float64});
  const auto chain = [&](const std::vector<Tensor>& in) {
    Tensor h = in[0];
    for (int i = 0; i < 20; ++i) h = h * factor;  // the derivative reads the factor alone
    return sum(h);
  };
  const Tensor loss = checkpoint(chain, {x});
  reset_peak_memory_stats();
  const auto before = memory_stats().in_use;
  loss.backward();
  CHECK(memory_stats().peak - before < 8 * 4096 * sizeof(double));
}
