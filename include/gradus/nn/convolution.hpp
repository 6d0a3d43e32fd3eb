// Convolutions as layers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "gradus/nn/module.hpp"
#include "gradus/ops/convolution.hpp"

namespace gradus::nn {

// How much is added on each side of an image: a number, (height, width), or a word: "valid", nothing, or "same", so
// much that the size stays, where the stride is 1. An odd amount has its larger half behind, as in PyTorch.
class ConvPadding {
 public:
  constexpr ConvPadding(std::int64_t both) : sizes_(both) {}
  constexpr ConvPadding(std::int64_t height, std::int64_t width) : sizes_(height, width) {}
  constexpr ConvPadding(const Pair& sizes) : sizes_(sizes) {}
  // Throws unless the word is one of the two.
  template <std::size_t n>
  ConvPadding(const char (&word)[n]) : ConvPadding(std::string_view(word)) {}
  explicit ConvPadding(std::string_view word);

  constexpr bool is_same() const { return is_same_; }
  constexpr const Pair& sizes() const { return sizes_; }

 private:
  Pair sizes_ = 0;
  bool is_same_ = false;
};

// What is added: zeros, or as PadMode says.
enum class PaddingMode : std::uint8_t { zeros, reflect, replicate, circular };

struct Conv1dOptions {
  std::int64_t stride = 1;
  ConvPadding padding = 0;
  std::int64_t dilation = 1;
  std::int64_t groups = 1;
  bool bias = true;
  PaddingMode padding_mode = PaddingMode::zeros;
  Dtype dtype = float32;
};

struct Conv2dOptions {
  Pair stride = 1;
  ConvPadding padding = 0;
  Pair dilation = 1;
  std::int64_t groups = 1;
  bool bias = true;
  PaddingMode padding_mode = PaddingMode::zeros;
  Dtype dtype = float32;
};

struct ConvTranspose2dOptions {
  Pair stride = 1;
  Pair padding = 0;
  Pair output_padding = 0;
  std::int64_t groups = 1;
  bool bias = true;
  Pair dilation = 1;
  Dtype dtype = float32;
};

// conv1d: (batch, in_channels, n) -> (batch, out_channels, n'). The weight is (out_channels, in_channels / groups, k);
// it and the bias start uniform on +-1 / sqrt(in_channels / groups * k), as in PyTorch. Throws if a size or option is
// wrong, "same" has a stride, or, when called, reflected padding is not smaller than the input.
class Conv1d : public Module {
 public:
  Conv1d(std::int64_t in_channels, std::int64_t out_channels, std::int64_t kernel_size,
         const Conv1dOptions& options = {});

  Tensor forward(const Tensor& x) override;

  Parameter weight;
  Parameter bias;
  GRADUS_MODULE(weight, bias)

 private:
  Conv1dOptions options_;
  Shape around_;  // padding that the convolution does not do itself, as pad() takes it
};

// conv2d: (batch, in_channels, h, w) -> (batch, out_channels, h', w'). The weight is
// (out_channels, in_channels / groups, kh, kw); it starts as Conv1d's.
class Conv2d : public Module {
 public:
  Conv2d(std::int64_t in_channels, std::int64_t out_channels, const Pair& kernel_size,
         const Conv2dOptions& options = {});

  Tensor forward(const Tensor& x) override;

  Parameter weight;
  Parameter bias;
  GRADUS_MODULE(weight, bias)

 private:
  Conv2dOptions options_;
  Shape around_;
};

// conv_transpose2d: (batch, in_channels, h, w) -> (batch, out_channels, h', w'). The weight is
// (in_channels, out_channels / groups, kh, kw); it starts uniform on +-1 / sqrt(out_channels / groups * kh * kw).
class ConvTranspose2d : public Module {
 public:
  ConvTranspose2d(std::int64_t in_channels, std::int64_t out_channels, const Pair& kernel_size,
                  const ConvTranspose2dOptions& options = {});

  Tensor forward(const Tensor& x) override;

  Parameter weight;
  Parameter bias;
  GRADUS_MODULE(weight, bias)

 private:
  ConvTranspose2dOptions options_;
};

}  // namespace gradus::nn
