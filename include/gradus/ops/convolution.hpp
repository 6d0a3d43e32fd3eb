// Convolutions: cross-correlations, as everywhere in deep learning.
#pragma once

#include <array>
#include <cstdint>

#include "gradus/tensor.hpp"

namespace gradus {

// One number for both dims, or (height, width).
struct Pair : std::array<std::int64_t, 2> {
  constexpr Pair(std::int64_t both) : array{both, both} {}
  constexpr Pair(std::int64_t height, std::int64_t width) : array{height, width} {}
};

struct Conv1dOptions {
  std::int64_t stride = 1;
  std::int64_t padding = 0;  // zeros before and behind
  std::int64_t dilation = 1;
  std::int64_t groups = 1;
};

struct Conv2dOptions {
  Pair stride = 1;
  Pair padding = 0;  // zeros on each side
  Pair dilation = 1;
  std::int64_t groups = 1;
};

struct ConvTranspose2dOptions {
  Pair stride = 1;
  Pair padding = 0;
  Pair output_padding = 0;  // added to one side of the result's size
  std::int64_t groups = 1;
  Pair dilation = 1;
};

// y[n, o, i, j] = b[o] + sum over c, k, l of w[o, c, k, l] x[n, c, i * stride - padding + k * dilation, ...]:
// (batch, in, h, w), (out, in / groups, kh, kw), (out) -> (batch, out, h', w') with
// h' = floor((h + 2 padding - dilation (kh - 1) - 1) / stride) + 1. The bias may be undefined, the batch dim missing.
// Throws if shapes don't fit, the kernel is larger than the padded input, or an option is not positive.
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, const Conv2dOptions& options = {});
// The same in one dim: (batch, in, n), (out, in / groups, k), (out) -> (batch, out, n')
Tensor conv1d(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, const Conv1dOptions& options = {});
// The transposed map of conv2d, that is its derivative by x: (batch, in, h, w), (in, out / groups, kh, kw), (out) ->
// (batch, out, h', w') with h' = (h - 1) stride - 2 padding + dilation (kh - 1) + output_padding + 1.
Tensor conv_transpose2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
                        const ConvTranspose2dOptions& options = {});

}  // namespace gradus
