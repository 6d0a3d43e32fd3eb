// Attention: fused, head by head, or, where its derivative is to be recorded, composed of ops.

#include "ops/attention.hpp"

#include <array>
#include <cmath>
#include <limits>
#include <type_traits>

#include "autograd/record.hpp"
#include "gradus/autograd.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "kernels/attention.hpp"
#include "kernels/blas.hpp"
#include "ops/copy.hpp"
#include "ops/dropout.hpp"
#include "ops/products.hpp"
#include "ops/rows.hpp"
#include "ops/softmax.hpp"

namespace gradus {
namespace {

using kernels::AttentionHead;
using kernels::RowsOf;

constexpr const char* name = "scaled_dot_product_attention";
constexpr double minus_infinity = -std::numeric_limits<double>::infinity();

Shape leading(const Shape& shape) {
  Shape result = shape;
  for (int i = 0; i < 2; ++i) result.erase(result.size() - 1);
  return result;
}

Shape with_matrix(Shape batch, std::int64_t rows, std::int64_t cols) {
  batch.push_back(rows);
  batch.push_back(cols);
  return batch;
}

// --- composed of ops ------------------------------------------------------------------------------------------------

// softmax(scale Q K^T + mask). Where the mask leaves a query nothing softmax has no answer: there the weights are 0.
Tensor softmax_of_scores(const Tensor& query, const Tensor& key, const AttentionTerms& terms) {
  Tensor scores = matmul(query, transpose(key, -1, -2)) * terms.scale;
  const std::int64_t queries = query.size(-2), keys = key.size(-2);
  if (terms.causal) scores = where(tril(ones({queries, keys}, {.dtype = boolean})), scores, minus_infinity);
  if (!terms.mask.defined() || keys == 0) return softmax(scores, -1);
  scores = terms.mask.dtype() == boolean ? where(terms.mask, scores, minus_infinity) : scores + terms.mask;
  const Tensor sees = ne(amax(scores.detach(), -1, {.keepdim = true}), minus_infinity);
  return where(sees, softmax(where(sees, scores, 0.0), -1), 0.0);
}

Tensor times_factors(const Tensor& x, const AttentionTerms& terms) {
  return terms.factors.defined() ? x * terms.factors : x;
}

// The gradients of query, key, value and mask as formulas, so that they can be differentiated again.
void composed_backward(const Tensor& g, const Tensor& query, const Tensor& key, const Tensor& value,
                       const AttentionTerms& terms, Gradients& gradients) {
  // The batch of a value may be larger than that of query and key.
  const Tensor weights =
      expand(softmax_of_scores(query, key, terms), with_matrix(leading(g.shape()), query.size(-2), key.size(-2)));
  if (gradients.wanted(2)) gradients[2] = matmul(transpose(times_factors(weights, terms), -1, -2), g);
  const Tensor slopes = softmax_backward(times_factors(matmul(g, transpose(value, -1, -2)), terms), weights);
  if (gradients.wanted(0)) gradients[0] = matmul(slopes, key) * terms.scale;
  if (gradients.wanted(1)) gradients[1] = matmul(transpose(slopes, -1, -2), query) * terms.scale;
  if (gradients.size() > 3 && gradients.wanted(3)) gradients[3] = slopes;
}

// --- head by head ---------------------------------------------------------------------------------------------------

// One matrix per head in the memory of a tensor: where each starts, and how far its rows are apart.
struct Matrices {
  Tensor x;      // undefined: there are none
  Shape starts;  // the stride of each batch dim
  std::int64_t first = 0;
  std::int64_t row_stride = 0, col_stride = 1;

  template <class T>
  RowsOf<T> at(const Shape& index) const {
    if (!x.defined()) return {};
    std::int64_t offset = first;
    for (std::int64_t i = 0; i < index.size(); ++i) offset += index[i] * starts[i];
    return {data_of<std::remove_const_t<T>>(x) + offset, row_stride};
  }
};

// The last two dims of x, the others broadcast to `batch`.
Matrices matrices_of(const Tensor& x, const Shape& batch) {
  if (!x.defined()) return {};
  const Shape strides = broadcast_strides(x, with_matrix(batch, x.size(-2), x.size(-1)));
  return {x, leading(strides), 0, strides[batch.size()], strides.back()};
}

// The same with neighbouring elements in each row, as products need it.
Matrices rows_of(const Tensor& x, const Shape& batch) {
  const std::int64_t cols = x.size(-1);
  const bool ready = (cols == 1 || x.strides().back() == 1) && (x.size(-2) == 1 || x.strides()[x.dim() - 2] >= cols);
  return matrices_of(ready ? x : dense(x), batch);
}

struct Heads {
  Shape batch;
  std::int64_t queries, keys, width, value_width;
  Matrices q, k, v, mask, factors;
  AttentionTerms terms;
  Matrices kept = {};

