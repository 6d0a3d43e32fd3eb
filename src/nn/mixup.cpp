#include "gradus/nn/mixup.hpp"

#include <cmath>

#include "gradus/ops.hpp"
#include "storage/format.hpp"

namespace gradus {
namespace {

// Uniform on (0, 1).
double uniform(Generator& generator) { return (static_cast<double>(generator.next() >> 12) + 0.5) * 0x1p-52; }

double normal(Generator& generator) { return randn({}, {.dtype = float64, .generator = &generator}).item(); }

// ln of a Gamma(shape) variate (Marsaglia and Tsang, 2000). Below 1 it is one of shape + 1 times U^(1 / shape), which
// would underflow for small shapes: hence the logarithm.
double log_gamma_variate(double shape, Generator& generator) {
  if (shape < 1) {
    const double power = std::log(uniform(generator)) / shape;
    return power + log_gamma_variate(shape + 1, generator);
  }
  const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  while (true) {
    const double x = normal(generator), t = 1 + c * x;
    if (t <= 0) continue;
    const double log_v = 3 * std::log(t);
    if (std::log(uniform(generator)) < 0.5 * x * x + d - d * std::exp(log_v) + d * log_v) return std::log(d) + log_v;
  }
}

double symmetric_beta_variate(double alpha, Generator& generator) {
  const double a = log_gamma_variate(alpha, generator), b = log_gamma_variate(alpha, generator);
  return 1 / (1 + std::exp(b - a));
}

Tensor soft_targets(const Tensor& y, Dtype dtype, std::int64_t classes) {
  return is_floating_point(y.dtype()) ? y : one_hot(y, classes).to(dtype);
}

// lambda x + (1 - lambda) x[partners]
Tensor blended(const Tensor& x, const Tensor& partners, double lambda) {
  return lambda * x + (1 - lambda) * index_select(x, 0, partners);
}

}  // namespace

Mixup mixup(const Tensor& x, const Tensor& y, double alpha, const MixupOptions& options) {
  if (!(alpha >= 0)) fail("mixup: alpha must be at least 0, got {}", alpha);
  if (!is_floating_point(x.dtype())) fail("mixup: floating inputs are needed, got {}", x.dtype());
  if (x.dim() == 0 || y.dim() == 0 || x.size(0) != y.size(0)) {
    fail("mixup: inputs and targets must be of one batch: {} and {}", x.shape(), y.shape());
  }
  const Tensor targets = soft_targets(y, x.dtype(), options.num_classes);
  if (alpha == 0) return {x, targets, 1};
  Generator& generator = options.generator ? *options.generator : default_generator();
  const double lambda = symmetric_beta_variate(alpha, generator);
  const Tensor partners = randperm(x.size(0), {.generator = &generator});
  return {blended(x, partners, lambda), blended(targets, partners, lambda), lambda};
}

}  // namespace gradus
