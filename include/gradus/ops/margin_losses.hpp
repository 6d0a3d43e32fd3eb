// Losses that are 0 once an answer is right by a margin.
#pragma once

#include <cstdint>

#include "gradus/ops/losses.hpp"

namespace gradus {

struct HingeEmbeddingOptions {
  double margin = 1;
  Reduction reduction = Reduction::mean;
};
// target 1: x; target -1: max(0, margin - x)
Tensor hinge_embedding_loss(const Tensor& input, const Tensor& target, const HingeEmbeddingOptions& options = {});

struct MultiMarginOptions {
  std::int64_t p = 1;
  double margin = 1;
  Tensor weight = {};  // (classes), a factor for each class
  Reduction reduction = Reduction::mean;
};
// The hinge loss of a classifier: weight[y] sum over i != y of max(0, margin - x[y] + x[i])^p / classes: (batch,
// classes), int64 (batch) -> (); also (classes), () -> (). Throws unless p is 1 or 2 and every target in [0, classes).
Tensor multi_margin_loss(const Tensor& input, const Tensor& target, const MultiMarginOptions& options = {});

struct CosineEmbeddingOptions {
  double margin = 0;
  Reduction reduction = Reduction::mean;
};
// target 1: 1 - cos(x1, x2); target -1: max(0, cos(x1, x2) - margin): (batch, n), (batch, n), (batch) -> (); also
// (n), (n), () -> ()
Tensor cosine_embedding_loss(const Tensor& input1, const Tensor& input2, const Tensor& target,
                             const CosineEmbeddingOptions& options = {});

struct TripletMarginOptions {
  double margin = 1;
  double p = 2;       // of the norm that measures distances
  double eps = 1e-6;  // added to differences, so that a distance of 0 has a gradient
  bool swap = false;  // let the positive be the anchor of the negative if it is closer (Balntas et al., 2016)
  Reduction reduction = Reduction::mean;
};
// max(0, margin + |anchor - positive| - |anchor - negative|) along the last dim: (batch, n) three times -> ()
Tensor triplet_margin_loss(const Tensor& anchor, const Tensor& positive, const Tensor& negative,
                           const TripletMarginOptions& options = {});

}  // namespace gradus
