// Hooks on ops, what can be read off them, and gradients that results retain.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <gradus/autograd.hpp>
#include <gradus/factory.hpp>
#include <gradus/function.hpp>
#include <gradus/ops.hpp>

#include "messages.hpp"

using namespace gradus;
using tests::message_of;

namespace {

using Doubles = std::vector<double>;
using Tensors = std::vector<Tensor>;

Doubles doubles(const Tensor& t) {
  const Tensor dense = t.detach().contiguous();
  const auto data = dense.data<double>();
  return {data.begin(), data.end()};
}

Tensor leaf(std::initializer_list<Nested> values) { return tensor(values, {.dtype = float64, .requires_grad = true}); }

// One VJP for both inputs.
struct Product : Function<Product> {
  static Tensor forward(AutogradContext& ctx, const Tensor& a, const Tensor& b) {
    ctx.save_for_backward({a, b});
    return a * b;
  }
  static Tensors backward(AutogradContext& ctx, const Tensor& g) {
    const Tensors saved = ctx.saved_tensors();
    return {g * saved[1], g * saved[0]};
  }
};

}  // namespace

TEST_CASE("a result retains its gradient when asked to") {
  const std::int64_t nodes = live_nodes();
  {
    Tensor x = leaf({1, 2});
    Tensor y = x * x;
    CHECK_FALSE(y.retains_grad());
    CHECK_FALSE(y.grad().defined());
    y.retain_grad();
    y.retain_grad();
    CHECK(y.retains_grad());
    const Tensor z = sum(y * 3.0);
    z.backward({.retain_graph = true});
    CHECK(doubles(y.grad()) == Doubles{3, 3});
    CHECK(doubles(x.grad()) == Doubles{6, 12});
    z.backward({.retain_graph = true});  // they add up, as at a leaf
    CHECK(doubles(y.grad()) == Doubles{6, 6});
    CHECK(doubles(x.grad()) == Doubles{12, 24});
    const Tensor kept = y.grad();
    y.zero_grad();
    CHECK_FALSE(y.grad().defined());
    z.backward();
    CHECK(doubles(y.grad()) == Doubles{3, 3});
    CHECK(doubles(kept) == Doubles{6, 6});
  }
  CHECK(live_nodes() == nodes);
}

TEST_CASE("a retained gradient is whole, comes after the hooks, and is none of grad()'s business") {
  Tensor x = leaf({1, 2});
  const Tensor y = x * 2.0;
  y.retain_grad();
  y.register_hook([](const Tensor& g) { return 10.0 * g; });
  const Tensor z = sum(y + y * y);
  CHECK(doubles(grad(z, {x}, {.retain_graph = true})[0]) == Doubles{100, 180});
  CHECK_FALSE(y.grad().defined());
  z.backward();
  CHECK(doubles(y.grad()) == Doubles{50, 90});
  CHECK(doubles(x.grad()) == Doubles{100, 180});
}

TEST_CASE("retain_grad on a leaf does nothing and without a gradient is refused") {
  Tensor x = leaf({1, 2});
  x.retain_grad();
  CHECK_FALSE(x.retains_grad());
  CHECK(message_of([&] { x.detach().retain_grad(); }) ==
        "retain_grad: a tensor that requires no gradient has none to retain");
}

TEST_CASE("the output of a pass and a result changed in place retain their gradients") {
  const std::int64_t nodes = live_nodes();
  {
    Tensor x = leaf({3});
    Tensor y = x * 2.0;
    y.retain_grad();
    y.mul_(5.0);
    CHECK(y.retains_grad());
    const Tensor z = sum(y * y);
    z.retain_grad();
    z.backward();
    CHECK(z.grad().item() == 1);
    CHECK(doubles(y.grad()) == Doubles{60});
    CHECK(doubles(x.grad()) == Doubles{600});
  }
  CHECK(live_nodes() == nodes);
}

TEST_CASE("a retained gradient of a recorded backward pass has a history") {
  const std::int64_t nodes = live_nodes();
  {
    Tensor x = leaf({2});
    Tensor y = x * x;
    y.retain_grad();
    sum(y * y).backward({.create_graph = true});
    CHECK(doubles(grad(sum(y.grad()), {x})[0]) == Doubles{8});  // (2 x^2)'
    y.zero_grad();
    x.zero_grad();
  }
  CHECK(live_nodes() == nodes);
}

