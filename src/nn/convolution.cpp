#include "gradus/nn/convolution.hpp"

#include "nn/uniform.hpp"
#include "storage/format.hpp"

namespace gradus::nn {
namespace {

void check_sizes(const char* layer, std::int64_t in_channels, std::int64_t out_channels, std::int64_t groups,
                 const Shape& kernel, Dtype dtype) {
  if (in_channels < 1 || out_channels < 1) {
    fail("{}: in_channels and out_channels must be at least 1, got {} and {}", layer, in_channels, out_channels);
  }
  if (groups < 1 || in_channels % groups != 0 || out_channels % groups != 0) {
    fail("{}: groups must divide in_channels and out_channels, got {} for {} and {}", layer, groups, in_channels,
         out_channels);
  }
  for (const std::int64_t size : kernel) {
    if (size < 1) fail("{}: kernel_size must be at least 1, got {}", layer, size);
  }
  if (!is_floating_point(dtype)) fail("{}: a floating dtype is needed, got {}", layer, dtype);
}

}  // namespace

Conv1d::Conv1d(std::int64_t in_channels, std::int64_t out_channels, std::int64_t kernel_size,
               const Conv1dOptions& options)
    : options_(options) {
  check_sizes("Conv1d", in_channels, out_channels, options.groups, {kernel_size}, options.dtype);
  const std::int64_t in = in_channels / options.groups;
  weight = uniform_parameter({out_channels, in, kernel_size}, in * kernel_size, options.dtype);
  if (options.bias) bias = uniform_parameter({out_channels}, in * kernel_size, options.dtype);
}

Tensor Conv1d::forward(const Tensor& x) {
  const auto& o = options_;
  return conv1d(x, weight, bias,
                {.stride = o.stride, .padding = o.padding, .dilation = o.dilation, .groups = o.groups});
}

Conv2d::Conv2d(std::int64_t in_channels, std::int64_t out_channels, const Pair& kernel_size,
               const Conv2dOptions& options)
    : options_(options) {
  const std::int64_t kh = kernel_size[0], kw = kernel_size[1];
  check_sizes("Conv2d", in_channels, out_channels, options.groups, {kh, kw}, options.dtype);
  const std::int64_t in = in_channels / options.groups;
  weight = uniform_parameter({out_channels, in, kh, kw}, in * kh * kw, options.dtype);
  if (options.bias) bias = uniform_parameter({out_channels}, in * kh * kw, options.dtype);
}

Tensor Conv2d::forward(const Tensor& x) {
  const auto& o = options_;
  return conv2d(x, weight, bias,
                {.stride = o.stride, .padding = o.padding, .dilation = o.dilation, .groups = o.groups});
}

ConvTranspose2d::ConvTranspose2d(std::int64_t in_channels, std::int64_t out_channels, const Pair& kernel_size,
                                 const ConvTranspose2dOptions& options)
    : options_(options) {
  const std::int64_t kh = kernel_size[0], kw = kernel_size[1];
  check_sizes("ConvTranspose2d", in_channels, out_channels, options.groups, {kh, kw}, options.dtype);
  const std::int64_t out = out_channels / options.groups;
  weight = uniform_parameter({in_channels, out, kh, kw}, out * kh * kw, options.dtype);
  if (options.bias) bias = uniform_parameter({out_channels}, out * kh * kw, options.dtype);
}

Tensor ConvTranspose2d::forward(const Tensor& x) {
  const auto& o = options_;
  return conv_transpose2d(x, weight, bias,
                          {.stride = o.stride,
                           .padding = o.padding,
                           .output_padding = o.output_padding,
                           .groups = o.groups,
                           .dilation = o.dilation});
}

}  // namespace gradus::nn
