// Attention and transformer layers: PyTorch's answers, what masks mean, memory, threads, errors.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>

#include "gradus/autograd.hpp"
#include "gradus/factory.hpp"
#include "gradus/gradcheck.hpp"
#include "gradus/memory.hpp"
#include "gradus/nn.hpp"
#include "gradus/ops.hpp"
#include "gradus/random.hpp"
#include "gradus/threads.hpp"
#include "messages.hpp"
#include "reference_data.hpp"

using namespace gradus;
using tests::decode, tests::Json, tests::message_of;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

const Json& reference() {
  static const Json json = tests::reference_file("attention_layers.json");
  return json;
}

std::optional<std::int64_t> maybe(const Json& options, const char* key) {
  return options.contains(key) ? std::optional(options.at(key).get<std::int64_t>()) : std::nullopt;
}

// A layer of tools/reference/attention_layers.py, and its call.
struct Made {
  std::shared_ptr<nn::Module> layer;
  std::function<nn::Attended(const std::vector<Tensor>&)> call;
};

Made attention(const Json& row, Dtype dtype) {
  const Json& o = row.at("options");
  auto layer = std::make_shared<nn::MultiheadAttention>(
      4, 2,
      nn::MultiheadAttentionOptions{.bias = o.at("bias").get<bool>(),
                                    .batch_first = o.at("batch_first").get<bool>(),
                                    .kdim = maybe(o, "kdim"),
                                    .vdim = maybe(o, "vdim"),
                                    .dtype = dtype});
  const nn::MultiheadAttentionForwardOptions options{.key_padding_mask = decode(row.at("padding"), dtype),
                                                     .need_weights = row.contains("weights"),
                                                     .attn_mask = decode(row.at("mask"), dtype),
                                                     .average_attn_weights = row.at("average").get<bool>(),
                                                     .is_causal = row.at("is_causal").get<bool>()};
  return {layer, [layer, options](const std::vector<Tensor>& x) {
            return (*layer)(x[0], x[x.size() > 1 ? 1 : 0], x[x.size() > 1 ? 2 : 0], options);
          }};
}

Made transformer(const Json& row, Dtype dtype) {
  const Json& o = row.at("options");
  const nn::TransformerEncoderLayerOptions options{
      .dim_feedforward = 3,
      .dropout = 0,
      .activation = o.at("activation") == "relu" ? nn::Activation::relu : nn::Activation::gelu,
      .layer_norm_eps = o.at("layer_norm_eps").get<double>(),
      .batch_first = o.at("batch_first").get<bool>(),
      .norm_first = o.at("norm_first").get<bool>(),
      .dtype = dtype};
  const Tensor mask = decode(row.at("mask"), dtype), padding = decode(row.at("padding"), dtype);
  const bool causal = row.at("is_causal").get<bool>();
  auto one = std::make_shared<nn::TransformerEncoderLayer>(4, 2, options);
  if (row.at("depth") == 0) {
    return {one, [=](const std::vector<Tensor>& x) -> nn::Attended {
              return {(*one)(x[0], {.src_mask = mask, .src_key_padding_mask = padding, .is_causal = causal}), {}};
            }};
  }
  nn::TransformerEncoderOptions around;
  if (row.at("norm").get<bool>()) around.norm = nn::LayerNorm(4, {.dtype = dtype});
  auto all = std::make_shared<nn::TransformerEncoder>(*one, row.at("depth").get<int>(), around);
  return {all, [=](const std::vector<Tensor>& x) -> nn::Attended {
            return {(*all)(x[0], {.mask = mask, .src_key_padding_mask = padding, .is_causal = causal}), {}};
          }};
}

bool close(const Tensor& actual, const Json& expected, double tolerance) {
  const Tensor wanted = decode(expected, float64);
  const double scale = std::max(1.0, wanted.abs().max().item());  // sums cancel
  return actual.shape() == wanted.shape() &&
         allclose(actual.to(float64), wanted, {.rtol = tolerance, .atol = tolerance * scale});
}

