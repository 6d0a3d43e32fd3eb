// What the generic checks of the op table are made of: values as doubles, comparison, central differences.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ops/op_table.hpp"

namespace gradus::test {

// The elements in row-major order, whatever the dtype and the strides.
std::vector<double> values(const Tensor& tensor);

struct Tolerance {
  double relative = 0;  // to each expected value
  double to_scale = 0;  // relative to the largest finite expected value
  double absolute = 0;
};

// Empty if shape, dtype and values agree, else a sentence about the worst difference. NaN equals NaN.
std::string difference(const Tensor& actual, const Tensor& expected, const Tolerance& tolerance = {});

// A tensor of random numbers in [-1, 1], of this one's shape and dtype: a cotangent that hides nothing, unlike ones.
Tensor cotangent_like(const Tensor& tensor, unsigned seed = 1);

// sum(tensor * cotangent), added up in double.
double projection(const Tensor& tensor, const Tensor& cotangent);

// d f / d inputs[which] by a central five-point stencil, whose error is of fourth order. Inputs are float64.
Tensor central_differences(const std::function<double(const Tensors&)>& f, const Tensors& inputs, std::size_t which);

// Fresh leaves with the values and strides of `inputs`; those in `asked` require a gradient.
Tensors make_leaves(const Tensors& inputs, const std::vector<bool>& asked);

// Zeros where the gradient is undefined.
Tensor gradient_or_zeros(const Tensor& gradient, const Tensor& input);

}  // namespace gradus::test