  Shape result() const { return with_matrix(batch, queries, value_width); }

  template <class T>
  AttentionHead<T> head(const Shape& index) const {
    const bool boolean_mask = terms.mask.defined() && terms.mask.dtype() == boolean;
    return {.queries = queries,
            .keys = keys,
            .width = width,
            .value_width = value_width,
            .scale = static_cast<T>(terms.scale),
            .causal = terms.causal,
            .q = q.at<const T>(index),
            .k = k.at<const T>(index),
            .v = v.at<const T>(index),
            .seen = boolean_mask ? mask.at<const bool>(index) : RowsOf<const bool>{},
            .added = boolean_mask ? RowsOf<const T>{} : mask.at<const T>(index),
            .mask_step = mask.col_stride,
            .factors = factors.at<const T>(index),
            .kept = kept.at<T>(index)};
  }

  // Keeps the weights for the derivative, if there will be one, where they take no more memory than a few values do: to
  // compute them again takes a third of its time. With more keys than that memory counts.
  void keep_weights(bool recording) {
    if (!recording || keys > 4 * value_width) return;
    kept = matrices_of(make_tensor(with_matrix(batch, queries, keys), q.x.dtype()), batch);
  }

  // Calls f(head, its place in the batch, scratch memory) for each head, on several threads if there is enough to do.
  template <class T, class F>
  void for_each(const F& f) const {
    const std::int64_t work = std::max<std::int64_t>(1, queries * keys * (width + value_width));
    kernels::choose_blas_threads(0);
    kernels::parallel_for(0, batch.numel(), std::max<std::int64_t>(1, (1 << 18) / work),
                          [&](std::int64_t begin, std::int64_t end) {
                            Tensor scratch;
                            for (std::int64_t i = begin; i < end; ++i) {
                              const Shape index = unravel_index(i, batch);
                              const AttentionHead<T> h = head<T>(index);
                              if (!scratch.defined()) scratch = make_tensor({attention_scratch(h)}, q.x.dtype());
                              f(h, index, data_of<T>(scratch));
                            }
                          });
  }

  void attend(const Matrices& y) const {
    dispatch_floating(name, y.x.dtype(), [&]<class T>() {
      for_each<T>([&](const AttentionHead<T>& h, const Shape& index, T* scratch) {
        kernels::attention(h, y.at<T>(index), scratch);
      });
    });
  }

