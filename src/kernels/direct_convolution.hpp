// Convolutions of stride 1 without patches: see simd/convolve.cpp.
#pragma once

#include "kernels/convolution.hpp"

namespace gradus::kernels {

template <class T>
bool is_direct(const Convolution& c);

// As in convolution.hpp, for those that are.
template <class T>
void convolve_directly(const Convolution& c, T* result, const T* image, const T* weight, const T* bias);
template <class T>
void convolve_directly_by_image(const Convolution& c, T* image, const T* weight, const T* result);
template <class T>
void convolve_directly_by_weight(const Convolution& c, T* weight, const T* image, const T* result);

}  // namespace gradus::kernels
