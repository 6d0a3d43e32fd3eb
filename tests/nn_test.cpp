#include "gradus/nn.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <memory>
#include <optional>

#include "gradus/autograd.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "gradus/random.hpp"
#include "layer_table.hpp"
#include "messages.hpp"
#include "rows.hpp"

using namespace gradus;
using tests::for_each_row;
using tests::message_of;

namespace {

Tensor input_of(const LayerRow& row) {
  if (row.vocabulary > 0) return randint(row.vocabulary, row.input);
  return randn(row.input, {.dtype = float64});
}

// Layers that draw masks draw the same one each time.
Tensor run(const nn::AnyModule& layer, const Tensor& x) {
  manual_seed(2);
  return (*layer)(x);
}

// d f / d x[i] for all i, by the five-point rule.
Tensor numeric_gradient(Tensor& x, const std::function<double()>& f) {
  NoGrad guard;
  const double h = 1e-3;
  Tensor result = zeros(x.shape(), {.dtype = float64});
  const auto values = x.data<double>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double kept = values[i];
    const auto at = [&](double offset) {
      values[i] = kept + offset;
      return f();
    };
    result.data<double>()[i] = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
    values[i] = kept;
  }
  return result;
}

std::string names_of(const nn::Module& module) {
  std::string names;
  for (const auto& [name, parameter] : module.named_parameters()) names += name + to_string(parameter.shape()) + " ";
  return names;
}

struct Block : nn::Module {
  nn::Linear up, down;
  nn::Parameter scale;
  explicit Block(std::int64_t d) : up(d, 2 * d), down(2 * d, d), scale(ones({d})) {}
  GRADUS_MODULE(up, down, scale)

  Tensor forward(const Tensor& x) override { return x + scale * down(tanh(up(x))); }
};

struct Net : nn::Module {
  nn::Linear in{3, 4};
  std::vector<Block> blocks;
  nn::Linear out{4, 2};
  nn::Buffer calls{zeros({1})};
  Net() {
    for (int i = 0; i < 2; ++i) blocks.emplace_back(4);
  }
  GRADUS_MODULE(in, blocks, out, calls)

  Tensor forward(const Tensor& x) override {
    Tensor h = in(x);
    for (Block& block : blocks) h = block(h);
    return out(h);
  }
};

// Every kind of member.
struct Zoo : nn::Module {
  std::vector<nn::Parameter> list;
  std::array<nn::Linear, 2> pair{nn::Linear(1, 1), nn::Linear(1, 1, {.bias = false})};
  std::optional<nn::Linear> present{nn::Linear(1, 2)}, absent;
  std::unique_ptr<nn::Module> pointer = std::make_unique<nn::Linear>(2, 1);
  std::unique_ptr<nn::Module> null;
  nn::Parameter undefined;
  std::vector<std::vector<nn::Buffer>> nested;
  Zoo() {
    list.emplace_back(ones({1}));
    list.emplace_back(ones({2}));
    nested.resize(2);
    nested[1].emplace_back(zeros({3}));
  }
  GRADUS_MODULE(list, pair, present, absent, pointer, null, undefined, nested)
};

struct Memberless : nn::Module {};

// A member of its own that differs between training and evaluation.
struct Doubler : nn::Module {
  Tensor forward(const Tensor& x) override { return is_training() ? x * 2.0 : x; }
};

}  // namespace

TEST_CASE("every layer has its shapes, and its parameters PyTorch's names") {
  for_each_row(layer_table(), [](const LayerRow& row) {
    nn::AnyModule layer = row.make();
    CHECK(to_string(run(layer, input_of(row)).shape()) == to_string(row.output));
    std::string names;
    for (const auto& [name, shape] : row.parameters) names += name + to_string(shape) + " ";
    CHECK(names_of(*layer) == names);
    CHECK(layer->parameters().size() == row.parameters.size());
    std::string buffers, expected_buffers;
    for (const auto& [name, shape] : row.buffers) expected_buffers += name + to_string(shape) + " ";
    for (const auto& [name, buffer] : layer->named_buffers()) buffers += name + to_string(buffer.shape()) + " ";
    CHECK(buffers == expected_buffers);
    for (const Tensor& p : layer->parameters()) CHECK((p.requires_grad() && p.is_leaf() && !p.grad().defined()));
  });
}