  // Matrices without tensor are derivatives that nobody wants.
  void attend_backward(const Matrices& g, const Matrices& dq, const Matrices& dk, const Matrices& dv) const {
    dispatch_floating(name, g.x.dtype(), [&]<class T>() {
      for_each<T>([&](const AttentionHead<T>& h, const Shape& index, T* scratch) {
        kernels::attention_backward(h, g.at<const T>(index), dq.at<T>(index), dk.at<T>(index), dv.at<T>(index),
                                    scratch);
      });
    });
  }
};

Heads heads_of(const Tensor& query, const Tensor& key, const Tensor& value, const Shape& batch,
               const AttentionTerms& terms) {
  const Shape scores = with_matrix(batch, query.size(-2), key.size(-2));
  const auto seen_as_scores = [&](const Tensor& x) { return x.defined() ? expand(x.detach(), scores) : x; };
  return {.batch = batch,
          .queries = query.size(-2),
          .keys = key.size(-2),
          .width = query.size(-1),
          .value_width = value.size(-1),
          .q = rows_of(query, batch),
          .k = rows_of(key, batch),
          .v = rows_of(value, batch),
          .mask = matrices_of(seen_as_scores(terms.mask), batch),
          .factors = matrices_of(terms.factors, batch),
          .terms = terms};
}

void fused_backward(const Tensor& g, const Heads& heads, Gradients& gradients) {
  const auto gradient = [&](std::size_t i, std::int64_t rows, std::int64_t cols) {
    if (gradients.wanted(i)) gradients[i] = make_tensor(with_matrix(heads.batch, rows, cols), g.dtype());
    return matrices_of(gradients[i], heads.batch);
  };
  const Matrices dq = gradient(0, heads.queries, heads.width), dk = gradient(1, heads.keys, heads.width),
                 dv = gradient(2, heads.keys, heads.value_width);
  heads.attend_backward(rows_of(g, heads.batch), dq, dk, dv);
}

// --- the op ---------------------------------------------------------------------------------------------------------

// The leading dims of the result.
Shape batch_of(const Tensor& query, const Tensor& key, const Tensor& value) {
  const char* const rule = "scaled_dot_product_attention: leading dims";
  return broadcast_shapes(rule, broadcast_shapes(rule, leading(query.shape()), leading(key.shape())),
                          leading(value.shape()));
}

void check_shapes(const Tensor& query, const Tensor& key, const Tensor& value) {
  check_product_dtypes(name, query, key);
  check_product_dtypes(name, query, value);
  if (query.dim() < 2 || key.dim() < 2 || value.dim() < 2) {
    fail("{}: query, key and value must be (..., rows, width): {}, {} and {}", name, query.shape(), key.shape(),
         value.shape());
  }
  if (query.size(-1) != key.size(-1)) {
    fail("{}: query and key differ in width: {} and {}", name, query.shape(), key.shape());
  }
  if (key.size(-2) != value.size(-2)) {
    fail("{}: key and value differ in rows: {} and {}", name, key.shape(), value.shape());
  }
}

bool expands_to(const Shape& shape, const Shape& wanted) {
  const std::int64_t missing = wanted.size() - shape.size();
  for (std::int64_t i = 0; i < shape.size(); ++i) {
    if (missing < 0 || (shape[i] != 1 && shape[i] != wanted[missing + i])) return false;
  }
  return true;
}

void check_options(const AttentionOptions& options, Dtype dtype, const Shape& scores) {
  const Tensor& mask = options.attn_mask;
  if (!(options.dropout_p >= 0 && options.dropout_p <= 1)) {
    fail("{}: dropout_p must be in [0, 1], got {}", name, options.dropout_p);
  }
  if (!mask.defined()) return;
  if (options.is_causal) fail("{}: attn_mask and is_causal exclude each other", name);
  if (mask.dtype() != boolean && mask.dtype() != dtype) {
    fail("{}: the attn_mask must be {} or {}, got {}", name, boolean, dtype, mask.dtype());
  }
  if (!expands_to(mask.shape(), scores)) {
    fail("{}: the attn_mask must broadcast to {}, got {}", name, scores, mask.shape());
  }
}

}  // namespace

Tensor attention_weights(const Tensor& query, const Tensor& key, const AttentionTerms& terms) {
  return times_factors(softmax_of_scores(query, key, terms), terms);
}

Tensor attend(const Tensor& query, const Tensor& key, const Tensor& value, const AttentionTerms& terms) {
  const Shape batch = batch_of(query, key, value);
  const std::array inputs{query, key, value, terms.mask};
  Heads heads = heads_of(query, key, value, batch, terms);
  heads.keep_weights(detail::needs_recording(name, inputs));
  const Tensor y = make_tensor(heads.result(), query.dtype());
  heads.attend(matrices_of(y, batch));
  AttentionTerms others = terms;
  others.mask = {};  // saved on its own
  return record_joint(name, y, inputs,
                      [q = Saved(query), k = Saved(key), v = Saved(value), mask = Saved(terms.mask),
                       kept = Saved(heads.kept.x), batch, others](const Tensor& g, Gradients& gradients) {
                        AttentionTerms all = others;
                        all.mask = mask.get();
                        if (grad_enabled || gradients.wanted(3)) return composed_backward(g, q, k, v, all, gradients);
                        Heads again = heads_of(q, k, v, batch, all);
                        again.kept = matrices_of(kept, batch);
                        fused_backward(g, again, gradients);
                      });
}

Tensor scaled_dot_product_attention(const Tensor& query, const Tensor& key, const Tensor& value,
                                    const AttentionOptions& options) {
  check_shapes(query, key, value);
  const Shape scores = with_matrix(batch_of(query, key, value), query.size(-2), key.size(-2));
  check_options(options, query.dtype(), scores);
  AttentionTerms terms{.mask = options.attn_mask, .causal = options.is_causal};
  terms.scale = options.scale.value_or(1 / std::sqrt(static_cast<double>(query.size(-1))));
  if (options.dropout_p > 0) {
    terms.factors = dropout_factors(scores, query.dtype(), options.dropout_p, options.generator);
  }
  return attend(query, key, value, terms);
}

// --- heads side by side ---------------------------------------------------------------------------------------------

namespace {

// A tensor whose last dim holds parts of `heads` times `width` elements each.
struct Layout {
  std::int64_t batch, positions, heads, width;
  bool batch_first;