void check_case(const Json& row, Dtype dtype) {
  const double tolerance = dtype == float64 ? 1e-10 : 1e-5;
  const Made made = row.at("layer") == "MultiheadAttention" ? attention(row, dtype) : transformer(row, dtype);
  std::map<std::string, Tensor> state;
  for (const auto& [key, value] : row.at("parameters").items()) state.emplace(key, decode(value, dtype));
  made.layer->load_state_dict(state);

  std::vector<Tensor> leaves;
  for (const Json& input : row.at("inputs")) leaves.push_back(decode(input, dtype).set_requires_grad());
  const nn::Attended result = made.call(leaves);
  CHECK(close(result.output, row.at("y"), tolerance));
  Tensor loss = sum(result.output * decode(row.at("cotangent"), dtype));
  CHECK(result.weights.defined() == row.contains("weights"));
  if (result.weights.defined()) {
    CHECK(close(result.weights, row.at("weights"), tolerance));
    loss = loss + sum(result.weights * decode(row.at("weights_cotangent"), dtype));
  }
  loss.backward();
  for (const Tensor& p : made.layer->parameters()) leaves.push_back(p);
  REQUIRE(leaves.size() == row.at("grads").size());
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    CAPTURE(i);
    CHECK(close(leaves[i].grad(), row.at("grads")[i], tolerance));
  }
}

Tensor normal(const Shape& shape, Dtype dtype = float64) {
  return randn(shape, {.dtype = dtype, .requires_grad = true});
}

}  // namespace

TEST_CASE("attention and transformer layers answer as PyTorch's, whatever the options") {
  for (const Json& row : reference()) {
    const std::string text = row.at("layer").get<std::string>() + row.at("options").dump();
    CAPTURE(text);
    for (const Dtype dtype : {float64, float32}) {
      CAPTURE(dtype == float64);
      try {
        check_case(row, dtype);
      } catch (const std::exception& e) {
        FAIL_CHECK(std::string(e.what()));
      }
    }
  }
}

TEST_CASE("attention of heads side by side is that of heads apart, in all derivatives") {
  manual_seed(3);
  for (const bool batch_first : {false, true}) {
    CAPTURE(batch_first);
    nn::MultiheadAttention layer(6, 3, {.dropout = 0.25, .batch_first = batch_first, .dtype = float64});
    const Tensor x = normal({3, 3, 6}), mask = normal({3, 3});
    const auto run = [&](bool need_weights) {
      manual_seed(4);
      return layer(x, x, x, {.need_weights = need_weights, .attn_mask = mask, .is_causal = true}).output;
    };
    CHECK(allclose(run(false), run(true), {.rtol = 1e-12, .atol = 1e-12}));
    const auto check = [&](const auto& f, const std::vector<Tensor>& inputs) {
      CHECK(gradcheck(f, inputs).passed());
      CHECK(gradgradcheck(f, inputs).passed());
    };
    const auto f = [&](const std::vector<Tensor>& in) {
      manual_seed(4);
      return layer(in[0], in[0], in[0], {.need_weights = false, .attn_mask = in.size() > 1 ? in[1] : Tensor()}).output;
    };
    check(f, {x});
    check(f, {x, mask});
  }
}

TEST_CASE("a value alone may have a batch, also where the mask requires a gradient") {
  manual_seed(3);
  const RandomOptions random{.dtype = float64, .requires_grad = true};
  const Tensor q = randn({5, 4}, random), k = randn({3, 4}, random), v = randn({2, 3, 2}, random),
               mask = randn({5, 3}, random);
  const auto attend = [](const Tensor& query, const Tensor& key, const Tensor& value, const Tensor& added) {
    return scaled_dot_product_attention(query, key, value, {.attn_mask = added});
  };
  CHECK(gradcheck(attend, {q, k, v, mask}).passed());
  CHECK(gradgradcheck(attend, {q, k, v, mask}).passed());
}

TEST_CASE("gradcheck passes for every parameter and the input of the attention layers") {
  manual_seed(5);
  nn::MultiheadAttention attention(4, 2, {.batch_first = true, .dtype = float64});
  CHECK(gradcheck(attention, randn({2, 3, 4}, {.dtype = float64})).passed());
  nn::TransformerEncoderLayer layer(4, 2, {.dim_feedforward = 5, .activation = nn::Activation::gelu, .dtype = float64});
  layer.eval();
  CHECK(gradcheck(layer, randn({3, 2, 4}, {.dtype = float64})).passed());
}

