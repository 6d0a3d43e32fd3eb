// Ops of one's own: custom_op, Function with its context, and the joint VJPs beneath them.
#include <doctest/doctest.h>

#include <any>
#include <array>
#include <string>
#include <vector>

#include <gradus/autograd.hpp>
#include <gradus/custom_op.hpp>
#include <gradus/factory.hpp>
#include <gradus/function.hpp>
#include <gradus/ops.hpp>

#include "autograd/record.hpp"
#include "messages.hpp"

using namespace gradus;
using tests::message_of;

namespace {

using Doubles = std::vector<double>;

Doubles doubles(const Tensor& t) {
  const Tensor dense = t.detach().contiguous();
  const auto data = dense.data<double>();
  return {data.begin(), data.end()};
}

Tensor leaf(std::initializer_list<Nested> values) { return tensor(values, {.dtype = float64, .requires_grad = true}); }

// factor * x^3: an argument saved, and a number.
struct Cube : Function<Cube> {
  static constexpr std::string_view name = "cube";
  static Tensor forward(AutogradContext& ctx, const Tensor& x, double factor) {
    ctx.save_for_backward({x});
    ctx.saved_data["factor"] = factor;
    return factor * x * x * x;
  }
  static std::vector<Tensor> backward(AutogradContext& ctx, const Tensor& g) {
    const Tensor x = ctx.saved_tensors()[0];
    return {g * 3.0 * std::any_cast<double>(ctx.saved_data["factor"]) * x * x, {}};
  }
};

// exp, which saves its own result; no name of its own.
struct Exponential : Function<Exponential> {
  static Tensor forward(AutogradContext& ctx, const Tensor& x) {
    const Tensor y = exp(x);
    ctx.save_for_backward({y});
    return y;
  }
  static std::vector<Tensor> backward(AutogradContext& ctx, const Tensor& g) { return {g * ctx.saved_tensors()[0]}; }
};

std::vector<bool> asked;

// a * b, remembering which derivatives were asked for.
struct Product : Function<Product> {
  static constexpr const char* name = "product";
  static Tensor forward(AutogradContext& ctx, const Tensor& a, const Tensor& b) {
    ctx.save_for_backward({a, b});
    return a * b;
  }
  static std::vector<Tensor> backward(AutogradContext& ctx, const Tensor& g) {
    asked = {ctx.needs_input_grad(0), ctx.needs_input_grad(1), ctx.needs_input_grad(2)};
    const auto saved = ctx.saved_tensors();
    return {g * saved[1], g * saved[0]};
  }
};

struct Total : Function<Total> {
  static Tensor forward(AutogradContext& ctx, const std::vector<Tensor>& terms, int) {
    ctx.saved_data["count"] = terms.size();
    Tensor total = terms[0];
    for (std::size_t i = 1; i < terms.size(); ++i) total = total + terms[i];
    return total;
  }
  static std::vector<Tensor> backward(AutogradContext& ctx, const Tensor& g) {
    std::vector<Tensor> gradients(std::any_cast<std::size_t>(ctx.saved_data["count"]), g);
    gradients.emplace_back();
    return gradients;
  }
};

struct Unchanged : Function<Unchanged> {
  static Tensor forward(AutogradContext&, const Tensor& x) { return x; }
  static std::vector<Tensor> backward(AutogradContext&, const Tensor& g) { return {-g}; }
};

struct TooFew : Function<TooFew> {
  static Tensor forward(AutogradContext&, const Tensor& a, const Tensor& b) { return a + b; }
  static std::vector<Tensor> backward(AutogradContext&, const Tensor& g) { return {g}; }
};

struct WrongShape : Function<WrongShape> {
  static Tensor forward(AutogradContext&, const Tensor& x) { return 2.0 * x; }
  static std::vector<Tensor> backward(AutogradContext&, const Tensor&) { return {ones({3}, {.dtype = float64})}; }
};

struct Nothing : Function<Nothing> {
  static Tensor forward(AutogradContext&, const Tensor&) { return {}; }
  static std::vector<Tensor> backward(AutogradContext&, const Tensor& g) { return {g}; }
};

struct EarlyReader : Function<EarlyReader> {
  static Tensor forward(AutogradContext& ctx, const Tensor& x) {
    ctx.save_for_backward({x});
    return ctx.saved_tensors()[0];
  }
  static std::vector<Tensor> backward(AutogradContext&, const Tensor& g) { return {g}; }
};

struct Rank : Function<Rank> {
  static Tensor forward(AutogradContext&, const Tensor& x) { return argmax(x); }
  static std::vector<Tensor> backward(AutogradContext&, const Tensor& g) { return {g}; }
};

}  // namespace

