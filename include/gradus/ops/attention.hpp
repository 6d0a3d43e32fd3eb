// Attention, and positions as rotations.
#pragma once

#include <cstdint>
#include <optional>

#include "gradus/random.hpp"
#include "gradus/tensor.hpp"

namespace gradus {

struct AttentionOptions {
  Tensor attn_mask = {};   // (..., queries, keys): boolean, true where a key takes part; or added to the scores
  double dropout_p = 0;    // each weight is 0 with this probability, else weight / (1 - dropout_p)
  bool is_causal = false;  // query i sees keys 0 .. i only
  std::optional<double> scale = {};  // by default 1 / sqrt(width)
  Generator* generator = nullptr;    // where dropout comes from, by default the thread's own
};

// softmax(scale Q K^T + mask) V, row by row: (..., queries, width), (..., keys, width), (..., keys, value width) ->
// (..., queries, value width); leading dims broadcast, those of the mask do so to them. A query whose mask leaves it no
// key gets 0. The weights (queries, keys) are in memory for a few queries at a time; the derivative computes them
// again, unless they are few (at most 4 keys for each element of a value) and kept, or the mask itself needs a
// gradient. Throws on a mask together with is_causal.
Tensor scaled_dot_product_attention(const Tensor& query, const Tensor& key, const Tensor& value,
                                    const AttentionOptions& options = {});

struct RotaryOptions {
  double base = 10000;      // the last pair turns by about 1 / base per position
  std::int64_t offset = 0;  // the position of the first row
};

// Rotary positions (Su et al., "RoFormer", 2021): (..., positions, width) -> the same. In the row of position p the
// pair (x[i], x[i + width / 2]) is turned by the angle p / base^(2 i / width), so that the product of two rows depends
// on the distance of their positions only. Throws on an odd width.
Tensor rotary_embedding(const Tensor& x, const RotaryOptions& options = {});

}  // namespace gradus
