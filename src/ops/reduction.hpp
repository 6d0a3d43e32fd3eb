// What reductions share. Nothing here is recorded but spread and share_evenly, which derivatives are made of.
#pragma once

#include <array>
#include <cstdint>

#include "gradus/ops.hpp"
#include "kernels/kernels.hpp"

namespace gradus {

// Which dims are reduced: all of them if none is named. Throws if one is named twice.
std::array<bool, Shape::max_dims> reduced_dims(const char* op, const Shape& shape, const Dims& dims);

// The shape of x with reduced dims of size 1.
Shape kept_shape(const char* op, const Tensor& x, const Dims& dims);

// How many elements each result is made of.
std::int64_t group_size(const Shape& shape, const Shape& kept);

Tensor reduce(const char* name, kernels::Reduce op, const Tensor& x, const Dims& dims, bool keepdim);

// A gradient or result of the reduced shape, seen in the shape before: dims put back, then repeated.
Tensor spread(const Tensor& reduced, const Shape& kept, const Shape& shape);

// g, of the kept shape, shared evenly among those elements of each group that won.
Tensor share_evenly(const Tensor& g, const Tensor& won, const Dims& dims);

// The elements of x at these places along dim; the gradient goes to them.
Extreme pick(const Tensor& x, std::int64_t dim, const Tensor& index, bool keepdim);

}  // namespace gradus
