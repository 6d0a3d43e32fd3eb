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

}  // namespace gradus
