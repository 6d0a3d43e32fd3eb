// Reversing, rolling, repeating and padding.

#include <algorithm>
#include <functional>
#include <numeric>

#include "autograd/record.hpp"
#include "gradus/autograd.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "ops/copy.hpp"

namespace gradus {
namespace {

Dims wrapped(const char* op, const Dims& dims, std::int64_t count) {
  Dims result;
  for (const std::int64_t dim : dims) {
    const std::int64_t d = wrap_dim(op, dim, count);
    if (std::find(result.begin(), result.end(), d) != result.end()) fail("{}: a dim is named twice: {}", op, dims);
    result.push_back(d);
  }
  return result;
}

// The size of a dim after padding, or cutting, at both ends. No end can lose more than there is.
std::int64_t padded_size(const Shape& shape, const Shape& pad, std::int64_t dim, std::int64_t before,
                         std::int64_t after) {
  const std::int64_t n = shape[dim];
  std::int64_t size = 0;
  if (before < -n || after < -n) fail("pad: {} cuts off more than there is of shape {}", pad, shape);
  if (__builtin_add_overflow(n, before, &size) || __builtin_add_overflow(size, after, &size)) {
    fail("pad: {} is too large for shape {}", pad, shape);
  }
  if (size < 0) fail("pad: {} cuts off more than there is of shape {}", pad, shape);
  return size;
}

// x rolled along one dim. Not recorded.
Tensor rolled(const Tensor& x, std::int64_t shift, std::int64_t dim) {
  const std::int64_t n = x.shape()[dim];
  if (n == 0) return x;
  const std::int64_t moved = ((shift % n) + n) % n;  // this many from the end come to the front
  return cat({narrow(x, dim, n - moved, moved), narrow(x, dim, 0, n - moved)}, dim);
}

// Where x[i] of a padded dim comes from. `i` counts from the first element of x.
std::int64_t source_index(PadMode mode, std::int64_t i, std::int64_t size) {
  switch (mode) {
    case PadMode::reflect:
      return i < 0 ? -i : i >= size ? 2 * (size - 1) - i : i;
    case PadMode::circular:
      return (i + size) % size;
    case PadMode::replicate:
    case PadMode::constant:
      break;
  }
  return std::clamp<std::int64_t>(i, 0, size - 1);
}

void check_mode(const Shape& shape, const Shape& pad, std::int64_t dim, PadMode mode, std::int64_t before,
                std::int64_t after) {
  const std::int64_t size = shape[dim];
  if (before < 0 || after < 0) fail("pad: only constant padding can be negative, got {}", pad);
  const std::int64_t limit = mode == PadMode::reflect ? size - 1 : size;
  if (mode == PadMode::replicate ? size == 0 && std::max(before, after) > 0 : std::max(before, after) > limit) {
    const char* const name = mode == PadMode::reflect     ? "reflect"
                             : mode == PadMode::replicate ? "replicate"
                                                          : "circular";
    fail("pad: {} padding of ({}, {}) does not fit dim {} of shape {}", name, before, after, dim, shape);
  }
}

Tensor pad_from_inside(const Tensor& x, const Shape& pad, PadMode mode) {
  Tensor y = x;
  for (std::int64_t i = 0; i < pad.size() / 2; ++i) {
    const std::int64_t dim = x.dim() - 1 - i, before = pad[2 * i], after = pad[2 * i + 1], size = x.shape()[dim];
    check_mode(x.shape(), pad, dim, mode, before, after);
    if (before == 0 && after == 0) continue;
    const Tensor index = empty({padded_size(x.shape(), pad, dim, before, after)}, {.dtype = int64});
    std::int64_t at = -before;
    for (std::int64_t& place : index.data<std::int64_t>()) place = source_index(mode, at++, size);
    y = index_select(y, dim, index);
  }
  return y;
}

// The part of a dim of size n that lies within it after padding (or cutting) at both ends.
Tensor shared_part(const Tensor& x, std::int64_t dim, std::int64_t before, std::int64_t after) {
  const std::int64_t start = std::max<std::int64_t>(0, before);
  return slice(x, dim, start, x.shape()[dim] - std::max<std::int64_t>(0, after));
}

Tensor pad_with_constant(const Tensor& x, const Shape& pad, double value) {
  Shape shape = x.shape();
  Shape back = pad;
  for (std::int64_t i = 0; i < pad.size() / 2; ++i) {
    const std::int64_t dim = x.dim() - 1 - i;
    shape[dim] = padded_size(x.shape(), pad, dim, pad[2 * i], pad[2 * i + 1]);
    back[2 * i] = -pad[2 * i];
    back[2 * i + 1] = -pad[2 * i + 1];
  }
  const Tensor out = full(shape, value, {.dtype = x.dtype()});
  {
    const NoGrad guard;
    Tensor to = out, from = x;
    for (std::int64_t i = 0; i < pad.size() / 2; ++i) {
      const std::int64_t dim = x.dim() - 1 - i;
      to = shared_part(to, dim, pad[2 * i], pad[2 * i + 1]);
      from = shared_part(from, dim, back[2 * i], back[2 * i + 1]);
    }
    copy_values(to, from);
  }
  // What was padded is cut off again, and what was cut off is padded with zeros.
  return record("pad", out, wrt(x, [back](const Tensor& g) { return pad_with_constant(g, back, 0); }));
}

}  // namespace

Tensor flip(const Tensor& x, const Dims& dims) {
  const TensorImpl& t = impl(x);
  Shape strides = t.strides;
  std::int64_t last = t.offset;
  for (const std::int64_t dim : wrapped("flip", dims, t.shape.size())) {
    if (t.shape.empty()) continue;
    last += (t.shape[dim] - 1) * strides[dim];
    strides[dim] = -strides[dim];
  }
  const Tensor out = make_tensor(t.shape, t.dtype);
  if (t.numel > 0) copy_values(out, make_view(x, t.shape, strides, last));
  return record("flip", out, wrt(x, [dims](const Tensor& g) { return flip(g, dims); }));
}

Tensor roll(const Tensor& x, const Dims& shifts, const Dims& dims) {
  if (dims.empty()) {
    if (shifts.size() != 1) fail("roll: without dims one shift is needed, got {}", shifts);
    return reshape(roll(reshape(x, {-1}), shifts, 0), x.shape());
  }
  if (shifts.size() != dims.size()) fail("roll: {} shifts for the dims {}", shifts, dims);
  Dims back = shifts;
  Tensor out = x;
  {
    const NoGrad guard;
    for (std::int64_t i = 0; i < dims.size(); ++i) {
      const std::int64_t dim = wrap_dim("roll", dims[i], x.dim());
      const std::int64_t n = x.dim() == 0 ? 1 : std::max<std::int64_t>(1, x.shape()[dim]);
      back[i] = -(shifts[i] % n);
      if (x.dim() > 0) out = rolled(out, shifts[i], dim);
    }
    if (out.is(x)) out = clone(x);
  }
  return record("roll", out, wrt(x, [back, dims](const Tensor& g) { return roll(g, back, dims); }));
}

namespace {

// Each block of x several times, one after the other; `count` blocks of neighbours make up x. One dim of `shape` grows.
Tensor repeated_blocks(const char* op, const Tensor& x, std::int64_t count, std::int64_t times, Shape& shape,
                       std::int64_t dim) {
  if (__builtin_mul_overflow(shape[dim], times, &shape[dim])) fail("{}: {} repeats are too many to count", op, times);
  const std::int64_t size = count == 0 ? 0 : x.numel() / count;
  return reshape(expand(reshape(x, {count, 1, size}), {count, times, size}), shape);
}

// How many blocks there are if the dims before this one count them.
std::int64_t blocks_before(const Shape& shape, std::int64_t dim) {
  return std::accumulate(shape.begin(), shape.begin() + dim, std::int64_t{1}, std::multiplies<>());
}

}  // namespace

Tensor repeat(const Tensor& x, const Shape& repeats) {
  if (repeats.size() < x.dim()) fail("repeat: {} repeats are too few for shape {}", repeats, x.shape());
  Shape shape = repeats;
  for (std::int64_t i = 0; i < shape.size(); ++i) {
    if (repeats[i] < 0) fail("repeat: repeats must not be negative: {}", repeats);
    const std::int64_t missing = repeats.size() - x.dim();
    shape[i] = i < missing ? 1 : x.shape()[i - missing];
  }
  Tensor y = reshape(x, shape);
  for (std::int64_t dim = 0; dim < shape.size(); ++dim) {
    if (repeats[dim] != 1) y = repeated_blocks("repeat", y, blocks_before(shape, dim), repeats[dim], shape, dim);
  }
  const bool unchanged = std::all_of(repeats.begin(), repeats.end(), [](std::int64_t n) { return n == 1; });
  return unchanged ? clone(y) : y.contiguous();
}

Tensor repeat_interleave(const Tensor& x, std::int64_t repeats, std::optional<std::int64_t> dim) {
  if (repeats < 0) fail("repeat_interleave: repeats must not be negative, got {}", repeats);
  const std::int64_t d = wrap_dim("repeat_interleave", dim.value_or(0), x.dim());
  if (!dim || x.dim() == 0) return repeat_interleave(reshape(x, {-1}), repeats, 0);
  if (repeats == 1) return clone(x);
  Shape shape = x.shape();
  return repeated_blocks("repeat_interleave", x, blocks_before(shape, d + 1), repeats, shape, d).contiguous();
}

Tensor repeat_interleave(const Tensor& x, const Tensor& repeats, std::optional<std::int64_t> dim) {
  const std::int64_t d = wrap_dim("repeat_interleave", dim.value_or(0), x.dim());
  if (!dim || x.dim() == 0) return repeat_interleave(reshape(x, {-1}), repeats, 0);
  const std::int64_t size = x.shape()[d];
  if (repeats.dtype() != int64) fail("repeat_interleave: repeats must be int64, got {}", repeats.dtype());
  if (repeats.dim() > 1 || (repeats.numel() != size && repeats.numel() != 1)) {
    fail("repeat_interleave: repeats of shape {} do not fit dim {} of shape {}", repeats.shape(), d, x.shape());
  }
  const Tensor counts = dense(repeats);
  const auto count_of = [values = counts.data<std::int64_t>()](std::int64_t i) {
    return values[values.size() == 1 ? 0 : static_cast<std::size_t>(i)];
  };
  std::int64_t total = 0;
  for (std::int64_t i = 0; i < size; ++i) {
    if (count_of(i) < 0) fail("repeat_interleave: repeats must not be negative, got {}", count_of(i));
    if (__builtin_add_overflow(total, count_of(i), &total))
      fail("repeat_interleave: the repeats are too many to count");
  }
  const Tensor index = empty({total}, {.dtype = int64});
  auto next = index.data<std::int64_t>().begin();
  for (std::int64_t i = 0; i < size; ++i) next = std::fill_n(next, count_of(i), i);
  return index_select(x, d, index);
}

Tensor pad(const Tensor& x, const Shape& pad, const PadOptions& options) {
  if (pad.size() % 2 != 0 || pad.size() > 2 * x.dim()) {
    fail("pad: two numbers per dim are needed, from the last dim on, got {} for shape {}", pad, x.shape());
  }
  return options.mode == PadMode::constant ? pad_with_constant(x, pad, options.value)
                                           : pad_from_inside(x, pad, options.mode);
}

Tensor Tensor::flip(const Dims& dims) const { return gradus::flip(*this, dims); }
Tensor Tensor::repeat(const Shape& repeats) const { return gradus::repeat(*this, repeats); }

}  // namespace gradus
