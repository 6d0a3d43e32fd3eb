// Layers against PyTorch with all their options crossed: tests/data/layers.json, written by tools/reference/layers.py.
#include <doctest/doctest.h>

#include <functional>
#include <map>

#include "gradus/autograd.hpp"
#include "gradus/factory.hpp"
#include "gradus/nn.hpp"
#include "gradus/ops.hpp"
#include "gradus/random.hpp"
#include "messages.hpp"
#include "reference_data.hpp"

using namespace gradus;
using tests::close, tests::decode, tests::Json, tests::message_of;

namespace {

const Json& reference() {
  static const Json json = tests::reference_file("layers.json");
  return json;
}

// A layer's arguments and options, as Python has them.
class Call {
 public:
  Call(const Json& json, Dtype floating) : dtype(floating), args_(json.at("args")), options_(json.at("options")) {}

  std::int64_t arg(std::size_t i) const { return args_[i].get<std::int64_t>(); }
  double number(std::size_t i, double otherwise) const { return i < args_.size() ? args_[i].get<double>() : otherwise; }
  Pair pair_arg(std::size_t i) const { return to_pair(args_[i]); }
  Shape shape_arg(std::size_t i) const {
    const auto sizes = args_[i].get<std::vector<std::int64_t>>();
    return Shape(std::span<const std::int64_t>(sizes));
  }
  template <class T>
  T get(const char* name, T otherwise) const {
    return options_.value(name, otherwise);
  }
  Pair pair(const char* name, Pair otherwise) const {
    return options_.contains(name) ? to_pair(options_[name]) : otherwise;
  }
  template <class T>
  std::optional<T> maybe(const char* name, std::optional<T> otherwise = {}) const {
    if (!options_.contains(name)) return otherwise;
    return options_[name].is_null() ? std::nullopt : std::optional<T>(options_[name].get<T>());
  }
  std::optional<Pair> maybe_pair(const char* name) const {
    return options_.contains(name) && !options_[name].is_null() ? std::optional(to_pair(options_[name])) : std::nullopt;
  }
  nn::ConvPadding padding() const {
    const Json& json = options_["padding"];
    return json.is_string() ? nn::ConvPadding(std::string_view(json.get<std::string>()))
                            : nn::ConvPadding(to_pair(json));
  }
  nn::PaddingMode padding_mode() const {
    static const std::map<std::string, nn::PaddingMode> modes{{"zeros", nn::PaddingMode::zeros},
                                                              {"reflect", nn::PaddingMode::reflect},
                                                              {"replicate", nn::PaddingMode::replicate},
                                                              {"circular", nn::PaddingMode::circular}};
    return modes.at(options_["padding_mode"].get<std::string>());
  }

  Dtype dtype;

 private:
  static Pair to_pair(const Json& json) {
    if (!json.is_array()) return json.get<std::int64_t>();
    return {json[0].get<std::int64_t>(), json[1].get<std::int64_t>()};
  }

