// Convolution as matrix products of the weight with patches of the image, a few output rows at a time: so the columns
// stay in the cache, and are never all in memory. Three maps, linear in two tensors each, are one another's
// derivatives: the result, the derivative by the input, and that by the weight.

#include "gradus/ops/convolution.hpp"

#include <algorithm>

#include "autograd/record.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "kernels/blas.hpp"
#include "kernels/kernels.hpp"
#include "kernels/parallel.hpp"
#include "kernels/unfold.hpp"
#include "ops/copy.hpp"
#include "ops/products.hpp"
#include "storage/pool.hpp"

namespace gradus {
namespace {

using kernels::Window;

constexpr std::int64_t columns_in_cache = 48 * 1024;  // elements: what a core's second cache holds beside the weight
constexpr std::int64_t most_pieces = 8;  // of the batch, for the weight's derivative: fixed, whatever the threads

// Memory for the columns of one thread.
template <class T>
class Scratch {
 public:
  explicit Scratch(std::int64_t size)
      : bytes_(static_cast<std::size_t>(size) * sizeof(T)), data_(static_cast<T*>(pool::allocate(bytes_))) {}
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { pool::deallocate(data_, bytes_); }
  T* data() const { return data_; }

 private:
  std::size_t bytes_;
  T* data_;
};

// What an image of (in, h, w) and a weight of (out, in / groups, kh, kw) make together. A transposed convolution may
// have a larger image than its number of outputs needs.
struct Geometry {
  std::int64_t batch, in, out, groups;
  Window y, x;

  Geometry(const Shape& image, const Shape& weight, const Pair& outputs, const Conv2dOptions& o)
      : batch(image[0]),
        in(image[1]),
        out(weight[0]),
        groups(o.groups),
        y{image[2], weight[2], o.stride[0], o.padding[0], o.dilation[0], outputs[0]},
        x{image[3], weight[3], o.stride[1], o.padding[1], o.dilation[1], outputs[1]} {}

  std::int64_t width() const { return x.outputs; }
  std::int64_t pixels() const { return y.outputs * width(); }
  std::int64_t image() const { return in * y.size * x.size; }
  std::int64_t group_image() const { return image() / groups; }
  std::int64_t group_out() const { return out / groups; }
  std::int64_t depth() const { return in / groups * y.kernel * x.kernel; }  // rows of the columns of a group
  Shape result() const { return {batch, out, y.outputs, x.outputs}; }

  // The columns are the image itself.
  bool is_pointwise() const {
    return y.kernel == 1 && x.kernel == 1 && y.stride == 1 && x.stride == 1 && y.padding == 0 && x.padding == 0;
  }

  // Output rows that are computed at a time.
  std::int64_t tile() const {
    return std::clamp<std::int64_t>(columns_in_cache / std::max<std::int64_t>(1, depth() * width()), 1, y.outputs);
  }

  // Calls f(group, top, bottom) for each tile of an image.
  template <class F>
  void for_each_tile(const F& f) const {
    const std::int64_t rows = y.outputs;
    for (std::int64_t group = 0; group < groups; ++group) {
      for (std::int64_t top = 0; top < rows; top += tile()) f(group, top, std::min(top + tile(), rows));
    }
  }