TEST_CASE("the number of threads changes no result of attention") {
  manual_seed(6);
  const Tensor q = normal({5, 3, 70, 8}, float32), k = normal({5, 3, 90, 8}, float32),
               v = normal({5, 3, 90, 12}, float32);
  const auto run = [&](int threads) {
    set_num_threads(threads);
    const Tensor y = scaled_dot_product_attention(q, k, v, {.is_causal = true});
    std::vector<Tensor> all = grad(sum(y * y), {q, k, v});
    all.push_back(y.detach());
    return all;
  };
  const int before = get_num_threads();
  const auto one = run(1), three = run(3);
  set_num_threads(before);
  for (std::size_t i = 0; i < one.size(); ++i) CHECK(equal(one[i], three[i]));
}

TEST_CASE("attention never has all weights in memory, and keeps none for its derivative") {
  const int threads_before = get_num_threads();
  set_num_threads(2);
  const std::int64_t positions = 512, heads = 4;
  const Tensor x = randn({heads, positions, 8}, {.requires_grad = true});
  const std::int64_t before = memory_stats().in_use, weights = heads * positions * positions * 4;
  reset_peak_memory_stats();
  const Tensor y = scaled_dot_product_attention(x, x, x);
  CHECK(memory_stats().in_use - before < weights / 16);
  sum(y).backward();
  const std::int64_t most = memory_stats().peak - before;
  set_num_threads(threads_before);
  CHECK(most < weights / 2);
}

TEST_CASE("no position sees a later one in causal attention, nor any a masked key") {
  manual_seed(7);
  const nn::TransformerEncoderLayer layer(8, 2, {.dim_feedforward = 16, .batch_first = true});
  nn::TransformerEncoder model(layer, 2);
  model.eval();
  const NoGrad guard;
  const Tensor x = randn({1, 6, 8});
  Tensor changed = x.clone();
  changed.narrow(1, 4, 2).add_(1);
  const auto first = [](const Tensor& y) { return narrow(y, 1, 0, 4); };
  CHECK(equal(first(model(x, {.is_causal = true})), first(model(changed, {.is_causal = true}))));
  CHECK_FALSE(allclose(first(model(x)), first(model(changed))));
  const Tensor padding = tensor({{false, false, false, false, true, true}});
  CHECK(equal(first(model(x, {.src_key_padding_mask = padding})),
              first(model(changed, {.src_key_padding_mask = padding}))));
  const Tensor added = tensor({{0.0, 0.0, 0.0, 0.0, -infinity, -infinity}});
  CHECK(allclose(model(x, {.src_key_padding_mask = added}), model(x, {.src_key_padding_mask = padding})));
  // A mask of one kind beside a padding of the other.
  const Tensor later = triu(ones({6, 6}, {.dtype = boolean}), 1);
  const Tensor expected = model(x, {.src_key_padding_mask = padding, .is_causal = true});
  CHECK(allclose(model(x, {.mask = later, .src_key_padding_mask = padding}), expected));
  CHECK(allclose(model(x, {.mask = later, .src_key_padding_mask = added}), expected));
}

TEST_CASE("a query that may look nowhere gets nothing, and no NaN comes back") {
  manual_seed(8);
  const Tensor q = normal({2, 3}), k = normal({4, 3}), v = normal({4, 2});
  const Tensor allowed = tensor({{false, false, false, false}, {true, false, true, true}});
  const Tensor added = where(allowed, zeros({2, 4}, {.dtype = float64}), -infinity);
  for (const Tensor& mask : {allowed, added}) {
    const Tensor y = scaled_dot_product_attention(q, k, v, {.attn_mask = mask});
    CHECK(equal(y[0], zeros({2}, {.dtype = float64})));
    const auto grads = grad(sum(y * y), {q, k, v});
    CHECK(equal(grads[0][0], zeros({3}, {.dtype = float64})));
    for (const Tensor& g : grads) CHECK(all(eq(g, g)).item<bool>());
  }
  nn::MultiheadAttention layer(4, 2, {.batch_first = true});
  const Tensor x = randn({1, 3, 4}), nowhere = ones({1, 3}, {.dtype = boolean});
  for (const bool need_weights : {false, true}) {
    const auto result = layer(x, x, x, {.key_padding_mask = nowhere, .need_weights = need_weights});
    CHECK(equal(result.output, zeros({1, 3, 4})));
    if (need_weights) CHECK(equal(result.weights, zeros({1, 3, 3})));
  }
}