TEST_CASE("every layer's gradients agree with differences, for the input and each parameter, in both modes") {
  for_each_row(layer_table(), [](const LayerRow& row) {
    nn::AnyModule layer = row.make();
    for (const bool training : {true, false}) {
      CAPTURE(training);
      layer->train(training);
      layer->zero_grad();
      Tensor x = input_of(row);
      if (row.vocabulary == 0) x.set_requires_grad();
      const Tensor cotangent = randn(row.output, {.dtype = float64});
      const auto f = [&] { return sum(run(layer, x) * cotangent); };
      f().backward();

      std::vector<Tensor> leaves = layer->parameters();
      if (x.requires_grad()) leaves.push_back(x);
      for (Tensor& leaf : leaves) {
        CAPTURE(to_string(leaf.shape()));
        REQUIRE(leaf.grad().defined());
        const Tensor expected = numeric_gradient(leaf, [&] { return f().item(); });
        CHECK(allclose(leaf.grad(), expected, {.rtol = 1e-8, .atol = 1e-8}));
      }
    }
  });
}

TEST_CASE("a copy of a layer computes the same and is independent") {
  for_each_row(layer_table(), [](const LayerRow& row) {
    nn::AnyModule layer = row.make();
    const Tensor x = input_of(row);
    const Tensor y = run(layer, x).detach();
    nn::AnyModule copy = layer;
    CHECK(equal(run(copy, x), y));
    NoGrad guard;
    for (Tensor& p : copy->parameters()) p.zero_();
    CHECK(equal(run(layer, x), y));
    copy = layer;
    CHECK(equal(run(copy, x), y));
  });
}

TEST_CASE("a layer's state can be loaded into another one") {
  for_each_row(layer_table(), [](const LayerRow& row) {
    nn::AnyModule layer = row.make(), other = row.make();
    const Tensor x = input_of(row);
    const auto state = layer->state_dict();
    CHECK(state.size() == row.parameters.size() + row.buffers.size());
    for (const auto& [name, shape] : row.parameters) CHECK(state.contains(name));
    for (const auto& [name, shape] : row.buffers) CHECK(state.contains(name));
    other->load_state_dict(state);
    CHECK(equal(run(layer, x), run(other, x)));
  });
}

TEST_CASE("train and eval change the mode of every layer, and nothing that requires a gradient") {
  for_each_row(layer_table(), [](const LayerRow& row) {
    nn::AnyModule layer = row.make();
    CHECK(layer->is_training());
    if (!row.parameters.empty()) layer->parameters()[0].set_requires_grad(false);
    layer->eval();
    CHECK_FALSE(layer->is_training());
    layer->train();
    CHECK(layer->is_training());
    const auto parameters = layer->parameters();
    for (std::size_t i = 0; i < parameters.size(); ++i) CHECK(parameters[i].requires_grad() == (i != 0));
  });
}

TEST_CASE("Linear starts as PyTorch's: uniform on one over the root of its inputs") {
  manual_seed(3);
  const nn::Linear layer(400, 50);
  const double bound = 1 / std::sqrt(400.0);
  for (const Tensor& p : layer.parameters()) {
    CHECK(p.dtype() == float32);
    CHECK(p.abs().max().item() <= bound);
    CHECK(p.abs().max().item() > 0.9 * bound);
  }
  CHECK(std::abs(layer.weight.mean().item()) < 0.02 * bound);
  CHECK(layer.weight.square().mean().item() == doctest::Approx(bound * bound / 3).epsilon(0.02));
  CHECK(layer.in_features() == 400);
  CHECK(layer.out_features() == 50);

  manual_seed(3);
  const nn::Linear same(400, 50);
  CHECK(equal(layer.weight, same.weight));
  CHECK_FALSE(nn::Linear(2, 2, {.bias = false}).bias.defined());
}

TEST_CASE("Linear takes sizes of 0 and refuses negative ones and integers") {
  nn::Linear none(0, 3);
  CHECK(equal(none(zeros({2, 0})), zeros({2, 3})));
  CHECK(nn::Linear(3, 0)(ones({2, 3})).shape() == Shape{2, 0});
  CHECK(message_of([] { nn::Linear(-1, 3); }) ==
        "Linear: in_features and out_features must be at least 0, got -1 and 3");
  CHECK(message_of([] { nn::Linear(2, 3, {.dtype = int64}); }) == "Linear: a floating dtype is needed, got int64");
}

TEST_CASE("PReLU starts with the slope it is given, for each channel, and refuses to have none") {
  CHECK(equal(nn::PReLU().weight, full({1}, 0.25)));
  CHECK(equal(nn::PReLU(3, {.init = -1}).weight, full({3}, -1)));
  CHECK(message_of([] { nn::PReLU(0); }) == "PReLU: num_parameters must be at least 1, got 0");
}

