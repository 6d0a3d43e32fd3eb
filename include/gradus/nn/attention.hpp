// Multi-head attention (Vaswani et al., "Attention is all you need", 2017).
#pragma once

#include <cstdint>
#include <optional>

#include "gradus/nn/linear.hpp"
#include "gradus/nn/members.hpp"
#include "gradus/nn/module.hpp"
#include "gradus/nn/parameter.hpp"
#include "gradus/random.hpp"

namespace gradus::nn {

struct MultiheadAttentionOptions {
  double dropout = 0;                     // of the weights, in training
  bool bias = true;                       // of the projections
  bool batch_first = false;               // (batch, positions, width) instead of (positions, batch, width)
  std::optional<std::int64_t> kdim = {};  // the width of keys, by default embed_dim
  std::optional<std::int64_t> vdim = {};  // the width of values, by default embed_dim
  Dtype dtype = float32;
  Generator* generator = nullptr;  // where dropout comes from, by default the thread's own; copies share it
};

struct MultiheadAttentionForwardOptions {
  Tensor key_padding_mask = {};  // (batch, keys): boolean, true for a key that nobody may see; or added to the scores
  bool need_weights = true;      // false is faster: the weights are never all in memory
  Tensor attn_mask = {};  // (queries, keys) or (batch num_heads, queries, keys): true where a query may not see a key
  bool average_attn_weights = true;  // over the heads
  bool is_causal = false;            // query i sees keys 0 .. i only, beside what masks say
};

struct Attended {
  Tensor output;
  Tensor weights;  // (batch, queries, keys), or with the heads as dim 1; undefined if they were not needed
};

// Each head attends with projections of its own of queries, keys and values, embed_dim / num_heads wide; their results,
// side by side, are projected once more. (queries, batch, embed_dim), (keys, batch, kdim), (keys, batch, vdim) ->
// (queries, batch, embed_dim), with batch_first the batch comes first, and it may be missing. Boolean masks say where
// not to look, unlike those of scaled_dot_product_attention; a query that may look nowhere gets weights of 0.
// Projections start as xavier_uniform_, biases at 0. Throws unless num_heads divides embed_dim.
class MultiheadAttention : public Module {
 public:
  MultiheadAttention(std::int64_t embed_dim, std::int64_t num_heads, const MultiheadAttentionOptions& options = {});

  Attended forward(const Tensor& query, const Tensor& key, const Tensor& value,
                   const MultiheadAttentionForwardOptions& options = {});
  // Every position looks at all others: the output for x as query, key and value.
  Tensor forward(const Tensor& x) override;

  using Module::operator();
  Attended operator()(const Tensor& query, const Tensor& key, const Tensor& value,
                      const MultiheadAttentionForwardOptions& options = {}) {
    return call(query, [&](const Tensor& x) { return forward(x, key, value, options); });
  }

  Parameter in_proj_weight;  // (3 embed_dim, embed_dim): of queries, keys and values, if all are embed_dim wide
  Parameter q_proj_weight;   // else one for each
  Parameter k_proj_weight;
  Parameter v_proj_weight;
  Parameter in_proj_bias;  // (3 embed_dim)
  Linear out_proj;
  GRADUS_MODULE(in_proj_weight, q_proj_weight, k_proj_weight, v_proj_weight, in_proj_bias, out_proj)

 private:
  struct Sizes;

  Sizes check_inputs(const Tensor& query, const Tensor& key, const Tensor& value) const;
  Tensor projected(const Tensor& x, std::int64_t which) const;
  Tensor split_heads(const Tensor& x) const;
  Tensor join_heads(const Tensor& x) const;

  std::int64_t num_heads_;
  double dropout_;
  bool batch_first_;
  Generator* generator_;
};

}  // namespace gradus::nn
