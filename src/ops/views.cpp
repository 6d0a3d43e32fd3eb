// Views: other shapes and strides over the same memory. Each derivative puts the gradient back where it came from.

#include <algorithm>

#include "autograd/record.hpp"
#include "gradus/autograd.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "ops/copy.hpp"
#include "ops/parts.hpp"

namespace gradus {
namespace {

// Strides that show x in the new shape without moving anything, if there are any. Dims that are evenly spaced form a
// run that can be cut anew; no new dim may straddle two runs.
std::optional<Shape> view_strides(const TensorImpl& x, const Shape& shape) {
  if (is_contiguous(x.shape, x.strides)) return contiguous_strides(shape);
  Shape strides = shape;
  std::int64_t next = shape.size() - 1;  // the new dim to place, from the innermost outwards
  std::int64_t run = 1;                  // elements in the current run
  std::int64_t step = x.strides.back();  // distance between neighbours in it
  for (std::int64_t dim = x.shape.size(); dim-- > 0;) {
    run *= x.shape[dim];
    if (dim > 0 && (x.shape[dim - 1] == 1 || x.strides[dim - 1] == run * step)) continue;
    std::int64_t covered = 1;
    for (; next >= 0 && (covered < run || shape[next] == 1); --next) {
      strides[next] = covered * step;
      covered *= shape[next];
    }
    if (covered != run) return std::nullopt;
    if (dim > 0) step = x.strides[dim - 1];
    run = 1;
  }
  return next < 0 ? std::optional(strides) : std::nullopt;
}

// Replaces a -1 and checks the number of elements.
Shape resolve_shape(const char* op, const Tensor& x, const Shape& wanted) {
  Shape shape = wanted;
  std::int64_t known = 1;
  std::int64_t open = -1;
  for (std::int64_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == -1 && open < 0) {
      open = i;
    } else if (shape[i] < 0) {
      fail("{}: sizes must not be negative, except for one -1: {}", op, wanted);
    } else if (__builtin_mul_overflow(known, shape[i], &known)) {
      fail("{}: the size is too large: {}", op, wanted);
    }
  }
  if (open >= 0 && known != 0) shape[open] = x.numel() / known;
  const bool fits = open >= 0 ? known != 0 && x.numel() % known == 0 : known == x.numel();
  if (!fits) fail("{}: a tensor of shape {} with {} elements does not fit into {}", op, x.shape(), x.numel(), wanted);
  return shape;
}

Tensor view_as(const Tensor& x, const Shape& shape, const Shape& strides) {
  return record("reshape", make_view_of(x, shape, strides, impl(x).offset),
                wrt(x, [from = x.shape()](const Tensor& g) { return reshape(g, from); }));
}

// The derivative of a slice: zeros of the whole, with g in the part. Its own derivative is that slice again.
Tensor slice_backward(const Tensor& g, const Shape& whole, std::int64_t dim, std::int64_t start, std::int64_t step) {
  Tensor zero = zeros(whole, {.dtype = g.dtype()});
  const std::int64_t end = start + g.size(dim) * step;
  {
    const NoGrad guard;
    copy_values(slice(zero, dim, start, std::min(end, whole[dim]), step), g);
  }
  return record("slice_backward", zero, wrt(g, [dim, start, end, step](const Tensor& gg) {
                  return slice(gg, dim, start, std::min(end, gg.size(dim)), step);
                }));
}

}  // namespace

Tensor transpose(const Tensor& x, std::int64_t dim0, std::int64_t dim1) {
  const TensorImpl& t = impl(x);
  const std::int64_t i = wrap_dim("transpose", dim0, t.shape.size());
  const std::int64_t j = wrap_dim("transpose", dim1, t.shape.size());
  Shape shape = t.shape;
  Shape strides = t.strides;
  std::swap(shape[i], shape[j]);
  std::swap(strides[i], strides[j]);
  return record("transpose", make_view_of(x, shape, strides, t.offset),
                wrt(x, [i, j](const Tensor& g) { return transpose(g, i, j); }));
}