  Matrices part(const Tensor& x, std::int64_t i) const {
    const std::int64_t row = x.size(-1);
    return {x, {batch_first ? positions * row : row, width}, i * heads * width, batch_first ? row : batch * row, 1};
  }
  Shape with_last(std::int64_t size) const {
    return batch_first ? Shape{batch, positions, size} : Shape{positions, batch, size};
  }
  Heads heads_in(const Tensor& packed, const AttentionTerms& terms) const {
    const Shape all{batch, heads}, scores{batch, heads, positions, positions};
    return {.batch = all,
            .queries = positions,
            .keys = positions,
            .width = width,
            .value_width = width,
            .q = part(packed, 0),
            .k = part(packed, 1),
            .v = part(packed, 2),
            .mask = matrices_of(terms.mask.defined() ? expand(terms.mask.detach(), scores) : terms.mask, all),
            .factors = matrices_of(terms.factors, all),
            .terms = terms};
  }
  // (batch, heads, positions, width)
  Tensor part_as_op(const Tensor& x, std::int64_t i) const {
    const Tensor side_by_side = reshape(narrow(x, -1, i * heads * width, heads * width), unpacked());
    return permute(side_by_side, batch_first ? Shape{0, 2, 1, 3} : Shape{1, 2, 0, 3});
  }
  Tensor packed_as_op(const Tensor& x) const {
    return reshape(permute(x, batch_first ? Shape{0, 2, 1, 3} : Shape{2, 0, 1, 3}), with_last(heads * width));
  }

 private:
  Shape unpacked() const {
    Shape shape = with_last(heads);
    shape.push_back(width);
    return shape;
  }
};

}  // namespace

Tensor packed_attention(const Tensor& packed, std::int64_t heads, bool batch_first, const AttentionTerms& terms) {
  const Tensor input = dense(packed);
  const Layout layout{packed.size(batch_first ? 0 : 1), packed.size(batch_first ? 1 : 0), heads,
                      packed.size(2) / (3 * heads), batch_first};
  const std::array inputs{packed, terms.mask};
  Heads fused = layout.heads_in(input, terms);
  fused.keep_weights(detail::needs_recording(name, inputs));
  const Tensor y = make_tensor(layout.with_last(heads * layout.width), packed.dtype());
  fused.attend(layout.part(y, 0));
  AttentionTerms others = terms;
  others.mask = {};  // saved on its own
  return record_joint(
      name, y, inputs,
      [packed = Saved(packed), mask = Saved(terms.mask), kept = Saved(fused.kept.x), others, layout](
          const Tensor& g, Gradients& gradients) {
        AttentionTerms all = others;
        all.mask = mask.get();
        if (!grad_enabled && !gradients.wanted(1)) {
          const Tensor slope = make_tensor(packed.shape(), g.dtype());
          const Tensor dense_g = dense(g), dense_packed = dense(packed);
          Heads again = layout.heads_in(dense_packed, all);
          again.kept = matrices_of(kept, again.batch);
          again.attend_backward(layout.part(dense_g, 0), layout.part(slope, 0), layout.part(slope, 1),
                                layout.part(slope, 2));
          gradients[0] = slope;
          return;
        }
        std::array<Tensor, 4> slopes;
        std::array<bool, 4> wanted{gradients.wanted(0), gradients.wanted(0), gradients.wanted(0), gradients.wanted(1)};
        Gradients of_parts(slopes, wanted);
        composed_backward(layout.part_as_op(g, 0), layout.part_as_op(packed, 0), layout.part_as_op(packed, 1),
                          layout.part_as_op(packed, 2), all, of_parts);
        if (gradients.wanted(0)) {
          gradients[0] =
              cat({layout.packed_as_op(slopes[0]), layout.packed_as_op(slopes[1]), layout.packed_as_op(slopes[2])}, -1);
        }
        if (gradients.wanted(1)) gradients[1] = slopes[3];
      });
}

}  // namespace gradus
