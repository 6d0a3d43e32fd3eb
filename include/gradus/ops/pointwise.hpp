// Pointwise.
#pragma once

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
// condition ? a : b
Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b);
Tensor where(const Tensor& condition, const Tensor& a, double b);
Tensor where(const Tensor& condition, double a, const Tensor& b);

}  // namespace gradus
