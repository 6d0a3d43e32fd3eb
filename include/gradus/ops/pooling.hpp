// Pooling: the largest or the mean element of windows that slide over an image.
#pragma once

#include <cstdint>
#include <optional>

#include "gradus/ops/convolution.hpp"
#include "gradus/tensor.hpp"

namespace gradus {

struct MaxPool1dOptions {
  std::optional<std::int64_t> stride = {};  // by default the kernel's size
  std::int64_t padding = 0;
  std::int64_t dilation = 1;
  bool ceil_mode = false;  // also a last window that is not all inside
};

struct MaxPool2dOptions {
  std::optional<Pair> stride = {};
  Pair padding = 0;
  Pair dilation = 1;
  bool ceil_mode = false;
};

struct AvgPool1dOptions {
  std::optional<std::int64_t> stride = {};
  std::int64_t padding = 0;
  bool ceil_mode = false;
  bool count_include_pad = true;  // the padding's zeros are elements of the mean
};

struct AvgPool2dOptions {
  std::optional<Pair> stride = {};
  Pair padding = 0;
  bool ceil_mode = false;
  bool count_include_pad = true;
};

// (..., h, w) -> (..., h', w') with h' = floor((h + 2 padding - dilation (kernel - 1) - 1) / stride) + 1. Padding never
// wins, NaN always does, and the first of equal elements has the derivative. Throws unless padding is at most half of
// the kernel, a window fits, and each sees an element.
Tensor max_pool2d(const Tensor& x, const Pair& kernel_size, const MaxPool2dOptions& options = {});
// (..., n) -> (..., n')
Tensor max_pool1d(const Tensor& x, std::int64_t kernel_size, const MaxPool1dOptions& options = {});

// The means of windows: (..., h, w) -> (..., h', w'), sizes as of max_pool2d with a dilation of 1.
Tensor avg_pool2d(const Tensor& x, const Pair& kernel_size, const AvgPool2dOptions& options = {});
Tensor avg_pool1d(const Tensor& x, std::int64_t kernel_size, const AvgPool1dOptions& options = {});

// Means of windows that share out the image: output i of h' is the mean of [floor(i h / h'), ceil((i + 1) h / h')).
Tensor adaptive_avg_pool2d(const Tensor& x, const Pair& output_size);
Tensor adaptive_avg_pool1d(const Tensor& x, std::int64_t output_size);

}  // namespace gradus
