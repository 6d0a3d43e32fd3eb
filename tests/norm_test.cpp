// Norms, dropout and embedding as layers: PyTorch's answers step by step, running statistics, masks, errors.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <map>

#include "gradus/autograd.hpp"
#include "gradus/data.hpp"
#include "gradus/factory.hpp"
#include "gradus/nn.hpp"
#include "gradus/ops.hpp"
#include "gradus/optim/averaged_model.hpp"
#include "gradus/optim/update_bn.hpp"
#include "gradus/random.hpp"
#include "gradus/threads.hpp"
#include "messages.hpp"
#include "reference_data.hpp"

using namespace gradus;
using tests::close, tests::decode, tests::Json;

namespace {

const Json& reference() {
  static const Json json = tests::reference_file("norm_layers.json");
  return json;
}

// The layers of tools/reference/norm_layers.py.
nn::AnyModule make(const std::string& name, Dtype dtype) {
  const std::map<std::string, std::function<nn::AnyModule()>> layers = {
      {"BatchNorm1d", [=] { return nn::BatchNorm1d(3, {.dtype = dtype}); }},
      {"BatchNorm1d(momentum=None)", [=] { return nn::BatchNorm1d(3, {.momentum = std::nullopt, .dtype = dtype}); }},
      {"BatchNorm1d(eps, momentum)",
       [=] { return nn::BatchNorm1d(2, {.eps = 0.125, .momentum = 0.5, .dtype = dtype}); }},
      {"BatchNorm2d", [=] { return nn::BatchNorm2d(2, {.dtype = dtype}); }},
      {"BatchNorm2d(affine=False)", [=] { return nn::BatchNorm2d(2, {.affine = false, .dtype = dtype}); }},
      {"BatchNorm2d(track_running_stats=False)",
       [=] { return nn::BatchNorm2d(2, {.track_running_stats = false, .dtype = dtype}); }},
      {"InstanceNorm1d", [=] { return nn::InstanceNorm1d(2, {.dtype = dtype}); }},
      {"InstanceNorm1d(affine, track)",
       [=] { return nn::InstanceNorm1d(2, {.affine = true, .track_running_stats = true, .dtype = dtype}); }},
      {"InstanceNorm2d(track)",
       [=] { return nn::InstanceNorm2d(2, {.momentum = 0.5, .track_running_stats = true, .dtype = dtype}); }},
      {"GroupNorm", [=] { return nn::GroupNorm(2, 4, {.dtype = dtype}); }},
      {"LayerNorm",
       [=] {
         return nn::LayerNorm({3, 2}, {.dtype = dtype});
       }},
  };
  return layers.at(name)();
}

void set(const std::vector<Tensor>& parameters, const Json& values) {
  REQUIRE(parameters.size() == values.size());
  const NoGrad guard;
  for (std::size_t i = 0; i < values.size(); ++i) {
    Tensor p = parameters[i];
    p.copy_(decode(values[i], p.dtype()));
  }
}

struct Net : nn::Module {
  nn::Linear in{3, 4, {.dtype = float64}};
  nn::BatchNorm1d first{4, {.dtype = float64}};
  nn::Linear out{4, 2, {.dtype = float64}};
  nn::BatchNorm1d last{2, {.momentum = std::nullopt, .dtype = float64}};
  GRADUS_MODULE(in, first, out, last)
  Tensor forward(const Tensor& x) override { return last(out(tanh(first(in(x))))); }
};

}  // namespace

TEST_CASE("layers with running statistics follow PyTorch's over training and evaluation") {
  for (const Dtype dtype : {float64, float32}) {
    const double tolerance = dtype == float64 ? 1e-10 : 1e-5;
    for (const Json& row : reference().at("layers")) {
      const std::string name = row.at("layer");
      CAPTURE(name);
      CAPTURE(dtype == float64);
      nn::AnyModule layer = make(name, dtype);
      set(layer->parameters(), row.at("weights"));
      for (const Json& step : row.at("steps")) {
        layer->train(step.at("training").get<bool>());
        layer->zero_grad();
        const Tensor x = decode(step.at("x"), dtype).set_requires_grad();
        const Tensor y = (*layer)(x);
        y.backward({.gradient = decode(step.at("cotangent"), dtype)});
        CHECK(close(y, step.at("y"), tolerance));
        std::vector<Tensor> leaves = layer->parameters();
        leaves.push_back(x);
        for (std::size_t i = 0; i < leaves.size(); ++i) CHECK(close(leaves[i].grad(), step.at("grads")[i], tolerance));
        const auto buffers = layer->named_buffers();
        CHECK(buffers.size() == step.at("buffers").size());
        for (const auto& [key, buffer] : buffers) {
          CAPTURE(key);
          CHECK(close(buffer, step.at("buffers").at(key), tolerance));
        }
      }
    }
  }
}

