// Reductions over all dims or over some.

#include "autograd/observer.hpp"
#include "autograd/record.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "kernels/kernels.hpp"
#include "ops/copy.hpp"
#include "ops/derivatives.hpp"
#include "ops/elementwise.hpp"
#include "ops/reduction.hpp"
#include "ops/rows.hpp"

namespace gradus {
namespace {

using kernels::Reduce;
using kernels::table;

// What a reduction over some dims comes down to: x as (outer, size, inner), reduced over the middle.
struct Plan {
  Tensor x;  // dense
  std::int64_t outer = 1, size = 1, inner = 1;
  Shape kept;     // the result's shape with reduced dims of size 1
  Shape dropped;  // and without them
  const Shape& result(bool keepdim) const { return keepdim ? kept : dropped; }
};

}  // namespace

std::array<bool, Shape::max_dims> reduced_dims(const char* op, const Shape& shape, const Dims& dims) {
  std::array<bool, Shape::max_dims> reduced{};
  if (dims.empty()) reduced.fill(true);
  for (const std::int64_t dim : dims) {
    bool& flag = reduced[static_cast<std::size_t>(wrap_dim(op, dim, shape.size()))];
    if (flag) fail("{}: a dim is named twice: {}", op, dims);
    flag = true;
  }
  return reduced;
}

namespace {

Plan plan(const char* op, const Tensor& x, const Dims& dims) {
  const Shape& shape = x.shape();
  const auto reduced = reduced_dims(op, shape, dims);
  Plan p;
  p.kept = shape;
  std::int64_t first = shape.size(), last = -1;
  for (std::int64_t i = 0; i < shape.size(); ++i) {
    if (!reduced[static_cast<std::size_t>(i)]) {
      p.dropped.push_back(shape[i]);
      continue;
    }
    p.kept[i] = 1;
    if (shape[i] == 1) continue;
    first = std::min(first, i);
    last = i;
  }
  bool adjacent = true;
  for (std::int64_t i = first; i <= last; ++i) {
    adjacent = adjacent && (reduced[static_cast<std::size_t>(i)] || shape[i] == 1);
  }
  if (adjacent) {
    for (std::int64_t i = 0; i < shape.size(); ++i) (i < first ? p.outer : i <= last ? p.size : p.inner) *= shape[i];
    p.x = dense(x);
    return p;
  }
  // Kept dims first, reduced ones last: one tiled copy, then rows.
  Shape order_shape, order_strides;
  for (const bool wanted : {false, true}) {
    for (std::int64_t i = 0; i < shape.size(); ++i) {
      if (reduced[static_cast<std::size_t>(i)] != wanted) continue;
      order_shape.push_back(shape[i]);
      order_strides.push_back(x.strides()[i]);
      (wanted ? p.size : p.outer) *= shape[i];
    }
  }
  p.x = dense(make_view(x, order_shape, order_strides, impl(x).offset));
  return p;
}

constexpr std::int64_t chunk = 65536;  // a sum is cut into pieces of this size whatever the number of threads

template <class T>
void reduce_parallel(Reduce op, T* out, const T* x, std::int64_t outer, std::int64_t size, std::int64_t inner) {
  const auto kernel = table<T>().reduce[static_cast<std::size_t>(op)];
  if (outer == 1 && size > 1 && size * inner > 2 * chunk) {
    const std::int64_t piece = std::max<std::int64_t>(16, chunk / inner);  // partial sums stay few
    const std::int64_t pieces = size / piece;
    const std::int64_t tail = size - pieces * piece;
    const std::int64_t partials = pieces + (tail > 0 ? 1 : 0);
    if (partials > 1) {
      const Tensor partial = make_tensor({partials, inner}, dtype_of<T>);
      T* const to = data_of<T>(partial);
      kernels::parallel_for(0, pieces, 1, [&](std::int64_t begin, std::int64_t end) {
        kernel(to + begin * inner, x + begin * piece * inner, end - begin, piece, inner);
      });
      if (tail > 0) kernel(to + pieces * inner, x + pieces * piece * inner, 1, tail, inner);
      const Reduce combine = op == Reduce::sum_square ? Reduce::sum : op;
      table<T>().reduce[static_cast<std::size_t>(combine)](out, to, 1, partials, inner);
      return;
    }
  }
  const std::int64_t grain = std::max<std::int64_t>(1, parallel_grain / std::max<std::int64_t>(1, size * inner));
  kernels::parallel_for(0, outer, grain, [&](std::int64_t begin, std::int64_t end) {
    kernel(out + begin * inner, x + begin * size * inner, end - begin, size, inner);
  });
}

}  // namespace

Tensor reduce(const char* name, Reduce op, const Tensor& x, const Dims& dims, bool keepdim) {
  const Plan p = plan(name, x, dims);
  Tensor out = make_tensor(p.result(keepdim), x.dtype());
  dispatch_numeric(name, x.dtype(), [&]<class T>() {
    reduce_parallel<T>(op, data_of<T>(out), data_of<T>(p.x), p.outer, p.size, p.inner);
  });
  return out;
}

Tensor spread(const Tensor& reduced, const Shape& kept, const Shape& shape) {
  return expand(reduced.shape() == kept ? reduced : reshape(reduced, kept), shape);
}

Shape kept_shape(const char* op, const Tensor& x, const Dims& dims) {
  Shape kept = x.shape();
  const auto reduced = reduced_dims(op, kept, dims);
  for (std::int64_t i = 0; i < kept.size(); ++i) {
    if (reduced[static_cast<std::size_t>(i)]) kept[i] = 1;
  }
  return kept;
}

std::int64_t group_size(const Shape& shape, const Shape& kept) {
  std::int64_t size = 1;
  for (std::int64_t i = 0; i < shape.size(); ++i) size *= shape[i] == kept[i] ? 1 : shape[i];
  return size;
}

Tensor share_evenly(const Tensor& g, const Tensor& won, const Dims& dims) {
  const Tensor winners = won.to(g.dtype());
  return winners * (g / sum(winners, dims, {.keepdim = true}));
}

Extreme pick(const Tensor& x, std::int64_t dim, const Tensor& index, bool keepdim) {
  if (x.dim() == 0) return {x.clone(), index};
  const Tensor values = gather(x, dim, index);
  return keepdim ? Extreme{values, index} : Extreme{squeeze(values, dim), squeeze(index, dim)};
}

namespace {

Tensor arg_extreme(const char* name, bool max, const Tensor& x, std::int64_t dim, bool keepdim) {
  if (x.dtype() == boolean) fail("{}: a numeric dtype is needed, got bool", name);
  const Plan p = plan(name, x, dim);
  if (p.size == 0 || (x.numel() == 0 && x.shape()[wrap_dim(name, dim, x.dim())] == 0)) {
    fail("{}: dim {} of shape {} is empty", name, dim, x.shape());
  }
  Tensor index = make_tensor(p.result(keepdim), int64);
  dispatch_numeric(name, x.dtype(), [&]<class T>() {
    const auto kernel = max ? table<T>().argmax : table<T>().argmin;
    kernel(data_of<std::int64_t>(index), data_of<T>(p.x), p.outer, p.size, p.inner);
  });
  note_branches(name, [&] { return index; });
  return index;
}

Tensor arg_extreme(const char* name, bool max, const Tensor& x, std::optional<std::int64_t> dim, bool keepdim) {
  if (dim) return arg_extreme(name, max, x, *dim, keepdim);
  const Tensor index = arg_extreme(name, max, dense(x.detach()).reshape({-1}), 0, false);
  return keepdim ? index.reshape(kept_shape(name, x, {})) : index;
}

Tensor extreme(const char* name, Reduce op, const Tensor& x, const Dims& dims, bool keepdim) {
  const Shape kept = kept_shape(name, x, dims);
  if (kept.numel() > 0 && x.numel() == 0) fail("{}: an empty tensor of shape {} has no extreme", name, x.shape());
  const Tensor value = reduce(name, op, x, dims, keepdim);
  note_branches(name, [&] { return eq(x, reshape(value, kept)); });
  return record(name, value, wrt(x, [x = Saved(x), kept, dims](const Tensor& g, const Tensor& y) {
                  return share_evenly(reshape(g, kept), eq(x, reshape(y, kept)), dims);
                }));
}

Extreme extreme_along(const char* name, bool max, const Tensor& x, std::int64_t dim, const ReduceOptions& options) {
  const std::int64_t d = wrap_dim(name, dim, x.dim());
  return pick(x, d, arg_extreme(name, max, x, d, true), options.keepdim);
}

}  // namespace

Tensor sum(const Tensor& x, const Dims& dims, const ReduceOptions& options) {
  if (x.dtype() == boolean) return sum(x.to(int64), dims, options);
  return record("sum", reduce("sum", Reduce::sum, x, dims, options.keepdim),
                wrt(x, [kept = kept_shape("sum", x, dims), shape = x.shape()](const Tensor& g) {
                  return spread(g, kept, shape);
                }));
}

Tensor mean(const Tensor& x, const Dims& dims, const ReduceOptions& options) {
  if (!is_floating_point(x.dtype())) fail("mean: a floating dtype is needed, got {}", x.dtype());
  Tensor total = reduce("mean", Reduce::sum, x, dims, options.keepdim);
  const double count = static_cast<double>(x.numel()) / static_cast<double>(total.numel());
  if (total.numel() > 0) apply_into(total, "mean", kernels::Binary::div, total, count);
  return record("mean", total, wrt(x, [kept = kept_shape("mean", x, dims), shape = x.shape(), count](const Tensor& g) {
                  return spread(g / count, kept, shape);
                }));
}

Tensor max(const Tensor& x) { return extreme("max", Reduce::max, x, {}, false); }
Tensor min(const Tensor& x) { return extreme("min", Reduce::min, x, {}, false); }

Tensor amax(const Tensor& x, const Dims& dims, const ReduceOptions& options) {
  return extreme("amax", Reduce::max, x, dims, options.keepdim);
}
Tensor amin(const Tensor& x, const Dims& dims, const ReduceOptions& options) {
  return extreme("amin", Reduce::min, x, dims, options.keepdim);
}

Tensor all(const Tensor& x, const Dims& dims, const ReduceOptions& options) {
  return eq(reduce("all", Reduce::sum, eq(x, 0.0).to(int64), dims, options.keepdim), 0.0);
}
Tensor any(const Tensor& x, const Dims& dims, const ReduceOptions& options) {
  return ne(reduce("any", Reduce::sum, ne(x, 0.0).to(int64), dims, options.keepdim), 0.0);
}

Extreme max(const Tensor& x, std::int64_t dim, const ReduceOptions& options) {
  return extreme_along("max", true, x, dim, options);
}
Extreme min(const Tensor& x, std::int64_t dim, const ReduceOptions& options) {
  return extreme_along("min", false, x, dim, options);
}

Tensor argmax(const Tensor& x, std::optional<std::int64_t> dim, const ReduceOptions& options) {
  return arg_extreme("argmax", true, x, dim, options.keepdim);
}
Tensor argmin(const Tensor& x, std::optional<std::int64_t> dim, const ReduceOptions& options) {
  return arg_extreme("argmin", false, x, dim, options.keepdim);
}

Tensor Tensor::sum(const Dims& dims, const ReduceOptions& options) const { return gradus::sum(*this, dims, options); }
Tensor Tensor::mean(const Dims& dims, const ReduceOptions& options) const { return gradus::mean(*this, dims, options); }
Tensor Tensor::max() const { return gradus::max(*this); }
Tensor Tensor::min() const { return gradus::min(*this); }
Extreme Tensor::max(std::int64_t dim, const ReduceOptions& options) const { return gradus::max(*this, dim, options); }
Extreme Tensor::min(std::int64_t dim, const ReduceOptions& options) const { return gradus::min(*this, dim, options); }
Tensor Tensor::argmax(std::optional<std::int64_t> dim, const ReduceOptions& options) const {
  return gradus::argmax(*this, dim, options);
}
Tensor Tensor::argmin(std::optional<std::int64_t> dim, const ReduceOptions& options) const {
  return gradus::argmin(*this, dim, options);
}
Tensor Tensor::amax(const Dims& dims, const ReduceOptions& options) const { return gradus::amax(*this, dims, options); }
Tensor Tensor::amin(const Dims& dims, const ReduceOptions& options) const { return gradus::amin(*this, dims, options); }
Tensor Tensor::all(const Dims& dims, const ReduceOptions& options) const { return gradus::all(*this, dims, options); }
Tensor Tensor::any(const Dims& dims, const ReduceOptions& options) const { return gradus::any(*this, dims, options); }

}  // namespace gradus
