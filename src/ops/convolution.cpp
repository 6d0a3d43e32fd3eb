// Three maps, linear in two tensors each, are one another's derivatives: the convolution, its derivative by the image,
// and that by the weight.

#include "gradus/ops/convolution.hpp"

#include <algorithm>

#include "autograd/record.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "kernels/convolution.hpp"
#include "ops/copy.hpp"
#include "ops/products.hpp"

namespace gradus {
namespace {

using kernels::Convolution, kernels::Window;

Convolution convolution(const Shape& image, const Shape& weight, const Pair& outputs, const Conv2dOptions& o) {
  return {image[0],
          image[1],
          weight[0],
          o.groups,
          {image[2], weight[2], o.stride[0], o.padding[0], o.dilation[0], outputs[0]},
          {image[3], weight[3], o.stride[1], o.padding[1], o.dilation[1], outputs[1]}};
}

Pair outputs_of(const Tensor& result) { return {result.size(2), result.size(3)}; }

Tensor by_input(const Shape& image, const Tensor& weight, const Tensor& gradient, const Conv2dOptions& o);
Tensor by_weight(const Tensor& image, const Shape& weight, const Tensor& gradient, const Conv2dOptions& o);

Tensor forward(const Tensor& image, const Tensor& weight, const Tensor& bias, const Pair& outputs,
               const Conv2dOptions& o) {
  const Convolution c = convolution(image.shape(), weight.shape(), outputs, o);
  Tensor result = make_tensor({c.batch, c.out, outputs[0], outputs[1]}, image.dtype());
  const Tensor x = dense(image), w = dense(weight), b = bias.defined() ? dense(bias) : bias;
  dispatch_floating("conv2d", image.dtype(), [&]<class T>() {
    kernels::convolve<T>(c, data_of<T>(result), data_of<T>(x), data_of<T>(w), b.defined() ? data_of<T>(b) : nullptr);
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
  const Convolution c = convolution(image, weight.shape(), outputs_of(gradient), o);
  Tensor result = make_tensor(image, gradient.dtype());
  const Tensor w = dense(weight), g = dense(gradient);
  dispatch_floating("conv2d", gradient.dtype(), [&]<class T>() {
    kernels::convolve_by_image<T>(c, data_of<T>(result), data_of<T>(w), data_of<T>(g));
  });
  return record("conv_transpose2d", std::move(result),
                wrt(weight, [g = Saved(gradient), shape = weight.shape(),
                             o](const Tensor& gg) { return by_weight(gg, shape, g, o); }),
                wrt(gradient, [w = Saved(weight), outputs = outputs_of(gradient), o](const Tensor& gg) {
                  return forward(gg, w, {}, outputs, o);
                }));
}

Tensor by_weight(const Tensor& image, const Shape& weight, const Tensor& gradient, const Conv2dOptions& o) {
  const Convolution c = convolution(image.shape(), weight, outputs_of(gradient), o);
  Tensor result = make_tensor(weight, gradient.dtype());
  const Tensor x = dense(image), g = dense(gradient);
  dispatch_floating("conv2d", gradient.dtype(), [&]<class T>() {
    kernels::convolve_by_weight<T>(c, data_of<T>(result), data_of<T>(x), data_of<T>(g));
  });
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
