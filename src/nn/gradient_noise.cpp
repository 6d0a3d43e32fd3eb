#include "gradus/nn/gradient_noise.hpp"

#include <cmath>

#include "gradus/autograd.hpp"
#include "gradus/ops.hpp"
#include "tensor/impl.hpp"

namespace gradus {

void add_gradient_noise_(const std::vector<Tensor>& parameters, std::int64_t t, const GradientNoiseOptions& options) {
  if (t < 0) fail("add_gradient_noise_: t must be at least 0, got {}", t);
  if (!(options.eta >= 0 && options.gamma >= 0)) {
    fail("add_gradient_noise_: eta and gamma must be at least 0, got {} and {}", options.eta, options.gamma);
  }
  const double sigma = std::sqrt(options.eta / std::pow(1 + static_cast<double>(t), options.gamma));
  const NoGrad guard;
  for (const Tensor& p : parameters) {
    if (!impl(p).grad.defined()) continue;
    Tensor grad = impl(p).grad.detach();
    grad.add_(randn_like(grad, {.generator = options.generator}), sigma);
  }
}

}  // namespace gradus