TEST_CASE("grad_fn tells name, place and inputs of an op") {
  const std::int64_t nodes = live_nodes();
  {
    Tensor x = leaf({1, 2}), w = leaf({3, 4});
    const Tensor constant = tensor({1.0, 1.0}, {.dtype = float64});
    CHECK_FALSE(x.grad_fn());
    const Tensor y = exp(x);
    const Tensor z = where(gt(constant, 0.0), w, y);
    const GradFn fn = z.grad_fn();
    REQUIRE(fn);
    CHECK(fn.name() == "where");
    CHECK(fn.id() > y.grad_fn().id());
    CHECK(fn.shape() == Shape{2});
    CHECK(fn.dtype() == float64);
    CHECK(fn == z.grad_fn());
    const std::vector<NextFunction> next = fn.next_functions();
    REQUIRE(next.size() == 2);
    CHECK(next[0].variable.is(w));
    CHECK_FALSE(next[0].fn);
    CHECK(next[1].fn == y.grad_fn());
    CHECK_FALSE(next[1].variable.defined());
    CHECK(next[1].input == next[0].input + 1);
    CHECK((constant * y).grad_fn().next_functions()[0].input == 1);
    sum(z).backward();
    CHECK(fn.next_functions().empty());
    CHECK(message_of([&] { x.grad_fn().name(); }) == "grad_fn: a leaf has no op");
  }
  CHECK(live_nodes() == nodes);
}

TEST_CASE("a handle to an op keeps what it depends on, and no more, alive") {
  const std::int64_t nodes = live_nodes();
  GradFn fn;
  {
    Tensor x = leaf({1, 2});
    const Tensor y = exp(x);
    const Tensor z = sum(y);
    fn = y.grad_fn();
  }
  CHECK(live_nodes() == nodes + 1);
  CHECK(fn.next_functions()[0].variable.numel() == 2);
  fn = GradFn();
  CHECK(live_nodes() == nodes);
}

TEST_CASE("hooks on an op see its gradients and may replace them") {
  for (const bool joint : {false, true}) {
    CAPTURE(joint);
    Tensor x = leaf({1, 2}), w = leaf({3, 4});
    const Tensor y = joint ? Product::apply(x, w) : x * w;
    Doubles seen;
    y.grad_fn().register_hook([&](const Tensors& inputs, const Tensors& outputs) -> Tensors {
      REQUIRE(inputs.size() == 2);
      REQUIRE(outputs.size() == 1);
      seen = doubles(inputs[0]);
      CHECK(doubles(inputs[1]) == Doubles{2, 4});
      CHECK(doubles(outputs[0]) == Doubles{2, 2});
      return {};
    });
    y.grad_fn().register_hook([](const Tensors& inputs, const Tensors&) { return Tensors{-inputs[0], {}}; });
    sum(2.0 * y).backward();
    CHECK(seen == Doubles{6, 8});
    CHECK(doubles(x.grad()) == Doubles{-6, -8});
    CHECK(doubles(w.grad()) == Doubles{2, 4});
  }
}

TEST_CASE("hooks on an op see gradients that fit, and undefined ones where nobody asks") {
  Tensor x = leaf({1, 2}), scale = leaf({3});
  const Tensor y = x * scale;
  Tensors seen;
  const int id = y.grad_fn().register_hook([&](const Tensors& inputs, const Tensors&) {
    seen = inputs;
    return Tensors();
  });
  grad(sum(y), {scale}, {.retain_graph = true});
  REQUIRE(seen.size() == 2);
  CHECK_FALSE(seen[0].defined());
  CHECK(doubles(seen[1]) == Doubles{3});  // summed down to the shape of `scale`
  seen.clear();
  y.grad_fn().remove_hook(id);
  sum(y).backward();
  CHECK(seen.empty());
}

TEST_CASE("prehooks see the gradient that arrives, once it is whole") {
  Tensor x = leaf({1, 2});
  const Tensor y = x * 2.0;
  int calls = 0;
  y.grad_fn().register_prehook([&](const Tensors& outputs) {
    ++calls;
    CHECK(doubles(outputs[0]) == Doubles{5, 9});
    return Tensors{outputs[0] * 2.0};
  });
  sum(y + y * y).backward();
  CHECK(calls == 1);
  CHECK(doubles(x.grad()) == Doubles{20, 36});
}

