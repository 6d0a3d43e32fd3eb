// What clipping and optimizers ask of gradients.
#pragma once

#include <vector>

#include "gradus/tensor.hpp"

namespace gradus {

// The largest |x|; NaN if there is one.
double largest(const Tensor& x);
// Neither NaN nor infinite, every entry.
bool is_finite(const Tensor& x);
// (sum |x|^p)^(1/p) over all of them as one vector; p = infinity: the largest |x|. It is finite when they are, even if
// the powers overflow.
double total_norm(const std::vector<Tensor>& tensors, double p = 2);

}  // namespace gradus
