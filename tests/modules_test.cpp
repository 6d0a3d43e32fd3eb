// Modules as wholes: containers, walks over modules, conversion, freezing, hooks, and the paths in errors.
#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "gradus/autograd.hpp"
#include "gradus/factory.hpp"
#include "gradus/nn.hpp"
#include "gradus/ops.hpp"
#include "gradus/optim.hpp"
#include "gradus/random.hpp"
#include "messages.hpp"

using namespace gradus;
using tests::contains;
using tests::message_of;

namespace {

using Names = std::vector<std::string>;

Names names_of(const nn::Module& module) {
  Names names;
  for (const auto& [name, parameter] : module.named_parameters()) names.push_back(name);
  return names;
}

struct Block : nn::Module {
  nn::Linear fc{3, 3};
  nn::Dropout dropout{0.5};
  GRADUS_MODULE(fc, dropout)
  Tensor forward(const Tensor& x) override { return x + dropout(fc(x)); }
};

struct Encoder : nn::Module {
  std::vector<Block> blocks;
  Encoder() { blocks.resize(2); }
  GRADUS_MODULE(blocks)
  Tensor forward(const Tensor& x) override {
    Tensor h = x;
    for (Block& block : blocks) h = block(h);
    return h;
  }
};

struct Net : nn::Module {
  Encoder encoder;
  nn::BatchNorm1d norm{3};
  nn::Sequential head{nn::Linear(3, 4), nn::ReLU(), nn::Linear(4, 2)};
  GRADUS_MODULE(encoder, norm, head)
  Tensor forward(const Tensor& x) override { return head(norm(encoder(x))); }
};

struct Branches : nn::Module {
  nn::ModuleDict ways{{"wide", nn::Linear(3, 8)}, {"narrow", nn::Linear(3, 1, {.bias = false})}};
  nn::ModuleList steps{nn::Linear(3, 3), nn::Tanh()};
  nn::AnyModule last = nn::Linear(3, 2);
  GRADUS_MODULE(ways, steps, last)
  Tensor forward(const Tensor& x) override {
    Tensor h = x;
    for (nn::Module& step : steps) h = step(h);
    return (*last)(h);
  }
};

struct Broken : nn::Module {
  Tensor forward(const Tensor&) override { throw std::domain_error("a kind of its own"); }
};

}  // namespace

TEST_CASE("a ModuleList holds modules by index, a ModuleDict by name in their order") {
  Branches model;
  CHECK(names_of(model) == Names{"ways.wide.weight", "ways.wide.bias", "ways.narrow.weight", "steps.0.weight",
                                 "steps.0.bias", "last.weight", "last.bias"});
  CHECK(model(ones({4, 3})).shape() == Shape{4, 2});
  CHECK(model.ways["wide"](ones({3})).shape() == Shape{8});
  CHECK(model.ways.keys() == Names{"wide", "narrow"});
  CHECK(model.ways.contains("narrow"));
  CHECK_FALSE(model.ways.contains("other"));
  CHECK(&model.steps[-1] == &model.steps[1]);

  Branches copy = model;
  CHECK_FALSE(copy.parameters()[0].is(model.parameters()[0]));
  const Tensor handle = copy.parameters()[0];
  copy = model;
  CHECK(copy.parameters()[0].is(handle));
  copy.eval();
  CHECK_FALSE(copy.steps[0].is_training());
  CHECK(model.steps[0].is_training());

  model.steps.append(nn::Linear(3, 1)).extend(model.steps);
  model.steps.insert(1, nn::ReLU());
  CHECK(model.steps.size() == 7);
  CHECK(names_of(model.steps) ==
        Names{"0.weight", "0.bias", "3.weight", "3.bias", "4.weight", "4.bias", "6.weight", "6.bias"});
  model.ways.insert("third", nn::ReLU());
  model.ways.insert("wide", nn::Linear(3, 5));
  CHECK(model.ways.keys() == Names{"wide", "narrow", "third"});
  CHECK((*model.ways.pop("wide"))(ones({3})).shape() == Shape{5});
  CHECK(model.ways.size() == 2);
  for (const auto& [key, way] : model.ways) CHECK(model.ways.contains(key));
}

