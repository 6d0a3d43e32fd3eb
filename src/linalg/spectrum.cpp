#include "linalg/spectrum.hpp"

#include "gradus/factory.hpp"
#include "gradus/ops.hpp"

namespace gradus::linalg {

Tensor over_gaps(const Tensor& x, const Tensor& w) {
  const Tensor diagonal = eye(w.size(-1), {.dtype = float64}).to(boolean);
  const Tensor gaps = unsqueeze(w, -2) - unsqueeze(w, -1);
  return where(diagonal, 0.0, x) / where(diagonal, 1.0, gaps);
}

}  // namespace gradus::linalg
