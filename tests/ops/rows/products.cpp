#include "ops/op_table.hpp"

namespace gradus::test {
namespace {

// (query, key, value) and perhaps a mask; dropout is the same at every call.
Tensor call_attention(const Tensors& x, const Args& a) {
  Generator generator(7);
  return scaled_dot_product_attention(x[0], x[1], x[2],
                                      {.attn_mask = x.size() > 3 ? x[3] : Tensor(),
                                       .dropout_p = a.number("dropout_p", 0),
                                       .is_causal = a.integer("is_causal", 0) != 0,
                                       .scale = a.maybe_number("scale"),
                                       .generator = &generator});
}

void attend(const Shape& query, const Shape& key, const Shape& value, const AttentionOptions& options = {}) {
  scaled_dot_product_attention(zeros(query), zeros(key), zeros(value), options);
}

}  // namespace

std::vector<Row> product_rows() {
  return {
      {.name = "matmul",
       .call = [](const Tensors& x, const Args&) { return matmul(x[0], x[1]); },
       .cases = {{{normal({3}), normal({3})}},
                 {{normal({2, 3}), normal({3})}},
                 {{normal({3}), normal({3, 4})}},
                 {{normal({2, 3}), normal({3, 4})}},
                 {{normal({3, 3}), normal({3, 3})}},
                 {{normal({4, 2, 3}), normal({3})}},
                 {{normal({3}), normal({4, 3, 2})}},
                 {{normal({4, 2, 3}), normal({3, 2})}},
                 {{normal({2, 3}), normal({4, 3, 2})}},
                 {{normal({3, 2, 3}), normal({3, 3, 2})}},
                 {{normal({1, 2, 3}), normal({3, 3, 2})}},
                 {{normal({2, 1, 2, 3}), normal({3, 3, 2})}},
                 {{normal({2, 0}), normal({0, 3})}},
                 {{normal({0, 3}), normal({3, 2})}}},
       .bad_calls = {{[] {
                        matmul(zeros({2, 3}), zeros({4, 5}));
                      },
                      "matmul: inner dimensions differ: (2, 3) x (4, 5)"},
                     {[] { matmul(zeros({}), zeros({2})); }, "matmul: both operands need a dim: () x (2,)"}},
       .method = [](const Tensors& x, const Args&) { return x[0].matmul(x[1]); }},
      {.name = "linear",
       .call = [](const Tensors& x, const Args&) { return linear(x[0], x[1], x.size() > 2 ? x[2] : Tensor()); },
       .cases = {{{normal({2, 3}), normal({4, 3}), optional_input(normal({4}))}},
                 {{normal({2, 3}), normal({4, 3})}},
                 {{normal({3}), normal({4, 3}), optional_input(normal({4}))}},
                 {{normal({2, 2, 3}), normal({4, 3}), optional_input(normal({4}))}},
                 {{normal({0, 3}), normal({4, 3}), optional_input(normal({4}))}},
                 {{normal({1, 1}), normal({1, 1}), optional_input(normal({1}))}}},
       .bad_calls = {{[] {
                        linear(zeros({2, 3}), zeros({4, 2}));
                      },
                      "linear: the last dim of x must be that of the weight (out, in): (2, 3) and (4, 2)"},
                     {[] {
                        linear(zeros({2, 3}), zeros({4, 3}), zeros({3}));
                      },
                      "linear: the bias must be (4,), got (3,)"}}},
      {.name = "dot",
       .call = [](const Tensors& x, const Args&) { return dot(x[0], x[1]); },
       .cases = {{{normal({3}), normal({3})}}, {{normal({0}), normal({0})}}},
       .bad_calls = {{[] { dot(zeros({2}), zeros({3})); }, "dot: inner dimensions differ: (2,) x (3,)"},
                     {[] {
                        dot(zeros({2, 2}), zeros({2}));
                      },
                      "dot: 1 and 1 dims are needed, got (2, 2) and (2,)"}}},
      {.name = "outer",
       .call = [](const Tensors& x, const Args&) { return outer(x[0], x[1]); },
       .cases = {{{normal({3}), normal({2})}}, {{normal({3}), normal({3})}}, {{normal({0}), normal({2})}}},
       .bad_calls = {{[] {
                        outer(zeros({2, 1}), zeros({3}));
                      },
                      "outer: 1 and 1 dims are needed, got (2, 1) and (3,)"}}},
      {.name = "mv",
       .call = [](const Tensors& x, const Args&) { return mv(x[0], x[1]); },
       .cases = {{{normal({2, 3}), normal({3})}}, {{normal({0, 3}), normal({3})}}},
       .bad_calls = {{[] {
                        mv(zeros({2, 3}), zeros({2}));
                      },
                      "mv: inner dimensions differ: (2, 3) x (2,)"},
                     {[] { mv(zeros({3}), zeros({3})); }, "mv: 2 and 1 dims are needed, got (3,) and (3,)"}}},
      {.name = "bmm",
       .call = [](const Tensors& x, const Args&) { return bmm(x[0], x[1]); },
       .cases = {{{normal({2, 2, 3}), normal({2, 3, 2})}}, {{normal({3, 2, 2}), normal({3, 2, 2})}}},
       .bad_calls = {{[] {
                        bmm(zeros({1, 2, 3}), zeros({2, 3, 2}));
                      },
                      "bmm: batches differ: (1, 2, 3) and (2, 3, 2)"},
                     {[] {
                        bmm(zeros({1, 2, 3}), zeros({1, 2, 2}));
                      },
                      "bmm: inner dimensions differ: (1, 2, 3) x (1, 2, 2)"},
                     {[] {
                        bmm(zeros({2, 3}), zeros({3, 2}));
                      },
                      "bmm: 3 and 3 dims are needed, got (2, 3) and (3, 2)"}}},
      {.name = "addmm",
       .call =
           [](const Tensors& x, const Args& a) {
             return addmm(x[0], x[1], x[2], {.beta = a.number("beta", 1), .alpha = a.number("alpha", 1)});
           },
       .cases = {{{normal({2, 4}), normal({2, 3}), normal({3, 4})}},
                 {{normal({4}), normal({2, 3}), normal({3, 4})}, {{"beta", {0.5}}, {"alpha", {-2}}}},
                 {{normal({2, 1}), normal({2, 3}), normal({3, 4})}},
                 {{normal({4}), normal({2, 3}), normal({3, 4})}, {{"beta", {0}}}},
                 {{normal({3, 3}), normal({3, 3}), normal({3, 3})}}},
       .bad_calls = {{[] {
                        addmm(zeros({3}), zeros({2, 3}), zeros({2, 4}));
                      },
                      "addmm: inner dimensions differ: (2, 3) x (2, 4)"},
                     {[] {
                        addmm(zeros({4}, {.dtype = float64}), zeros({2, 3}), zeros({3, 4}), {.beta = 0});
                      },
                      "addmm: dtypes differ: float64 and float32; convert one with to()"},
                     {[] {
                        addmm(zeros({5, 2, 4}), zeros({2, 3}), zeros({3, 4}));
                      },
                      "addmm: the input of shape (5, 2, 4) does not expand to (2, 4)"}}},
      {.name = "scaled_dot_product_attention",
       .call = call_attention,
       .cases = {{{normal({3, 2}), normal({4, 2}), normal({4, 3})}},
                 {{normal({2, 3, 2}), normal({2, 3, 2}), normal({2, 3, 2})}},
                 {{normal({2, 3, 2}), normal({2, 3, 2}), normal({2, 3, 2})}, {{"is_causal", {1}}}},
                 {{normal({2, 2}), normal({5, 2}), normal({5, 1})}, {{"is_causal", {1}}, {"scale", {0.5}}}},
                 {{normal({5, 2}), normal({2, 2}), normal({2, 2})}, {{"is_causal", {1}}}},
                 {{normal({37, 1}), normal({3, 1}), normal({3, 1})}, {{"is_causal", {1}}}},
                 {{normal({2, 3, 2}), normal({2, 4, 2}), normal({2, 4, 3}), optional_input(mask({2, 3, 4}))}},
                 {{normal({3, 2}), normal({2, 3, 2}), normal({2, 1, 3, 1}), optional_input(mask({2, 1, 1, 3}))},
                  {{"scale", {1}}}},
                 {{normal({2, 3, 2}), normal({3, 2}), normal({3, 2}), optional_input(normal({3, 3}))}},
                 {{normal({2, 3, 2}), normal({3, 2}), normal({3, 2}), optional_input(constant(normal({1, 3})))},
                  {{"dropout_p", {0.25}}}},
                 {{normal({2, 3, 2}), normal({2, 3, 2}), normal({2, 3, 2})},
                  {{"dropout_p", {0.5}}, {"is_causal", {1}}}},
                 {{normal({3, 2}), normal({3, 2}), normal({3, 2})}, {{"dropout_p", {1}}}},
                 // More keys than weights are kept for.
                 {{normal({2, 2}), normal({6, 2}), normal({6, 1}), optional_input(mask({2, 6}))},
                  {{"dropout_p", {0.25}}}},
                 {{normal({7, 1}), normal({6, 1}), normal({6, 1})}, {{"dropout_p", {0.25}}, {"is_causal", {1}}}},
                 {{normal({0, 2}), normal({3, 2}), normal({3, 2})}},
                 {{normal({2, 2}), normal({0, 2}), normal({0, 3}), optional_input(mask({2, 0}))}},
                 {{normal({0, 2, 2}), normal({3, 2}), normal({3, 2})}}},
       .bad_calls =
           {{[] {
               attend({2, 3}, {2, 4}, {2, 3});
             },
             "scaled_dot_product_attention: query and key differ in width: (2, 3) and (2, 4)"},
            {[] {
               attend({2, 3}, {4, 3}, {2, 3});
             },
             "scaled_dot_product_attention: key and value differ in rows: (4, 3) and (2, 3)"},
            {[] {
               attend({3}, {4, 3}, {2, 3});
             },
             "scaled_dot_product_attention: query, key and value must be (..., rows, width): (3,), (4, 3) and (2, 3)"},
            {[] {
               attend({2, 2, 3}, {3, 4, 3}, {4, 3});
             },
             "scaled_dot_product_attention: leading dims: shapes do not broadcast: (2,) and (3,)"},
            {[] {
               attend({2, 3}, {4, 3}, {4, 3}, {.attn_mask = zeros({2, 4}), .is_causal = true});
             },
             "scaled_dot_product_attention: attn_mask and is_causal exclude each other"},
            {[] {
               attend({2, 3}, {4, 3}, {4, 3}, {.attn_mask = zeros({2, 3})});
             },
             "scaled_dot_product_attention: the attn_mask must broadcast to (2, 4), got (2, 3)"},
            {[] {
               attend({2, 3}, {4, 3}, {4, 3}, {.attn_mask = zeros({5, 2, 4})});
             },
             "scaled_dot_product_attention: the attn_mask must broadcast to (2, 4), got (5, 2, 4)"},
            {[] {
               attend({2, 3}, {4, 3}, {4, 3}, {.attn_mask = zeros({2, 4}, {.dtype = int64})});
             },
             "scaled_dot_product_attention: the attn_mask must be bool or float32, got int64"},
            {[] {
               attend({2, 3}, {4, 3}, {4, 3}, {.dropout_p = 1.5});
             },
             "scaled_dot_product_attention: dropout_p must be in [0, 1], got 1.5"}}},
      {.name = "rotary_embedding",
       .call =
           [](const Tensors& x, const Args& a) {
             return rotary_embedding(x[0], {.base = a.number("base", 10000), .offset = a.integer("offset", 0)});
           },
       .cases = {{{normal({3, 4})}},
                 {{normal({2, 3, 2})}, {{"offset", {5}}}},
                 {{normal({2, 2, 2, 6})}, {{"base", {100}}}},
                 {{normal({0, 4})}},
                 {{normal({2, 0})}}},
       .bad_calls = {{[] {
                        rotary_embedding(zeros({2, 3}));
                      },
                      "rotary_embedding: the input must be (..., positions, even width), got (2, 3)"},
                     {[] { rotary_embedding(zeros({4})); },
                      "rotary_embedding: the input must be (..., positions, even width), got (4,)"},
                     {[] {
                        rotary_embedding(zeros({2, 4}), {.base = 0});
                      },
                      "rotary_embedding: the base must be positive, got 0"},
                     {[] {
                        rotary_embedding(zeros({2, 4}, {.dtype = int64}));
                      },
                      "rotary_embedding: a floating dtype is needed, got int64"}}},
  };
}

}  // namespace gradus::test