TEST_CASE("containers refuse what is not there") {
  nn::ModuleList list{nn::ReLU()};
  nn::ModuleDict dict{{"a", nn::ReLU()}, {"b", nn::ReLU()}};
  CHECK(message_of([&] { list[1]; }) == "ModuleList: index 1 is out of range for 1 modules");
  CHECK(message_of([&] { list.insert(2, nn::ReLU()); }) == "ModuleList: index 2 is out of range for 1 modules");
  CHECK(message_of([&] { dict["c"]; }) == "ModuleDict: there is no c among the keys: a, b");
  CHECK(message_of([&] { dict.pop("c"); }) == "ModuleDict: there is no c among the keys: a, b");
  CHECK(message_of([&] { dict.insert("x.y", nn::ReLU()); }) == "ModuleDict: a key cannot have a dot: x.y");
  CHECK(message_of([&] { dict.insert("", nn::ReLU()); }) == "ModuleDict: a key is empty");
  CHECK(message_of([&] {
          nn::ModuleDict{{"a", nn::ReLU()}, {"a", nn::Tanh()}};
        }) == "ModuleDict: the key a comes twice");
  CHECK(contains(message_of([&] { list(ones({1})); }), "ModuleList defines no forward(const Tensor&)"));
}

TEST_CASE("a container can be assigned a container that is inside it") {
  manual_seed(2);
  nn::Sequential model(nn::Sequential(nn::Linear(2, 3), nn::Linear(3, 4)), nn::ReLU());
  const Tensor x = randn({1, 2}), y = model[0](x);
  model = static_cast<nn::Sequential&>(model[0]);
  CHECK(equal(model(x), y));
  nn::ModuleList list{nn::ModuleList{nn::Linear(2, 3), nn::Tanh()}};
  list = static_cast<nn::ModuleList&>(list[0]);
  CHECK(list.size() == 2);
  CHECK(list[0](x).shape() == Shape{1, 3});
  // Through a Module& the layer itself would be lost.
  static_assert(!std::is_copy_constructible_v<nn::Module> && !std::is_copy_assignable_v<nn::Module>);
}

TEST_CASE("a Residual adds its input, or what the shortcut makes of it") {
  manual_seed(1);
  nn::Linear inner(3, 3), wider(3, 5), shortcut(3, 5, {.bias = false});
  const Tensor x = randn({2, 3});
  CHECK(equal(nn::Residual(inner)(x), x + inner(x)));
  nn::Residual both(wider, shortcut);
  CHECK(equal(both(x), shortcut(x) + wider(x)));
  CHECK(names_of(both) == Names{"inner.weight", "inner.bias", "shortcut.weight"});
  CHECK(message_of([&] { nn::Residual{wider}(x); }) == "Residual: the input is (2, 3), the inner module makes (2, 5)");
  CHECK(message_of([&] { nn::Residual(nn::Linear(3, 1))(x); }) ==
        "Residual: the input is (2, 3), the inner module makes (2, 1)");
}

TEST_CASE("modules are found with their paths, the outer before the inner") {
  Net net;
  Names paths;
  for (const auto& [path, module] : net.named_modules()) paths.push_back(path);
  CHECK(paths == Names{"", "encoder", "encoder.blocks.0", "encoder.blocks.0.fc", "encoder.blocks.0.dropout",
                       "encoder.blocks.1", "encoder.blocks.1.fc", "encoder.blocks.1.dropout", "norm", "head", "head.0",
                       "head.1", "head.2"});
  const std::vector<nn::Module*> modules = net.modules();
  REQUIRE(modules.size() == paths.size());
  CHECK(modules[0] == &net);
  CHECK(modules[6] == &net.encoder.blocks[1].fc);
}

TEST_CASE("apply visits the inner modules before the outer ones, and may change them") {
  Net net;
  std::vector<nn::Module*> seen;
  net.apply([&](nn::Module& module) {
    seen.push_back(&module);
    if (auto* const linear = dynamic_cast<nn::Linear*>(&module)) nn::init::constant_(linear->weight, 0.5);
  });
  CHECK(seen.size() == net.modules().size());
  CHECK(seen.front() == &net.encoder.blocks[0].fc);
  CHECK(seen.back() == &net);
  CHECK(equal(net.encoder.blocks[1].fc.weight, full({3, 3}, 0.5)));
}

