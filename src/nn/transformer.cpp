#include "gradus/nn/transformer.hpp"

#include "gradus/ops.hpp"
#include "storage/format.hpp"

namespace gradus::nn {
namespace {

MultiheadAttentionOptions attention_of(const TransformerEncoderLayerOptions& o) {
  return {
      .dropout = o.dropout, .bias = o.bias, .batch_first = o.batch_first, .dtype = o.dtype, .generator = o.generator};
}

LayerNormOptions norm_of(const TransformerEncoderLayerOptions& o) {
  return {.eps = o.layer_norm_eps, .bias = o.bias, .dtype = o.dtype};
}

}  // namespace

TransformerEncoderLayer::TransformerEncoderLayer(std::int64_t d_model, std::int64_t nhead,
                                                 const TransformerEncoderLayerOptions& o)
    : self_attn(d_model, nhead, attention_of(o)),
      linear1(d_model, o.dim_feedforward, {.bias = o.bias, .dtype = o.dtype}),
      dropout(o.dropout, {.generator = o.generator}),
      linear2(o.dim_feedforward, d_model, {.bias = o.bias, .dtype = o.dtype}),
      norm1(d_model, norm_of(o)),
      norm2(d_model, norm_of(o)),
      dropout1(o.dropout, {.generator = o.generator}),
      dropout2(o.dropout, {.generator = o.generator}),
      activation_(o.activation),
      norm_first_(o.norm_first) {}

Tensor TransformerEncoderLayer::attended(const Tensor& x, const TransformerEncoderLayerForwardOptions& options) {
  const Attended result = self_attn(x, x, x,
                                    {.key_padding_mask = options.src_key_padding_mask,
                                     .need_weights = false,
                                     .attn_mask = options.src_mask,
                                     .is_causal = options.is_causal});
  return dropout1(result.output);
}

Tensor TransformerEncoderLayer::fed_forward(const Tensor& x) {
  const Tensor h = linear1(x);
  return dropout2(linear2(dropout(activation_ == Activation::relu ? relu(h) : gelu(h))));
}

Tensor TransformerEncoderLayer::forward(const Tensor& src, const TransformerEncoderLayerForwardOptions& options) {
  if (norm_first_) {
    const Tensor x = src + attended(norm1(src), options);
    return x + fed_forward(norm2(x));
  }
  const Tensor x = norm1(src + attended(src, options));
  return norm2(x + fed_forward(x));
}

TransformerEncoder::TransformerEncoder(const TransformerEncoderLayer& encoder_layer, std::int64_t num_layers,
                                       const TransformerEncoderOptions& options)
    : norm(options.norm) {
  if (num_layers < 0) fail("TransformerEncoder: num_layers must be at least 0, got {}", num_layers);
  for (std::int64_t i = 0; i < num_layers; ++i) layers.push_back(encoder_layer);
}

Tensor TransformerEncoder::forward(const Tensor& src, const TransformerEncoderForwardOptions& options) {
  Tensor x = src;
  for (TransformerEncoderLayer& layer : layers) {
    x = layer(x, {.src_mask = options.mask,
                  .src_key_padding_mask = options.src_key_padding_mask,
                  .is_causal = options.is_causal});
  }
  return norm ? (*norm)(x) : x;
}

}  // namespace gradus::nn