  template <class T>
  void unfold(T* columns, const T* image_of_group, std::int64_t top, std::int64_t bottom) const {
    kernels::unfold(columns, image_of_group, in / groups, y, x, top, bottom);
  }
};

// Calls f(begin, end) on ranges of parts of the batch, on several threads if there is enough to do. Products inside run
// on one.
template <class F>
void for_parts(const Geometry& s, std::int64_t parts, const F& f) {
  const std::int64_t work = s.batch * s.out * s.depth() * s.pixels() / std::max<std::int64_t>(1, parts);
  kernels::choose_blas_threads(0);
  kernels::parallel_for(0, parts, std::max<std::int64_t>(1, (1 << 20) / std::max<std::int64_t>(1, work)), f);
}

template <class T>
void forward(const Geometry& s, T* result, const T* image, const T* weight, const T* bias) {
  const std::int64_t depth = s.depth(), pixels = s.pixels(), rows = s.group_out();
  for_parts(s, s.batch, [&](std::int64_t begin, std::int64_t end) {
    const Scratch<T> scratch(s.is_pointwise() ? 0 : depth * s.tile() * s.width());
    for (std::int64_t n = begin; n < end; ++n) {
      T* const out = result + n * s.out * pixels;
      for (std::int64_t o = 0; bias && o < s.out; ++o) std::fill_n(out + o * pixels, pixels, bias[o]);
      s.for_each_tile([&](std::int64_t group, std::int64_t top, std::int64_t bottom) {
        const T* columns = image + n * s.image() + group * s.group_image();
        const std::int64_t count = (bottom - top) * s.width();
        if (s.is_pointwise()) {
          columns += top * s.width();
        } else {
          s.unfold(scratch.data(), columns, top, bottom);
          columns = scratch.data();
        }
        kernels::gemm<T>(false, false, rows, count, depth, T(1), weight + group * rows * depth, depth, columns,
                         s.is_pointwise() ? pixels : count, T(bias ? 1 : 0),
                         out + group * rows * pixels + top * s.width(), pixels);
      });
    }
  });
}

template <class T>
void by_input(const Geometry& s, T* image, const T* weight, const T* gradient) {
  const std::int64_t depth = s.depth(), pixels = s.pixels(), rows = s.group_out();
  for_parts(s, s.batch, [&](std::int64_t begin, std::int64_t end) {
    const Scratch<T> columns(depth * s.tile() * s.width());
    for (std::int64_t n = begin; n < end; ++n) {
      T* const out = image + n * s.image();
      std::fill_n(out, s.image(), T(0));
      s.for_each_tile([&](std::int64_t group, std::int64_t top, std::int64_t bottom) {
        const std::int64_t count = (bottom - top) * s.width();
        const T* const g = gradient + (n * s.out + group * rows) * pixels + top * s.width();
        kernels::gemm<T>(true, false, depth, count, rows, T(1), weight + group * rows * depth, depth, g, pixels, T(0),
                         columns.data(), count);
        kernels::fold_add(out + group * s.group_image(), columns.data(), s.in / s.groups, s.y, s.x, top, bottom);
      });
    }
  });
}

template <class T>
void by_weight(const Geometry& s, T* weight, const T* image, const T* gradient) {
  const std::int64_t depth = s.depth(), pixels = s.pixels(), rows = s.group_out(), size = s.out * depth;
  const std::int64_t pieces = std::min(s.batch, most_pieces);
  const Scratch<T> sums(pieces * size);
  std::fill_n(sums.data(), pieces * size, T(0));
  for_parts(s, pieces, [&](std::int64_t begin, std::int64_t end) {
    const Scratch<T> columns(depth * s.tile() * s.width());
    for (std::int64_t piece = begin; piece < end; ++piece) {
      for (std::int64_t n = s.batch * piece / pieces; n < s.batch * (piece + 1) / pieces; ++n) {
        s.for_each_tile([&](std::int64_t group, std::int64_t top, std::int64_t bottom) {
          const std::int64_t count = (bottom - top) * s.width();
          s.unfold(columns.data(), image + n * s.image() + group * s.group_image(), top, bottom);
          const T* const g = gradient + (n * s.out + group * rows) * pixels + top * s.width();
          kernels::gemm<T>(false, true, rows, depth, count, T(1), g, pixels, columns.data(), count, T(1),
                           sums.data() + piece * size + group * rows * depth, depth);
        });
      }
    }
  });
  std::fill_n(weight, size, T(0));
  for (std::int64_t piece = 0; piece < pieces; ++piece) {
    const T* const sum = sums.data() + piece * size;
    for (std::int64_t i = 0; i < size; ++i) weight[i] += sum[i];
  }
}

Pair outputs_of(const Tensor& result) { return {result.size(2), result.size(3)}; }

Tensor by_input(const Shape& image, const Tensor& weight, const Tensor& gradient, const Conv2dOptions& o);
Tensor by_weight(const Tensor& image, const Shape& weight, const Tensor& gradient, const Conv2dOptions& o);

Tensor forward(const Tensor& image, const Tensor& weight, const Tensor& bias, const Pair& outputs,
               const Conv2dOptions& o) {
  const Geometry s(image.shape(), weight.shape(), outputs, o);
  Tensor result = make_tensor(s.result(), image.dtype());
  const Tensor x = dense(image), w = dense(weight), b = bias.defined() ? dense(bias) : bias;
  dispatch_floating("conv2d", image.dtype(), [&]<class T>() {
    forward<T>(s, data_of<T>(result), data_of<T>(x), data_of<T>(w), b.defined() ? data_of<T>(b) : nullptr);
  });
  return record(
      "conv2d", std::move(result),
      wrt(image, [shape = image.shape(), w = Saved(weight), o](const Tensor& g) { return by_input(shape, w, g, o); }),
      wrt(weight, [x = Saved(image), shape = weight.shape(), o](const Tensor& g) { return by_weight(x, shape, g, o); }),
      wrt(bias, [](const Tensor& g) {
        return sum(g, {0, 2, 3});
      }));
}

Tensor by_input(const Shape& image, const Tensor& weight, const Tensor& gradient, const Conv2dOptions& o) {
  const Geometry s(image, weight.shape(), outputs_of(gradient), o);
  Tensor result = make_tensor(image, gradient.dtype());
  const Tensor w = dense(weight), g = dense(gradient);
  dispatch_floating("conv2d", gradient.dtype(),
                    [&]<class T>() { by_input<T>(s, data_of<T>(result), data_of<T>(w), data_of<T>(g)); });
  return record("conv_transpose2d", std::move(result),
                wrt(weight, [g = Saved(gradient), shape = weight.shape(),
                             o](const Tensor& gg) { return by_weight(gg, shape, g, o); }),
                wrt(gradient, [w = Saved(weight), outputs = outputs_of(gradient), o](const Tensor& gg) {
                  return forward(gg, w, {}, outputs, o);
                }));
}

Tensor by_weight(const Tensor& image, const Shape& weight, const Tensor& gradient, const Conv2dOptions& o) {
  const Geometry s(image.shape(), weight, outputs_of(gradient), o);
  Tensor result = make_tensor(weight, gradient.dtype());
  const Tensor x = dense(image), g = dense(gradient);
  dispatch_floating("conv2d", gradient.dtype(),
                    [&]<class T>() { by_weight<T>(s, data_of<T>(result), data_of<T>(x), data_of<T>(g)); });
  return record("conv2d_weight", std::move(result),
                wrt(image, [g = Saved(gradient), shape = image.shape(),
                            o](const Tensor& gg) { return by_input(shape, gg, g, o); }),
                wrt(gradient, [x = Saved(image), outputs = outputs_of(gradient), o](const Tensor& gg) {
                  return forward(x, gg, {}, outputs, o);
                }));
}

void check_pair(const char* op, const char* option, const Pair& pair, std::int64_t least) {
  if (pair[0] < least || pair[1] < least) {
    fail("{}: {} must be at least {}, got ({}, {})", op, option, least, pair[0], pair[1]);
  }
}

// `in` and `out` say which dims of the weight have the channels of x and of the result.
void check_convolution(const char* op, const Tensor& x, const Tensor& weight, const Tensor& bias,
                       const Conv2dOptions& o, bool transposed) {
  if (x.dim() != 4 || weight.dim() != 4) {
    fail("{}: x must be (batch, in, h, w), the weight have 4 dims: {} and {}", op, x.shape(), weight.shape());
  }
  check_product_dtypes(op, x, weight);
  check_pair(op, "stride", o.stride, 1);
  check_pair(op, "padding", o.padding, 0);
  check_pair(op, "dilation", o.dilation, 1);
  if (o.groups < 1) fail("{}: groups must be at least 1, got {}", op, o.groups);
  const Shape &s = x.shape(), &w = weight.shape();
  if (w[0] % o.groups != 0) fail("{}: {} groups don't divide the first dim of the weight {}", op, o.groups, w);
  if (s[1] != (transposed ? w[0] : w[1] * o.groups)) {
    fail("{}: x has {} channels, the weight {} with {} groups takes {}", op, s[1], w, o.groups,
         transposed ? w[0] : w[1] * o.groups);
  }
  if (w[2] < 1 || w[3] < 1) fail("{}: the kernel is empty: {}", op, w);
  if (!bias.defined()) return;
  check_product_dtypes(op, x, bias);
  const Shape wanted{transposed ? w[1] * o.groups : w[0]};
  if (bias.shape() != wanted) fail("{}: the bias must be {}, got {}", op, wanted, bias.shape());
}

// With a batch of one where there is none.
template <class F>
Tensor batched(const Tensor& x, std::int64_t dims, const F& f) {
  return x.dim() == dims ? squeeze(f(unsqueeze(x, 0)), 0) : f(x);
}

}  // namespace

Tensor conv2d(const Tensor& image, const Tensor& weight, const Tensor& bias, const Conv2dOptions& o) {
  return batched(image, 3, [&](const Tensor& x) {
    check_convolution("conv2d", x, weight, bias, o, /*transposed=*/false);
    const auto window = [&](std::int64_t i) {
      const auto k = static_cast<std::size_t>(i);
      return Window{x.size(2 + i), weight.size(2 + i), o.stride[k], o.padding[k], o.dilation[k]};
    };
    const Window rows = window(0), columns = window(1);
    for (const Window& w : {rows, columns}) {
      const std::int64_t padded = w.size + 2 * w.padding, reach = w.dilation * (w.kernel - 1) + 1;
      if (reach > padded) fail("conv2d: the kernel reaches over {} elements, the padded input has {}", reach, padded);
    }
    return forward(x, weight, bias, {rows.outputs, columns.outputs}, o);
  });
}

Tensor conv1d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv1dOptions& o) {
  if ((x.dim() != 3 && x.dim() != 2) || weight.dim() != 3) {
    fail("conv1d: x must be (batch, in, n), the weight have 3 dims: {} and {}", x.shape(), weight.shape());
  }
  const Conv2dOptions flat{
      .stride = {1, o.stride}, .padding = {0, o.padding}, .dilation = {1, o.dilation}, .groups = o.groups};
  return squeeze(conv2d(unsqueeze(x, -2), unsqueeze(weight, -2), bias, flat), -2);
}

