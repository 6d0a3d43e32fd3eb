#pragma once

#include <cstdint>
#include <optional>

#include "gradus/nn/members.hpp"
#include "gradus/nn/module.hpp"
#include "gradus/nn/parameter.hpp"

namespace gradus::nn {

struct EmbeddingOptions {
  std::optional<std::int64_t> padding_idx = {};  // its row starts at 0 and gets no gradient; may be negative
  Dtype dtype = float32;
};

// A table of vectors, looked up by index: int64 (...) -> (..., embedding_dim). The weight (num_embeddings,
// embedding_dim) starts standard normal. Throws at an index outside [0, num_embeddings).
class Embedding : public Module {
 public:
  Embedding(std::int64_t num_embeddings, std::int64_t embedding_dim, const EmbeddingOptions& options = {});

  Tensor forward(const Tensor& indices) override;

  Parameter weight;
  GRADUS_MODULE(weight)

 private:
  std::optional<std::int64_t> padding_idx_;
};

}  // namespace gradus::nn
