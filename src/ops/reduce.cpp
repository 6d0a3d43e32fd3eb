// Reductions over all dims or over some.

#include "autograd/observer.hpp"
#include "autograd/record.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "ops/copy.hpp"
#include "ops/elementwise.hpp"
#include "ops/reduction.hpp"

namespace gradus {

using kernels::Reduce;
using kernels::table;

namespace {

Tensor arg_extreme(const char* name, bool max, const Tensor& x, std::int64_t dim, bool keepdim) {
  if (x.dtype() == boolean) fail("{}: a numeric dtype is needed, got bool", name);
  const ReductionPlan p = reduction_plan(name, x, dim);
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
  note_branches(name, [&] { return equals(x, reshape(value, kept)); });
  return record(name, value, wrt(x, [x = Saved(x), kept, dims](const Tensor& g, const Tensor& y) {
                  return share_evenly(reshape(g, kept), equals(x, reshape(y, kept)), dims);
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
