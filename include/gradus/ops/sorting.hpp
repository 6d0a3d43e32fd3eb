// Sorting along one dim. NaN counts as the largest value; gradients go to the elements that were picked.
#pragma once

#include <cstdint>

#include "gradus/tensor.hpp"

namespace gradus {

struct Sorted {
  Tensor values;
  Tensor indices;  // where the values stood
};

// Equal elements keep their order, whether options.stable asks for it or not.
Sorted sort(const Tensor& x, std::int64_t dim = -1, const SortOptions& options = {});
// The indices of sort
Tensor argsort(const Tensor& x, std::int64_t dim = -1, const SortOptions& options = {});
// The k largest (or smallest) elements, the first among equals; of a 0-d tensor the tensor itself. Throws if k is more
// than there are.
Sorted topk(const Tensor& x, std::int64_t k, std::int64_t dim = -1, const TopkOptions& options = {});

}  // namespace gradus
