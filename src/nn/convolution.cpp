#include "gradus/nn/convolution.hpp"

#include "gradus/ops.hpp"
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

void check_steps(const char* layer, const Pair& stride, const Pair& dilation) {
  for (const std::int64_t step : stride) {
    if (step < 1) fail("{}: stride must be at least 1, got {}", layer, step);
  }
  for (const std::int64_t step : dilation) {
    if (step < 1) fail("{}: dilation must be at least 1, got {}", layer, step);
  }
}

PadMode pad_mode(PaddingMode mode) {
  switch (mode) {
    case PaddingMode::reflect:
      return PadMode::reflect;
    case PaddingMode::replicate:
      return PadMode::replicate;
    case PaddingMode::circular:
      return PadMode::circular;
    case PaddingMode::zeros:
      break;
  }
  return PadMode::constant;
}

// What stands around an image along one dim.
struct Ends {
  std::int64_t before, after;
};

Ends ends(const char* layer, const ConvPadding& padding, std::size_t i, std::int64_t kernel, std::int64_t stride,
          std::int64_t dilation) {
  if (padding.sizes()[i] < 0) fail("{}: padding must be at least 0, got {}", layer, padding.sizes()[i]);
  if (!padding.is_same()) return {padding.sizes()[i], padding.sizes()[i]};
  if (stride != 1) fail("{}: padding \"same\" needs a stride of 1, got {}", layer, stride);
  const std::int64_t total = dilation * (kernel - 1);
  return {total / 2, total - total / 2};
}

// Zeros of the same number on both sides a convolution adds itself.
bool is_plain(PaddingMode mode, const Ends& e) { return mode == PaddingMode::zeros && e.before == e.after; }

Tensor padded(const Tensor& x, const Shape& around, PaddingMode mode) {
  return around.empty() ? x : pad(x, around, {.mode = pad_mode(mode)});
}

}  // namespace

ConvPadding::ConvPadding(std::string_view word) : is_same_(word == "same") {
  if (!is_same_ && word != "valid") fail("padding: a number, \"same\" or \"valid\" is needed, got \"{}\"", word);
}

Conv1d::Conv1d(std::int64_t in_channels, std::int64_t out_channels, std::int64_t kernel_size,
               const Conv1dOptions& options)
    : options_(options) {
  check_sizes("Conv1d", in_channels, out_channels, options.groups, {kernel_size}, options.dtype);
  check_steps("Conv1d", options.stride, options.dilation);
  const std::int64_t in = in_channels / options.groups;
  weight = uniform_parameter({out_channels, in, kernel_size}, in * kernel_size, options.dtype);
  if (options.bias) bias = uniform_parameter({out_channels}, in * kernel_size, options.dtype);
  const Ends e = ends("Conv1d", options.padding, 1, kernel_size, options.stride, options.dilation);
  const bool plain = is_plain(options.padding_mode, e);
  if (!plain) around_ = {e.before, e.after};
  options_.padding = plain ? e.before : 0;
}

Tensor Conv1d::forward(const Tensor& x) {
  const auto& o = options_;
  return conv1d(padded(x, around_, o.padding_mode), weight, bias,
                {.stride = o.stride, .padding = o.padding.sizes()[1], .dilation = o.dilation, .groups = o.groups});
}

Conv2d::Conv2d(std::int64_t in_channels, std::int64_t out_channels, const Pair& kernel_size,
               const Conv2dOptions& options)
    : options_(options) {
  const std::int64_t kh = kernel_size[0], kw = kernel_size[1];
  check_sizes("Conv2d", in_channels, out_channels, options.groups, {kh, kw}, options.dtype);
  check_steps("Conv2d", options.stride, options.dilation);
  const std::int64_t in = in_channels / options.groups;
  weight = uniform_parameter({out_channels, in, kh, kw}, in * kh * kw, options.dtype);
  if (options.bias) bias = uniform_parameter({out_channels}, in * kh * kw, options.dtype);
  const Ends y = ends("Conv2d", options.padding, 0, kh, options.stride[0], options.dilation[0]);
  const Ends x = ends("Conv2d", options.padding, 1, kw, options.stride[1], options.dilation[1]);
  const bool plain = is_plain(options.padding_mode, y) && is_plain(options.padding_mode, x);
  if (!plain) around_ = {x.before, x.after, y.before, y.after};
  options_.padding = plain ? Pair(y.before, x.before) : Pair(0);
}

Tensor Conv2d::forward(const Tensor& x) {
  const auto& o = options_;
  return conv2d(padded(x, around_, o.padding_mode), weight, bias,
                {.stride = o.stride, .padding = o.padding.sizes(), .dilation = o.dilation, .groups = o.groups});
}

ConvTranspose2d::ConvTranspose2d(std::int64_t in_channels, std::int64_t out_channels, const Pair& kernel_size,
                                 const ConvTranspose2dOptions& options)
    : options_(options) {
  const std::int64_t kh = kernel_size[0], kw = kernel_size[1];
  check_sizes("ConvTranspose2d", in_channels, out_channels, options.groups, {kh, kw}, options.dtype);
  check_steps("ConvTranspose2d", options.stride, options.dilation);
  for (const std::int64_t size : options.padding) {
    if (size < 0) fail("ConvTranspose2d: padding must be at least 0, got {}", size);
  }
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