TEST_CASE("dropout takes weights of attention in training only, and keeps their mean") {
  manual_seed(9);
  const Tensor q = randn({1, 4}), k = randn({400, 4}), v = ones({400, 1});
  double total = 0;
  for (int i = 0; i < 50; ++i) total += scaled_dot_product_attention(q, k, v, {.dropout_p = 0.5}).item();
  CHECK(total / 50 == doctest::Approx(1).epsilon(0.03));

  Generator a(1), b(1);
  nn::MultiheadAttention layer(4, 2, {.dropout = 0.5, .generator = &a});
  const Tensor x = randn({3, 2, 4});
  const Tensor first = layer(x);
  CHECK_FALSE(allclose(first, layer(x)));
  layer.eval();
  CHECK(equal(layer(x), layer(x)));
  CHECK_FALSE(equal(scaled_dot_product_attention(k, k, v, {.dropout_p = 0.5, .generator = &b}), v));
}

TEST_CASE("attention layers start as PyTorch's") {
  manual_seed(10);
  const nn::MultiheadAttention layer(32, 4);
  const double bound = std::sqrt(6.0 / (32 + 96));
  CHECK(layer.in_proj_weight.abs().max().item() <= bound);
  CHECK(layer.in_proj_weight.abs().max().item() > 0.95 * bound);
  CHECK(equal(layer.in_proj_bias, zeros({96})));
  CHECK(equal(layer.out_proj.bias, zeros({32})));
  const nn::MultiheadAttention wide(32, 4, {.kdim = 8, .vdim = 16});
  CHECK_FALSE(wide.in_proj_weight.defined());
  CHECK(wide.k_proj_weight.shape() == Shape{32, 8});
  CHECK(wide.v_proj_weight.abs().max().item() <= std::sqrt(6.0 / (32 + 16)));
  // Layers of an encoder are copies: equal at first, then on their own.
  nn::TransformerEncoder model(nn::TransformerEncoderLayer(8, 2, {.dim_feedforward = 4, .bias = false}), 2,
                               {.norm = nn::LayerNorm(8)});
  CHECK(equal(model.layers[0].linear1.weight, model.layers[1].linear1.weight));
  CHECK_FALSE(model.layers[0].linear1.weight.is(model.layers[1].linear1.weight));
  CHECK(model.state_dict().size() == 2 * 6 + 2);
  CHECK(model.state_dict().contains("layers.1.self_attn.out_proj.weight"));
}

