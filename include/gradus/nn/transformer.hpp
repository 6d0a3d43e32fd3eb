// The encoder of a transformer (Vaswani et al., "Attention is all you need", 2017). With is_causal it is what GPTs are
// made of.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "gradus/nn/attention.hpp"
#include "gradus/nn/dropout.hpp"
#include "gradus/nn/linear.hpp"
#include "gradus/nn/members.hpp"
#include "gradus/nn/module.hpp"
#include "gradus/nn/norm.hpp"

namespace gradus::nn {

enum class Activation : std::uint8_t { relu, gelu };

struct TransformerEncoderLayerOptions {
  std::int64_t dim_feedforward = 2048;
  double dropout = 0.1;
  Activation activation = Activation::relu;
  double layer_norm_eps = 1e-5;
  bool batch_first = false;  // (batch, positions, d_model) instead of (positions, batch, d_model)
  bool norm_first = false;   // normalise what goes into attention and feedforward, not their sums with what goes past
  bool bias = true;
  Dtype dtype = float32;
  Generator* generator = nullptr;  // where dropout comes from, by default the thread's own; copies share it
};

struct TransformerEncoderLayerForwardOptions {
  Tensor src_mask = {};              // (positions, positions), as MultiheadAttention's attn_mask
  Tensor src_key_padding_mask = {};  // (batch, positions), as its key_padding_mask
  bool is_causal = false;            // no position sees a later one
};

// Self-attention, then two linear layers on each position, each with a residual connection and a layer norm:
// (positions, batch, d_model) -> the same. Throws unless nhead divides d_model.
class TransformerEncoderLayer : public Module {
 public:
  TransformerEncoderLayer(std::int64_t d_model, std::int64_t nhead, const TransformerEncoderLayerOptions& options = {});

  Tensor forward(const Tensor& src, const TransformerEncoderLayerForwardOptions& options);
  Tensor forward(const Tensor& src) override { return forward(src, {}); }

  using Module::operator();
  Tensor operator()(const Tensor& src, const TransformerEncoderLayerForwardOptions& options) {
    return call(src, [&](const Tensor& x) { return forward(x, options); });
  }

  MultiheadAttention self_attn;
  Linear linear1;
  Dropout dropout;
  Linear linear2;
  LayerNorm norm1, norm2;
  Dropout dropout1, dropout2;
  GRADUS_MODULE(self_attn, linear1, dropout, linear2, norm1, norm2, dropout1, dropout2)

 private:
  Tensor attended(const Tensor& x, const TransformerEncoderLayerForwardOptions& options);
  Tensor fed_forward(const Tensor& x);

  Activation activation_;
  bool norm_first_;
};

struct TransformerEncoderOptions {
  std::optional<LayerNorm> norm = {};  // after the last layer
};

struct TransformerEncoderForwardOptions {
  Tensor mask = {};
  Tensor src_key_padding_mask = {};
  bool is_causal = false;
};

// num_layers copies of a layer, one after the other. They start with the same weights, as in PyTorch.
class TransformerEncoder : public Module {
 public:
  TransformerEncoder(const TransformerEncoderLayer& encoder_layer, std::int64_t num_layers,
                     const TransformerEncoderOptions& options = {});

  Tensor forward(const Tensor& src, const TransformerEncoderForwardOptions& options);
  Tensor forward(const Tensor& src) override { return forward(src, {}); }

  using Module::operator();
  Tensor operator()(const Tensor& src, const TransformerEncoderForwardOptions& options) {
    return call(src, [&](const Tensor& x) { return forward(x, options); });
  }

  std::vector<TransformerEncoderLayer> layers;
  std::optional<LayerNorm> norm;
  GRADUS_MODULE(layers, norm)
};

}  // namespace gradus::nn
