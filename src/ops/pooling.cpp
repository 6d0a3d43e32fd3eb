#include "ops/pooling.hpp"

namespace gradus {

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
  for (std::int64_t i = 0; dilation > 1 && padding > 0 && i < window.outputs; ++i) {
    bool sees_one = false;
    for (std::int64_t k = 0; k < kernel && !sees_one; ++k) {
      const std::int64_t at = i * stride + window.first(k);
      sees_one = at >= 0 && at < size;
    }
    if (!sees_one) fail("{}: dilation {} and padding {} leave window {} without any element", op, dilation, padding, i);
  }
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
