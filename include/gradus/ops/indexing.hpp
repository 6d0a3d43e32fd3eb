// Joining and indexing.
#pragma once

#include <cstdint>
#include <vector>

#include "gradus/tensor.hpp"

namespace gradus {

Tensor cat(const std::vector<Tensor>& tensors, std::int64_t dim = 0);
Tensor stack(const std::vector<Tensor>& tensors, std::int64_t dim = 0);
// out[i][j] = x[index[i][j]][j] for dim 0, and so on
Tensor gather(const Tensor& x, std::int64_t dim, const Tensor& index);
// The slices x[index[0]], x[index[1]], ... along dim; index is 1-d int64
Tensor index_select(const Tensor& x, std::int64_t dim, const Tensor& index);

}  // namespace gradus
