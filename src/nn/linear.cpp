#include "gradus/nn/linear.hpp"

#include "gradus/ops.hpp"
#include "nn/uniform.hpp"
#include "storage/format.hpp"

namespace gradus::nn {

Linear::Linear(std::int64_t in_features, std::int64_t out_features, const LinearOptions& options) {
  if (in_features < 0 || out_features < 0) {
    fail("Linear: in_features and out_features must be at least 0, got {} and {}", in_features, out_features);
  }
  if (!is_floating_point(options.dtype)) fail("Linear: a floating dtype is needed, got {}", options.dtype);
  weight = uniform_parameter({out_features, in_features}, in_features, options.dtype);
  if (options.bias) bias = uniform_parameter({out_features}, in_features, options.dtype);
}

Tensor Linear::forward(const Tensor& x) { return linear(x, weight, bias); }

}  // namespace gradus::nn