TEST_CASE("names follow the members, through lists and modules") {
  CHECK(names_of(Net()) ==
        "in.weight(4, 3) in.bias(4,) "
        "blocks.0.up.weight(8, 4) blocks.0.up.bias(8,) blocks.0.down.weight(4, 8) blocks.0.down.bias(4,) "
        "blocks.0.scale(4,) "
        "blocks.1.up.weight(8, 4) blocks.1.up.bias(8,) blocks.1.down.weight(4, 8) blocks.1.down.bias(4,) "
        "blocks.1.scale(4,) "
        "out.weight(2, 4) out.bias(2,) ");
  const Net net;
  REQUIRE(net.named_buffers().size() == 1);
  CHECK(net.named_buffers()[0].first == "calls");
  CHECK(net.buffers()[0].is(net.calls));
  CHECK(net.state_dict().size() == net.parameters().size() + 1);
}

TEST_CASE("members can be lists, arrays, optionals and pointers, and may be absent") {
  Zoo zoo;
  CHECK(names_of(zoo) ==
        "list.0(1,) list.1(2,) pair.0.weight(1, 1) pair.0.bias(1,) pair.1.weight(1, 1) present.weight(2, 1) "
        "present.bias(2,) pointer.weight(1, 2) pointer.bias(1,) ");
  CHECK(zoo.named_buffers().at(0).first == "nested.1.0");
  zoo.eval();
  CHECK_FALSE(zoo.pair[1].is_training());
  CHECK_FALSE(zoo.present->is_training());
  CHECK_FALSE(zoo.pointer->is_training());
  CHECK(Memberless().parameters().empty());
  CHECK(message_of([] { Memberless()(ones({1})); }).find("Memberless defines no forward(const Tensor&)") !=
        std::string::npos);
}

TEST_CASE("parameters() hands out the members themselves") {
  Net net;
  const Tensor first = net.parameters()[0];
  CHECK(first.is(net.in.weight));
  const Tensor handle = net.out.bias;
  CHECK(handle.is(net.out.bias));
  mse_loss(net(ones({2, 3})), zeros({2, 2})).backward();
  CHECK(first.grad().defined());
  net.zero_grad();
  CHECK_FALSE(first.grad().defined());
}

TEST_CASE("copying a model copies its weights, but no gradients") {
  manual_seed(2);
  Net net;
  net.blocks[0].scale.set_requires_grad(false);
  net.blocks[1].eval();
  const Tensor x = randn({5, 3});
  sum(net(x)).backward();
  Net copy = net;
  CHECK(equal(net(x), copy(x)));
  CHECK_FALSE(copy.in.weight.is(net.in.weight));
  CHECK_FALSE(copy.in.weight.grad().defined());
  CHECK(net.in.weight.grad().defined());
  CHECK_FALSE(copy.blocks[0].scale.requires_grad());
  CHECK(copy.blocks[1].scale.requires_grad());
  CHECK_FALSE(copy.blocks[1].is_training());
  CHECK(copy.is_training());

  NoGrad guard;
  copy.calls.fill_(5);
  copy.blocks[1].up.weight.zero_();
  CHECK(net.calls.item() == 0);
  CHECK_FALSE(allclose(net(x), copy(x)));
}

TEST_CASE("moving a model keeps its parameters") {
  Net net;
  const Tensor weight = net.blocks[1].up.weight;
  const Net moved = std::move(net);
  CHECK(moved.blocks[1].up.weight.is(weight));
  std::vector<Block> blocks;
  blocks.emplace_back(2);
  const Tensor scale = blocks[0].scale;
  for (int i = 0; i < 20; ++i) blocks.emplace_back(2);
  CHECK(blocks[0].scale.is(scale));
}

TEST_CASE("assigning a model rewrites its weights in place, so that an optimizer keeps its handles") {
  manual_seed(6);
  Net net;
  const Net best = net;
  const std::vector<Tensor> handles = net.parameters();
  {
    NoGrad guard;
    for (Tensor p : handles) p.add_(1);
  }
  net.in.weight.set_grad(ones({4, 3}));
  net = best;
  CHECK(equal(handles[0], best.in.weight));
  CHECK_FALSE(handles[0].grad().defined());
  const std::vector<Tensor> now = net.parameters();
  for (std::size_t i = 0; i < now.size(); ++i) CHECK(now[i].is(handles[i]));

  nn::Sequential a(nn::Linear(2, 3), relu), b(nn::Linear(2, 3), relu);
  const Tensor weight = a.parameters()[0];
  a = b;
  CHECK(a.parameters()[0].is(weight));
  CHECK(equal(weight, b.parameters()[0]));

  nn::Linear small(1, 1), large(3, 3);
  small = large;
  CHECK(equal(small.weight, large.weight));
  CHECK_FALSE(small.weight.is(large.weight));
  nn::Linear& self = small;
  small = self;
  CHECK(equal(small.weight, large.weight));
}

