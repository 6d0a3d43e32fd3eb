// Dropout: a product with random factors that are 0 or 1 / (1 - p).

#include "ops/dropout.hpp"
#include "autograd/record.hpp"
#include "gradus/autograd.hpp"
#include "gradus/ops.hpp"
#include "ops/rows.hpp"

namespace gradus {
namespace {

void check_dropout(const char* op, const Tensor& x, double p) {
  if (!(p >= 0 && p <= 1)) fail("{}: p must be in [0, 1], got {}", op, p);
  if (!is_floating_point(x.dtype())) fail("{}: a floating dtype is needed, got {}", op, x.dtype());
}

Tensor record_dropout(const char* op, const Tensor& x, const Tensor& factors) {
  const Tensor y = [&] {
    const NoGrad guard;
    return x * factors;
  }();
  return record(op, y, wrt(x, [factors](const Tensor& g) { return g * factors; }));
}

}  // namespace

Tensor dropout_factors(const Shape& shape, Dtype dtype, double p, Generator* generator) {
  const Tensor factors = rand(shape, {.generator = generator});
  float* const u = data_of<float>(factors);
  const float threshold = static_cast<float>(p), kept = p < 1 ? static_cast<float>(1 / (1 - p)) : 0.0F;
  kernels::parallel_for(0, factors.numel(), parallel_grain, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) u[i] = u[i] < threshold ? 0.0F : kept;
  });
  if (dtype == float32) return factors;
  // Not the rounded 1 / (1 - p) of a float.
  return ne(factors, 0.0).to(dtype) * (p < 1 ? 1 / (1 - p) : 0.0);
}

Tensor dropout(const Tensor& x, double p, bool training, Generator* generator) {
  check_dropout("dropout", x, p);
  if (!training || p == 0) return x;
  return record_dropout("dropout", x, dropout_factors(x.shape(), x.dtype(), p, generator));
}

Tensor dropout2d(const Tensor& x, double p, bool training, Generator* generator) {
  check_dropout("dropout2d", x, p);
  if (x.dim() < 2) fail("dropout2d: the input must be (batch, channels, ...), got {}", x.shape());
  if (!training || p == 0) return x;
  Shape channels = x.shape();
  for (std::int64_t i = 2; i < x.dim(); ++i) channels[i] = 1;
  return record_dropout("dropout2d", x, dropout_factors(channels, x.dtype(), p, generator));
}

}  // namespace gradus
