#include "gradus/model_spec.hpp"

#include <fmt/format.h>

#include <functional>
#include <map>

#include <gradus/error.hpp>
#include <gradus/nn.hpp>

#include "gradus/words.hpp"

namespace gradus::tool {
namespace {

const std::map<std::string, std::function<nn::AnyModule()>>& activations() {
  static const std::map<std::string, std::function<nn::AnyModule()>> makers = {
      {"celu", [] { return nn::CELU(); }},         {"elu", [] { return nn::ELU(); }},
      {"gelu", [] { return nn::GELU(); }},         {"hardswish", [] { return nn::Hardswish(); }},
      {"hardtanh", [] { return nn::Hardtanh(); }}, {"leaky-relu", [] { return nn::LeakyReLU(); }},
      {"mish", [] { return nn::Mish(); }},         {"prelu", [] { return nn::PReLU(); }},
      {"relu", [] { return nn::ReLU(); }},         {"relu6", [] { return nn::ReLU6(); }},
      {"selu", [] { return nn::SELU(); }},         {"sigmoid", [] { return nn::Sigmoid(); }},
      {"silu", [] { return nn::SiLU(); }},         {"softplus", [] { return nn::Softplus(); }},
      {"softsign", [] { return nn::Softsign(); }}, {"tanh", [] { return nn::Tanh(); }}};
  return makers;
}

// The words may come out of a file of others, which shall not fill the memory.
constexpr std::int64_t most_weights = 500'000'000;

bool is_width(const std::string& word) { return word.find_first_not_of("0123456789") == std::string::npos; }

// Adds layer by layer and knows the shape of a sample on the way.
class Builder {
 public:
  explicit Builder(const Shape& input) : shape_(input) {}

  void add(const std::string& word) {
    word_ = word;
    const std::vector<std::string> parts = split(word, ':');
    const auto activation = activations().find(word);
    if (activation != activations().end())
      model_.push_back(activation->second());
    else if (!word.empty() && is_width(word))
      add_linear(positive(word));
    else if (const auto made = layers().find(parts[0]); made != layers().end())
      add_named(made->second, parts);
    else
      refuse();
  }
  nn::Sequential take() { return std::move(model_); }

 private:
  struct Layer {
    std::size_t arguments;  // at most
    std::function<void(Builder&, const std::vector<std::string>&)> add;
  };

  static const std::map<std::string, Layer>& layers() {
    using Parts = const std::vector<std::string>&;
    static const std::map<std::string, Layer> makers = {
        {"linear", {1, [](Builder& b, Parts p) { b.add_linear(b.positive(b.argument(p, 1, ""))); }}},
        {"dropout", {1, [](Builder& b, Parts p) { b.add_dropout(b.argument(p, 1, "0.5")); }}},
        {"conv", {2, [](Builder& b, Parts p) { b.add_conv(b.argument(p, 1, ""), b.argument(p, 2, "3")); }}},
        {"maxpool", {1, [](Builder& b, Parts p) { b.add_pool<nn::MaxPool2d>(b.argument(p, 1, "2")); }}},
        {"avgpool", {1, [](Builder& b, Parts p) { b.add_pool<nn::AvgPool2d>(b.argument(p, 1, "2")); }}},
        {"batchnorm", {0, [](Builder& b, Parts) { b.add_batch_norm(); }}},
        {"layernorm", {0, [](Builder& b, Parts) { b.model_.push_back(nn::LayerNorm(b.shape_)); }}},
        {"flatten", {0, [](Builder& b, Parts) { b.flatten(); }}}};
    return makers;
  }

  void add_named(const Layer& layer, const std::vector<std::string>& parts) {
    if (parts.size() > layer.arguments + 1)
      throw Error(fmt::format("--layers: {}: more than {} after the name", word_, layer.arguments));
    layer.add(*this, parts);
  }
  [[noreturn]] void refuse() const {
    std::vector<std::string> known = known_activations();
    for (const auto& [name, add] : layers()) known.push_back(name);
    known.emplace_back("64");
    refuse_unknown("--layers: layer", word_, known);
  }
  std::string argument(const std::vector<std::string>& parts, std::size_t index, const char* otherwise) const {
    return index < parts.size() ? parts[index] : otherwise;
  }
  std::int64_t positive(const std::string& text) const {
    const std::int64_t value = to_whole_number("--layers: " + word_, text);
    if (value < 1 || value > 1'000'000)
      throw Error(fmt::format("--layers: {}: not from 1 to 1000000: {}", word_, value));
    return value;
  }
  void need_image() const {
    if (shape_.size() != 3)
      throw Error(fmt::format("--layers: {}: needs an image (channels, height, width), not {}", word_,
                              gradus::to_string(shape_)));
  }

