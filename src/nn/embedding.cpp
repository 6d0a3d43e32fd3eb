#include "gradus/nn/embedding.hpp"

#include "gradus/autograd.hpp"
#include "gradus/ops.hpp"
#include "gradus/random.hpp"
#include "storage/format.hpp"

namespace gradus::nn {

Embedding::Embedding(std::int64_t num_embeddings, std::int64_t embedding_dim, const EmbeddingOptions& options)
    : padding_idx_(options.padding_idx) {
  if (num_embeddings < 0 || embedding_dim < 0) {
    fail("Embedding: num_embeddings and embedding_dim must be at least 0, got {} and {}", num_embeddings,
         embedding_dim);
  }
  if (!is_floating_point(options.dtype)) fail("Embedding: a floating dtype is needed, got {}", options.dtype);
  if (padding_idx_ && (*padding_idx_ < -num_embeddings || *padding_idx_ >= num_embeddings)) {
    fail("Embedding: padding_idx {} is outside a vocabulary of {}", *padding_idx_, num_embeddings);
  }
  const NoGrad guard;
  Tensor values = randn({num_embeddings, embedding_dim}, {.dtype = options.dtype});
  if (padding_idx_) values[*padding_idx_].zero_();
  weight = Parameter(values);
}

Tensor Embedding::forward(const Tensor& indices) { return embedding(indices, weight, {.padding_idx = padding_idx_}); }

}  // namespace gradus::nn
