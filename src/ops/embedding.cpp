// Embedding: rows of a table picked by index.

#include <algorithm>
#include <optional>

#include "autograd/record.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "ops/copy.hpp"
#include "ops/rows.hpp"

namespace gradus {
namespace {

void check_embedding(const Tensor& indices, const Tensor& weight) {
  if (weight.dim() != 2) fail("embedding: the weight must be (vocabulary, dim), got {}", weight.shape());
  if (!is_floating_point(weight.dtype())) fail("embedding: a floating dtype is needed, got {}", weight.dtype());
  if (indices.dtype() != int64) fail("embedding: the indices must be int64, got {}", indices.dtype());
}

// The padding index counted from the front; none is -1.
std::int64_t padding_of(const Tensor& weight, std::optional<std::int64_t> padding_idx) {
  if (!padding_idx) return -1;
  const std::int64_t count = weight.size(0);
  if (*padding_idx < -count || *padding_idx >= count) {
    fail("embedding: padding_idx {} is outside a vocabulary of {}", *padding_idx, count);
  }
  return *padding_idx < 0 ? *padding_idx + count : *padding_idx;
}

Tensor picked_rows(const Tensor& indices, const Tensor& weight) {
  const Tensor table = dense(weight), places = dense(indices);
  const std::int64_t count = weight.size(0), n = weight.size(1);
  for (const std::int64_t index : places.data<std::int64_t>()) {
    if (index < 0 || index >= count) fail("embedding: index {} is outside a vocabulary of {}", index, count);
  }
  Shape shape = indices.shape();
  shape.push_back(n);
  Tensor out = make_tensor(shape, weight.dtype());
  dispatch_floating("embedding", weight.dtype(), [&]<class T>() {
    const T* const from = data_of<T>(table);
    const std::int64_t* const index = data_of<std::int64_t>(places);
    T* const to = data_of<T>(out);
    kernels::parallel_for(0, places.numel(), std::max<std::int64_t>(1, parallel_grain / std::max<std::int64_t>(1, n)),
                          [=](std::int64_t begin, std::int64_t end) {
                            for (std::int64_t i = begin; i < end; ++i) std::copy_n(from + index[i] * n, n, to + i * n);
                          });
  });
  return out;
}

// Zeros of the shape (count, n), to whose rows those of g are added, except to that of the padding.
Tensor embedding_backward(const Tensor& g, const Tensor& indices, std::int64_t count, std::int64_t padding) {
  const Tensor slopes = dense(g), places = dense(indices);
  const std::int64_t n = g.size(-1);
  Tensor out = zeros({count, n}, {.dtype = g.dtype()});
  dispatch_floating("embedding", g.dtype(), [&]<class T>() {
    const T* from = data_of<T>(slopes);
    for (const std::int64_t index : places.data<std::int64_t>()) {
      T* const row = data_of<T>(out) + index * n;
      if (index != padding) {
        for (std::int64_t j = 0; j < n; ++j) row[j] += from[j];
      }
      from += n;
    }
  });
  return record("embedding_backward", out, wrt(g, [indices = Saved(indices), padding](const Tensor& gg) {
                  const Tensor rows = embedding(indices, gg);
                  if (padding < 0) return rows;
                  return where(unsqueeze(ne(indices, static_cast<double>(padding)), -1), rows, 0.0);
                }));
}

}  // namespace

Tensor embedding(const Tensor& indices, const Tensor& weight, const EmbeddingOptions& options) {
  check_embedding(indices, weight);
  const std::int64_t padding = padding_of(weight, options.padding_idx);
  return record("embedding", picked_rows(indices, weight),
                wrt(weight, [indices = Saved(indices), count = weight.size(0), padding](const Tensor& g) {
                  return embedding_backward(g, indices, count, padding);
                }));
}

}  // namespace gradus