TEST_CASE("freezing and evaluating are two things") {
  Net net;
  net.encoder.requires_grad_(false);
  CHECK(net.is_training());
  CHECK(net.encoder.blocks[0].dropout.is_training());
  for (const Tensor& p : net.encoder.parameters()) CHECK_FALSE(p.requires_grad());
  for (const Tensor& p : net.head.parameters()) CHECK(p.requires_grad());
  net.eval();
  for (const Tensor& p : net.encoder.parameters()) CHECK_FALSE(p.requires_grad());
  for (const Tensor& p : net.head.parameters()) CHECK(p.requires_grad());
  net.requires_grad_();
  CHECK_FALSE(net.encoder.blocks[0].is_training());
  for (const Tensor& p : net.parameters()) CHECK(p.requires_grad());
  // A frozen batch norm in training goes on counting.
  net.train();
  net.norm.requires_grad_(false);
  net(randn({4, 3}));
  CHECK(net.norm.num_batches_tracked.item() == 1);
}

TEST_CASE("to() converts a module in place: the parameters stay the same tensors, for an optimizer as well") {
  manual_seed(2);
  Net net;
  net.eval();
  optim::Adam optimizer(net.parameters(), {.lr = 0.1});
  const Tensor weight = net.head.parameters()[0], before = weight.detach().clone();
  Tensor x = randn({4, 3});
  sum(net(x)).backward();
  const Tensor gradient = weight.grad();
  net.to(float64);
  for (const Tensor& p : net.parameters()) CHECK((p.dtype() == float64 && p.requires_grad() && p.is_leaf()));
  CHECK(net.norm.running_mean.dtype() == float64);
  CHECK(net.norm.num_batches_tracked.dtype() == int64);
  CHECK(weight.is(net.head.parameters()[0]));
  CHECK(equal(weight.detach(), before.to(float64)));
  CHECK(equal(weight.grad(), gradient.to(float64)));

  optimizer.step();  // it had no state yet
  CHECK(allclose(weight.detach(), before.to(float64) - 0.1 * sign(gradient.to(float64)), {.rtol = 1e-4, .atol = 1e-4}));
  optimizer.zero_grad();
  sum(net(x.to(float64))).backward();
  optimizer.step();
  net.to(float32);
  CHECK(message_of([&] { optimizer.step(); }) ==
        "optimizer: the state exp_avg is float64 (3, 3), the parameter needs float32 (3, 3)");
  CHECK(message_of([&] { net.to(int64); }) == "to: a module can be float32 or float64, got int64");
}

TEST_CASE("what was recorded before a conversion does not run backward any more") {
  nn::Linear layer(2, 2);
  const Tensor by_weight = sum(layer(ones({1, 2}))), by_bias = sum(layer.bias * 1.0);
  layer.to(float64);
  CHECK(contains(message_of([&] { by_weight.backward(); }), "linear: "));
  CHECK(message_of([&] { by_bias.backward(); }) != "");
  CHECK_FALSE(layer.weight.grad().defined());
  CHECK_FALSE(layer.bias.grad().defined());
}

TEST_CASE("load_state_dict tells what did not meet, unless it is strict") {
  nn::Sequential model(nn::Linear(2, 2), nn::Linear(2, 1, {.bias = false}));
  auto state = model.state_dict();
  state.erase("0.bias");
  state["2.weight"] = ones({1});
  const nn::IncompatibleKeys keys = model.load_state_dict(state, {.strict = false});
  CHECK(keys.missing_keys == Names{"0.bias"});
  CHECK(keys.unexpected_keys == Names{"2.weight"});
  const nn::IncompatibleKeys none = model.load_state_dict(model.state_dict());
  CHECK((none.missing_keys.empty() && none.unexpected_keys.empty()));
}