  // Weights of one layer more. Divided, as products of numbers from a file may be too large for any type.
  void take(std::int64_t in, std::int64_t out, std::int64_t each) {
    if (each > (most_weights - weights_) / in / out)
      throw Error(fmt::format("--layers: {}: more than {} weights", word_, most_weights));
    weights_ += in * out * each;
  }
  void add_linear(std::int64_t width) {
    flatten();
    take(shape_[0], width, 1);
    model_.push_back(nn::Linear(shape_[0], width));
    shape_ = {width};
  }
  void add_dropout(const std::string& p) { model_.push_back(nn::Dropout(to_number("--layers: " + word_, p))); }
  void add_conv(const std::string& channels, const std::string& kernel) {
    need_image();
    const std::int64_t count = positive(channels), side = positive(kernel);
    if (side % 2 == 0) throw Error(fmt::format("--layers: {}: the kernel must have an odd side: {}", word_, side));
    take(shape_[0], count, side * side);
    model_.push_back(nn::Conv2d(shape_[0], count, side, {.padding = side / 2}));
    shape_[0] = count;
  }
  template <class Pool>
  void add_pool(const std::string& side) {
    need_image();
    const std::int64_t by = positive(side);
    if (shape_[1] < by || shape_[2] < by)
      throw Error(fmt::format("--layers: {}: the image has only {} x {} pixels", word_, shape_[1], shape_[2]));
    model_.push_back(Pool(by));
    shape_ = {shape_[0], shape_[1] / by, shape_[2] / by};
  }
  void add_batch_norm() {
    if (shape_.size() == 3)
      model_.push_back(nn::BatchNorm2d(shape_[0]));
    else
      model_.push_back(nn::BatchNorm1d(shape_[0]));
  }
  void flatten() {
    if (shape_.size() == 1) return;
    model_.push_back(nn::Flatten());
    shape_ = {shape_.numel()};
  }

  Shape shape_;
  nn::Sequential model_;
  std::string word_;
  std::int64_t weights_ = 0;
};

void append_hidden(std::vector<std::string>& words, const std::string& layer, const ModelOptions& options) {
  words.push_back(layer);
  if (options.norm != "none") words.push_back(options.norm + "norm");
  words.push_back(options.activation);
}

}  // namespace

std::vector<std::string> known_activations() {
  std::vector<std::string> names;
  for (const auto& [name, make] : activations()) names.push_back(name);
  return names;
}

std::string layers_of(const ModelOptions& options, std::int64_t outputs) {
  check_known("--activation: activation", options.activation, known_activations());
  check_known("--norm: normalisation", options.norm, {"none", "batch", "layer"});
  if (!(options.dropout >= 0 && options.dropout <= 1))
    throw Error(fmt::format("--dropout: must be from 0 to 1: {}", options.dropout));
  check_known("--model: model", options.model, {"mlp", "conv", "linear"});
  std::vector<std::string> words;
  if (!options.layers.empty()) {
    words = split(options.layers, ',');
  } else if (options.model != "linear") {
    for (const char* channels : {"conv:16", "conv:32"}) {
      if (options.model != "conv") break;
      append_hidden(words, channels, options);
      words.emplace_back("maxpool:2");
    }
    for (const std::string& width : split(options.hidden, ',')) {
      append_hidden(words, width, options);
      if (options.dropout > 0) words.push_back(fmt::format("dropout:{}", options.dropout));
    }
  }
  const std::string last = std::to_string(outputs);
  if (words.empty() || (words.back() != last && words.back() != "linear:" + last)) words.push_back(last);
  return join(words, ",");
}

nn::Sequential build_model(const std::string& layers, const Shape& input) {
  Builder builder(input);
  for (const std::string& word : split(layers, ',')) builder.add(word);
  return builder.take();
}

}  // namespace gradus::tool
