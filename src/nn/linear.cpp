#include "gradus/nn/linear.hpp"

#include <cmath>

#include "gradus/autograd.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "gradus/random.hpp"
#include "storage/format.hpp"

namespace gradus::nn {
namespace {

Parameter uniform(const Shape& shape, double bound, Dtype dtype) {
  NoGrad guard;
  Tensor values = rand(shape, {.dtype = dtype});
  values.mul_(2 * bound).sub_(bound);
  return Parameter(values);
}

}  // namespace

Linear::Linear(std::int64_t in_features, std::int64_t out_features, const LinearOptions& options) {
  if (in_features < 0 || out_features < 0) {
    fail("Linear: in_features and out_features must be at least 0, got {} and {}", in_features, out_features);
  }
  if (!is_floating_point(options.dtype)) fail("Linear: a floating dtype is needed, got {}", options.dtype);
  const double bound = in_features > 0 ? 1 / std::sqrt(static_cast<double>(in_features)) : 0;
  weight = uniform({out_features, in_features}, bound, options.dtype);
  if (options.bias) bias = uniform({out_features}, bound, options.dtype);
}

Tensor Linear::forward(const Tensor& x) { return linear(x, weight, bias); }

}  // namespace gradus::nn
