// Joining, indexing and masks.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "gradus/tensor.hpp"

namespace gradus {

Tensor cat(const std::vector<Tensor>& tensors, std::int64_t dim = 0);
Tensor stack(const std::vector<Tensor>& tensors, std::int64_t dim = 0);
// out[i][j] = x[index[i][j]][j] for dim 0, and so on
Tensor gather(const Tensor& x, std::int64_t dim, const Tensor& index);
// The slices x[index[0]], x[index[1]], ... along dim; index is 1-d int64
Tensor index_select(const Tensor& x, std::int64_t dim, const Tensor& index);
// x with out[index[i][j]][j] = src[i][j] for dim 0, and so on; of several writes to one place the last stays
Tensor scatter(const Tensor& x, std::int64_t dim, const Tensor& index, const Tensor& src);
Tensor scatter(const Tensor& x, std::int64_t dim, const Tensor& index, double value);
// The same with += for =
Tensor scatter_add(const Tensor& x, std::int64_t dim, const Tensor& index, const Tensor& src);
// gather, whose other dims broadcast; without dim from the flattened tensor. Its index may come from argsort or argmax.
Tensor take_along_dim(const Tensor& x, const Tensor& indices, std::optional<std::int64_t> dim = {});

// The elements where the boolean mask, which broadcasts, is true: 1-d
Tensor masked_select(const Tensor& x, const Tensor& mask);
// value where the boolean mask, which broadcasts, is true, else x
Tensor masked_fill(const Tensor& x, const Tensor& mask, double value);
// (...) int64 -> (..., num_classes) int64: 1 at the class, else 0; -1 counts the classes
Tensor one_hot(const Tensor& classes, std::int64_t num_classes = -1);

struct EmbeddingOptions {
  std::optional<std::int64_t> padding_idx = {};  // its row gets no gradient; may be negative
};
// The rows of weight that the indices name: int64 (...), (vocabulary, dim) -> (..., dim). Throws at an index outside
// [0, vocabulary).
Tensor embedding(const Tensor& indices, const Tensor& weight, const EmbeddingOptions& options = {});

}  // namespace gradus