TEST_CASE("a function has its own derivative, of any order") {
  const std::int64_t nodes = live_nodes();
  {
    Tensor x = leaf({1, 2});
    const Tensor y = Cube::apply(x, 2.0);
    CHECK(doubles(y) == Doubles{2, 16});
    CHECK(std::string(grad_fn_name(y)) == "cube");
    const Tensor first = grad(sum(y), {x}, {.create_graph = true})[0];
    CHECK(doubles(first) == Doubles{6, 24});
    const Tensor second = grad(sum(first), {x}, {.create_graph = true})[0];
    CHECK(doubles(second) == Doubles{12, 24});
    CHECK(doubles(grad(sum(second), {x})[0]) == Doubles{12, 12});
    sum(y).backward();
    CHECK(doubles(x.grad()) == Doubles{6, 24});
  }
  CHECK(live_nodes() == nodes);
}

TEST_CASE("a function may save its own result without a cycle") {
  const std::int64_t nodes = live_nodes();
  {
    Tensor x = leaf({0, 1});
    const Tensor y = Exponential::apply(x);
    CHECK(std::string(grad_fn_name(y)) == "Exponential");
    const Tensor first = grad(sum(y), {x}, {.create_graph = true})[0];
    CHECK(doubles(first) == doubles(exp(x)));
    CHECK(doubles(grad(sum(first), {x})[0]) == doubles(exp(x)));
  }
  CHECK(live_nodes() == nodes);
}

TEST_CASE("a function knows which derivatives are asked for") {
  Tensor a = leaf({1, 2}), b = leaf({3, 4});
  const Tensor y = sum(Product::apply(a, b));
  grad(y, {b}, {.retain_graph = true});
  CHECK(asked == std::vector<bool>{false, true, false});
  y.backward();
  CHECK(asked == std::vector<bool>{true, true, false});
  CHECK(doubles(a.grad()) == Doubles{3, 4});
  const Tensor constant = tensor({5.0, 6.0}, {.dtype = float64});
  sum(Product::apply(a, constant)).backward();
  CHECK(asked == std::vector<bool>{true, false, false});
  CHECK(doubles(a.grad()) == Doubles{8, 10});
}

TEST_CASE("a list of tensors counts as its elements") {
  Tensor a = leaf({1, 2}), b = leaf({3, 4}), c = leaf({5, 6});
  const Tensor y = Total::apply(std::vector<Tensor>{a, b, c, a}, 7);
  CHECK(doubles(y) == Doubles{10, 14});
  sum(2.0 * y).backward();
  CHECK(doubles(a.grad()) == Doubles{4, 4});
  CHECK(doubles(c.grad()) == Doubles{2, 2});
}

TEST_CASE("a function that returns its argument still has a node of its own") {
  const std::int64_t nodes = live_nodes();
  {
    Tensor x = leaf({1, 2});
    const Tensor y = Unchanged::apply(x);
    CHECK_FALSE(y.is(x));
    CHECK(x.is_leaf());
    sum(y).backward();
    CHECK(doubles(x.grad()) == Doubles{-1, -1});
  }
  CHECK(live_nodes() == nodes);
}

TEST_CASE("nothing of a function is recorded where nothing is to be differentiated") {
  const std::int64_t nodes = live_nodes();
  Tensor x = leaf({1, 2});
  {
    const NoGrad guard;
    CHECK(Cube::apply(x, 1.0).is_leaf());
  }
  CHECK(Cube::apply(x.detach(), 1.0).is_leaf());
  CHECK(Rank::apply(x).is_leaf());
  CHECK(live_nodes() == nodes);
}