TEST_CASE("hooks on an op may add and remove hooks and run a backward pass of their own") {
  const std::int64_t nodes = live_nodes();
  {
    Tensor x = leaf({1, 2});
    const Tensor y = x * x;
    const GradFn fn = y.grad_fn();
    int first = 0, second = 0, id = 0;
    id = fn.register_hook([&, weak = &fn](const Tensors&, const Tensors&) {
      ++first;
      weak->remove_hook(id);
      weak->register_hook([&](const Tensors&, const Tensors&) {
        ++second;
        return Tensors();
      });
      const EnableGrad recording;  // the pass itself is not recorded
      Tensor own = leaf({3});
      sum(own * own).backward();
      CHECK(doubles(own.grad()) == Doubles{6});
      return Tensors();
    });
    const Tensor z = sum(y);
    z.backward({.retain_graph = true});
    CHECK(first == 1);
    CHECK(second == 0);
    z.backward();
    CHECK(first == 1);
    CHECK(second == 1);
    CHECK(doubles(x.grad()) == Doubles{4, 8});
  }
  CHECK(live_nodes() == nodes);
}

TEST_CASE("hooks on an op take part in recorded passes") {
  Tensor x = leaf({1, 2});
  const Tensor y = x * x;
  y.grad_fn().register_hook([](const Tensors& inputs, const Tensors&) {
    return Tensors{inputs[0] * inputs[0], inputs[1]};  // x^2 + x instead of x + x
  });
  const Tensor first = grad(sum(y), {x}, {.create_graph = true})[0];
  CHECK(doubles(first) == Doubles{2, 6});
  CHECK(doubles(grad(sum(first), {x})[0]) == Doubles{3, 5});
}

TEST_CASE("a hook that returns what does not fit is refused, and the graph can be used again") {
  Tensor x = leaf({1, 2});
  const Tensor y = x * x;
  const Tensor z = sum(y);
  const GradFn fn = y.grad_fn();
  const auto refused = [&](const GradFnHook& hook) {
    const int id = fn.register_hook(hook);
    const std::string message = message_of([&] { z.backward({.retain_graph = true}); });
    fn.remove_hook(id);
    return message;
  };
  CHECK(refused([](const Tensors& inputs, const Tensors&) { return Tensors{inputs[0]}; }) ==
        "hook: 'mul' has 2 gradients, the hook returned 1");
  CHECK(refused([](const Tensors& inputs, const Tensors&) {
          return Tensors{inputs[0].to(float32), {}};
        }) == "hook: the gradient is float64 (2,), its replacement float32 (2,)");
  const int id = fn.register_prehook([](const Tensors& outputs) { return Tensors{outputs[0], outputs[0]}; });
  CHECK(message_of([&] { z.backward({.retain_graph = true}); }) ==
        "hook: an op has one output, the hook returned 2 gradients");
  fn.remove_hook(id);
  CHECK(message_of([&] { fn.remove_hook(id); }) == "remove_hook: no hook " + std::to_string(id) + " on 'mul'");
  x.zero_grad();
  z.backward();
  CHECK(doubles(x.grad()) == Doubles{2, 4});
}

TEST_CASE("removing a hook by its id never removes another one") {
  const Tensor x = tensor({1.0, 2.0}, {.dtype = float64, .requires_grad = true});
  Tensor y = x * 2.0;
  const int first = y.register_hook([](const Tensor&) { return Tensor(); });
  y.mul_(2);  // from now on y is the result of another op
  int calls = 0;
  y.register_hook([&](const Tensor&) {
    ++calls;
    return Tensor();
  });
  CHECK_THROWS_AS(y.remove_hook(first), Error);
  sum(y).backward();
  CHECK(calls == 1);
}

TEST_CASE("a hook that runs a backward pass through its own op is refused") {
  const Tensor x = tensor({1.0, 2.0}, {.dtype = float64, .requires_grad = true});
  const Tensor y = x * x;
  y.grad_fn().register_hook([&](const std::vector<Tensor>&, const std::vector<Tensor>&) {
    y.backward({.gradient = ones_like(y), .retain_graph = true});
    return std::vector<Tensor>{};
  });
  CHECK_THROWS_AS(sum(y).backward(), Error);
}
