// Attention as the layers need it: the weights themselves, and a form for heads that lie side by side.
#pragma once

#include "gradus/tensor.hpp"

namespace gradus {

// What scores go through on their way to weights.
struct AttentionTerms {
  Tensor mask = {};     // boolean, true where a key takes part, or added; broadcasts; may be undefined
  Tensor factors = {};  // what dropout multiplies the weights by: (..., queries, keys); may be undefined
  bool causal = false;  // query i sees keys 0 .. i
  double scale = 1;
};

// The weights factors softmax(scale Q K^T + mask), composed of ops: (..., queries, width), (..., keys, width) ->
// (..., queries, keys).
Tensor attention_weights(const Tensor& query, const Tensor& key, const AttentionTerms& terms);

// These weights times the values, fused: scaled_dot_product_attention without its checks.
Tensor attend(const Tensor& query, const Tensor& key, const Tensor& value, const AttentionTerms& terms);

// Attention of several heads among the rows of one tensor, whose last dim has the heads' queries, then their keys, then
// their values: (batch, positions, 3 heads width) -> (batch, positions, heads width), or with the first two dims
// swapped. No head is copied out, and all gradients are written into one tensor.
Tensor packed_attention(const Tensor& packed, std::int64_t heads, bool batch_first, const AttentionTerms& terms);

}  // namespace gradus
