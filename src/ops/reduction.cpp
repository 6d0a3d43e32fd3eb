#include "ops/reduction.hpp"

#include <algorithm>
#include <array>

#include "ops/copy.hpp"
#include "ops/rows.hpp"

namespace gradus {

using kernels::Reduce;
using kernels::table;

namespace {

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

}  // namespace

Shape kept_shape(const char* op, const Tensor& x, const Dims& dims) {
  Shape kept = x.shape();
  const auto reduced = reduced_dims(op, kept, dims);
  for (std::int64_t i = 0; i < kept.size(); ++i) {
    if (reduced[static_cast<std::size_t>(i)]) kept[i] = 1;
  }
  return kept;
}

Groups groups(const char* op, const Shape& shape, const Dims& dims) {
  const auto reduced = reduced_dims(op, shape, dims);
  Groups g;
  g.kept = shape;
  for (std::int64_t i = 0; i < shape.size(); ++i) {
    if (reduced[static_cast<std::size_t>(i)]) continue;
    g.order.push_back(i);
    g.dropped.push_back(shape[i]);
  }
  for (std::int64_t i = 0; i < shape.size(); ++i) {
    if (!reduced[static_cast<std::size_t>(i)]) continue;
    g.order.push_back(i);
    g.size *= shape[i];
    g.kept[i] = 1;
  }
  return g;
}

ReductionPlan reduction_plan(const char* op, const Tensor& x, const Dims& dims) {
  const Shape& shape = x.shape();
  const auto reduced = reduced_dims(op, shape, dims);
  ReductionPlan p;
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

namespace {

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
  const ReductionPlan p = reduction_plan(name, x, dims);
  Tensor out = make_tensor(p.result(keepdim), x.dtype());
  dispatch_numeric(name, x.dtype(), [&]<class T>() {
    reduce_parallel<T>(op, data_of<T>(out), data_of<T>(p.x), p.outer, p.size, p.inner);
  });
  return out;
}

Tensor spread(const Tensor& reduced, const Shape& kept, const Shape& shape) {
  return expand(reduced.shape() == kept ? reduced : reshape(reduced, kept), shape);
}

Tensor equals(const Tensor& x, const Tensor& y) {
  const Tensor y_is_nan = ne(y, y);
  const bool without_nan = sum(y_is_nan).item<std::int64_t>() == 0;
  return without_nan ? eq(x, y) : where(y_is_nan, ne(x, x), eq(x, y));
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

}  // namespace gradus
