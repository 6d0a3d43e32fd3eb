#include "gradus/ops/pooling.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/observer.hpp"
#include "autograd/record.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "kernels/parallel.hpp"
#include "kernels/unfold.hpp"
#include "ops/copy.hpp"
#include "ops/derivatives.hpp"

namespace gradus {
namespace {

using kernels::Window;

constexpr std::int64_t grain = 32768;  // window elements that one thread looks at, at least

std::int64_t outputs_of(const Window& w, bool ceil_mode) {
  const std::int64_t room = w.size + 2 * w.padding - w.dilation * (w.kernel - 1) - 1;
  if (!ceil_mode) return w.outputs;
  const std::int64_t count = (room + w.stride - 1) / w.stride + 1;
  return (count - 1) * w.stride >= w.size + w.padding ? count - 1 : count;  // a window starts before the right padding
}

Window window(const char* op, std::int64_t size, std::int64_t kernel, std::int64_t stride, std::int64_t padding,
              std::int64_t dilation) {
  if (kernel < 1) fail("{}: kernel_size must be at least 1, got {}", op, kernel);
  if (stride < 1) fail("{}: stride must be at least 1, got {}", op, stride);
  if (dilation < 1) fail("{}: dilation must be at least 1, got {}", op, dilation);
  if (padding < 0 || padding > kernel / 2) {
    fail("{}: padding must be at least 0 and at most half of the kernel's {}, got {}", op, kernel, padding);
  }
  const std::int64_t reach = dilation * (kernel - 1) + 1, padded = size + 2 * padding;
  if (reach > padded) fail("{}: the kernel reaches over {} elements, the padded input has {}", op, reach, padded);
  return {size, kernel, stride, padding, dilation};
}

void check_image(const char* op, const Tensor& x) {
  if (x.dim() < 2) fail("{}: an image (..., h, w) is needed, got {}", op, x.shape());
  if (!is_floating_point(x.dtype())) fail("{}: a floating dtype is needed, got {}", op, x.dtype());
}

// The same images with other heights and widths.
Shape resized(const Shape& shape, std::int64_t height, std::int64_t width) {
  Shape result = shape;
  result[shape.size() - 2] = height;
  result[shape.size() - 1] = width;
  return result;
}

// The largest element of each window of an image, and where in the image it is.
template <class T>
void largest_of_windows(T* result, std::int64_t* places, const T* image, const Window& y, const Window& x,
                        std::int64_t height, std::int64_t width) {
  for (std::int64_t i = 0; i < height; ++i) {
    for (std::int64_t j = 0; j < width; ++j, ++result, ++places) {
      *result = -std::numeric_limits<T>::infinity();
      *places = -1;
      for (std::int64_t k = 0; k < y.kernel; ++k) {
        const std::int64_t row = i * y.stride + y.first(k);
        if (row < 0 || row >= y.size) continue;
        for (std::int64_t l = 0; l < x.kernel; ++l) {
          const std::int64_t column = j * x.stride + x.first(l);
          if (column < 0 || column >= x.size) continue;
          const T value = image[row * x.size + column];
          if (*places >= 0 && !(value > *result) && !std::isnan(value)) continue;
          *result = value;
          *places = row * x.size + column;
        }
      }
    }
  }
}

// The matrix (outputs, inputs) that takes means of ranges of `inputs` elements: range(i) gives begin, end and divisor.
template <class RangeOf>
Tensor averaging(std::int64_t outputs, std::int64_t inputs, Dtype dtype, const RangeOf& range_of) {
  Tensor weights = zeros({outputs, inputs}, {.dtype = dtype});
  dispatch_floating("avg_pool", dtype, [&]<class T>() {
    T* row = impl(weights).data<T>();
    for (std::int64_t i = 0; i < outputs; ++i, row += inputs) {
      const auto [begin, end, count] = range_of(i);
      std::fill(row + begin, row + std::max(begin, end), static_cast<T>(1 / static_cast<double>(count)));
    }
  });
  return weights;
}

struct MeanOf {
  std::int64_t begin, end, count;
};

Tensor averaging(const Window& w, bool ceil_mode, bool count_include_pad, Dtype dtype) {
  return averaging(outputs_of(w, ceil_mode), w.size, dtype, [&](std::int64_t i) {
    const std::int64_t from = i * w.stride - w.padding, to = std::min(from + w.kernel, w.size + w.padding);
    const MeanOf inside{std::max<std::int64_t>(from, 0), std::min(to, w.size), to - from};
    return count_include_pad ? inside : MeanOf{inside.begin, inside.end, inside.end - inside.begin};
  });
}

Tensor adaptive_averaging(const char* op, std::int64_t outputs, std::int64_t inputs, Dtype dtype) {
  if (outputs < 1) fail("{}: output_size must be at least 1, got {}", op, outputs);
  if (inputs < 1) fail("{}: the image is empty", op);
  return averaging(outputs, inputs, dtype, [&](std::int64_t i) {
    const std::int64_t begin = i * inputs / outputs, end = ((i + 1) * inputs + outputs - 1) / outputs;
    return MeanOf{begin, end, end - begin};
  });
}

// rows X columns^T for each image X: windows are means along one dim after the other.
Tensor averaged(const Tensor& x, const Tensor& rows, const Tensor& columns) {
  const std::int64_t height = x.size(-2), width = x.size(-1),
                     images = x.numel() / std::max<std::int64_t>(1, height * width);
  const Tensor narrow = matmul(reshape(x, {images * height, width}), columns.t());
  const Tensor small = matmul(rows, reshape(narrow, {images, height, columns.size(0)}));
  return reshape(small, resized(x.shape(), rows.size(0), columns.size(0)));
}

// An op on images as one on rows.
template <class F>
Tensor on_rows(const char* op, const Tensor& x, const F& f) {
  if (x.dim() < 1) fail("{}: a row (..., n) is needed, got {}", op, x.shape());
  return squeeze(f(unsqueeze(x, -2)), -2);
}

template <class T>
std::optional<Pair> flat(const std::optional<T>& stride) {
  return stride ? std::optional(Pair(1, *stride)) : std::nullopt;
}

}  // namespace

Tensor max_pool2d(const Tensor& x, const Pair& kernel_size, const MaxPool2dOptions& o) {
  check_image("max_pool2d", x);
  const Pair stride = o.stride.value_or(kernel_size);
  const Window rows = window("max_pool2d", x.size(-2), kernel_size[0], stride[0], o.padding[0], o.dilation[0]);
  const Window columns = window("max_pool2d", x.size(-1), kernel_size[1], stride[1], o.padding[1], o.dilation[1]);
  const std::int64_t height = outputs_of(rows, o.ceil_mode), width = outputs_of(columns, o.ceil_mode);
  const std::int64_t pixels = rows.size * columns.size, images = x.numel() / std::max<std::int64_t>(1, pixels);
  Tensor result = make_tensor(resized(x.shape(), height, width), x.dtype());
  const Tensor places = make_tensor({images, height * width}, int64);
  const Tensor source = dense(x);
  dispatch_floating("max_pool2d", x.dtype(), [&]<class T>() {
    const std::int64_t work = height * width * rows.kernel * columns.kernel;
    kernels::parallel_for(0, images, std::max<std::int64_t>(1, grain / std::max<std::int64_t>(1, work)),
                          [&](std::int64_t begin, std::int64_t end) {
                            for (std::int64_t n = begin; n < end; ++n) {
                              const std::int64_t at = n * height * width;
                              largest_of_windows(data_of<T>(result) + at, data_of<std::int64_t>(places) + at,
                                                 data_of<T>(source) + n * pixels, rows, columns, height, width);
                            }
                          });
  });
  note_branches("max_pool2d", [&] { return places; });
  return record("max_pool2d", std::move(result),
                wrt(x, [shape = x.shape(), images, pixels, places = Saved(places)](const Tensor& g) {
                  return reshape(scatter_add_zeros(reshape(g, places.shape()), {images, pixels}, 1, places), shape);
                }));
}

Tensor max_pool1d(const Tensor& x, std::int64_t kernel_size, const MaxPool1dOptions& o) {
  return on_rows("max_pool1d", x, [&](const Tensor& image) {
    return max_pool2d(
        image, {1, kernel_size},
        {.stride = flat(o.stride), .padding = {0, o.padding}, .dilation = {1, o.dilation}, .ceil_mode = o.ceil_mode});
  });
}

Tensor avg_pool2d(const Tensor& x, const Pair& kernel_size, const AvgPool2dOptions& o) {
  check_image("avg_pool2d", x);
  const Pair stride = o.stride.value_or(kernel_size);
  const Window rows = window("avg_pool2d", x.size(-2), kernel_size[0], stride[0], o.padding[0], 1);
  const Window columns = window("avg_pool2d", x.size(-1), kernel_size[1], stride[1], o.padding[1], 1);
  return averaged(x, averaging(rows, o.ceil_mode, o.count_include_pad, x.dtype()),
                  averaging(columns, o.ceil_mode, o.count_include_pad, x.dtype()));
}

Tensor avg_pool1d(const Tensor& x, std::int64_t kernel_size, const AvgPool1dOptions& o) {
  return on_rows("avg_pool1d", x, [&](const Tensor& image) {
    return avg_pool2d(image, {1, kernel_size},
                      {.stride = flat(o.stride),
                       .padding = {0, o.padding},
                       .ceil_mode = o.ceil_mode,
                       .count_include_pad = o.count_include_pad});
  });
}

Tensor adaptive_avg_pool2d(const Tensor& x, const Pair& output_size) {
  check_image("adaptive_avg_pool2d", x);
  return averaged(x, adaptive_averaging("adaptive_avg_pool2d", output_size[0], x.size(-2), x.dtype()),
                  adaptive_averaging("adaptive_avg_pool2d", output_size[1], x.size(-1), x.dtype()));
}

Tensor adaptive_avg_pool1d(const Tensor& x, std::int64_t output_size) {
  return on_rows("adaptive_avg_pool1d", x, [&](const Tensor& image) {
    return adaptive_avg_pool2d(image, {1, output_size});
  });
}

}  // namespace gradus
