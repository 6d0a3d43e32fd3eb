#include "gradus/nn/max_norm.hpp"

#include "gradus/autograd.hpp"
#include "gradus/ops.hpp"
#include "storage/format.hpp"

namespace gradus {

void max_norm_(const std::vector<Tensor>& parameters, double max_norm, const MaxNormOptions& options) {
  if (!(max_norm >= 0)) fail("max_norm_: max_norm must be at least 0, got {}", max_norm);
  const NoGrad guard;
  for (Tensor p : parameters) {
    if (p.dim() < 2) continue;
    if (options.dim < -p.dim() || options.dim >= p.dim()) {
      fail("max_norm_: dim {} is out of range for {}", options.dim, p.shape());
    }
    const std::int64_t units = options.dim < 0 ? options.dim + p.dim() : options.dim;
    Dims incoming;
    for (std::int64_t d = 0; d < p.dim(); ++d) {
      if (d != units) incoming.push_back(d);
    }
    const Tensor norms = norm(p, 2, incoming, {.keepdim = true});
    const Tensor is_small = le(norms, max_norm);
    if (!all(is_small).item<bool>()) p.mul_(where(is_small, 1.0, max_norm / norms));
  }
}

}  // namespace gradus
