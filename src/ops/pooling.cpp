#include "ops/pooling.hpp"

namespace gradus {
namespace {

// Taps that are far apart may all fall into the padding.
void check_windows(const char* op, const kernels::Window& w) {
  for (std::int64_t i = 0; i < w.outputs; ++i) {
    std::int64_t k = 0;
    while (k < w.kernel && !w.inside(k).contains(i)) ++k;
    if (k == w.kernel) {
      fail("{}: dilation {} and padding {} leave window {} without any element", op, w.dilation, w.padding, i);
    }
  }
}

}  // namespace

kernels::Window pooling_window(const char* op, std::int64_t size, std::int64_t kernel, std::int64_t stride,
                               std::int64_t padding, std::int64_t dilation, bool ceil_mode) {
  if (kernel < 1) fail("{}: kernel_size must be at least 1, got {}", op, kernel);
  if (stride < 1) fail("{}: stride must be at least 1, got {}", op, stride);
  if (dilation < 1) fail("{}: dilation must be at least 1, got {}", op, dilation);
  if (padding < 0 || padding > kernel / 2) {
    fail("{}: padding must be at least 0 and at most half of the kernel's {}, got {}", op, kernel, padding);
  }
  if (size < 1) fail("{}: the image is empty", op);
  const std::int64_t reach = dilation * (kernel - 1) + 1, padded = size + 2 * padding;
  if (reach > padded) fail("{}: the kernel reaches over {} elements, the padded input has {}", op, reach, padded);
  kernels::Window window{size, kernel, stride, padding, dilation};
  // Another one that is not all inside, but starts before the padding on the right.
  if (ceil_mode && (padded - reach) % stride != 0 && window.outputs * stride < size + padding) ++window.outputs;
  if (dilation > 1 && padding > 0) check_windows(op, window);
  return window;
}

void check_image(const char* op, const Tensor& x) {
  if (x.dim() < 2) fail("{}: an image (..., h, w) is needed, got {}", op, x.shape());
  if (!is_floating_point(x.dtype())) fail("{}: a floating dtype is needed, got {}", op, x.dtype());
}

Shape resized(const Shape& shape, std::int64_t height, std::int64_t width) {
  Shape result = shape;
  result[shape.size() - 2] = height;
  result[shape.size() - 1] = width;
  return result;
}

}  // namespace gradus
