// What gathering and scattering share.
#pragma once

#include <cstdint>

#include "gradus/tensor.hpp"

namespace gradus {

// Throws unless the index is int64 and every entry lies in [0, size).
void check_index(const char* op, const Tensor& index, std::int64_t size);

// Besides, an index must have x's dims and be nowhere larger than x except along dim.
void check_gather(const char* op, const Shape& x, std::int64_t dim, const Tensor& index);

// Calls f(place in x, place in index) for every element of the index; both dense.
template <class F>
void for_gathered(const Shape& x, const Shape& shape, std::int64_t dim, const std::int64_t* index, const F& f) {
  const Shape strides = contiguous_strides(x);
  Shape position = shape;
  for (std::int64_t i = 0; i < shape.size(); ++i) position[i] = 0;
  const std::int64_t count = shape.numel();
  for (std::int64_t at = 0; at < count; ++at) {
    std::int64_t place = 0;
    for (std::int64_t i = 0; i < shape.size(); ++i) place += (i == dim ? index[at] : position[i]) * strides[i];
    f(place, at);
    for (std::int64_t i = shape.size(); i-- > 0;) {
      if (++position[i] < shape[i]) break;
      position[i] = 0;
    }
  }
}

}  // namespace gradus