TEST_CASE("a large mean costs no digits of the variance") {
  for (const Shape& shape : {Shape{64, 3}, Shape{8, 3, 40}}) {
    manual_seed(3);
    const Tensor noise = randn(shape, {.dtype = float64});
    const Tensor shifted = ((noise + 4096.0) * 1024.0).to(float32);  // what float32 can hold of it
    const Tensor exact = shifted.to(float64);
    const Tensor y = batch_norm(shifted, {}, {}, {.training = true});
    CHECK(allclose(y.to(float64), batch_norm(exact, {}, {}, {.training = true}), {.rtol = 1e-3, .atol = 1e-3}));
    const std::int64_t n = shape.back();
    CHECK(allclose(layer_norm(shifted, {n}).to(float64), layer_norm(exact, {n}), {.rtol = 1e-3, .atol = 1e-3}));
  }
}

TEST_CASE("the number of threads changes no result of a norm") {
  const int before = get_num_threads();
  manual_seed(4);
  const Tensor rows = randn({900, 130}), images = randn({16, 24, 20, 20});
  const auto run = [&](const Tensor& input, const auto& norm) {
    const Tensor x = input.clone().set_requires_grad();
    const Tensor w = randn({x.size(1)}, {.requires_grad = true});
    const Tensor y = norm(x, w);
    sum(y * cos(y)).backward();
    return std::vector<Tensor>{y.detach(), x.grad(), w.grad()};
  };
  const std::vector<std::function<std::vector<Tensor>()>> norms = {
      [&] { return run(rows, [](const Tensor& x, const Tensor& w) { return layer_norm(x, {130}, {.weight = w}); }); },
      [&] { return run(rows, [](const Tensor& x, const Tensor& w) { return rms_norm(x, {130}, {.weight = w}); }); },
      [&] {
        return run(rows, [](const Tensor& x, const Tensor& w) {
          return batch_norm(x, {}, {}, {.weight = w, .training = true});
        });
      },
      [&] {
        return run(images, [](const Tensor& x, const Tensor& w) {
          return batch_norm(x, {}, {}, {.weight = w, .training = true});
        });
      },
      [&] { return run(images, [](const Tensor& x, const Tensor& w) { return group_norm(x, 4, {.weight = w}); }); },
      [&] { return run(images, [](const Tensor& x, const Tensor& w) { return dropout(x) * mean(w); }); },
  };
  for (const auto& norm : norms) {
    set_num_threads(1);
    manual_seed(5);
    const std::vector<Tensor> one = norm();
    set_num_threads(3);
    manual_seed(5);
    const std::vector<Tensor> three = norm();
    for (std::size_t i = 0; i < one.size(); ++i) CHECK(equal(one[i], three[i]));
  }
  set_num_threads(before);
}

TEST_CASE("running statistics are saved, copied and reset, and a refused batch leaves no trace") {
  manual_seed(6);
  nn::BatchNorm1d norm(3);
  norm(randn({8, 3}));
  norm(randn({8, 3}));
  CHECK(norm.num_batches_tracked.item<std::int64_t>() == 2);
  nn::BatchNorm1d other(3);
  other.load_state_dict(norm.state_dict());
  CHECK(equal(other.running_var, norm.running_var));
  CHECK(other.num_batches_tracked.item<std::int64_t>() == 2);

  const nn::BatchNorm1d copy = norm;
  CHECK_THROWS_AS(norm(randn({1, 3})), Error);
  CHECK(equal(norm.running_mean, copy.running_mean));
  CHECK(norm.num_batches_tracked.item<std::int64_t>() == 2);
  norm.reset_running_stats();
  CHECK(equal(norm.running_mean, zeros({3})));
  CHECK(equal(norm.running_var, ones({3})));
  CHECK(norm.num_batches_tracked.item<std::int64_t>() == 0);
  CHECK_FALSE(equal(copy.running_mean, zeros({3})));

  // Evaluation changes nothing; nor does freezing mean evaluation.
  norm.eval();
  norm(randn({1, 3}));
  CHECK(equal(norm.running_mean, zeros({3})));
  norm.train();
  norm.weight.set_requires_grad(false);
  norm(randn({4, 3}));
  CHECK_FALSE(equal(norm.running_mean, zeros({3})));
}

TEST_CASE("a step in training between evaluation and its backward leaves the gradient as it was") {
  nn::BatchNorm1d norm(2, {.dtype = float64});
  norm.eval();
  const Tensor x = randn({4, 2}, {.dtype = float64, .requires_grad = true});
  const Tensor y = norm(x);
  norm.train();
  norm(x.detach());
  sum(y).backward();
  CHECK(allclose(x.grad(), full({4, 2}, 1 / std::sqrt(1 + 1e-5), {.dtype = float64})));
}