TEST_CASE("hooks see inputs and outputs, and may change them, until they are removed") {
  nn::Linear layer(2, 2);
  const Tensor x = randn({3, 2}), plain = layer(x).detach();
  CHECK_FALSE(layer.has_forward_hooks());
  int calls = 0;
  auto seen = layer.register_forward_hook([&](nn::Module& module, const Tensor& in, const Tensor& out) {
    CHECK(&module == &layer);
    CHECK(in.is(x));
    CHECK(equal(out.detach(), plain));
    ++calls;
  });
  CHECK(layer.has_forward_hooks());
  CHECK(equal(layer(x), plain));
  auto doubled = layer.register_forward_hook([](nn::Module&, const Tensor&, const Tensor& y) { return y * 2.0; });
  CHECK(equal(layer(x), plain * 2.0));
  seen.remove();
  auto zeroed = layer.register_forward_pre_hook([](nn::Module&, const Tensor& in) { return zeros_like(in); });
  CHECK(equal(layer(x), (layer.bias * 2.0).expand({3, 2})));
  CHECK(calls == 2);
  zeroed.remove();
  zeroed.remove();
  doubled.remove();
  CHECK_FALSE(layer.has_forward_hooks());
  CHECK(equal(layer(x), plain));

  // One that removes itself, and one that is not called by forward().
  nn::RemovableHandle once;
  once = layer.register_forward_hook([&](nn::Module&, const Tensor&, const Tensor&) {
    ++calls;
    once.remove();
  });
  layer.forward(x);
  CHECK(calls == 2);
  layer(x);
  layer(x);
  CHECK(calls == 3);
}

TEST_CASE("hooks run inside a Sequential, which then does not fuse a layer with its activation") {
  manual_seed(4);
  nn::Sequential model(nn::Linear(3, 4), nn::Tanh(), nn::Linear(4, 4), nn::ReLU());
  const Tensor x = randn({2, 3}), y = model(x);
  std::vector<Tensor> between;
  const auto note = [&](nn::Module&, const Tensor&, const Tensor& out) { between.push_back(out); };
  auto first = model[0].register_forward_hook(note);
  auto last = model[3].register_forward_hook(note);
  CHECK(allclose(model(x), y));
  REQUIRE(between.size() == 2);
  CHECK(allclose(between[0], linear(x, model.parameters()[0], model.parameters()[1])));
  CHECK(allclose(between[1], y));
  first.remove();
  last.remove();
  CHECK(equal(model(x), y));
  CHECK(between.size() == 2);
}

TEST_CASE("hooks belong to one module: copies have none, assigning leaves them, moving takes them along") {
  int calls = 0;
  nn::Linear layer(2, 2);
  auto hook = layer.register_forward_hook([&](nn::Module&, const Tensor&, const Tensor&) { ++calls; });
  nn::Linear copy = layer;
  CHECK_FALSE(copy.has_forward_hooks());
  layer = nn::Linear(copy);
  layer = copy;
  CHECK_FALSE(layer.has_forward_hooks());  // the first was a move of one without hooks

  hook = layer.register_forward_hook([&](nn::Module&, const Tensor&, const Tensor&) { ++calls; });
  layer = copy;
  CHECK(layer.has_forward_hooks());
  nn::Linear moved = std::move(layer);
  moved(ones({2}));
  CHECK(calls == 1);
  hook.remove();
  CHECK_FALSE(moved.has_forward_hooks());
  { nn::Linear gone(std::move(moved)); }
  hook.remove();
}

TEST_CASE("an error names the module by its path") {
  Net net;
  CHECK(message_of([&] {
          net(ones({2, 4}));
        }) == "encoder.blocks.0.fc: linear: the last dim of x must be that of the weight (out, in): (2, 4) and (3, 3)");
  net.head = nn::Sequential(nn::Linear(3, 4), nn::ReLU(), nn::Linear(5, 2));
  CHECK(message_of([&] {
          net(ones({2, 3}));
        }) == "head.2: linear: the last dim of x must be that of the weight (out, in): (2, 4) and (2, 5)");
  net.head = nn::Sequential(nn::Linear(7, 4), nn::ReLU());
  CHECK(contains(message_of([&] { net(ones({2, 3})); }), "head.0: linear: "));
  CHECK(contains(message_of([&] { net.head(ones({2, 3})); }), "0: linear: "));
  CHECK(message_of([&] { net.encoder.blocks[0].fc(ones({2})); }).starts_with("linear: "));
  net.norm = nn::BatchNorm1d(2);
  CHECK(message_of([&] { net(ones({2, 3})); }) == "norm: BatchNorm1d: the input needs 2 channels, got (2, 3)");

  Branches branches;
  branches.steps = nn::ModuleList{nn::Sequential(nn::Linear(3, 3), [](const Tensor& x) { return x + ones({7}); })};
  CHECK(contains(message_of([&] { branches(ones({2, 3})); }), "steps.0.1: add: "));
  nn::Residual residual(nn::Sequential(nn::Linear(2, 2)));
  CHECK(contains(message_of([&] { residual(ones({3})); }), "inner.0: linear: "));
  // What a hook throws is the module's.
  auto hook = branches.register_forward_pre_hook([](nn::Module&, const Tensor& x) { return x + ones({8}); });
  CHECK(message_of([&] { branches(ones({2, 3})); }).starts_with("add: "));
  nn::Sequential broken{nn::Sequential(Broken())};
  CHECK_THROWS_AS(broken(ones({1})), std::domain_error);
}

