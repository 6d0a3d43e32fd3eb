// Resizing images.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "gradus/ops/convolution.hpp"
#include "gradus/tensor.hpp"

namespace gradus {

// One factor for both dims, or (height, width).
struct Scale : std::array<double, 2> {
  constexpr Scale(double both) : array{both, both} {}
  constexpr Scale(double height, double width) : array{height, width} {}
};

// Nothing, one number for both dims, or {height, width}.
template <class T>
struct OptionalPair : std::optional<T> {
  using std::optional<T>::optional;
  constexpr OptionalPair() = default;
  constexpr OptionalPair(const std::optional<T>& other) : std::optional<T>(other) {}
  constexpr OptionalPair(typename T::value_type height, typename T::value_type width)
      : std::optional<T>(T(height, width)) {}
};

enum class InterpolateMode {
  nearest,  // the pixel whose area the new one falls into
  linear,   // between two elements of a row
  bilinear  // between four pixels of an image
};

struct InterpolateOptions {
  OptionalPair<Pair> size = {};           // either the new size
  OptionalPair<Scale> scale_factor = {};  // or by how much it grows: floor(factor * size)
  InterpolateMode mode = InterpolateMode::nearest;
  bool align_corners = false;  // linear modes: the corners' centres keep their place, rather than their outer edges
};

// Images or rows of another size: (batch, channels, h, w) -> (batch, channels, h', w') by nearest or bilinear,
// (batch, channels, n) -> (batch, channels, n') by nearest or linear. Throws unless exactly one of size and
// scale_factor is given, and the mode fits the number of dims.
Tensor interpolate(const Tensor& x, const InterpolateOptions& options);

}  // namespace gradus
