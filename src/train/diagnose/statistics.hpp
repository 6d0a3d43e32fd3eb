// Numbers about the values of a tensor. None of these records or is seen by observers.
#pragma once

#include "gradus/tensor.hpp"

namespace gradus::train::doctor {

// sqrt(mean x^2)
double rms(const Tensor& x);
// How much samples differ: the root mean square over all units of their deviation along dim 0; of one sample, 0.
double spread(const Tensor& x);
// Share of elements that are not 0.
double share(const Tensor& mask);
bool all_finite(const Tensor& x);
// (units, values): the dim that counts units comes first. That is the channel of images, else the last dim.
Tensor by_unit(const Tensor& x);

}  // namespace gradus::train::doctor