Tensor permute(const Tensor& x, const Shape& dims) {
  const TensorImpl& t = impl(x);
  if (dims.size() != t.shape.size()) fail("permute: {} dims given for a tensor of shape {}", dims, t.shape);
  Shape shape = t.shape;
  Shape strides = t.strides;
  Shape inverse = dims;
  std::array<bool, Shape::max_dims> seen{};
  for (std::int64_t i = 0; i < dims.size(); ++i) {
    const std::int64_t from = wrap_dim("permute", dims[i], t.shape.size());
    if (std::exchange(seen[static_cast<std::size_t>(from)], true)) fail("permute: a dim is named twice: {}", dims);
    shape[i] = t.shape[from];
    strides[i] = t.strides[from];
    inverse[from] = i;
  }
  return record("permute", make_view_of(x, shape, strides, t.offset),
                wrt(x, [inverse](const Tensor& g) { return permute(g, inverse); }));
}

Tensor reshape(const Tensor& x, const Shape& wanted) {
  const Shape shape = resolve_shape("reshape", x, wanted);
  if (const auto strides = view_strides(impl(x), shape)) return view_as(x, shape, *strides);
  return view_as(x.contiguous(), shape, contiguous_strides(shape));
}

Tensor flatten(const Tensor& x, std::int64_t start_dim, std::int64_t end_dim) {
  const Shape& from = x.shape();
  const std::int64_t start = wrap_dim("flatten", start_dim, from.size());
  const std::int64_t end = wrap_dim("flatten", end_dim, from.size());
  if (start > end) fail("flatten: start_dim {} lies behind end_dim {}", start_dim, end_dim);
  if (from.empty()) return reshape(x, {1});
  Shape shape;
  for (std::int64_t i = 0; i < from.size(); ++i) {
    if (i > start && i <= end)
      shape[start] *= from[i];
    else
      shape.push_back(from[i]);
  }
  return reshape(x, shape);
}

Tensor squeeze(const Tensor& x) {
  Tensor y = x;
  for (std::int64_t dim = x.dim(); dim-- > 0;) y = squeeze(y, dim);
  return y;
}

Tensor squeeze(const Tensor& x, std::int64_t dim) {
  const TensorImpl& t = impl(x);
  const std::int64_t i = wrap_dim("squeeze", dim, t.shape.size());
  if (t.shape.empty() || t.shape[i] != 1) return x;
  Shape shape = t.shape;
  Shape strides = t.strides;
  shape.erase(i);
  strides.erase(i);
  return record("squeeze", make_view_of(x, shape, strides, t.offset),
                wrt(x, [i](const Tensor& g) { return unsqueeze(g, i); }));
}

Tensor unsqueeze(const Tensor& x, std::int64_t dim) {
  const TensorImpl& t = impl(x);
  const std::int64_t i = wrap_new_dim("unsqueeze", dim, t.shape.size());
  Shape shape = t.shape;
  Shape strides = t.strides;
  strides.insert(i, i < t.shape.size() ? t.strides[i] * t.shape[i] : 1);
  shape.insert(i, 1);
  return record("unsqueeze", make_view_of(x, shape, strides, t.offset),
                wrt(x, [i](const Tensor& g) { return squeeze(g, i); }));
}

Tensor select(const Tensor& x, std::int64_t dim, std::int64_t index) {
  const TensorImpl& t = impl(x);
  if (t.shape.empty()) fail("select: a 0-d tensor has no dim to select from");
  const std::int64_t i = wrap_dim("select", dim, t.shape.size());
  if (index < -t.shape[i] || index >= t.shape[i]) {
    fail("select: index {} is out of range for dim {} of shape {}", index, dim, t.shape);
  }
  const std::int64_t at = index < 0 ? index + t.shape[i] : index;
  Shape shape = t.shape;
  Shape strides = t.strides;
  shape.erase(i);
  strides.erase(i);
  return record(
      "select", make_view_of(x, shape, strides, t.offset + at * t.strides[i]),
      wrt(x, [from = t.shape, i, at](const Tensor& g) { return slice_backward(unsqueeze(g, i), from, i, at, 1); }));
}

Tensor slice(const Tensor& x, std::int64_t dim, std::optional<std::int64_t> start, std::optional<std::int64_t> end,
             std::int64_t step) {
  const TensorImpl& t = impl(x);
  if (t.shape.empty()) fail("slice: a 0-d tensor has no dim to slice");
  if (step < 1) fail("slice: the step must be positive, got {}", step);
  const std::int64_t i = wrap_dim("slice", dim, t.shape.size());
  const std::int64_t size = t.shape[i];
  const auto bound = [size](std::int64_t at) { return std::clamp<std::int64_t>(at < 0 ? at + size : at, 0, size); };
  const std::int64_t from = bound(start.value_or(0));
  const std::int64_t to = std::max(from, bound(end.value_or(size)));
  Shape shape = t.shape;
  Shape strides = t.strides;
  shape[i] = (to - from) / step + ((to - from) % step != 0 ? 1 : 0);
  strides[i] *= std::min(step, std::max<std::int64_t>(size, 1));  // a longer step reaches nothing more
  return record("slice", make_view_of(x, shape, strides, t.offset + from * t.strides[i]),
                wrt(x, [whole = t.shape, i, from, step = std::min(step, std::max<std::int64_t>(size, 1))](
                           const Tensor& g) { return slice_backward(g, whole, i, from, step); }));
}