TEST_CASE("attention layers refuse what does not fit, with one line") {
  CHECK(message_of([] { nn::MultiheadAttention(10, 3); }) ==
        "MultiheadAttention: embed_dim 10 is not divisible by num_heads 3");
  CHECK(message_of([] { nn::MultiheadAttention(4, 0); }) ==
        "MultiheadAttention: embed_dim 4 is not divisible by num_heads 0");
  CHECK(message_of([] { nn::MultiheadAttention(4, 2, {.dropout = 2}); }) ==
        "MultiheadAttention: dropout must be in [0, 1], got 2");
  CHECK(message_of([] { nn::MultiheadAttention(4, 2, {.kdim = 0}); }) ==
        "MultiheadAttention: kdim and vdim must be at least 1, got 0 and 4");
  nn::MultiheadAttention layer(4, 2);
  const auto call = [&](const Shape& q, const Shape& k, const Shape& v, const Shape& mask, const Shape& padding,
                        Dtype dtype = boolean) {
    return message_of([&] {
      const auto made = [&](const Shape& shape) { return shape.empty() ? Tensor() : zeros(shape, {.dtype = dtype}); };
      layer(zeros(q), zeros(k), zeros(v), {.key_padding_mask = made(padding), .attn_mask = made(mask)});
    });
  };
  const Shape x{3, 2, 4};
  CHECK(call({3, 2, 5}, x, x, {}, {}) ==
        "MultiheadAttention: the query must be (positions, batch, 4), or all three without batch, got (3, 2, 5)");
  CHECK(call(x, {3, 4}, x, {}, {}) ==
        "MultiheadAttention: the key must be (positions, batch, 4), or all three without batch, got (3, 4)");
  CHECK(call(x, x, {2, 2, 4}, {}, {}) ==
        "MultiheadAttention: query, key and value must have one batch, key and value one length: (3, 2, 4), (3, 2, 4) "
        "and (2, 2, 4)");
  CHECK(call(x, {3, 1, 4}, {3, 1, 4}, {}, {}).find("must have one batch") != std::string::npos);
  CHECK(call(x, x, x, {2, 3}, {}) == "MultiheadAttention: the attn_mask must be (3, 3) or (4, 3, 3), got (2, 3)");
  CHECK(call(x, x, x, {}, {3, 2}) == "MultiheadAttention: the key_padding_mask must be (2, 3), got (3, 2)");
  CHECK(call(x, x, x, {3, 3}, {}, float64) == "MultiheadAttention: the attn_mask must be bool or float32, got float64");
  CHECK(message_of([] { nn::TransformerEncoder(nn::TransformerEncoderLayer(2, 1), -1); }) ==
        "TransformerEncoder: num_layers must be at least 0, got -1");
  CHECK(message_of([] { nn::SinusoidalPositions(0); }) ==
        "SinusoidalPositions: d_model must be at least 1 and max_len at least 0, got 0 and 5000");
  CHECK(message_of([] {
          nn::SinusoidalPositions(4, {.max_len = 2})(zeros({3, 4}));
        }) == "SinusoidalPositions: 3 positions, max_len is 2");
  CHECK(message_of([] {
          nn::SinusoidalPositions(4)(zeros({3, 5}));
        }) == "SinusoidalPositions: the input must be (positions, batch, 4), or without batch, got (3, 5)");
}

TEST_CASE("sinusoidal positions are the published table") {
  nn::SinusoidalPositions layer(5, {.max_len = 4, .batch_first = true});
  const Tensor y = layer(zeros({2, 4, 5}, {.dtype = float64}));
  const double slow = std::pow(10000.0, -0.4);
  for (std::int64_t p = 0; p < 4; ++p) {
    const auto at = [&](std::int64_t j) { return y[1][p][j].item(); };
    const auto position = static_cast<double>(p);
    CHECK(at(0) == doctest::Approx(std::sin(position)).epsilon(1e-14));
    CHECK(at(1) == doctest::Approx(std::cos(position)).epsilon(1e-14));
    CHECK(at(2) == doctest::Approx(std::sin(position * slow)).epsilon(1e-14));
    CHECK(at(4) == doctest::Approx(std::sin(position * slow * slow)).epsilon(1e-14));
  }
  nn::SinusoidalPositions between(5, {.max_len = 4});
  CHECK(equal(between(zeros({4, 2, 5}, {.dtype = float64})), transpose(y, 0, 1)));
  CHECK(layer.state_dict().empty());
}

TEST_CASE("products of rotated rows depend on the distance of their positions only") {
  manual_seed(11);
  const Tensor row = randn({1, 8}, {.dtype = float64}), other = randn({1, 8}, {.dtype = float64});
  const auto at = [](const Tensor& x, std::int64_t position) { return rotary_embedding(x, {.offset = position}); };
  const double near = dot(at(row, 3)[0], at(other, 5)[0]).item();
  CHECK(dot(at(row, 13)[0], at(other, 15)[0]).item() == doctest::Approx(near).epsilon(1e-12));
  CHECK(std::abs(dot(at(row, 3)[0], at(other, 6)[0]).item() - near) > 1e-3);
  CHECK(equal(nn::RotaryPositions()(row), rotary_embedding(row)));
}