  const Json &args_, &options_;
};

template <class Conv>
Conv convolution(const Call& c) {
  if (!c.maybe<bool>("bias")) return Conv(c.arg(0), c.arg(1), c.arg(2), {.dtype = c.dtype});
  if constexpr (std::is_same_v<Conv, nn::Conv1d>) {
    return Conv(c.arg(0), c.arg(1), c.arg(2),
                {.stride = c.get<std::int64_t>("stride", 1),
                 .padding = c.padding(),
                 .dilation = c.get<std::int64_t>("dilation", 1),
                 .groups = c.get<std::int64_t>("groups", 1),
                 .bias = c.get("bias", true),
                 .padding_mode = c.padding_mode(),
                 .dtype = c.dtype});
  } else {
    return Conv(c.arg(0), c.arg(1), c.pair_arg(2),
                {.stride = c.pair("stride", 1),
                 .padding = c.padding(),
                 .dilation = c.pair("dilation", 1),
                 .groups = c.get<std::int64_t>("groups", 1),
                 .bias = c.get("bias", true),
                 .padding_mode = c.padding_mode(),
                 .dtype = c.dtype});
  }
}

nn::BatchNormOptions batch_norm_options(const Call& c) {
  return {.eps = c.get("eps", 1e-5),
          .momentum = c.maybe<double>("momentum"),
          .affine = c.get("affine", true),
          .track_running_stats = c.get("track_running_stats", true),
          .dtype = c.dtype};
}

nn::InstanceNormOptions instance_norm_options(const Call& c) {
  return {.eps = c.get("eps", 1e-5),
          .momentum = c.get("momentum", 0.1),
          .affine = c.get("affine", false),
          .track_running_stats = c.get("track_running_stats", false),
          .dtype = c.dtype};
}

using Make = nn::AnyModule (*)(const Call&);

const std::map<std::string, Make>& makers() {
  static const std::map<std::string, Make> all{
      {"Linear", [](const Call& c) -> nn::AnyModule { return nn::Linear(c.arg(0), c.arg(1), {.dtype = c.dtype}); }},
      {"Conv1d", [](const Call& c) -> nn::AnyModule { return convolution<nn::Conv1d>(c); }},
      {"Conv2d", [](const Call& c) -> nn::AnyModule { return convolution<nn::Conv2d>(c); }},
      {"ConvTranspose2d",
       [](const Call& c) -> nn::AnyModule {
         return nn::ConvTranspose2d(c.arg(0), c.arg(1), c.pair_arg(2),
                                    {.stride = c.pair("stride", 1),
                                     .padding = c.pair("padding", 0),
                                     .output_padding = c.pair("output_padding", 0),
                                     .groups = c.get<std::int64_t>("groups", 1),
                                     .bias = c.get("bias", true),
                                     .dilation = c.pair("dilation", 1),
                                     .dtype = c.dtype});
       }},
      {"MaxPool1d",
       [](const Call& c) -> nn::AnyModule {
         return nn::MaxPool1d(c.arg(0), {.stride = c.maybe<std::int64_t>("stride"),
                                         .padding = c.get<std::int64_t>("padding", 0),
                                         .dilation = c.get<std::int64_t>("dilation", 1),
                                         .ceil_mode = c.get("ceil_mode", false)});
       }},
      {"MaxPool2d",
       [](const Call& c) -> nn::AnyModule {
         return nn::MaxPool2d(c.pair_arg(0), {.stride = c.maybe_pair("stride"),
                                              .padding = c.pair("padding", 0),
                                              .dilation = c.pair("dilation", 1),
                                              .ceil_mode = c.get("ceil_mode", false)});
       }},
      {"AvgPool1d",
       [](const Call& c) -> nn::AnyModule {
         return nn::AvgPool1d(c.arg(0), {.stride = c.maybe<std::int64_t>("stride"),
                                         .padding = c.get<std::int64_t>("padding", 0),
                                         .ceil_mode = c.get("ceil_mode", false),
                                         .count_include_pad = c.get("count_include_pad", true)});
       }},
      {"AvgPool2d",
       [](const Call& c) -> nn::AnyModule {
         return nn::AvgPool2d(c.pair_arg(0), {.stride = c.maybe_pair("stride"),
                                              .padding = c.pair("padding", 0),
                                              .ceil_mode = c.get("ceil_mode", false),
                                              .count_include_pad = c.get("count_include_pad", true)});
       }},
      {"AdaptiveAvgPool1d", [](const Call& c) -> nn::AnyModule { return nn::AdaptiveAvgPool1d(c.arg(0)); }},
      {"AdaptiveAvgPool2d", [](const Call& c) -> nn::AnyModule { return nn::AdaptiveAvgPool2d(c.pair_arg(0)); }},
      {"BatchNorm1d", [](const Call& c) -> nn::AnyModule { return nn::BatchNorm1d(c.arg(0), batch_norm_options(c)); }},
      {"BatchNorm2d", [](const Call& c) -> nn::AnyModule { return nn::BatchNorm2d(c.arg(0), batch_norm_options(c)); }},
      {"InstanceNorm1d",
       [](const Call& c) -> nn::AnyModule { return nn::InstanceNorm1d(c.arg(0), instance_norm_options(c)); }},
      {"InstanceNorm2d",
       [](const Call& c) -> nn::AnyModule { return nn::InstanceNorm2d(c.arg(0), instance_norm_options(c)); }},
      {"GroupNorm",
       [](const Call& c) -> nn::AnyModule {
         return nn::GroupNorm(c.arg(0), c.arg(1),
                              {.eps = c.get("eps", 1e-5), .affine = c.get("affine", true), .dtype = c.dtype});
       }},
      {"Softplus", [](const Call& c) -> nn::AnyModule { return nn::Softplus(c.number(0, 1)); }},
      {"Hardshrink", [](const Call& c) -> nn::AnyModule { return nn::Hardshrink(c.number(0, 0.5)); }},
      {"Softshrink", [](const Call& c) -> nn::AnyModule { return nn::Softshrink(c.number(0, 0.5)); }},
      {"Tanhshrink", [](const Call&) -> nn::AnyModule { return nn::Tanhshrink(); }},
      {"Softmax2d", [](const Call&) -> nn::AnyModule { return nn::Softmax2d(); }},
      {"RReLU", [](const Call& c) -> nn::AnyModule { return nn::RReLU(c.number(0, 0), c.number(1, 0)); }},
      {"LayerNorm", [](const Call& c) -> nn::AnyModule {
         return nn::LayerNorm(
             c.shape_arg(0),
             {.eps = c.get("eps", 1e-5), .elementwise_affine = c.get("elementwise_affine", true), .dtype = c.dtype});
       }}};
  return all;
}

nn::AnyModule make(const Json& row, Dtype dtype) {
  const std::string name = row.at("layer");
  nn::AnyModule layer = makers().at(name)(Call(row, dtype));
  if (!row.contains("weight_norm")) return layer;
  const auto dim =
      row.at("weight_norm").is_null() ? std::nullopt : std::optional(row.at("weight_norm").get<std::int64_t>());
  if (name == "Linear") return weight_norm(dynamic_cast<nn::Linear&>(*layer), "weight", dim);
  return weight_norm(dynamic_cast<nn::Conv2d&>(*layer), "weight", dim);
}

void check(const Json& row, Dtype dtype) {
  // A variance of two or three values loses as many digits of float32 as its channel is far from 0.
  const double tolerance = dtype == float64 ? 1e-10 : 1e-5;
  nn::AnyModule layer = make(row, dtype);
  std::map<std::string, Tensor> weights;
  for (const auto& [key, json] : row.at("weights").items()) weights[key] = decode(json, dtype);
  CHECK(layer->parameters().size() == weights.size());
  layer->load_state_dict(weights, {.strict = false});
  for (const Json& step : row.at("steps")) {
    layer->train(step.at("training").get<bool>());
    layer->zero_grad();
    const Tensor x = decode(step.at("x"), dtype).set_requires_grad();
    const Tensor y = (*layer)(x);
    y.backward({.gradient = decode(step.at("cotangent"), dtype)});
    CHECK(close(y, step.at("y"), tolerance));
    CHECK(close(x.grad(), step.at("x_grad"), 8 * tolerance));
    for (const auto& [key, parameter] : layer->named_parameters()) {
      CAPTURE(key);
      CHECK(close(parameter.grad(), step.at("grads").at(key), 8 * tolerance));
    }
    CHECK(layer->named_buffers().size() == step.at("buffers").size());
    for (const auto& [key, buffer] : layer->named_buffers()) {
      CAPTURE(key);
      CHECK(close(buffer, step.at("buffers").at(key), tolerance));
    }
  }
}

}  // namespace

