// What the norms share: how they see their input, their checks, and their derivative as ops.
#pragma once

#include "autograd/node.hpp"
#include "gradus/tensor.hpp"

namespace gradus {

// A norm views its input as `view` and takes statistics over the dims `over`. Its weights, of the shape `weights`, are
// viewed as `affine` and repeat along the dims `repeated`.
struct NormLayout {
  Shape view;
  Dims over;
  Shape weights;
  Shape affine;
  Dims repeated;
  bool centered = true;  // false: the mean counts as 0
};

// Throws unless the dtype is floating.
void check_norm_input(const char* op, const Tensor& x);
// Throws unless the weight (or what else it is) is undefined, or of this shape and of the dtype of x.
void check_affine(const char* op, const Tensor& x, const char* what, const Tensor& weight, const Shape& shape);

// The gradients of x, weight and bias as formulas of x and weight, so that they can be differentiated again.
void composed_norm_backward(const Tensor& g, const Tensor& x, const Tensor& weight, const NormLayout& layout,
                            double eps, Gradients& gradients);

// running = (1 - momentum) * running + momentum * factor * value
void update_running(const Tensor& running, const Tensor& value, double momentum, double factor = 1);

}  // namespace gradus
