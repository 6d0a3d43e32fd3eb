#include "gradus/nn/rectifier.hpp"

#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "storage/format.hpp"

namespace gradus::nn {

PReLU::PReLU(std::int64_t num_parameters, const PReLUOptions& options) {
  if (num_parameters < 1) fail("PReLU: num_parameters must be at least 1, got {}", num_parameters);
  weight = Parameter(full({num_parameters}, options.init, {.dtype = options.dtype}));
}

Tensor LeakyReLU::forward(const Tensor& x) { return leaky_relu(x, negative_slope_); }
Tensor PReLU::forward(const Tensor& x) { return prelu(x, weight); }
Tensor ReLU6::forward(const Tensor& x) { return relu6(x); }
Tensor Threshold::forward(const Tensor& x) { return threshold(x, threshold_, value_); }
Tensor ELU::forward(const Tensor& x) { return elu(x, alpha_); }
Tensor CELU::forward(const Tensor& x) { return celu(x, alpha_); }
Tensor SELU::forward(const Tensor& x) { return selu(x); }

}  // namespace gradus::nn
