// Reductions: over all dims, or those given.
#pragma once

#include <cstdint>
#include <optional>

#include "gradus/tensor.hpp"

namespace gradus {

// Boolean and integer tensors give int64.
Tensor sum(const Tensor& x, const Dims& dims = {}, const ReduceOptions& options = {});
Tensor mean(const Tensor& x, const Dims& dims = {}, const ReduceOptions& options = {});

struct Extreme {
  Tensor values;
  Tensor indices;
};
// The largest element; the gradient is shared evenly among equals. NaN wins.
Tensor max(const Tensor& x);
// Along one dim: (values, indices), the first index among equals; the gradient goes to that element.
Extreme max(const Tensor& x, std::int64_t dim, const ReduceOptions& options = {});
Tensor min(const Tensor& x);
Extreme min(const Tensor& x, std::int64_t dim, const ReduceOptions& options = {});
// The index of the first largest element: of the flattened tensor, or along one dim. int64, no derivative.
Tensor argmax(const Tensor& x, std::optional<std::int64_t> dim = {}, const ReduceOptions& options = {});
Tensor argmin(const Tensor& x, std::optional<std::int64_t> dim = {}, const ReduceOptions& options = {});
// (sum |x|^p)^(1/p) over all elements; p = infinity is max |x|. The derivative at 0 is 0.
Tensor norm(const Tensor& x, double p = 2);
// ln sum e^x, without overflow
Tensor logsumexp(const Tensor& x, const Dims& dims, const ReduceOptions& options = {});
// e^x / sum e^x along dim, without overflow
Tensor softmax(const Tensor& x, std::int64_t dim);
// x - logsumexp(x) along dim
Tensor log_softmax(const Tensor& x, std::int64_t dim);

}  // namespace gradus