TEST_CASE("what a function saved and someone changed since is an error that names it") {
  Tensor x = leaf({1, 2});
  const Tensor y = 2.0 * x;
  const Tensor z = sum(Cube::apply(y, 1.0));
  {
    const NoGrad guard;
    y.detach().fill_(0);
  }
  CHECK(message_of([&] { z.backward(); }) ==
        "cube: a tensor of shape (2,) that its derivative needs was changed in place since (version 1, saved at 0)");
  const Tensor e = Exponential::apply(x);
  {
    const NoGrad guard;
    e.detach().fill_(0);
  }
  CHECK(message_of([&] { sum(e).backward(); }) ==
        "Exponential: its output of shape (2,), which its derivative needs, was changed in place since (version 1, "
        "saved at 0)");
}

TEST_CASE("a function's mistakes are told in words") {
  Tensor x = leaf({1, 2});
  CHECK(message_of([&] { sum(TooFew::apply(x, x)).backward(); }) ==
        "TooFew: backward must return one gradient per argument of forward, 2, got 1");
  CHECK(message_of([&] { sum(WrongShape::apply(x)).backward(); }) ==
        "WrongShape: the derivative by input 0 is (3,), the input (2,)");
  CHECK(message_of([&] { Nothing::apply(x); }) == "Nothing: forward returned an undefined tensor");
  CHECK(message_of([&] { EarlyReader::apply(x); }) == "saved_tensors: only backward can read what forward has saved");
}

TEST_CASE("custom_op gives a value the derivatives that it is told") {
  const std::int64_t nodes = live_nodes();
  {
    Tensor x = leaf({1, 2}), w = leaf({3, 4});
    const Tensor y =
        custom_op("scaled", x.detach() * w.detach(),
                  {{x, [w](const Tensor& g) { return g * w; }}, {w, [x](const Tensor& g) { return g * x; }}});
    CHECK(std::string(grad_fn_name(y)) == "scaled");
    sum(y).backward();
    CHECK(doubles(x.grad()) == Doubles{3, 4});
    CHECK(doubles(w.grad()) == Doubles{1, 2});
    // However the value was computed, its history is not followed.
    const Tensor z = custom_op("cut", x * x, {{x, [](const Tensor& g) { return 10.0 * g; }}});
    CHECK(doubles(grad(sum(z), {x})[0]) == Doubles{10, 10});
  }
  CHECK(live_nodes() == nodes);
}

TEST_CASE("a derivative of custom_op may read the op's own output") {
  const std::int64_t nodes = live_nodes();
  {
    Tensor x = leaf({0, 1});
    const Tensor y =
        custom_op("exponential", exp(x.detach()), {{x, [](const Tensor& g, const Tensor& v) { return g * v; }}});
    const Tensor first = grad(sum(y), {x}, {.create_graph = true})[0];
    CHECK(doubles(grad(sum(first), {x})[0]) == doubles(exp(x)));
  }
  CHECK(live_nodes() == nodes);
}

TEST_CASE("custom_op refuses what it cannot record") {
  Tensor x = leaf({1, 2});
  CHECK(message_of([&] {
          custom_op("odd", {}, {{x, [](const Tensor& g) { return g; }}});
        }) == "odd: the value of a custom op must be defined");
  const Tensor y =
      custom_op("odd", ones({2}, {.dtype = float64}), {{x, [](const Tensor& g) { return g.to(float32); }}});
  CHECK(message_of([&] { sum(y).backward(); }) == "odd: the derivative by input 0 is float32, the input float64");
}