TEST_CASE("layers agree with PyTorch's, all options crossed: outputs, gradients and running statistics") {
  for (const Json& row : reference()) {
    const std::string name = row.at("layer").get<std::string>() + row.at("args").dump() + row.at("options").dump();
    CAPTURE(name);
    for (const Dtype dtype : {float64, float32}) {
      CAPTURE(dtype == float64);
      try {
        check(row, dtype);
      } catch (const std::exception& e) {
        FAIL_CHECK(e.what());
      }
    }
  }
}

TEST_CASE("weight norm is a value as other modules are, and can be taken off again") {
  manual_seed(3);
  const nn::Linear plain(3, 4);
  nn::Sequential model(weight_norm(plain), nn::ReLU(), weight_norm(nn::Conv1d(4, 2, 1), "weight", std::nullopt));
  std::string names;
  for (const auto& [name, p] : model.named_parameters()) names += name + to_string(p.shape()) + " ";
  CHECK(names == "0.bias(4,) 0.weight_g(4, 1) 0.weight_v(4, 3) 2.bias(2,) 2.weight_g() 2.weight_v(2, 4, 1) ");

  nn::WeightNorm<nn::Linear> normed = weight_norm(plain);
  const Tensor x = randn({2, 3});
  CHECK(allclose(normed(x), nn::Linear(plain)(x)));
  CHECK(allclose(normed.weight(), plain.weight));
  CHECK(normed.module.in_features() == 3);
  nn::WeightNorm<nn::Linear> copy = normed;
  sum(normed(x)).backward();
  CHECK(normed.weight_g.grad().defined());
  CHECK_FALSE(copy.weight_g.grad().defined());
  NoGrad guard;
  copy.weight_g.mul_(2);
  CHECK(allclose(copy(x) - plain.bias, (normed(x) - plain.bias) * 2.0, {.atol = 1e-6}));
  nn::Linear off = remove_weight_norm(copy);
  CHECK(allclose(off(x), copy(x)));
  CHECK(off.weight.requires_grad());
  CHECK(off.state_dict().size() == 2);
  copy.to(float64);
  CHECK(copy(x.to(float64)).dtype() == float64);

  CHECK(message_of([] { weight_norm(nn::Linear(2, 2), "wait"); }) == "weight_norm: Linear has no parameter wait");
  CHECK(message_of([] { weight_norm(nn::Linear(2, 2), "weight", 2); }) ==
        "weight_norm: dim 2 is out of range for (2, 2)");
  nn::Sequential wrong(weight_norm(nn::Linear(2, 2)));
  CHECK(message_of([&] { wrong(ones({3})); }).starts_with("0: linear: "));
}

