// What the kinds of pooling share.
#pragma once

#include <algorithm>
#include <optional>

#include "gradus/ops.hpp"
#include "gradus/ops/pooling.hpp"
#include "kernels/parallel.hpp"
#include "kernels/unfold.hpp"
#include "tensor/impl.hpp"

namespace gradus {

// Throws unless a window fits, padding is at most half of the kernel, and each window sees an element.
kernels::Window pooling_window(const char* op, std::int64_t size, std::int64_t kernel, std::int64_t stride,
                               std::int64_t padding, std::int64_t dilation, bool ceil_mode);

// Throws unless x is (..., h, w) and floating.
void check_image(const char* op, const Tensor& x);

// The same images with other heights and widths.
Shape resized(const Shape& shape, std::int64_t height, std::int64_t width);

// Calls f(n) for each image, on several threads if there is enough to do.
template <class F>
void for_each_image(std::int64_t images, std::int64_t work_per_image, const F& f) {
  constexpr std::int64_t grain = 32768;
  const std::int64_t least = std::max<std::int64_t>(1, grain / std::max<std::int64_t>(1, work_per_image));
  kernels::parallel_for(0, images, least, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) f(n);
  });
}

// An op on images as one on rows.
template <class F>
Tensor on_rows(const char* op, const Tensor& x, const F& f) {
  if (x.dim() < 1) fail("{}: a row (..., n) is needed, got {}", op, x.shape());
  return squeeze(f(unsqueeze(x, -2)), -2);
}

inline std::optional<Pair> flat(const std::optional<std::int64_t>& stride) {
  return stride ? std::optional(Pair(1, *stride)) : std::nullopt;
}

}  // namespace gradus