// --- Summaries -------------------------------------------------------------------------------------------------------

namespace {

// One layer that runs twice, and a product of its own.
struct Twice : nn::Module {
  nn::Linear same{4, 4};
  nn::Embedding unused{3, 2};
  GRADUS_MODULE(same, unused)
  Tensor forward(const Tensor& x) override {
    const Tensor h = same(relu(same(x)));
    return matmul(h, h.t());
  }
};

const nn::SummaryRow& row_of(const nn::Summary& summary, std::string_view path) {
  for (const nn::SummaryRow& row : summary.rows) {
    if (row.path == path) return row;
  }
  throw Error("no row " + std::string(path));
}

}  // namespace

TEST_CASE("a hook keeps what it counts from call to call") {
  nn::Linear layer(2, 2);
  std::vector<int> counts;
  layer.register_forward_hook(
      [&counts, n = 0](nn::Module&, const Tensor&, const Tensor&) mutable { counts.push_back(++n); });
  for (int i = 0; i < 3; ++i) layer(ones({1, 2}));
  CHECK(counts == std::vector<int>{1, 2, 3});
}

TEST_CASE("a module that was moved from can be copied and assigned to") {
  nn::AnyModule module = nn::Linear(2, 2);
  const nn::AnyModule taken = std::move(module);
  nn::AnyModule copy = module;  // of nothing
  module = taken;
  CHECK((*module)(ones({1, 2})).shape() == Shape{1, 2});
  copy = taken;
  CHECK(copy.is<nn::Linear>());
}

TEST_CASE("calls with several arguments run hooks and tell their path, too") {
  struct Reader : nn::Module {
    nn::LSTM lstm{3, 2};
    nn::GRUCell cell{2, 2};
    nn::TransformerEncoder encoder{nn::TransformerEncoderLayer(2, 1, {.dim_feedforward = 4, .dropout = 0}), 1};
    GRADUS_MODULE(lstm, cell, encoder)
    Tensor forward(const Tensor& x) override {
      const auto [output, h, c] = lstm(x, {});
      const Tensor encoded = encoder(output, {});
      return encoded + cell(h[0], h[0]);
    }
  } reader;
  std::vector<Shape> outputs;
  const auto note = [&](nn::Module&, const Tensor&, const Tensor& y) { outputs.push_back(y.shape()); };
  reader.lstm.register_forward_hook(note);
  reader.cell.register_forward_hook(note);
  reader.encoder.layers[0].self_attn.register_forward_hook(note);
  const Tensor x = ones({4, 5, 3});
  const Tensor before = reader(x);
  CHECK(outputs == std::vector<Shape>{{4, 5, 2}, {4, 5, 2}, {5, 2}});
  CHECK(message_of([&] { reader(ones({4, 5, 2})); }).starts_with("lstm: "));
  reader.lstm.register_forward_pre_hook([](nn::Module&, const Tensor& in) { return in * 2.0; });
  CHECK_FALSE(equal(reader(x), before));
  reader.encoder.layers[0].register_forward_pre_hook([](nn::Module&, const Tensor&) { return ones({4, 5, 3}); });
  CHECK(message_of([&] { reader(x); }).starts_with("encoder.layers.0"));
}