Tensor conv_transpose2d(const Tensor& image, const Tensor& weight, const Tensor& bias,
                        const ConvTranspose2dOptions& o) {
  return batched(image, 3, [&](const Tensor& x) {
    const Conv2dOptions of{.stride = o.stride, .padding = o.padding, .dilation = o.dilation, .groups = o.groups};
    check_convolution("conv_transpose2d", x, weight, bias, of, /*transposed=*/true);
    check_pair("conv_transpose2d", "output_padding", o.output_padding, 0);
    Shape shape{x.size(0), weight.size(1) * o.groups, 0, 0};
    for (std::int64_t i = 0; i < 2; ++i) {
      const auto k = static_cast<std::size_t>(i);
      if (o.output_padding[k] >= std::max(o.stride[k], o.dilation[k])) {
        fail("conv_transpose2d: output_padding must be below stride or dilation, got {}", o.output_padding[k]);
      }
      shape[2 + i] = (x.size(2 + i) - 1) * o.stride[k] - 2 * o.padding[k] + o.dilation[k] * (weight.size(2 + i) - 1) +
                     o.output_padding[k] + 1;
      if (shape[2 + i] < 1) fail("conv_transpose2d: the result would be {}", shape);
    }
    const Tensor y = by_input(shape, weight, x, of);
    return bias.defined() ? y + reshape(bias, {1, bias.size(0), 1, 1}) : y;
  });
}

}  // namespace gradus
