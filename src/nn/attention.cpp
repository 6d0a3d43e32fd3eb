#include "gradus/nn/attention.hpp"

#include <cmath>
#include <limits>

#include "gradus/factory.hpp"
#include "gradus/nn/init.hpp"
#include "gradus/ops.hpp"
#include "ops/attention.hpp"
#include "ops/dropout.hpp"
#include "storage/format.hpp"

namespace gradus::nn {

struct MultiheadAttention::Sizes {
  bool batched;
  std::int64_t batch, heads, queries, keys;

  Shape scores() const { return {batch, heads, queries, keys}; }
};

namespace {

std::int64_t checked(std::int64_t embed_dim, std::int64_t num_heads, const MultiheadAttentionOptions& options) {
  if (embed_dim < 1 || num_heads < 1 || embed_dim % num_heads != 0) {
    fail("MultiheadAttention: embed_dim {} is not divisible by num_heads {}", embed_dim, num_heads);
  }
  if (!(options.dropout >= 0 && options.dropout <= 1)) {
    fail("MultiheadAttention: dropout must be in [0, 1], got {}", options.dropout);
  }
  if (options.kdim.value_or(1) < 1 || options.vdim.value_or(1) < 1) {
    fail("MultiheadAttention: kdim and vdim must be at least 1, got {} and {}", options.kdim.value_or(embed_dim),
         options.vdim.value_or(embed_dim));
  }
  return embed_dim;
}

Parameter projection(std::int64_t out, std::int64_t in, Dtype dtype) {
  return Parameter(init::xavier_uniform_(empty({out, in}, {.dtype = dtype})));
}

void check_mask(const char* which, const Tensor& mask, Dtype dtype, const Shape& wanted, const Shape& or_else) {
  if (!mask.defined()) return;
  if (mask.dtype() != boolean && mask.dtype() != dtype) {
    fail("MultiheadAttention: the {} must be {} or {}, got {}", which, boolean, dtype, mask.dtype());
  }
  if (mask.shape() == wanted || mask.shape() == or_else) return;
  if (wanted == or_else) fail("MultiheadAttention: the {} must be {}, got {}", which, wanted, mask.shape());
  fail("MultiheadAttention: the {} must be {} or {}, got {}", which, wanted, or_else, mask.shape());
}

// What has to be added to scores so that they count as masked.
Tensor as_addend(const Tensor& mask, Dtype dtype) {
  if (mask.dtype() != boolean) return mask;
  return masked_fill(zeros(mask.shape(), {.dtype = dtype}), mask, -std::numeric_limits<double>::infinity());
}

// Both masks as one, as attention wants it: true where a key takes part, or added. Either may be undefined.
Tensor merged(const Tensor& a, const Tensor& b, Dtype dtype) {
  if (!a.defined() && !b.defined()) return {};
  if (!a.defined() || !b.defined()) {
    const Tensor& only = a.defined() ? a : b;
    return only.dtype() == boolean ? eq(only, 0.0) : only;
  }
  if (a.dtype() == boolean && b.dtype() == boolean) return eq(where(a, a, b), 0.0);
  return as_addend(a, dtype) + as_addend(b, dtype);
}

}  // namespace

MultiheadAttention::MultiheadAttention(std::int64_t embed_dim, std::int64_t num_heads,
                                       const MultiheadAttentionOptions& options)
    : out_proj(checked(embed_dim, num_heads, options), embed_dim, {.bias = options.bias, .dtype = options.dtype}),
      num_heads_(num_heads),
      dropout_(options.dropout),
      batch_first_(options.batch_first),
      generator_(options.generator) {
  const std::int64_t kdim = options.kdim.value_or(embed_dim), vdim = options.vdim.value_or(embed_dim);
  if (kdim == embed_dim && vdim == embed_dim) {
    in_proj_weight = projection(3 * embed_dim, embed_dim, options.dtype);
  } else {
    q_proj_weight = projection(embed_dim, embed_dim, options.dtype);
    k_proj_weight = projection(embed_dim, kdim, options.dtype);
    v_proj_weight = projection(embed_dim, vdim, options.dtype);
  }
  if (!options.bias) return;
  in_proj_bias = Parameter(zeros({3 * embed_dim}, {.dtype = options.dtype}));
  init::zeros_(out_proj.bias);
}

MultiheadAttention::Sizes MultiheadAttention::check_inputs(const Tensor& query, const Tensor& key,
                                                           const Tensor& value) const {
  const std::int64_t embed_dim = out_proj.in_features();
  const bool packed = in_proj_weight.defined();
  const auto check = [&](const char* which, const Tensor& x, std::int64_t width) {
    if ((x.dim() == 2 || x.dim() == 3) && x.dim() == query.dim() && x.size(-1) == width) return;
    const char* const layout = batch_first_ ? "(batch, positions," : "(positions, batch,";
    fail("MultiheadAttention: the {} must be {} {}), or all three without batch, got {}", which, layout, width,
         x.shape());
  };
  check("query", query, embed_dim);
  check("key", key, packed ? embed_dim : k_proj_weight.size(1));
  check("value", value, packed ? embed_dim : v_proj_weight.size(1));
  const bool batched = query.dim() == 3;
  const std::int64_t positions = batched && batch_first_ ? 1 : 0, batch = 1 - positions;
  const auto differ = [&](const Tensor& a, const Tensor& b, std::int64_t dim) { return a.size(dim) != b.size(dim); };
  if (differ(key, value, positions) || (batched && (differ(query, key, batch) || differ(query, value, batch)))) {
    fail("MultiheadAttention: query, key and value must have one batch, key and value one length: {}, {} and {}",
         query.shape(), key.shape(), value.shape());
  }
  return {batched, batched ? query.size(batch) : 1, num_heads_, query.size(positions), key.size(positions)};
}

// Queries, keys or values (0, 1, 2) of all heads.
Tensor MultiheadAttention::projected(const Tensor& x, std::int64_t which) const {
  const std::int64_t width = out_proj.in_features();
  const Tensor bias = in_proj_bias.defined() ? narrow(in_proj_bias, 0, which * width, width) : Tensor();
  if (in_proj_weight.defined()) return linear(x, narrow(in_proj_weight, 0, which * width, width), bias);
  return linear(x, which == 0 ? q_proj_weight : which == 1 ? k_proj_weight : v_proj_weight, bias);
}

// To (batch, heads, positions, width of a head), and back.
Tensor MultiheadAttention::split_heads(const Tensor& x) const {
  const Tensor heads = reshape(x, {x.size(0), x.size(1), num_heads_, x.size(2) / num_heads_});
  return permute(heads, batch_first_ ? Shape{0, 2, 1, 3} : Shape{1, 2, 0, 3});
}

Tensor MultiheadAttention::join_heads(const Tensor& x) const {
  const Tensor side_by_side = permute(x, batch_first_ ? Shape{0, 2, 1, 3} : Shape{2, 0, 1, 3});
  return reshape(side_by_side, {side_by_side.size(0), side_by_side.size(1), out_proj.in_features()});
}

Attended MultiheadAttention::forward(const Tensor& query, const Tensor& key, const Tensor& value,
                                     const MultiheadAttentionForwardOptions& options) {
  const Sizes s = check_inputs(query, key, value);
  const std::int64_t batch_dim = batch_first_ ? 0 : 1;
  const auto with_batch = [&](const Tensor& x) { return s.batched ? x : unsqueeze(x, batch_dim); };

  const Tensor &mask = options.attn_mask, &padding = options.key_padding_mask;
  check_mask("attn_mask", mask, query.dtype(), {s.queries, s.keys}, {s.batch * num_heads_, s.queries, s.keys});
  const Shape padding_shape = s.batched ? Shape{s.batch, s.keys} : Shape{s.keys};
  check_mask("key_padding_mask", padding, query.dtype(), padding_shape, padding_shape);
  AttentionTerms terms{.causal = options.is_causal};
  terms.mask = merged(mask.defined() && mask.dim() == 3 ? reshape(mask, s.scores()) : mask,
                      padding.defined() ? reshape(padding, {s.batch, 1, 1, s.keys}) : padding, query.dtype());
  terms.scale = 1 / std::sqrt(static_cast<double>(out_proj.in_features() / num_heads_));
  if (is_training() && dropout_ > 0) terms.factors = dropout_factors(s.scores(), query.dtype(), dropout_, generator_);

  Tensor joined, weights;
  if (in_proj_weight.defined() && query.is(key) && key.is(value) && !options.need_weights) {
    joined = packed_attention(linear(with_batch(query), in_proj_weight, in_proj_bias), num_heads_, batch_first_, terms);
  } else {
    const Tensor q = split_heads(projected(with_batch(query), 0)), k = split_heads(projected(with_batch(key), 1)),
                 v = split_heads(projected(with_batch(value), 2));
    if (options.need_weights) weights = attention_weights(q, k, terms);
    joined = join_heads(options.need_weights ? matmul(weights, v) : attend(q, k, v, terms));
  }
  const Tensor output = out_proj(s.batched ? joined : squeeze(joined, batch_dim));
  if (options.need_weights && options.average_attn_weights) weights = mean(weights, 1);
  if (options.need_weights && !s.batched) weights = squeeze(weights, 0);
  return {output, weights};
}

Tensor MultiheadAttention::forward(const Tensor& x) { return forward(x, x, x, {.need_weights = false}).output; }

}  // namespace gradus::nn
