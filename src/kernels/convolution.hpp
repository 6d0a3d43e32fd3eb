// Convolutions of images: three maps, linear in two tensors each, that are one another's derivatives.
#pragma once

#include <array>
#include <cstdint>

#include "kernels/unfold.hpp"

namespace gradus::kernels {

// An image of (batch, in, y.size, x.size), a weight of (out, in / groups, y.kernel, x.kernel) and the result of (batch,
// out, y.outputs, x.outputs). There may be fewer outputs than fit.
struct Convolution {
  std::int64_t batch, in, out, groups;
  Window y, x;

  std::int64_t pixels() const { return y.outputs * x.outputs; }  // of a channel of the result
  std::int64_t result() const { return out * pixels(); }
  std::int64_t image() const { return in * y.size * x.size; }
  std::int64_t group_image() const { return image() / groups; }
  std::int64_t group_in() const { return in / groups; }
  std::int64_t group_out() const { return out / groups; }
  std::int64_t kernel() const { return y.kernel * x.kernel; }
  std::int64_t depth() const { return group_in() * kernel(); }  // what an output is a sum of
};

// The result; bias may be null.
template <class T>
void convolve(const Convolution& c, T* result, const T* image, const T* weight, const T* bias);
// The derivative by the image, for that by the result.
template <class T>
void convolve_by_image(const Convolution& c, T* image, const T* weight, const T* result);
// The derivative by the weight.
template <class T>
void convolve_by_weight(const Convolution& c, T* weight, const T* image, const T* result);

}  // namespace gradus::kernels