TEST_CASE("a Parameter shares memory with its tensor, not history, and must be floating") {
  Tensor source = ones({2}, {.requires_grad = true});
  const nn::Parameter p(source * 3.0);
  CHECK(p.is_leaf());
  CHECK(p.requires_grad());
  CHECK_FALSE(nn::Parameter(ones({2}), false).requires_grad());
  CHECK_FALSE(nn::Parameter(Tensor()).defined());
  CHECK(message_of([] { nn::Parameter(tensor({1, 2})); }) != "");
  const nn::Buffer counter(tensor({1, 2}));
  const nn::Buffer copy = counter;
  CHECK(copy.dtype() == int64);
  CHECK_FALSE(copy.requires_grad());
}

TEST_CASE("load_state_dict names everything that is wrong at once, and then changes nothing") {
  manual_seed(8);
  Net net;
  const Net before = net;
  auto state = Net().state_dict();
  state.erase("in.bias");
  state.erase("blocks.1.scale");
  state["extra"] = ones({1});
  state["out.weight"] = ones({4, 2});
  state["out.bias"] = Tensor();
  CHECK(message_of([&] { net.load_state_dict(state); }) ==
        "load_state_dict: missing keys: blocks.1.scale, in.bias; unexpected keys: extra; "
        "wrong shapes: out.bias is undefined, out.weight is (4, 2), the module needs (2, 4)");
  CHECK(message_of([&] { net.load_state_dict(state, {.strict = false}); }) ==
        "load_state_dict: wrong shapes: out.bias is undefined, out.weight is (4, 2), the module needs (2, 4)");
  for (std::size_t i = 0; i < net.parameters().size(); ++i) CHECK(equal(net.parameters()[i], before.parameters()[i]));

  state["out.weight"] = ones({2, 4}, {.dtype = float64});
  state["out.bias"] = ones({2});
  const Tensor weight = net.out.weight;
  net.load_state_dict(state, {.strict = false});
  CHECK(equal(weight, ones({2, 4})));
  CHECK(weight.requires_grad());
  CHECK(weight.is(net.out.weight));
  CHECK(equal(net.in.bias, before.in.bias));
}

TEST_CASE("a state dict shares memory with its module, without history") {
  nn::Linear layer(2, 2);
  auto state = layer.state_dict();
  CHECK_FALSE(state.at("weight").requires_grad());
  state.at("weight").zero_();
  CHECK(equal(layer.weight, zeros({2, 2})));
  layer.load_state_dict(state);
  CHECK(equal(layer.weight, zeros({2, 2})));
}

TEST_CASE("Sequential holds modules and functions, and is indexed as in Python") {
  manual_seed(9);
  nn::Linear first(3, 4);
  nn::Sequential model(first, relu, nn::Linear(4, 2));
  model.push_back([](const Tensor& x) { return x * 2.0; });
  CHECK(model.size() == 4);
  const Tensor x = randn({5, 3});
  CHECK(equal(model(x), model[2](relu(first(x))) * 2.0));
  CHECK(&model[-2] == &model[2]);
  CHECK(dynamic_cast<nn::Linear&>(model[0]).weight.is(model.parameters()[0]));
  CHECK(message_of([&] { model[4]; }) == "Sequential: index 4 is out of range for 4 modules");
  CHECK(message_of([&] { model[-5]; }) == "Sequential: index -5 is out of range for 4 modules");
  // By value: what was put in is not what is inside.
  CHECK_FALSE(first.weight.is(model.parameters()[0]));

  const nn::Sequential copy(model);
  CHECK(names_of(copy) == "0.weight(4, 3) 0.bias(4,) 2.weight(2, 4) 2.bias(2,) ");
  CHECK_FALSE(copy.parameters()[0].is(model.parameters()[0]));
}

TEST_CASE("train and eval reach modules inside") {
  nn::Sequential model{Doubler(), nn::Sequential(Doubler())};
  const Tensor x = ones({1});
  CHECK(model(x).item() == 4);
  model.eval();
  CHECK(model(x).item() == 1);
  model.train();
  CHECK(model(x).item() == 4);
}
