// Pointwise.
#pragma once

#include <cstdint>
#include <optional>

#include "gradus/tensor.hpp"

namespace gradus {

// -x
Tensor neg(const Tensor& x);
// |x|; derivative 0 at 0
Tensor abs(const Tensor& x);
// -1, 0 or 1; derivative 0
Tensor sign(const Tensor& x);
// x^2
Tensor square(const Tensor& x);
Tensor sqrt(const Tensor& x);
// e^x
Tensor exp(const Tensor& x);
// ln x
Tensor log(const Tensor& x);
Tensor sin(const Tensor& x);
Tensor cos(const Tensor& x);
Tensor tanh(const Tensor& x);
// 1 / (1 + e^-x)
Tensor sigmoid(const Tensor& x);
// max(x, 0); derivative 0 at 0
Tensor relu(const Tensor& x);
// x * Phi(x), Phi the normal distribution function (Hendrycks and Gimpel, 2016)
Tensor gelu(const Tensor& x);
// ln(1 + e^x)
Tensor softplus(const Tensor& x);
// min(max(x, min), max); at least one bound; derivative 1 on the bounds
Tensor clamp(const Tensor& x, std::optional<double> min, std::optional<double> max = {});

// --- Exponentials, logarithms, roots ---------------------------------------------------------------------------------
// 2^x
Tensor exp2(const Tensor& x);
// e^x - 1, accurate near 0
Tensor expm1(const Tensor& x);
// ln(1 + x), accurate near 0
Tensor log1p(const Tensor& x);
Tensor log2(const Tensor& x);
Tensor log10(const Tensor& x);
// 1 / sqrt(x)
Tensor rsqrt(const Tensor& x);
// 1 / x; integers give float32
Tensor reciprocal(const Tensor& x);
// 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x
Tensor erf(const Tensor& x);

// --- Trigonometry ----------------------------------------------------------------------------------------------------
Tensor tan(const Tensor& x);
Tensor asin(const Tensor& x);
Tensor acos(const Tensor& x);
Tensor atan(const Tensor& x);
// The angle of the point (x, y), in [-pi, pi]
Tensor atan2(const Tensor& y, const Tensor& x);
Tensor sinh(const Tensor& x);
Tensor cosh(const Tensor& x);

// --- Rounding: derivative 0; integers are returned as they are -------------------------------------------------------
Tensor floor(const Tensor& x);
Tensor ceil(const Tensor& x);
// To the nearest integer, halves to the even one
Tensor round(const Tensor& x);
// Towards 0
Tensor trunc(const Tensor& x);
// a - b floor(a / b): it has the sign of b, as in Python. Throws if an integer is divided by 0.
Tensor remainder(const Tensor& a, const Tensor& b);
Tensor remainder(const Tensor& a, double b);

// --- Activations -----------------------------------------------------------------------------------------------------
// x > 0 ? x : negative_slope x
Tensor leaky_relu(const Tensor& x, double negative_slope = 0.01);
// x > 0 ? x : alpha (e^x - 1)
Tensor elu(const Tensor& x, double alpha = 1);
// 1.0507 elu(x, 1.6733): keeps mean 0 and variance 1 through layers (Klambauer et al., 2017)
Tensor selu(const Tensor& x);
// x sigmoid(x)
Tensor silu(const Tensor& x);
// x tanh(softplus(x))
Tensor mish(const Tensor& x);
// min(max(x, min_val), max_val); derivative 0 on the bounds. Throws if min_val > max_val.
Tensor hardtanh(const Tensor& x, double min_val = -1, double max_val = 1);
// x / (1 + |x|)
Tensor softsign(const Tensor& x);
// ln sigmoid(x), stable for any x
Tensor logsigmoid(const Tensor& x);
// max(x, 0) + min(alpha (e^(x / alpha) - 1), 0): an elu without a kink (Barron, 2017). Throws if alpha is 0.
Tensor celu(const Tensor& x, double alpha = 1);
// min(max(x, 0), 6); derivative 0 on the bounds
Tensor relu6(const Tensor& x);
// relu6(x + 3) / 6
Tensor hardsigmoid(const Tensor& x);
// x relu6(x + 3) / 6; derivative x / 3 + 1/2 on the bounds too
Tensor hardswish(const Tensor& x);
// x > threshold ? x : value
Tensor threshold(const Tensor& x, double threshold, double value);
// x > 0 ? x : weight x, with one weight for all or one for each channel, dim 1: (batch, channels, ...), (channels) or
// (1). Throws if the number of weights is another.
Tensor prelu(const Tensor& x, const Tensor& weight);
// a sigmoid(b) of the two halves a and b along dim (Dauphin et al., 2017). Throws if the size is odd.
Tensor glu(const Tensor& x, std::int64_t dim = -1);

// --- Between two tensors ---------------------------------------------------------------------------------------------
// start + weight (end - start)
Tensor lerp(const Tensor& start, const Tensor& end, const Tensor& weight);
Tensor lerp(const Tensor& start, const Tensor& end, double weight);
// condition ? a : b
Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b);
Tensor where(const Tensor& condition, const Tensor& a, double b);
Tensor where(const Tensor& condition, double a, const Tensor& b);

}  // namespace gradus
