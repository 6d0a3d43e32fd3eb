#include "ops/parts.hpp"

#include "autograd/record.hpp"
#include "gradus/factory.hpp"
#include "ops/copy.hpp"
#include "ops/inplace.hpp"

namespace gradus {
namespace {

// What a view shows of its base: shapes, strides, and how many elements into the base's memory it begins.
struct Part {
  Shape shape, strides;
  std::int64_t offset;
  Shape whole, whole_strides;
};

Part part_of(const TensorImpl& view, const TensorImpl& base) {
  return {view.shape, view.strides, view.offset - base.offset, base.shape, base.strides};
}

// A tensor of the base's shape and strides, in memory of its own.
Tensor empty_whole(const Part& part, Dtype dtype) {
  if (part.whole.numel() == 0 || is_contiguous(part.whole, part.whole_strides)) return make_tensor(part.whole, dtype);
  std::int64_t extent = 1;
  for (std::int64_t i = 0; i < part.whole.size(); ++i) extent += (part.whole[i] - 1) * part.whole_strides[i];
  return make_view(make_tensor({extent}, dtype), part.whole, part.whole_strides, 0);
}

// The part of a tensor that lies in memory as the base does.
Tensor seen(const Tensor& whole, const Part& part) {
  return make_view(whole, part.shape, part.strides, impl(whole).offset + part.offset);
}

Tensor put_part(const Tensor& g, const Part& part);

// What the view shows of a gradient of the base.
Tensor take_part(const Tensor& g, const Part& part) {
  const bool lies_so = g.is_contiguous() && is_contiguous(part.whole, part.whole_strides);
  const Tensor whole = lies_so ? g : empty_whole(part, g.dtype());
  if (!lies_so) copy_values(whole, g);
  Tensor taken = make_tensor(part.shape, g.dtype());
  copy_values(taken, seen(whole, part));
  return record("take_part", taken, wrt(g, [part](const Tensor& gg) { return put_part(gg, part); }));
}

// Zeros, with g where the view is.
Tensor put_part(const Tensor& g, const Part& part) {
  const Tensor whole = empty_whole(part, g.dtype());
  copy_values(whole, zeros({}, {.dtype = g.dtype()}));
  copy_values(seen(whole, part), g);
  return record("put_part", whole, wrt(g, [part](const Tensor& gg) { return take_part(gg, part); }));
}

// g, with zeros where the view is.
Tensor clear_part(const Tensor& g, const Part& part) {
  const Tensor whole = empty_whole(part, g.dtype());
  copy_values(whole, g);
  copy_values(seen(whole, part), zeros({}, {.dtype = g.dtype()}));
  return record("clear_part", whole, wrt(g, [part](const Tensor& gg) { return clear_part(gg, part); }));
}

// The tensor with the history it has now: handles to it would make cycles.
Tensor with_history(const Tensor& tensor) {
  Tensor same = alias(tensor);
  impl(same).node = impl(tensor).node;
  return same;
}

// Gives a tensor the history of another, and its values if an observer has put others into their place.
void adopt(const Tensor& tensor, const Tensor& result) {
  TensorImpl& t = impl(tensor);
  if (impl(result).storage != t.storage) copy_values(tensor, result);
  const NodeRef before = std::exchange(t.node, impl(result).node);
  hand_on_retained_grad(before.get(), t.node.get());
}

}  // namespace

Tensor make_view_of(const Tensor& x, const Shape& shape, const Shape& strides, std::int64_t offset) {
  Tensor view = make_view(x, shape, strides, offset);
  if (grad_enabled && is_floating_point(x.dtype())) {
    const TensorImpl& t = impl(x);
    if (t.base.defined())
      impl(view).base = t.base;
    else if (!t.is_view || t.requires_grad)
      impl(view).base = x;  // else nobody knows whose memory this is
  }
  return view;
}

void check_rewritable_part(const char* name, const Tensor& view) {
  const Tensor& base = impl(view).base;
  if (base.defined() && impl(base).requires_grad) {
    fail("{}: a view of a leaf that requires a gradient cannot be changed in place; do it under NoGrad", name);
  }
  if (!base.defined() || impl(base).is_view) {
    fail("{}: a view whose base is not known cannot be changed in place while it is recorded; make it anew", name);
  }
  check_writable(name, base);
}

void rewrite_part(Tensor& view, const char* name, const Tensor& values) {
  TensorImpl& v = impl(view);
  const Tensor base = v.base;
  const Part part = part_of(v, impl(base));
  const Tensor before = with_history(base);
  copy_values(view, values);
  bump_version(view);
  const Tensor after = record(name, alias(base), wrt(before, [part](const Tensor& g) { return clear_part(g, part); }),
                              wrt(values, [part](const Tensor& g) { return take_part(g, part); }));
  adopt(base, after);
  adopt(view, record("view", alias(view), wrt(after, [part](const Tensor& g) { return put_part(g, part); })));
  v.rewrites = ++v.storage->rewrites;
}

}  // namespace gradus