TEST_CASE("a joint derivative computes what is wanted, from one call") {
  const std::int64_t nodes = live_nodes();
  {
    Tensor x = leaf({1, 2}), w = leaf({3, 4});
    int calls = 0;
    std::vector<bool> wanted;
    const auto product = [&](const Tensor& a, const Tensor& b) {
      return record_joint("joint", a.detach() * b.detach(), std::array{a, b},
                          [&, a = Saved(a), b = Saved(b)](const Tensor& g, Gradients& gradients) {
                            ++calls;
                            wanted = {gradients.wanted(0), gradients.wanted(1)};
                            if (gradients.wanted(0)) gradients[0] = g * b;
                            if (gradients.wanted(1)) gradients[1] = g * a;
                          });
    };
    const Tensor y = sum(product(x, w));
    CHECK(doubles(grad(y, {w}, {.retain_graph = true})[0]) == Doubles{1, 2});
    CHECK(wanted == std::vector<bool>{false, true});
    y.backward();
    CHECK(calls == 2);
    CHECK(wanted == std::vector<bool>{true, true});
    CHECK(doubles(x.grad()) == Doubles{3, 4});
    const Tensor first = grad(sum(product(x, w)), {x}, {.create_graph = true})[0];
    CHECK(doubles(grad(sum(first), {w})[0]) == Doubles{1, 1});
    // The same tensor twice, and more inputs than fit on the stack.
    CHECK(doubles(grad(sum(product(x, x)), {x})[0]) == Doubles{2, 4});
    const std::vector<Tensor> many(12, x);
    const Tensor total = record_joint("many", 12.0 * x.detach(), many, [](const Tensor& g, Gradients& gradients) {
      for (std::size_t i = 0; i < gradients.size(); ++i) gradients[i] = g * static_cast<double>(i);
    });
    CHECK(doubles(grad(sum(total), {x})[0]) == Doubles{66, 66});
  }
  CHECK(live_nodes() == nodes);
}

TEST_CASE("a joint derivative may read the op's own output") {
  const std::int64_t nodes = live_nodes();
  {
    Tensor x = leaf({0, 1});
    const Tensor y = record_joint("exponential", exp(x.detach()), std::array{x},
                                  [](const Tensor& g, const Tensor& v, Gradients& gradients) { gradients[0] = g * v; });
    const Tensor first = grad(sum(y), {x}, {.create_graph = true})[0];
    CHECK(doubles(grad(sum(first), {x})[0]) == doubles(exp(x)));
  }
  CHECK(live_nodes() == nodes);
}

TEST_CASE("EnableGrad records inside a NoGrad and ends with its scope") {
  Tensor x = leaf({1, 2});
  const NoGrad outer;
  CHECK((x * x).is_leaf());
  {
    const EnableGrad guard;
    CHECK(is_grad_enabled());
    CHECK_FALSE((x * x).is_leaf());
    {
      const NoGrad inner;
      CHECK((x * x).is_leaf());
    }
    CHECK(is_grad_enabled());
  }
  CHECK_FALSE(is_grad_enabled());
  CHECK(message_of([] {
          const EnableGrad guard;
          matmul(ones({2}), ones({3}));
        }) != "");
  CHECK_FALSE(is_grad_enabled());
}

TEST_CASE("grad starts from grad_outputs and leaves unused inputs undefined if allowed") {
  Tensor x = leaf({1, 2}), other = leaf({1});
  const Tensor y = x * x;
  const Tensor seed = tensor({1.0, 10.0}, {.dtype = float64});
  const auto g = grad(y, {other, x}, {.grad_outputs = seed, .retain_graph = true, .allow_unused = true});
  CHECK_FALSE(g[0].defined());
  CHECK(doubles(g[1]) == Doubles{2, 40});
  CHECK(message_of([&] { grad(y, {other}, {.grad_outputs = seed}); }) ==
        "grad: the output does not depend on input 0; pass .allow_unused = true if that is intended");
  CHECK(message_of([&] { grad(y, {x}, {.grad_outputs = ones({3}, {.dtype = float64})}); }) ==
        "grad: the gradient must be float64 (2,), got float64 (3,)");
}

TEST_CASE("a custom op that hands its input through is a view of it: writing it later is noticed") {
  const Tensor x = tensor({1.0, 2.0}, {.dtype = float64, .requires_grad = true});
  const Tensor h = x * 1.0;
  const Tensor y = custom_op("same", h, {{h, [](const Tensor& g) { return g; }}});
  Tensor(h).mul_(3);
  CHECK_THROWS_AS(sum(y * y), Error);
  Tensor same = custom_op("same", x, {{x, [](const Tensor& g) { return g; }}});
  CHECK_THROWS_AS(same.mul_(5), Error);
  CHECK(x[0].item() == 1);
}

TEST_CASE("a custom op with an integer value has no history") {
  const Tensor x = tensor({1.0, 2.0}, {.dtype = float64, .requires_grad = true});
  const Tensor y = custom_op("places", arange(2), {{x, [](const Tensor& g) { return g; }}});
  CHECK(!y.requires_grad());
}
