// Means of windows, and what shares out an element over a window: two maps that are each other's derivatives.
#include <algorithm>

#include "autograd/record.hpp"
#include "ops/copy.hpp"
#include "ops/pooling.hpp"

namespace gradus {
namespace {

using kernels::Window;

// The windows along one dim.
struct Axis {
  Window window;
  bool adaptive = false;           // the windows share out the elements
  bool count_include_pad = false;  // else only elements that exist count

  // Those of output i, and the number that their sum is divided by.
  struct Range {
    std::int64_t begin, end, count;
  };
  Range range(std::int64_t i) const {
    const Window& w = window;
    if (adaptive) {
      const std::int64_t begin = i * w.size / w.outputs, end = ((i + 1) * w.size + w.outputs - 1) / w.outputs;
      return {begin, end, end - begin};
    }
    const std::int64_t from = i * w.stride - w.padding, to = std::min(from + w.kernel, w.size + w.padding);
    const std::int64_t begin = std::max<std::int64_t>(from, 0), end = std::max(begin, std::min(to, w.size));
    return {begin, end, count_include_pad ? to - from : end - begin};
  }
};

struct Means {
  const char* op;
  Axis y, x;

  std::int64_t outputs() const { return y.window.outputs * x.window.outputs; }
  std::int64_t pixels() const { return y.window.size * x.window.size; }
};

// Calls visit(output, x range, factor) for each output of row i; empty windows are left out.
template <class T, class Visit>
void for_each_mean(const Axis& x, std::int64_t rows, const Visit& visit) {
  for (std::int64_t j = 0; j < x.window.outputs; ++j) {
    const Axis::Range range = x.range(j);
    if (range.begin < range.end) visit(j, range, T(1) / static_cast<T>(rows * range.count));
  }
}

// `sums` has room for a row of the image.
template <class T>
void take_means(const Means& m, T* result, const T* image, T* sums) {
  const std::int64_t width = m.x.window.size;
  for (std::int64_t i = 0; i < m.y.window.outputs; ++i, result += m.x.window.outputs) {
    const Axis::Range rows = m.y.range(i);
    std::fill_n(sums, width, T(0));
    for (std::int64_t r = rows.begin; r < rows.end; ++r) {
      for (std::int64_t c = 0; c < width; ++c) sums[c] += image[r * width + c];
    }
    std::fill_n(result, m.x.window.outputs, T(0));
    for_each_mean<T>(m.x, rows.count, [&](std::int64_t j, const Axis::Range& columns, T factor) {
      for (std::int64_t c = columns.begin; c < columns.end; ++c) result[j] += sums[c];
      result[j] *= factor;
    });
  }
}

template <class T>
void spread(const Means& m, T* image, const T* result, T* shares) {
  const std::int64_t width = m.x.window.size;
  std::fill_n(image, m.pixels(), T(0));
  for (std::int64_t i = 0; i < m.y.window.outputs; ++i, result += m.x.window.outputs) {
    const Axis::Range rows = m.y.range(i);
    std::fill_n(shares, width, T(0));
    for_each_mean<T>(m.x, rows.count, [&](std::int64_t j, const Axis::Range& columns, T factor) {
      for (std::int64_t c = columns.begin; c < columns.end; ++c) shares[c] += result[j] * factor;
    });
    for (std::int64_t r = rows.begin; r < rows.end; ++r) {
      for (std::int64_t c = 0; c < width; ++c) image[r * width + c] += shares[c];
    }
  }
}

// Calls f<T>(n, row) for each image, with memory for a row of it.
template <class F>
void for_images(const Means& m, std::int64_t images, Dtype dtype, const F& f) {
  const std::int64_t width = m.x.window.size;
  const Tensor rows = make_tensor({images, width}, dtype);
  dispatch_floating(m.op, dtype, [&]<class T>() {
    for_each_image(images, m.pixels(),
                   [&](std::int64_t n) { f.template operator()<T>(n, data_of<T>(rows) + n * width); });
  });
}

Tensor spread(const Means& m, const Tensor& gradient);

Tensor means(const Means& m, const Tensor& x) {
  Tensor result = make_tensor(resized(x.shape(), m.y.window.outputs, m.x.window.outputs), x.dtype());
  const Tensor source = dense(x);
  for_images(m, x.numel() / m.pixels(), x.dtype(), [&]<class T>(std::int64_t n, T* row) {
    take_means(m, data_of<T>(result) + n * m.outputs(), data_of<T>(source) + n * m.pixels(), row);
  });
  return record(m.op, std::move(result), wrt(x, [m](const Tensor& g) { return spread(m, g); }));
}

Tensor spread(const Means& m, const Tensor& gradient) {
  Tensor result = make_tensor(resized(gradient.shape(), m.y.window.size, m.x.window.size), gradient.dtype());
  const Tensor source = dense(gradient);
  for_images(m, gradient.numel() / m.outputs(), gradient.dtype(), [&]<class T>(std::int64_t n, T* row) {
    spread(m, data_of<T>(result) + n * m.pixels(), data_of<T>(source) + n * m.outputs(), row);
  });
  return record("avg_pool2d_backward", std::move(result), wrt(gradient, [m](const Tensor& g) { return means(m, g); }));
}

}  // namespace

Tensor avg_pool2d(const Tensor& x, const Pair& kernel_size, const AvgPool2dOptions& o) {
  check_image("avg_pool2d", x);
  const Pair stride = o.stride.value_or(kernel_size);
  const auto axis = [&](std::size_t i, std::int64_t size) {
    return Axis{.window = pooling_window("avg_pool2d", size, kernel_size[i], stride[i], o.padding[i], 1, o.ceil_mode),
                .count_include_pad = o.count_include_pad};
  };
  return means({"avg_pool2d", axis(0, x.size(-2)), axis(1, x.size(-1))}, x);
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
  constexpr const char* op = "adaptive_avg_pool2d";
  check_image(op, x);
  const auto axis = [&](std::size_t i, std::int64_t size) {
    if (output_size[i] < 1) fail("{}: output_size must be at least 1, got {}", op, output_size[i]);
    if (size < 1) fail("{}: the image is empty", op);
    return Axis{.window = {size, size, 1, 0, 1, output_size[i]}, .adaptive = true};
  };
  return means({op, axis(0, x.size(-2)), axis(1, x.size(-1))}, x);
}

Tensor adaptive_avg_pool1d(const Tensor& x, std::int64_t output_size) {
  return on_rows("adaptive_avg_pool1d", x, [&](const Tensor& image) {
    return adaptive_avg_pool2d(image, {1, output_size});
  });
}

}  // namespace gradus
