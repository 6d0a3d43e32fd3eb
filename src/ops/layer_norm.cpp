// Layer norm and rms norm: rows that are normalised on their own.

#include <array>
#include <limits>

#include "autograd/record.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "kernels/kernels.hpp"
#include "ops/copy.hpp"
#include "ops/normalisation.hpp"
#include "ops/rows.hpp"

namespace gradus {
namespace {

using kernels::table;

// The last dims of x are one row.
NormLayout row_layout(const char* op, const Tensor& x, const Shape& normalized, bool centered) {
  check_norm_input(op, x);
  const std::int64_t dims = normalized.size(), leading = x.dim() - dims;
  if (dims == 0) fail("{}: the normalized shape needs a dim", op);
  bool fits = leading >= 0;
  for (std::int64_t i = 0; fits && i < dims; ++i) fits = x.shape()[leading + i] == normalized[i];
  if (!fits) fail("{}: the input must end in the normalized shape: {} and {}", op, x.shape(), normalized);
  std::int64_t rows = 1;
  for (std::int64_t i = 0; i < leading; ++i) rows *= x.shape()[i];
  const std::int64_t n = normalized.numel();
  return {.view = {rows, n}, .over = 1, .weights = normalized, .affine = {1, n}, .repeated = 0, .centered = centered};
}

template <class T>
T* data_or_null(const Tensor& t) {
  return t.defined() ? data_of<T>(t) : nullptr;
}

Tensor dense_or_none(const Tensor& t) { return t.defined() ? dense(t) : t; }

struct Statistics {
  Tensor mean;  // undefined if the mean counts as 0
  Tensor rstd;
};

Tensor normalized_rows(const Tensor& input, const Tensor& weights, const Tensor& biases, double eps,
                       const NormLayout& layout, Statistics& statistics) {
  const Tensor x = dense(input), weight = dense_or_none(weights), bias = dense_or_none(biases);
  const std::int64_t rows = layout.view[0], n = layout.view[1];
  Tensor y = make_tensor(x.shape(), x.dtype());
  statistics.rstd = make_tensor({rows}, x.dtype());
  if (layout.centered) statistics.mean = make_tensor({rows}, x.dtype());
  if (x.numel() == 0) return y;
  dispatch_floating("layer_norm", x.dtype(), [&]<class T>() {
    const auto kernel = table<T>().layer_norm[layout.centered];
    T* const mean = data_or_null<T>(statistics.mean);
    kernels::parallel_for(0, rows, std::max<std::int64_t>(1, parallel_grain / (2 * n)),
                          [&](std::int64_t begin, std::int64_t end) {
                            kernel(data_of<T>(y) + begin * n, mean ? mean + begin : nullptr,
                                   data_of<T>(statistics.rstd) + begin, data_of<T>(x) + begin * n,
                                   data_or_null<T>(weight), data_or_null<T>(bias), static_cast<T>(eps), end - begin, n);
                          });
  });
  return y;
}

// The sum over the rows of a matrix.
Tensor sum_of_rows(const Tensor& parts, const Shape& shape) { return reshape(sum(parts, 0), shape); }

// All three gradients in one pass. What rows add to those of weight and bias is summed by blocks of rows, which do not
// depend on the number of threads.
void fused_backward(const Tensor& grad, const Tensor& input, const Tensor& weights, const Statistics& statistics,
                    const NormLayout& layout, Gradients& gradients) {
  const Tensor g = dense(grad), x = dense(input), weight = dense_or_none(weights);
  const std::int64_t rows = layout.view[0], n = layout.view[1];
  const std::int64_t block = std::max<std::int64_t>(32, (rows + 63) / 64), blocks = (rows + block - 1) / block;
  Tensor dx, dweight, dbias;
  if (gradients.wanted(0)) dx = make_tensor(x.shape(), x.dtype());
  if (gradients.wanted(1)) dweight = zeros({blocks, n}, {.dtype = x.dtype()});
  if (gradients.wanted(2)) dbias = zeros({blocks, n}, {.dtype = x.dtype()});
  dispatch_floating("layer_norm", x.dtype(), [&]<class T>() {
    const auto kernel = table<T>().layer_norm_backward[layout.centered];
    const auto at = [](const Tensor& t, std::int64_t offset) { return t.defined() ? data_of<T>(t) + offset : nullptr; };
    kernels::parallel_for(0, blocks, std::max<std::int64_t>(1, parallel_grain / (2 * n * block + 1)),
                          [&](std::int64_t begin, std::int64_t end) {
                            for (std::int64_t b = begin; b < end; ++b) {
                              const std::int64_t row = b * block;
                              kernel(at(dx, row * n), at(dweight, b * n), at(dbias, b * n), at(g, row * n),
                                     at(x, row * n), at(statistics.mean, row), at(statistics.rstd, row), at(weight, 0),
                                     std::min(block, rows - row), n);
                            }
                          });
  });
  if (dx.defined()) gradients[0] = dx;
  if (dweight.defined()) gradients[1] = sum_of_rows(dweight, layout.weights);
  if (dbias.defined()) gradients[2] = sum_of_rows(dbias, layout.weights);
}

Tensor row_norm(const char* op, const Tensor& x, const Tensor& weight, const Tensor& bias, double eps,
                const NormLayout& layout) {
  check_affine(op, x, "weight", weight, layout.weights);
  check_affine(op, x, "bias", bias, layout.weights);
  Statistics statistics;
  const Tensor y = normalized_rows(x, weight, bias, eps, layout, statistics);
  return record_joint(
      op, y, std::array{x, weight, bias},
      [x = Saved(x), weight = Saved(weight), statistics, layout, eps](const Tensor& g, Gradients& gradients) {
        if (grad_enabled)
          composed_norm_backward(g, x, weight, layout, eps, gradients);
        else
          fused_backward(g, x, weight, statistics, layout, gradients);
      });
}

}  // namespace

Tensor layer_norm(const Tensor& x, const Shape& normalized_shape, const LayerNormOptions& options) {
  const NormLayout layout = row_layout("layer_norm", x, normalized_shape, true);
  return row_norm("layer_norm", x, options.weight, options.bias, options.eps, layout);
}

Tensor rms_norm(const Tensor& x, const Shape& normalized_shape, const RMSNormOptions& options) {
  const NormLayout layout = row_layout("rms_norm", x, normalized_shape, false);
  const double machine = x.dtype() == float32 ? static_cast<double>(std::numeric_limits<float>::epsilon())
                                              : std::numeric_limits<double>::epsilon();
  return row_norm("rms_norm", x, options.weight, {}, options.eps.value_or(machine), layout);
}

}  // namespace gradus
