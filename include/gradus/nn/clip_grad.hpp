// Clipping of gradients between backward() and an optimizer's step().
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "gradus/tensor.hpp"

namespace gradus {

struct ClipGradNormOptions {
  double norm_type = 2;  // above 0; infinity: the largest |g|
  // What happens when the norm is not finite. Neither: all gradients become NaN or 0, as in PyTorch.
  bool error_if_nonfinite = false;  // throws, naming the parameter; no gradient has changed
  bool skip_if_nonfinite = false;   // grad() of all becomes undefined, so that the optimizer's step changes nothing
};

// Scales all gradients by min(1, max_norm / (norm + 1e-6)), with the norm of all of them as one vector, which is
// returned. It is finite when the gradients are, even if the squares overflow. Parameters without gradient are left
// out.
double clip_grad_norm_(const std::vector<Tensor>& parameters, double max_norm, const ClipGradNormOptions& options = {});
// An error can tell the name: clip_grad_norm_(model.named_parameters(), 1).
double clip_grad_norm_(const std::vector<std::pair<std::string, Tensor>>& parameters, double max_norm,
                       const ClipGradNormOptions& options = {});

// g = min(max(g, -clip_value), clip_value); NaN stays.
void clip_grad_value_(const std::vector<Tensor>& parameters, double clip_value);

struct AdaptiveClipGradOptions {
  double clip_factor = 0.01;
  double eps = 1e-3;  // a unit of smaller norm counts as having this one: weights that start at zero still move
  double norm_type = 2;
};

// Adaptive gradient clipping: g = g * clip_factor * max(|w|, eps) / |g| for each unit with |g| at or above
// clip_factor * max(|w|, eps), where a unit is w[i] of a weight (out, ...) and the whole of a bias. A unit with an
// entry that is not finite becomes NaN or 0. [Brock et al., High-performance large-scale image recognition without
// normalization, 2021]
void adaptive_clip_grad_(const std::vector<Tensor>& parameters, const AdaptiveClipGradOptions& options = {});

}  // namespace gradus
