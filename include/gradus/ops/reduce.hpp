// Reductions: over all dims, or those given.
#pragma once

#include <cstdint>
#include <optional>

#include "gradus/tensor.hpp"

namespace gradus {

// Boolean and integer tensors give int64.
Tensor sum(const Tensor& x, const Dims& dims = {}, const ReduceOptions& options = {});
Tensor mean(const Tensor& x, const Dims& dims = {}, const ReduceOptions& options = {});

// The product; integers give int64. Its gradient is right where elements are 0, too.
Tensor prod(const Tensor& x, const Dims& dims = {}, const ReduceOptions& options = {});
// sum (x - mean)^2 / (n - correction): the unbiased estimate by default, NaN for one element
Tensor var(const Tensor& x, const Dims& dims = {}, const VarOptions& options = {});
// sqrt(var); derivative 0 where it is 0. After `using namespace gradus`, where std alone could also mean the library's
// namespace, it is x.std() or gradus::std(x).
Tensor std(const Tensor& x, const Dims& dims = {}, const VarOptions& options = {});

// Elements, and where they stand along the dim.
struct Extreme {
  Tensor values;
  Tensor indices;
};
// The largest element; the gradient is shared evenly among equals. NaN wins, and equals NaN. Throws if there is none.
Tensor max(const Tensor& x);
// Along one dim: (values, indices), the first index among equals; the gradient goes to that element.
Extreme max(const Tensor& x, std::int64_t dim, const ReduceOptions& options = {});
Tensor min(const Tensor& x);
Extreme min(const Tensor& x, std::int64_t dim, const ReduceOptions& options = {});
// The largest and smallest of each group; the gradient is shared evenly among equals.
Tensor amax(const Tensor& x, const Dims& dims = {}, const ReduceOptions& options = {});
Tensor amin(const Tensor& x, const Dims& dims = {}, const ReduceOptions& options = {});
// The median, of an even number of elements the lower one; the gradient is shared evenly among equals. NaN wins. Throws
// if there is no element.
Tensor median(const Tensor& x);
// Along one dim: (values, indices), the first index among equals; the gradient goes to that element.
Extreme median(const Tensor& x, std::int64_t dim, const ReduceOptions& options = {});
// The index of the first largest element: of the flattened tensor, or along one dim. int64, no derivative.
Tensor argmax(const Tensor& x, std::optional<std::int64_t> dim = {}, const ReduceOptions& options = {});
Tensor argmin(const Tensor& x, std::optional<std::int64_t> dim = {}, const ReduceOptions& options = {});
// (sum |x|^p)^(1/p); infinity and -infinity are max |x| and min |x|, 0 counts the elements that are not 0. Of no
// elements it is 0, or infinity where p is negative. The derivative by an element that is 0 is 0, as is that of a norm
// that is 0.
Tensor norm(const Tensor& x, double p = 2, const Dims& dims = {}, const ReduceOptions& options = {});
// Is every element, is any one, not 0? Boolean, no derivative.
Tensor all(const Tensor& x, const Dims& dims = {}, const ReduceOptions& options = {});
Tensor any(const Tensor& x, const Dims& dims = {}, const ReduceOptions& options = {});
// ln sum e^x, without overflow
Tensor logsumexp(const Tensor& x, const Dims& dims, const ReduceOptions& options = {});
// e^x / sum e^x along dim, without overflow
Tensor softmax(const Tensor& x, std::int64_t dim);
// softmax(-x): the largest share goes to the smallest
Tensor softmin(const Tensor& x, std::int64_t dim);
// x - logsumexp(x) along dim
Tensor log_softmax(const Tensor& x, std::int64_t dim);

// y[i] = x[0] + ... + x[i] along dim; boolean and integer tensors give int64.
Tensor cumsum(const Tensor& x, std::int64_t dim);
// y[i] = x[0] ... x[i] along dim, with the right gradient where elements are 0.
Tensor cumprod(const Tensor& x, std::int64_t dim);

}  // namespace gradus
