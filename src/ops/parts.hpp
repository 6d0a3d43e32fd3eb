// Writing through a view while recording: x[0].mul_(2) changes the history of x, and of the view.
#pragma once

#include "gradus/tensor.hpp"

namespace gradus {

// Another tensor over the memory of x, which knows what it is a view of. (Nothing is known under NoGrad: what is made
// there must not keep a history alive.)
Tensor make_view_of(const Tensor& x, const Shape& shape, const Shape& strides, std::int64_t offset);

// Writes `values` into a view of a recorded tensor: its base becomes what it was with the values in place of the part
// that the view shows, and the view becomes a view of that. Other views of the base are stale from now on.
void rewrite_part(Tensor& view, const char* name, const Tensor& values);

// Throws unless rewrite_part may be used.
void check_rewritable_part(const char* name, const Tensor& view);

}  // namespace gradus