TEST_CASE("dropout keeps the mean, scales the gradient by its mask, and does nothing in evaluation") {
  manual_seed(7);
  nn::Dropout drop(0.25);
  const Tensor x = ones({200, 100}, {.dtype = float64, .requires_grad = true});
  const Tensor y = drop(x);
  CHECK(y.mean().item() == doctest::Approx(1).epsilon(0.02));
  const Tensor zero = eq(y, 0.0);
  CHECK(zero.to(float64).mean().item() == doctest::Approx(0.25).epsilon(0.05));
  CHECK(equal(y, where(zero, 0.0, full({}, 4.0 / 3, {.dtype = float64}))));
  sum(y * 3.0).backward();
  CHECK(equal(x.grad(), y.detach() * 3.0));
  CHECK_FALSE(equal(drop(x), y));
  drop.eval();
  CHECK(drop(x).is(x));

  const Tensor channels = nn::Dropout2d(0.5)(ones({40, 50, 3, 3}));
  const Tensor first = channels.slice(2, 0, 1).slice(3, 0, 1);
  CHECK(equal(channels, first.expand(channels.shape())));
  CHECK(first.mean().item() == doctest::Approx(1).epsilon(0.1));
  CHECK(equal(dropout(ones({3}), 1), zeros({3})));
}

TEST_CASE("dropout draws from the generator that it is given, and from it only") {
  Generator generator(11), again(11);
  manual_seed(1);
  nn::Dropout drop(0.5, {.generator = &generator});
  const Tensor x = ones({64});
  const Tensor y = drop(x);
  CHECK(equal(y, dropout(x, 0.5, true, &again)));
  CHECK(generator.position() == again.position());
  const Tensor next = rand({2});
  manual_seed(1);
  CHECK(equal(next, rand({2})));
}

TEST_CASE("an embedding starts normal, its padding at zero and without gradient") {
  manual_seed(8);
  nn::Embedding table(50, 40, {.padding_idx = -1});
  CHECK(table.weight.slice(0, 0, 49).std().item() == doctest::Approx(1).epsilon(0.05));
  CHECK(equal(table.weight[49], zeros({40})));
  const Tensor indices = tensor({0, 49, 0, 2});
  sum(table(indices)).backward();
  const Tensor g = table.weight.grad();
  CHECK(equal(g[0], full({40}, 2)));
  CHECK(equal(g[2], ones({40})));
  CHECK(equal(g[49], zeros({40})));
  CHECK(g.sum().item() == 120);

  // The same for the derivative of the derivative.
  const Tensor w = randn({3, 2}, {.requires_grad = true});
  const Tensor cotangent = ones({2, 2}, {.requires_grad = true});
  const Tensor y = embedding(tensor({1, 2}), w, {.padding_idx = 1});
  const Tensor first = grad(y, {w}, {.grad_outputs = cotangent, .create_graph = true})[0];
  sum(first).backward();
  CHECK(equal(cotangent.grad(), tensor({{0.0, 0.0}, {1.0, 1.0}})));
}

TEST_CASE("update_bn does what PyTorch's does") {
  const Json& expected = reference().at("update_bn");
  Net net;
  std::vector<Tensor> parameters = net.parameters();
  const std::map<std::string, std::string> names = {{"in", "0"}, {"first", "1"}, {"out", "3"}, {"last", "4"}};
  const auto theirs = [&](const std::string& name) {
    const std::size_t dot = name.find('.');
    return names.at(name.substr(0, dot)) + name.substr(dot);
  };
  {
    const NoGrad guard;
    for (auto [name, p] : net.named_parameters()) p.copy_(decode(expected.at("parameters").at(theirs(name)), float64));
  }
  std::vector<Tensor> batches;
  for (const Json& batch : expected.at("batches")) batches.push_back(decode(batch, float64));
  net(batches[0] * 5.0);  // statistics to forget
  const std::int64_t nodes = live_nodes();
  net.first.eval();
  optim::update_bn(batches, net);
  CHECK(live_nodes() == nodes);
  for (const auto& [name, buffer] : net.named_buffers()) {
    CAPTURE(name);
    CHECK(close(buffer, expected.at("buffers").at(theirs(name)), 1e-10));
  }
  CHECK(net.first.momentum == 0.1);
  CHECK_FALSE(net.last.momentum.has_value());
  CHECK(net.is_training());
  CHECK(net.last.is_training());
  CHECK_FALSE(net.first.is_training());
  net.eval();
  CHECK(close(net(decode(expected.at("x"), float64)), expected.at("y"), 1e-10));
}

