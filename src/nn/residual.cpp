#include "gradus/nn/residual.hpp"

#include "gradus/ops.hpp"
#include "storage/format.hpp"

namespace gradus::nn {

Tensor Residual::forward(const Tensor& x) {
  const Tensor way = shortcut ? (**shortcut)(x) : x;
  const Tensor y = (*inner)(x);
  if (y.shape() != way.shape()) {
    fail("Residual: {} is {}, the inner module makes {}", shortcut ? "the shortcut" : "the input", way.shape(),
         y.shape());
  }
  return way + y;
}

}  // namespace gradus::nn