Tensor narrow(const Tensor& x, std::int64_t dim, std::int64_t start, std::int64_t length) {
  if (x.dim() == 0) fail("narrow: a 0-d tensor has no dim to narrow");
  const std::int64_t size = x.shape()[wrap_dim("narrow", dim, x.dim())];
  const std::int64_t from = start < 0 ? start + size : start;
  if (from < 0 || length < 0 || from > size || length > size - from) {
    fail("narrow: start {} and length {} do not lie within dim {} of shape {}", start, length, dim, x.shape());
  }
  return slice(x, dim, from, from + length);
}

Tensor expand(const Tensor& x, const Shape& wanted) {
  const TensorImpl& t = impl(x);
  const std::int64_t missing = wanted.size() - t.shape.size();
  if (missing < 0) fail("expand: {} has fewer dims than the tensor's shape {}", wanted, t.shape);
  Shape shape = wanted;
  Shape strides = wanted;
  std::int64_t count = 1;
  for (std::int64_t i = 0; i < shape.size(); ++i) {
    const std::int64_t size = i < missing ? 1 : t.shape[i - missing];
    if (shape[i] == -1 && i >= missing) shape[i] = size;
    if (shape[i] < 0 || (shape[i] != size && size != 1))
      fail("expand: shape {} does not expand to {}", t.shape, wanted);
    if (__builtin_mul_overflow(count, shape[i], &count)) fail("expand: too many elements to count: {}", wanted);
    strides[i] = i < missing || (size == 1 && shape[i] != 1) ? 0 : t.strides[i - missing];
  }
  return record("expand", make_view_of(x, shape, strides, t.offset), wrt(x, [](const Tensor& g) { return g; }));
}

Tensor Tensor::operator[](std::int64_t index) const { return gradus::select(*this, 0, index); }
Tensor Tensor::select(std::int64_t dim, std::int64_t index) const { return gradus::select(*this, dim, index); }
Tensor Tensor::slice(std::int64_t dim, std::optional<std::int64_t> start, std::optional<std::int64_t> end,
                     std::int64_t step) const {
  return gradus::slice(*this, dim, start, end, step);
}
Tensor Tensor::narrow(std::int64_t dim, std::int64_t start, std::int64_t length) const {
  return gradus::narrow(*this, dim, start, length);
}
Tensor Tensor::t() const {
  if (dim() > 2) fail("t: at most 2 dims, got shape {}", shape());
  return dim() < 2 ? *this : gradus::transpose(*this, 0, 1);
}
Tensor Tensor::transpose(std::int64_t dim0, std::int64_t dim1) const { return gradus::transpose(*this, dim0, dim1); }
Tensor Tensor::permute(const Shape& dims) const { return gradus::permute(*this, dims); }
Tensor Tensor::view(const Shape& wanted) const {
  const Shape resolved = resolve_shape("view", *this, wanted);
  const auto resolved_strides = view_strides(impl(*this), resolved);
  if (!resolved_strides) {
    fail("view: shape {} with strides {} cannot be seen as {} without a copy; use reshape()", shape(), strides(),
         wanted);
  }
  return view_as(*this, resolved, *resolved_strides);
}
Tensor Tensor::reshape(const Shape& wanted) const { return gradus::reshape(*this, wanted); }
Tensor Tensor::flatten(std::int64_t start_dim, std::int64_t end_dim) const {
  return gradus::flatten(*this, start_dim, end_dim);
}
Tensor Tensor::expand(const Shape& wanted) const { return gradus::expand(*this, wanted); }
Tensor Tensor::expand_as(const Tensor& other) const { return gradus::expand(*this, other.shape()); }
Tensor Tensor::squeeze() const { return gradus::squeeze(*this); }
Tensor Tensor::squeeze(std::int64_t dim) const { return gradus::squeeze(*this, dim); }
Tensor Tensor::unsqueeze(std::int64_t dim) const { return gradus::unsqueeze(*this, dim); }

}  // namespace gradus
