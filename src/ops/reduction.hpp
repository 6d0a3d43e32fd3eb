// What reductions share. Nothing here is recorded but spread and share_evenly, which derivatives are made of.
#pragma once

#include <cstdint>

#include "gradus/ops.hpp"
#include "kernels/kernels.hpp"

namespace gradus {

// The shape with reduced dims (all of them if none is named) of size 1. Throws if a dim is named twice.
Shape kept_shape(const char* op, const Tensor& x, const Dims& dims);

// How dims part the elements into groups, each of which is reduced to one.
struct Groups {
  Shape order;            // of the dims: kept ones first, then those to be reduced
  Shape kept;             // the result's shape with reduced dims of size 1
  Shape dropped;          // and without them
  std::int64_t size = 1;  // elements in a group
};
Groups groups(const char* op, const Shape& shape, const Dims& dims);

// What a reduction over some dims comes down to: x as (outer, size, inner), reduced over the middle.
struct ReductionPlan {
  Tensor x;  // dense
  std::int64_t outer = 1, size = 1, inner = 1;
  Shape kept;
  Shape dropped;
  const Shape& result(bool keepdim) const { return keepdim ? kept : dropped; }
};
ReductionPlan reduction_plan(const char* op, const Tensor& x, const Dims& dims);

Tensor reduce(const char* name, kernels::Reduce op, const Tensor& x, const Dims& dims, bool keepdim);

// A gradient or result of the reduced shape, seen in the shape before: dims put back, then repeated.
Tensor spread(const Tensor& reduced, const Shape& kept, const Shape& shape);

// Which elements of x equal y, the one that was picked from their group; NaN equals NaN.
Tensor equals(const Tensor& x, const Tensor& y);

// g, of the kept shape, shared evenly among those elements of each group that won.
Tensor share_evenly(const Tensor& g, const Tensor& won, const Dims& dims);

// The elements of x at these places along dim; the gradient goes to them.
Extreme pick(const Tensor& x, std::int64_t dim, const Tensor& index, bool keepdim);

}  // namespace gradus