TEST_CASE("update_bn takes a loader and an averaged model, and restores all when a batch throws") {
  manual_seed(9);
  Net net;
  const Tensor x = randn({6, 3}, {.dtype = float64});
  optim::AveragedModel averaged(net);
  averaged.update_parameters(net);
  averaged.eval();
  optim::update_bn(data::DataLoader(data::Dataset(x, zeros({6})), {.batch_size = 3}), averaged);
  CHECK(averaged.module.first.num_batches_tracked.item<std::int64_t>() == 2);
  CHECK(allclose(averaged.module.first.running_mean, mean(net.in(x), 0).detach()));
  CHECK_FALSE(averaged.module.first.is_training());

  net.out.eval();
  CHECK_THROWS_AS(optim::update_bn(std::vector<Tensor>{x, randn({2, 4}, {.dtype = float64})}, net), Error);
  CHECK(net.first.momentum == 0.1);
  CHECK(net.is_training());
  CHECK_FALSE(net.out.is_training());
  CHECK(net.first.is_training());

  struct Refusing : nn::Module {
    Tensor forward(const Tensor&) override { throw Error("was run"); }
  } without;
  CHECK_NOTHROW(optim::update_bn(std::vector<Tensor>{x}, without));
}

TEST_CASE("wrong norms, dropouts and embeddings are refused by name") {
  const std::vector<std::pair<std::function<void()>, std::string>> wrong = {
      {[] {
         nn::BatchNorm1d(3)(zeros({2, 4}));
       },
       "BatchNorm1d: the input needs 3 channels, got (2, 4)"},
      {[] {
         nn::BatchNorm1d(3)(zeros({2, 3, 4, 5}));
       },
       "BatchNorm1d: the input needs 2 or 3 dims, got (2, 3, 4, 5)"},
      {[] {
         nn::BatchNorm2d(3)(zeros({2, 3}));
       },
       "BatchNorm2d: the input needs 4 dims, got (2, 3)"},
      {[] {
         nn::BatchNorm2d(3)(zeros({1, 3, 1, 1}));
       },
       "batch_norm: training needs more than one value per channel, got (1, 3, 1, 1)"},
      {[] { nn::BatchNorm1d(-1); }, "BatchNorm1d: num_features must be at least 0, got -1"},
      {[] { nn::BatchNorm2d(2, {.dtype = int64}); }, "BatchNorm2d: a floating dtype is needed, got int64"},
      {[] {
         nn::InstanceNorm1d(3)(zeros({2, 4, 5}));
       },
       "InstanceNorm1d: the input needs 3 channels, got (2, 4, 5)"},
      {[] {
         nn::InstanceNorm2d(3)(zeros({3, 4}));
       },
       "InstanceNorm2d: the input needs 3 or 4 dims, got (3, 4)"},
      {[] {
         nn::InstanceNorm1d(3)(zeros({2, 3, 1}));
       },
       "instance_norm: more than one value per channel is needed, got (2, 3, 1)"},
      {[] { nn::GroupNorm(0, 4); }, "GroupNorm: 4 channels cannot be split into 0 groups"},
      {[] { nn::GroupNorm(3, 4); }, "GroupNorm: 4 channels cannot be split into 3 groups"},
      {[] {
         nn::GroupNorm(2, 4)(zeros({2, 6}));
       },
       "GroupNorm: the input needs 4 channels in dim 1, got (2, 6)"},
      {[] { nn::LayerNorm(Shape{}); }, "LayerNorm: the normalized shape needs a dim"},
      {[] {
         nn::LayerNorm(3)(zeros({2, 4}));
       },
       "layer_norm: the input must end in the normalized shape: (2, 4) and (3,)"},
      {[] { nn::Dropout(1.5); }, "Dropout: p must be in [0, 1], got 1.5"},
      {[] { nn::Dropout(std::nan("")); }, "Dropout: p must be in [0, 1], got nan"},
      {[] { nn::Dropout2d(-1); }, "Dropout2d: p must be in [0, 1], got -1"},
      {[] { nn::Embedding(-1, 2); }, "Embedding: num_embeddings and embedding_dim must be at least 0, got -1 and 2"},
      {[] { nn::Embedding(3, 2, {.padding_idx = 3}); }, "Embedding: padding_idx 3 is outside a vocabulary of 3"},
      {[] { nn::Embedding(3, 2)(tensor({3})); }, "embedding: index 3 is outside a vocabulary of 3"},
      {[] {
         nn::Unflatten(1, {2, 5})(zeros({3, 8}));
       },
       "Unflatten: dim 1 of (3, 8) does not split into (2, 5)"},
      {[] {
         nn::Unflatten(1, {-1, 5})(zeros({3, 8}));
       },
       "Unflatten: dim 1 of (3, 8) does not split into (-1, 5)"},
      {[] {
         nn::Unflatten(2, {2, 4})(zeros({3, 8}));
       },
       "Unflatten: dim 2 is out of range for shape (3, 8)"},
  };
  for (const auto& [call, message] : wrong) {
    CAPTURE(message);
    CHECK(tests::message_of(call) == message);
  }
}
