// The ops. Each is a pure function of tensors; each records one derivative per input when gradients are on.
//
// Names, arguments and semantics are PyTorch's. Shapes broadcast as in NumPy; every dim may be negative. Dtypes are
// never mixed silently between float32 and float64: that throws. int64 and boolean join a floating operand.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gradus/tensor.hpp"

namespace gradus {

// --- Arithmetic, with broadcasting ----------------------------------------------------------------------------------

// a + alpha * b
Tensor add(const Tensor& a, const Tensor& b, double alpha = 1);
Tensor add(const Tensor& a, double b);
// a - alpha * b
Tensor sub(const Tensor& a, const Tensor& b, double alpha = 1);
Tensor sub(const Tensor& a, double b);
// a * b
Tensor mul(const Tensor& a, const Tensor& b);
Tensor mul(const Tensor& a, double b);
// a / b; two integers give float32
Tensor div(const Tensor& a, const Tensor& b);
Tensor div(const Tensor& a, double b);
// a^b
Tensor pow(const Tensor& a, const Tensor& b);
Tensor pow(const Tensor& a, double exponent);
Tensor pow(double base, const Tensor& exponent);
// max(a, b) and min(a, b); NaN wins; where both are equal each gets half of the gradient
Tensor maximum(const Tensor& a, const Tensor& b);
Tensor minimum(const Tensor& a, const Tensor& b);

Tensor operator-(const Tensor& x);
Tensor operator+(const Tensor& a, const Tensor& b);
Tensor operator+(const Tensor& a, double b);
Tensor operator+(double a, const Tensor& b);
Tensor operator-(const Tensor& a, const Tensor& b);
Tensor operator-(const Tensor& a, double b);
Tensor operator-(double a, const Tensor& b);
Tensor operator*(const Tensor& a, const Tensor& b);
Tensor operator*(const Tensor& a, double b);
Tensor operator*(double a, const Tensor& b);
Tensor operator/(const Tensor& a, const Tensor& b);
Tensor operator/(const Tensor& a, double b);
Tensor operator/(double a, const Tensor& b);

// --- Comparisons: boolean results, no derivative --------------------------------------------------------------------

Tensor eq(const Tensor& a, const Tensor& b);
Tensor eq(const Tensor& a, double b);
Tensor ne(const Tensor& a, const Tensor& b);
Tensor ne(const Tensor& a, double b);
Tensor lt(const Tensor& a, const Tensor& b);
Tensor lt(const Tensor& a, double b);
Tensor le(const Tensor& a, const Tensor& b);
Tensor le(const Tensor& a, double b);
Tensor gt(const Tensor& a, const Tensor& b);
Tensor gt(const Tensor& a, double b);
Tensor ge(const Tensor& a, const Tensor& b);
Tensor ge(const Tensor& a, double b);

struct CloseOptions {
  double rtol = 1e-5;
  double atol = 1e-8;
  bool equal_nan = false;
};
// |a - b| <= atol + rtol * |b| everywhere
bool allclose(const Tensor& a, const Tensor& b, const CloseOptions& options = {});
// Same shape and the same values
bool equal(const Tensor& a, const Tensor& b);

// --- Pointwise ------------------------------------------------------------------------------------------------------

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

// --- Reductions: over all dims, or those given ----------------------------------------------------------------------

// Boolean and integer tensors give int64.
Tensor sum(const Tensor& x, const Dims& dims = {}, const ReduceOptions& options = {});
Tensor mean(const Tensor& x, const Dims& dims = {}, const ReduceOptions& options = {});

struct Extreme {
  Tensor values;
  Tensor indices;
};
// The largest element; the gradient is shared evenly among equals. NaN wins.
Tensor max(const Tensor& x);
// Along one dim: (values, indices), the first index among equals; the gradient goes to that element.
Extreme max(const Tensor& x, std::int64_t dim, const ReduceOptions& options = {});
Tensor min(const Tensor& x);
Extreme min(const Tensor& x, std::int64_t dim, const ReduceOptions& options = {});
// The index of the first largest element: of the flattened tensor, or along one dim. int64, no derivative.
Tensor argmax(const Tensor& x, std::optional<std::int64_t> dim = {}, const ReduceOptions& options = {});
Tensor argmin(const Tensor& x, std::optional<std::int64_t> dim = {}, const ReduceOptions& options = {});
// (sum |x|^p)^(1/p) over all elements; p = infinity is max |x|. The derivative at 0 is 0.
Tensor norm(const Tensor& x, double p = 2);
// ln sum e^x, without overflow
Tensor logsumexp(const Tensor& x, const Dims& dims, const ReduceOptions& options = {});
// e^x / sum e^x along dim, without overflow
Tensor softmax(const Tensor& x, std::int64_t dim);
// x - logsumexp(x) along dim
Tensor log_softmax(const Tensor& x, std::int64_t dim);

// --- Products -------------------------------------------------------------------------------------------------------

// 1-d @ 1-d: dot product; 2-d @ 2-d: (m, k) x (k, n) -> (m, n); a 1-d operand is a row on the left, a column on the
// right, and its dim vanishes; beyond two dims the leading ones broadcast as batches.
Tensor matmul(const Tensor& a, const Tensor& b);
// x W^T + b: (..., in), (out, in), (out) -> (..., out); bias may be undefined
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

// --- Joining and indexing -------------------------------------------------------------------------------------------

Tensor cat(const std::vector<Tensor>& tensors, std::int64_t dim = 0);
Tensor stack(const std::vector<Tensor>& tensors, std::int64_t dim = 0);
// out[i][j] = x[index[i][j]][j] for dim 0, and so on
Tensor gather(const Tensor& x, std::int64_t dim, const Tensor& index);
// The slices x[index[0]], x[index[1]], ... along dim; index is 1-d int64
Tensor index_select(const Tensor& x, std::int64_t dim, const Tensor& index);

// --- Views (a copy only where reshape cannot do without) ------------------------------------------------------------

Tensor transpose(const Tensor& x, std::int64_t dim0, std::int64_t dim1);
Tensor permute(const Tensor& x, const Shape& dims);
Tensor reshape(const Tensor& x, const Shape& shape);  // one size may be -1
Tensor flatten(const Tensor& x, std::int64_t start_dim = 0, std::int64_t end_dim = -1);
Tensor squeeze(const Tensor& x);
Tensor squeeze(const Tensor& x, std::int64_t dim);
Tensor unsqueeze(const Tensor& x, std::int64_t dim);
Tensor select(const Tensor& x, std::int64_t dim, std::int64_t index);
Tensor slice(const Tensor& x, std::int64_t dim, std::optional<std::int64_t> start = {},
             std::optional<std::int64_t> end = {}, std::int64_t step = 1);
Tensor narrow(const Tensor& x, std::int64_t dim, std::int64_t start, std::int64_t length);
Tensor expand(const Tensor& x, const Shape& shape);  // -1 keeps a size
Tensor clone(const Tensor& x);

// --- Losses ---------------------------------------------------------------------------------------------------------

enum class Reduction : std::uint8_t { none, mean, sum };

struct LossOptions {
  Reduction reduction = Reduction::mean;
};

struct CrossEntropyOptions {
  Tensor weight = {};  // (classes), a factor for each class
  std::int64_t ignore_index = -100;
  Reduction reduction = Reduction::mean;
  double label_smoothing = 0;
};

// (input - target)^2
Tensor mse_loss(const Tensor& input, const Tensor& target, const LossOptions& options = {});
// |input - target|
Tensor l1_loss(const Tensor& input, const Tensor& target, const LossOptions& options = {});
// -log_softmax(input)[target]: (batch, classes), int64 (batch) -> (); also (classes), () -> ().
// Throws unless every target is in [0, classes) or ignore_index.
Tensor cross_entropy(const Tensor& input, const Tensor& target, const CrossEntropyOptions& options = {});
// -(t ln sigmoid(x) + (1 - t) ln(1 - sigmoid(x))), stable for any x
Tensor binary_cross_entropy_with_logits(const Tensor& input, const Tensor& target, const LossOptions& options = {});

}  // namespace gradus
