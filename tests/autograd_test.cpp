// The tape: accumulation, retained graphs, higher orders, hooks, versions, long chains, threads, and no leak of nodes.
#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <string>
#include <thread>
#include <vector>

#include <gradus/autograd.hpp>
#include <gradus/factory.hpp>
#include <gradus/ops.hpp>

using namespace gradus;

namespace {

std::vector<double> doubles(const Tensor& t) {
  const Tensor dense = t.detach().to(float64).contiguous();
  const auto data = dense.data<double>();
  return {data.begin(), data.end()};
}

using Doubles = std::vector<double>;

Tensor leaf(std::initializer_list<Nested> values) { return tensor(values, {.dtype = float64, .requires_grad = true}); }

// What the error says, or "" if there was none.
template <class F>
std::string message_of(const F& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("backward fills the gradients of leaves and of nothing else") {
  const std::int64_t nodes = live_nodes();
  {
    Tensor x = leaf({1, 2, 3});
    Tensor w = leaf({4, 5, 6});
    const Tensor c = tensor({1.0, 1.0, 2.0}, {.dtype = float64});
    const Tensor y = x * w;
    const Tensor loss = sum(y * c);
    CHECK(loss.requires_grad());
    CHECK_FALSE(loss.is_leaf());
    CHECK(x.is_leaf());
    loss.backward();
    CHECK(doubles(x.grad()) == Doubles{4, 5, 12});
    CHECK(doubles(w.grad()) == Doubles{1, 2, 6});
    CHECK_FALSE(y.grad().defined());
    CHECK_FALSE(c.grad().defined());
  }
  CHECK(live_nodes() == nodes);
}

TEST_CASE("backward adds to the gradients that are there") {
  Tensor x = leaf({1, 2});
  sum(x * 3.0).backward();
  const Tensor first = x.grad();
  sum(x * x).backward();
  CHECK(doubles(x.grad()) == Doubles{5, 7});
  CHECK(x.grad().is(first));  // in place, as an optimizer's fused pass expects
  x.zero_grad();
  CHECK_FALSE(x.grad().defined());
  sum(x).backward();
  CHECK(doubles(x.grad()) == Doubles{1, 1});
  CHECK(doubles(first) == Doubles{5, 7});  // a kept gradient is not overwritten after zero_grad
}

TEST_CASE("gradients of several leaves never share memory") {
  Tensor a = leaf({1, 2}), b = leaf({3, 4});
  sum(a + b).backward();
  a.grad().fill_(9);
  CHECK(doubles(b.grad()) == Doubles{1, 1});
  Tensor seed = ones({2}, {.dtype = float64});
  a.zero_grad();
  a.backward({.gradient = seed});
  a.grad().fill_(7);
  CHECK(doubles(seed) == Doubles{1, 1});
}

TEST_CASE("a tensor of more than one element needs a gradient to start from") {
  Tensor x = leaf({1, 2});
  const Tensor y = x * 2.0;
  CHECK(contains(message_of([&] { y.backward(); }), "(2,)"));
  CHECK(contains(message_of([&] { y.backward({.gradient = ones({3}, {.dtype = float64})}); }), "(3,)"));
  CHECK(contains(message_of([&] { y.backward({.gradient = ones({2})}); }), "float32"));
  CHECK(message_of([&] { tensor({1.0}).backward(); }) != "");
  y.backward({.gradient = tensor({10.0, 20.0}, {.dtype = float64})});
  CHECK(doubles(x.grad()) == Doubles{20, 40});
}

TEST_CASE("a second backward needs retain_graph at the first and says so") {
  const std::int64_t nodes = live_nodes();
  {
    Tensor x = leaf({3});
    const Tensor y = sum(x * x);
    y.backward({.retain_graph = true});
    y.backward();
    CHECK(doubles(x.grad()) == Doubles{12});
    const std::string message = message_of([&] { y.backward(); });
    CHECK(contains(message, "retain_graph"));
    CHECK(contains(message, "'sum'"));
    CHECK(doubles(x.grad()) == Doubles{12});
    const Tensor z = y * 2.0;  // on top of a freed graph
    CHECK(contains(message_of([&] { z.backward(); }), "retain_graph"));
  }
  CHECK(live_nodes() == nodes);
}

TEST_CASE("backward frees what the tape saved") {
  Tensor x = leaf({1, 2});
  const Tensor y = sum(exp(x) * x);
  const std::int64_t nodes = live_nodes();
  y.backward();
  CHECK(live_nodes() < nodes);  // only the root, which y still holds
}

TEST_CASE("grad returns derivatives and touches no leaf") {
  Tensor x = leaf({1, 2}), w = leaf({3, 4});
  const Tensor y = sum(x * x * w);
  const std::vector<Tensor> g = grad(y, {w, x});
  CHECK(doubles(g[0]) == Doubles{1, 4});
  CHECK(doubles(g[1]) == Doubles{6, 16});
  CHECK_FALSE(g[0].requires_grad());
  CHECK_FALSE(x.grad().defined());
  CHECK_FALSE(w.grad().defined());
}

TEST_CASE("grad of intermediate results, of the output itself, and of a leaf by itself") {
  Tensor x = leaf({1, 2});
  const Tensor y = x * 3.0;
  const Tensor z = sum(y * y);
  CHECK(doubles(grad(z, {y}, {.retain_graph = true})[0]) == Doubles{6, 12});
  CHECK(doubles(grad(z, {y, x}, {.retain_graph = true})[1]) == Doubles{18, 36});
  CHECK(doubles(grad(z, {z}, {.retain_graph = true})[0]) == Doubles{1});
  CHECK(doubles(grad(x, {x}, {.grad_outputs = tensor({5.0, 6.0}, {.dtype = float64})})[0]) == Doubles{5, 6});
  CHECK(doubles(grad(z, {x, x})[1]) == Doubles{18, 36});
}

TEST_CASE("an input that the output does not depend on is an error unless allowed") {
  Tensor x = leaf({1}), unused = leaf({2});
  const Tensor y = x * x;
  CHECK(contains(message_of([&] { grad(y, {x, unused}, {.retain_graph = true}); }), "input 1"));
  const std::vector<Tensor> g = grad(y, {x, unused}, {.allow_unused = true});
  CHECK(doubles(g[0]) == Doubles{2});
  CHECK_FALSE(g[1].defined());
  CHECK(message_of([&] { grad(x * x, {tensor({1.0})}); }) != "");
  CHECK(message_of([&] { grad(x * x, {Tensor()}); }) != "");
}

TEST_CASE("create_graph makes derivatives of any order") {
  const std::int64_t nodes = live_nodes();
  {
    Tensor x = leaf({2});
    Tensor g = pow(x, 5);
    for (double expected : {80.0, 160.0, 240.0, 240.0, 120.0}) {
      g = grad(g, {x}, {.create_graph = true})[0];
      CHECK(g.item() == doctest::Approx(expected));
    }
    const Tensor y = leaf({0.5});
    Tensor s = sin(y);
    for (int order = 0; order < 4; ++order) s = grad(s, {y}, {.create_graph = true})[0];
    CHECK(s.item() == doctest::Approx(std::sin(0.5)));
    Tensor e = exp(y) * tanh(y);
    for (int order = 0; order < 3; ++order) e = grad(e, {y}, {.create_graph = true})[0];
    // (e^y tanh y)''' at 0.5
    const double t = std::tanh(0.5), d1 = 1 - t * t, d2 = -2 * t * d1, d3 = -2 * d1 * d1 - 2 * t * d2;
    CHECK(e.item() == doctest::Approx(std::exp(0.5) * (t + 3 * d1 + 3 * d2 + d3)));
  }
  CHECK(live_nodes() == nodes);
}

TEST_CASE("backward with create_graph leaves gradients that have a history") {
  const std::int64_t nodes = live_nodes();
  {
    Tensor x = leaf({3});
    (x * x * x).backward({.create_graph = true});
    CHECK(x.grad().requires_grad());
    const Tensor g = x.grad();
    x.zero_grad();
    g.backward();
    CHECK(doubles(x.grad()) == Doubles{18});
  }
  CHECK(live_nodes() == nodes);
}

TEST_CASE("detach cuts the history and shares the memory") {
  Tensor x = leaf({1, 2});
  const Tensor d = (x * 2.0).detach();
  CHECK_FALSE(d.requires_grad());
  CHECK(d.is_leaf());
  sum(x * d).backward();
  CHECK(doubles(x.grad()) == Doubles{2, 4});
  NoGrad guard;
  x.detach().fill_(7);
  CHECK(doubles(x) == Doubles{7, 7});
}

TEST_CASE("NoGrad nests and ends with its scope, also when left by an exception") {
  Tensor x = leaf({1});
  CHECK(is_grad_enabled());
  {
    NoGrad outer;
    {
      NoGrad inner;
      CHECK_FALSE((x * x).requires_grad());
    }
    CHECK_FALSE(is_grad_enabled());
    std::thread([] { CHECK(is_grad_enabled()); }).join();  // per thread
  }
  CHECK((x * x).requires_grad());
  try {
    NoGrad guard;
    throw Error("left");
  } catch (const Error&) {
  }
  CHECK(is_grad_enabled());
}

TEST_CASE("hooks see the whole gradient of leaves and of inner tensors and may replace it") {
  Tensor x = leaf({1, 2});
  std::vector<Doubles> seen;
  x.register_hook([&](const Tensor& g) {
    seen.push_back(doubles(g));
    return Tensor();
  });
  const Tensor y = x * 2.0;
  const int id = y.register_hook([](const Tensor& g) { return g * 10.0; });
  const auto loss = [&] { return sum(y * y) + sum(x); };
  loss().backward({.retain_graph = true});
  REQUIRE(seen.size() == 1);  // once per pass, although two paths lead to x
  CHECK(seen[0] == Doubles{81, 161});
  CHECK(doubles(x.grad()) == Doubles{81, 161});
  y.remove_hook(id);
  x.zero_grad();
  loss().backward({.retain_graph = true});
  CHECK(doubles(x.grad()) == Doubles{9, 17});
  CHECK(message_of([&] { y.remove_hook(id); }) != "");
  CHECK(message_of([&] { y.remove_hook(12345); }) != "");
  CHECK(message_of([&] { tensor({1.0}).register_hook([](const Tensor& g) { return g; }); }) != "");

  const int wrong = y.register_hook([](const Tensor&) { return ones({3}, {.dtype = float64}); });
  CHECK(contains(message_of([&] { loss().backward({.retain_graph = true}); }), "(3,)"));
  y.remove_hook(wrong);
  const int first = y.register_hook([](const Tensor& g) { return g + 1.0; });
  y.register_hook([](const Tensor& g) { return g * 2.0; });  // in the order of registration
  x.zero_grad();
  y.backward({.gradient = zeros({2}, {.dtype = float64}), .retain_graph = true});
  CHECK(doubles(x.grad()) == Doubles{4, 4});
  y.remove_hook(first);
}

TEST_CASE("a hook on a leaf changes what backward and grad give") {
  Tensor x = leaf({1, 2});
  x.register_hook([](const Tensor& g) { return g * -1.0; });
  sum(x * 3.0).backward();
  CHECK(doubles(x.grad()) == Doubles{-3, -3});
  CHECK(doubles(grad(sum(x * 3.0), {x})[0]) == Doubles{-3, -3});
}

TEST_CASE("a hook that throws midway leaves no node and no pending gradient behind") {
  const std::int64_t nodes = live_nodes();
  {
    Tensor x = leaf({1, 2});
    const Tensor y = exp(x), z = y * x;
    const int id = y.register_hook([](const Tensor&) -> Tensor { throw Error("hook: enough"); });
    const Tensor loss = sum(z + y);
    CHECK(message_of([&] { loss.backward({.retain_graph = true}); }) == "hook: enough");
    y.remove_hook(id);
    x.zero_grad();
    loss.backward();
    const double e = std::exp(1.0), e2 = std::exp(2.0);
    CHECK(x.grad()[0].item() == doctest::Approx(e * 1 + e + e));
    CHECK(x.grad()[1].item() == doctest::Approx(e2 * 2 + e2 + e2));
  }
  CHECK(live_nodes() == nodes);
}

TEST_CASE("a backward pass may run inside a hook") {
  Tensor x = leaf({2}), w = leaf({3});
  const Tensor y = x * x, other = w * w;  // recorded before: hooks run with recording off, as VJPs do
  y.register_hook([&](const Tensor& g) {
    CHECK_FALSE(is_grad_enabled());
    other.backward();
    return g;
  });
  (y * 5.0).backward();
  CHECK(doubles(x.grad()) == Doubles{20});
  CHECK(doubles(w.grad()) == Doubles{6});
}

TEST_CASE("changing a saved tensor in place is an error that names the op") {
  Tensor x = leaf({1, 2});
  {
    Tensor c = tensor({3.0, 4.0}, {.dtype = float64});
    const Tensor y = sum(x * c);
    c.add_(1.0);
    const std::string message = message_of([&] { y.backward(); });
    CHECK(contains(message, "mul"));
    CHECK(contains(message, "(2,)"));
    CHECK(contains(message, "version 1"));
  }
  {
    const Tensor y = x.exp();  // the derivative of exp needs its output
    Tensor z = y.detach();
    z.zero_();
    CHECK(contains(message_of([&] { sum(y).backward(); }), "exp"));
  }
  {
    const Tensor y = sum(x.square());
    {
      NoGrad guard;
      x.fill_(5);
    }
    CHECK(contains(message_of([&] { y.backward(); }), "square"));
  }
  {
    Tensor c = ones({2, 2}, {.dtype = float64});
    const Tensor y = matmul(c, x);
    c[0].zero_();  // through a view of the saved tensor
    CHECK(contains(message_of([&] { sum(y).backward(); }), "matmul"));
  }
  CHECK_FALSE(x.grad().defined());
}

TEST_CASE("changing a tensor that no derivative needs is fine") {
  Tensor x = leaf({1, 2});
  Tensor y = x + 1.0;
  const Tensor loss = sum(y * 2.0);
  {
    NoGrad guard;
    y.zero_();
  }
  loss.backward();
  CHECK(doubles(x.grad()) == Doubles{2, 2});
  Tensor index = tensor({0, 1});
  const Tensor g = gather(x, 0, index);
  index.fill_(0);
  CHECK(contains(message_of([&] { sum(g).backward(); }), "gather"));
}

TEST_CASE("a leaf that requires a gradient is changed in place only under NoGrad") {
  Tensor x = leaf({1, 2});
  CHECK(contains(message_of([&] { x.add_(1.0); }), "leaf"));
  CHECK(contains(message_of([&] { x.copy_(tensor({1.0, 2.0})); }), "leaf"));
  CHECK(message_of([&] { x[0].fill_(3); }) != "");
  CHECK(doubles(x) == Doubles{1, 2});
  NoGrad guard;
  x.sub_(1.0);
  CHECK(doubles(x) == Doubles{0, 1});
  CHECK(x.requires_grad());
}

TEST_CASE("in-place forms under recording have the gradient of what they compute") {
  Tensor x = leaf({1, 2});
  Tensor y = x * 2.0;
  y.mul_(x).add_(1.0).pow_(2);  // (2x^2 + 1)^2 -> 8x (2x^2 + 1)
  CHECK(doubles(y) == Doubles{9, 81});
  sum(y).backward();
  CHECK(doubles(x.grad()) == Doubles{24, 144});

  x.zero_grad();
  Tensor z = zeros({2}, {.dtype = float64});
  z.add_(x, 3);  // a plain tensor joins the tape
  CHECK(z.requires_grad());
  z.exp_();
  sum(z).backward();
  CHECK(x.grad()[1].item() == doctest::Approx(3 * std::exp(6.0)));

  x.zero_grad();
  Tensor w = x * 1.0;
  w.copy_(x * x);
  w.fill_(2);  // what came before counts no more, but w stays in the graph
  sum(w).backward();
  CHECK(doubles(x.grad()) == Doubles{0, 0});
}

TEST_CASE("a recorded tensor may be its own in-place operand") {
  const std::int64_t nodes = live_nodes();
  {
    Tensor x = leaf({1, 2});
    Tensor y = x * 1.0;
    y.mul_(y).add_(y);  // 2x^2
    CHECK(doubles(y) == Doubles{2, 8});
    sum(y).backward();
    CHECK(doubles(x.grad()) == Doubles{4, 8});
    Tensor never_run = x * 1.0;
    never_run.mul_(never_run);
  }
  CHECK(live_nodes() == nodes);  // its history does not hold it
}

TEST_CASE("an in-place change of a view of a recorded tensor is right or refused, never silently wrong") {
  Tensor x = leaf({1, 2, 3});
  Tensor y = x * 2.0;
  Tensor head = y.slice(0, 0, 1);
  const std::string message = message_of([&] { head.mul_(10.0); });
  if (message.empty()) {
    sum(y).backward();
    CHECK(doubles(x.grad()) == Doubles{20, 2, 2});
  } else {
    CHECK(contains(message, "view"));
    CHECK(doubles(y) == Doubles{2, 4, 6});
  }
}

TEST_CASE("a view made before its base was changed in place does not give a stale gradient") {
  Tensor x = leaf({1, 2, 3});
  Tensor y = x * 2.0;
  const Tensor tail = y.slice(0, 1, 3);
  y.mul_(x);  // y = 2x^2: what tail shows has another history than tail
  const std::string message = message_of([&] { sum(tail).backward(); });
  if (message.empty()) {
    CHECK(doubles(x.grad()) == Doubles{0, 8, 12});
  } else {
    INFO(message);
    CHECK(contains(message, "view"));
  }
}

TEST_CASE("64 times x = x + x is 2^64 x, in 64 steps and not in 2^64") {
  const std::int64_t nodes = live_nodes();
  {
    Tensor leaf_x = leaf({1});
    Tensor x = leaf_x;
    for (int i = 0; i < 64; ++i) x = x + x;
    CHECK(live_nodes() == nodes + 64);
    x.backward();
    CHECK(leaf_x.grad().item() == std::ldexp(1.0, 64));
    x = leaf_x;
    for (int i = 0; i < 64; ++i) x = x + x;
    CHECK(grad(x, {leaf_x}, {.create_graph = true})[0].item() == std::ldexp(1.0, 64));
  }
  CHECK(live_nodes() == nodes);
}

TEST_CASE("a chain of a million nodes builds, runs backward and dies") {
  using Clock = std::chrono::steady_clock;
  const auto seconds = [](Clock::time_point from) {
    return std::chrono::duration<double>(Clock::now() - from).count();
  };
  const std::int64_t nodes = live_nodes();
  constexpr int count = 1'000'000;
  Tensor x = leaf({0.5});
  const auto start = Clock::now();
  {
    Tensor y = x;
    for (int i = 0; i < count; ++i) y = y + 1e-6;
    CHECK(live_nodes() == nodes + count);
    const double built = seconds(start);
    y.backward();
    MESSAGE("a chain of 10^6 nodes: built in " << built << " s, built and run backward in " << seconds(start) << " s");
  }
  CHECK(live_nodes() == nodes);
  CHECK(x.grad().item() == 1);
  {
    Tensor y = x;
    for (int i = 0; i < count; ++i) y = y * 1.0;
    CHECK(live_nodes() == nodes + count);
    const auto dying = Clock::now();
    y = Tensor();  // never run
    MESSAGE("destroyed in " << seconds(dying) << " s");
  }
  CHECK(live_nodes() == nodes);
  {
    Tensor y = x;
    for (int i = 0; i < count; ++i) y = y * 1.0;
    CHECK(grad(y, {x})[0].item() == 1);
  }
  CHECK(live_nodes() == nodes);
}

TEST_CASE("results used several times and deep diamonds add up") {
  Tensor x = leaf({3});
  const Tensor a = x * x;
  const Tensor b = a * x + a * a + a;  // x^3 + x^4 + x^2
  b.backward();
  CHECK(doubles(x.grad()) == Doubles{27 + 108 + 6});

  x.zero_grad();
  Tensor y = x;
  double value = 3, slope = 1;
  for (int i = 0; i < 40; ++i) {
    const Tensor left = y * 0.5, right = sin(y);
    y = left + right;
    slope *= 0.5 + std::cos(value);
    value = 0.5 * value + std::sin(value);
  }
  y.backward();
  CHECK(y.item() == doctest::Approx(value));
  CHECK(x.grad().item() == doctest::Approx(slope));
}

TEST_CASE("gradients of float64 and float32 leaves can meet through to()") {
  Tensor a = tensor({1.0, 2.0}, {.requires_grad = true});
  Tensor b = leaf({3, 4});
  sum(a.to(float64) * b).backward();
  CHECK(a.grad().dtype() == float32);
  CHECK(doubles(a.grad()) == Doubles{3, 4});
  CHECK(doubles(b.grad()) == Doubles{1, 2});
}

TEST_CASE("requires_grad is for floating leaves") {
  CHECK(contains(message_of([] { tensor({1, 2}).set_requires_grad(); }), "int64"));
  Tensor x = leaf({1});
  Tensor y = x * x;
  CHECK(contains(message_of([&] { y.set_requires_grad(false); }), "mul"));
  x.set_requires_grad(false);
  CHECK_FALSE((x * x).requires_grad());
  Tensor g = zeros({2});
  CHECK(message_of([&] { x.set_grad(g); }) != "");
  x.set_grad(zeros({1}, {.dtype = float64}));
  CHECK(x.grad().defined());
}

TEST_CASE("threads run independent backward passes") {
  const std::int64_t nodes = live_nodes();
  std::vector<double> results(4);
  {
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < results.size(); ++t) {
      threads.emplace_back([&results, t] {
        for (int round = 0; round < 50; ++round) {
          Tensor x = leaf({static_cast<double>(t + 1)});
          Tensor y = x;
          for (int i = 0; i < 100; ++i) y = y + x * 0.5;
          (y * y).backward();
          results[t] = x.grad().item();
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  for (std::size_t t = 0; t < results.size(); ++t) {
    CHECK(results[t] == doctest::Approx(2 * 51.0 * 51.0 * static_cast<double>(t + 1)));
  }
  CHECK(live_nodes() == nodes);
}

TEST_CASE("a graph built on one thread runs backward and dies on another") {
  const std::int64_t nodes = live_nodes();
  Tensor x = leaf({2});
  {
    Tensor y = x;
    for (int i = 0; i < 1000; ++i) y = y * 1.0 + x;
    std::thread([y = std::move(y)]() mutable {
      y.backward();
      y = Tensor();
    }).join();
  }
  CHECK(doubles(x.grad()) == Doubles{1001});
  CHECK(live_nodes() == nodes);
}

TEST_CASE("a hook may remove itself or add another while it runs") {
  Tensor x = leaf({1, 2});
  int first = -1, calls = 0;
  first = x.register_hook([&](const Tensor& g) {
    x.remove_hook(first);
    x.register_hook([&calls](const Tensor& h) {
      ++calls;
      return h * 3.0;
    });
    return g * 2.0;
  });
  sum(x).backward();
  CHECK(doubles(x.grad()) == Doubles{2, 2});  // a hook added during a pass is for the next one
  CHECK(calls == 0);
  x.zero_grad();
  sum(x).backward();
  CHECK(doubles(x.grad()) == Doubles{3, 3});
}

TEST_CASE("a part of the graph that was freed is named, not skipped") {
  const Tensor x = leaf({1, 2});
  const Tensor y = x * x;
  const Tensor z = sum(y * 2.0 + x);
  sum(y).backward();
  CHECK_THROWS_WITH_AS(grad(z, {x}), doctest::Contains("freed by an earlier backward"), Error);
}

TEST_CASE("a view made before a recorded write to its base is refused, with or without a history of its own") {
  const Tensor w = leaf({1, 2});
  Tensor base = zeros({2}, {.dtype = float64});
  const Tensor view = base.view({2});
  base.add_(w);
  CHECK_THROWS_WITH_AS(view * w, doctest::Contains("its history is stale"), Error);
}

TEST_CASE("a tensor changed in place by a function of itself leaves no node behind") {
  const std::int64_t nodes = live_nodes();
  {
    const Tensor w = leaf({1, 2});
    Tensor h = w * 2.0;
    h += h * w;
    Tensor plain = ones({2}, {.dtype = float64});
    plain += plain * w;
  }
  CHECK(live_nodes() == nodes);
}

TEST_CASE("a detached tensor can be changed in place with a history") {
  const Tensor w = leaf({1, 2});
  Tensor h = (w * 3.0).detach();
  h += w;
  sum(h * w).backward();
  CHECK(doubles(w.grad()) == Doubles{5, 10});
}

TEST_CASE("a recorded fill keeps the tensor in the graph, with gradient zero") {
  const Tensor x = leaf({1, 2});
  Tensor y = x * 2.0;
  y.zero_();
  sum(y).backward();
  CHECK(doubles(x.grad()) == Doubles{0, 0});
}

TEST_CASE("a backward pass started by a hook inside a graph that is being walked is refused") {
  const Tensor x = leaf({1, 2});
  const Tensor h = x * x;
  const Tensor a = h * 2.0;
  const Tensor c = h * 3.0;
  a.register_hook([&](const Tensor& g) {
    h.backward({.gradient = g, .retain_graph = true});
    return g;
  });
  CHECK_THROWS_WITH_AS(sum(a + c).backward({.retain_graph = true}),
                       doctest::Contains("another backward pass is walking"), Error);
  CHECK_NOTHROW(sum(c).backward({.retain_graph = true}));  // and the graph is in order afterwards
}

TEST_CASE("grad() leaves alone what lies upstream of its inputs") {
  const Tensor x = tensor({1.0, 2.0}, {.dtype = float64, .requires_grad = true});
  const Tensor h = x * x;
  const Tensor loss = sum(square(h));
  const Tensor g = grad(loss, {h})[0];
  h.backward({.gradient = g});  // the backward pass, in two parts
  CHECK(equal(x.grad(), tensor({4.0, 32.0}, {.dtype = float64})));
  const Tensor k = x * x;
  const Tensor first = sum(k), second = sum(k * 2.0);
  grad(first, {k});
  CHECK(equal(grad(second, {k})[0], tensor({2.0, 2.0}, {.dtype = float64})));
}

TEST_CASE("grad() by an op's result does not need what only its derivative reads") {
  const Tensor x = tensor({1.0, 2.0}, {.dtype = float64, .requires_grad = true});
  Tensor h = exp(x);
  const Tensor loss = sum(h * 3.0);
  {
    const NoGrad guard;
    h.add_(1);
  }
  CHECK(equal(grad(loss, {h})[0], tensor({3.0, 3.0}, {.dtype = float64})));
}

TEST_CASE("a stale view is refused as the root of a pass and as its target") {
  const Tensor x = tensor({1.0, 2.0}, {.dtype = float64, .requires_grad = true});
  Tensor y = x * 1.0;
  const Tensor v = y[0];
  y.mul_(3);
  CHECK_THROWS_AS(v.backward(), Error);
  CHECK_THROWS_AS(v.retain_grad(), Error);
  CHECK_THROWS_AS(grad(v, {x}), Error);
  CHECK_THROWS_AS(grad(sum(y), {v}), Error);
}

TEST_CASE("grad() by thousands of inputs takes time in proportion") {
  std::vector<Tensor> leaves;
  for (int i = 0; i < 8000; ++i) leaves.push_back(tensor(1.0, {.requires_grad = true}));
  Tensor total = leaves[0] * 1.0;
  for (const Tensor& leaf : leaves) total = total + leaf;
  const std::vector<Tensor> gradients = grad(total, leaves);
  CHECK(gradients.front().item() == 2);
  CHECK(gradients.back().item() == 1);
}
