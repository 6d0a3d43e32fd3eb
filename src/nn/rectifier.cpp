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

RReLU::RReLU(double lower, double upper, const RReLUOptions& options)
    : lower_(lower), upper_(upper), options_(options) {
  if (!(lower <= upper)) fail("RReLU: lower must not exceed upper, got {} and {}", lower, upper);
}

Tensor RReLU::forward(const Tensor& x) {
  if (!is_training()) return leaky_relu(x, (lower_ + upper_) / 2);
  const Tensor slopes = rand(x.shape(), {.dtype = x.dtype(), .generator = options_.generator});
  return where(gt(x, 0.0), x, x * (slopes * (upper_ - lower_) + lower_));
}

Softshrink::Softshrink(double lambd) : lambd_(lambd) {
  if (!(lambd >= 0)) fail("Softshrink: lambd must be at least 0, got {}", lambd);
}

Tensor Hardshrink::forward(const Tensor& x) { return where(gt(abs(x), lambd_), x, 0.0); }
Tensor Softshrink::forward(const Tensor& x) { return x - clamp(x, -lambd_, lambd_); }
Tensor Tanhshrink::forward(const Tensor& x) { return x - tanh(x); }

}  // namespace gradus::nn