TEST_CASE("a convolution's padding is a number, a pair or a word") {
  CHECK(nn::Conv2d(1, 1, {4, 3}, {.padding = "same", .dilation = 2})(ones({1, 5, 6})).shape() == Shape{1, 5, 6});
  CHECK(nn::Conv1d(1, 1, 4, {.padding = "same"})(ones({1, 5})).shape() == Shape{1, 5});
  CHECK(nn::Conv2d(1, 1, 3, {.padding = "valid"})(ones({1, 5, 5})).shape() == Shape{1, 3, 3});
  CHECK(message_of([] { nn::Conv2d(1, 1, 3, {.padding = "full"}); }) ==
        "padding: a number, \"same\" or \"valid\" is needed, got \"full\"");
  CHECK(message_of([] { nn::Conv2d(1, 1, 3, {.stride = 2, .padding = "same"}); }) ==
        "Conv2d: padding \"same\" needs a stride of 1, got 2");
  CHECK(message_of([] { nn::Conv1d(1, 1, 3, {.padding = -1}); }) == "Conv1d: padding must be at least 0, got -1");
  CHECK(message_of([] { nn::Conv1d(1, 1, 3, {.stride = 0}); }) == "Conv1d: stride must be at least 1, got 0");
  CHECK(message_of([] {
          nn::Conv2d(1, 1, 3, {.dilation = {1, -2}});
        }) == "Conv2d: dilation must be at least 1, got -2");
  CHECK(message_of([] { nn::ConvTranspose2d(1, 1, 3, {.padding = -1}); }) ==
        "ConvTranspose2d: padding must be at least 0, got -1");
  CHECK(message_of([] {
          nn::Conv1d(1, 1, 3, {.padding = 3, .padding_mode = nn::PaddingMode::reflect})(ones({1, 1, 3}));
        }) != "");
}

TEST_CASE("RReLU draws a slope for each element in training, and has their mean in evaluation") {
  Generator generator(3);
  nn::RReLU layer(0.25, 0.5, {.generator = &generator});
  const Tensor x = full({1000}, -2.0), y = layer(x);
  CHECK((y.max().item() <= -0.5 && y.min().item() >= -1));
  CHECK(y.max().item() - y.min().item() > 0.45);
  CHECK(equal(layer(ones({3})), ones({3})));
  CHECK(equal(layer.eval()(x), full({1000}, -0.75)));
  CHECK(message_of([] { nn::RReLU(0.5, 0.25); }) == "RReLU: lower must not exceed upper, got 0.5 and 0.25");
  CHECK(message_of([] { nn::Softshrink(-1); }) == "Softshrink: lambd must be at least 0, got -1");
  CHECK(message_of([] { nn::Softplus(0); }) == "Softplus: beta must be above 0, got 0");
  CHECK(message_of([] {
          nn::Softmax2d()(ones({2, 2}));
        }) == "Softmax2d: images (batch, channels, h, w) are needed, got (2, 2)");
}