TEST_CASE("a summary counts parameters once and multiply-adds as often as they run") {
  Twice model;
  model.same.bias.set_requires_grad(false);
  model.unused.eval();
  const nn::Summary summary = nn::summary(model, ones({5, 4}));
  REQUIRE(summary.rows.size() == 3);
  const nn::SummaryRow& same = row_of(summary, "same");
  CHECK(same.layer == "Linear");
  CHECK(same.calls == 2);
  CHECK(same.parameters == 20);
  CHECK(same.trainable == 16);
  CHECK(same.multiply_adds == 2 * 5 * 4 * 4);
  CHECK(*same.output == Shape{5, 4});
  CHECK(summary.rows[0].multiply_adds == 5 * 5 * 4);
  CHECK(summary.rows[0].parameters == 0);
  CHECK(summary.rows[0].layer == "Twice");
  CHECK_FALSE(row_of(summary, "unused").output);
  CHECK(summary.parameters == 26);
  CHECK(summary.trainable == 22);
  CHECK(summary.frozen() == 4);
  CHECK(summary.multiply_adds == 160 + 100);
  CHECK(summary.parameter_bytes == 4 * 26);
  CHECK(summary.output_bytes == 2 * 4 * 20);

  // The model is as it was.
  CHECK_FALSE(model.same.bias.requires_grad());
  CHECK(model.same.weight.requires_grad());
  CHECK(model.is_training());
  CHECK_FALSE(model.unused.is_training());
  CHECK_FALSE(model.same.has_forward_hooks());
  CHECK(message_of([&] { nn::summary(model, ones({5, 3})); }).starts_with("same: linear: "));
  CHECK((model.is_training() && !model.same.has_forward_hooks()));
}

TEST_CASE("a summary leaves a model with integer parameters as it was") {
  struct Numbered : nn::Module {
    nn::Linear fc{2, 2};
    nn::Parameter order{zeros({2}, {.dtype = int64}), false};
    GRADUS_MODULE(fc, order)
    Tensor forward(const Tensor& x) override { return fc(x); }
  } model;
  model.fc.weight.set_requires_grad(false);
  CHECK(nn::summary(model, ones({1, 2})).parameters == 8);
  CHECK(model.is_training());
  CHECK_FALSE(model.fc.weight.requires_grad());
}

TEST_CASE("a module without its weight norm stays in its mode") {
  auto normed = weight_norm(nn::Linear(2, 2));
  normed.eval();
  CHECK_FALSE(remove_weight_norm(normed).is_training());
}

TEST_CASE("multiply-adds of convolutions respect groups, strides and what is transposed") {
  nn::Sequential model(nn::Conv2d(4, 6, 3, {.stride = 2, .padding = 1, .groups = 2}), nn::BatchNorm2d(6), nn::ReLU(),
                       nn::ConvTranspose2d(6, 4, 2, {.stride = 2, .groups = 2}), nn::Flatten(2),
                       nn::Conv1d(4, 3, 5, {.dilation = 2}), nn::Flatten(), nn::Linear(3 * 56, 2), nn::Softmax(1));
  const nn::Summary summary = nn::summary(model, randn({2, 4, 8, 8}));
  // Every output element is a sum over (in / groups) * kernel products; transposed, every input feeds as many outputs.
  CHECK(row_of(summary, "0").multiply_adds == (2 * 6 * 4 * 4) * (2 * 3 * 3));
  CHECK(row_of(summary, "3").multiply_adds == (2 * 6 * 4 * 4) * (2 * 2 * 2));
  CHECK(row_of(summary, "5").multiply_adds == (2 * 3 * 56) * (4 * 5));
  CHECK(row_of(summary, "7").multiply_adds == 2 * 2 * 3 * 56);
  CHECK(summary.multiply_adds == 3456 + 1536 + 6720 + 672);
  CHECK(row_of(summary, "1").parameters == 12);
  CHECK(summary.buffer_bytes == 4 * 12 + 8);
  CHECK(model.state_dict().at("1.num_batches_tracked").item() == 0);
  const std::string table = summary.to_string();
  CHECK(contains(table, "  0         Conv2d           (2, 6, 4, 4)         114          3,456\n"));
  CHECK(contains(table, "12,384 multiply-adds"));
  CHECK(contains(table, " trainable, 0 frozen; buffers 56 B\n"));

  nn::Sequential words(
      nn::Embedding(10, 4), [](const Tensor& x) { return x.mean(1); }, nn::Linear(4, 2), nn::ReLU());
  words.requires_grad_(false);
  const nn::Summary of_words = nn::summary(words, randint(10, {3, 7}));
  CHECK(of_words.multiply_adds == 3 * 4 * 2);
  CHECK(of_words.trainable == 0);
  CHECK(of_words.rows[2].layer == "function");
}
