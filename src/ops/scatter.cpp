// Writing, picking and masking elements by index.

#include <algorithm>
#include <vector>

#include "autograd/record.hpp"
#include "gradus/autograd.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "ops/copy.hpp"
#include "ops/indexing.hpp"

namespace gradus {
namespace {

// scatter needs an index that is nowhere larger than the source, nor than x except along dim.
void check_scatter(const char* op, const Tensor& x, std::int64_t dim, const Tensor& index, const Tensor& src) {
  if (src.dtype() != x.dtype()) fail("{}: dtypes differ: {} and {}; convert one with to()", op, x.dtype(), src.dtype());
  check_gather(op, x.shape(), dim, index);
  bool fits = src.dim() == index.dim();
  for (std::int64_t i = 0; fits && i < src.dim(); ++i) fits = index.shape()[i] <= src.shape()[i];
  if (!fits) fail("{}: a source of shape {} is too small for an index of shape {}", op, src.shape(), index.shape());
}

// The part of the source that the index reaches.
Tensor reached(const Tensor& src, const Shape& index) {
  Tensor part = src;
  for (std::int64_t i = 0; i < index.size(); ++i) {
    if (part.shape()[i] != index[i]) part = narrow(part, i, 0, index[i]);
  }
  return part;
}

// x with src, of the index's shape, written or added at the places that the index names.
Tensor scattered(const Tensor& x, std::int64_t dim, const Tensor& index, const Tensor& src, bool add) {
  const Tensor out = make_tensor(x.shape(), x.dtype());
  copy_values(out, x);
  const Tensor source = dense(src), places = dense(index);
  dispatch(x.dtype(), [&]<class T>() {
    const T* const from = data_of<T>(source);
    T* const to = data_of<T>(out);
    for_gathered(x.shape(), index.shape(), dim, data_of<std::int64_t>(places),
                 [=](std::int64_t place, std::int64_t at) {
                   to[place] = add ? static_cast<T>(to[place] + from[at]) : from[at];
                 });
  });
  return out;
}

// Which elements of the source stayed: of several written to one place, the last.
Tensor last_writers(const Shape& shape, std::int64_t dim, const Tensor& index) {
  const Tensor order = reshape(arange(static_cast<double>(index.numel()), {.dtype = int64}), index.shape());
  const Tensor writers = scattered(zeros(shape, {.dtype = int64}), dim, index, order, false);
  return eq(gather(writers, dim, index), order);
}

Tensor scatter_part(const Tensor& x, std::int64_t dim, const Tensor& index, const Tensor& src) {
  return record("scatter", scattered(x, dim, index, src, false),
                wrt(x, [dim, index = Saved(index)](const Tensor& g) { return scatter(g, dim, index, 0.0); }),
                wrt(src, [shape = x.shape(), dim, index = Saved(index)](const Tensor& g) {
                  return where(last_writers(shape, dim, index), gather(g, dim, index), 0.0);
                }));
}

}  // namespace

Tensor scatter(const Tensor& x, std::int64_t dim, const Tensor& index, const Tensor& src) {
  const std::int64_t d = wrap_dim("scatter", dim, x.dim());
  check_scatter("scatter", x, d, index, src);
  return scatter_part(x, d, index, reached(src, index.shape()));
}

Tensor scatter(const Tensor& x, std::int64_t dim, const Tensor& index, double value) {
  const std::int64_t d = wrap_dim("scatter", dim, x.dim());
  check_gather("scatter", x.shape(), d, index);
  const Tensor src = expand(full({}, value, {.dtype = x.dtype()}), index.shape());
  return record("scatter", scattered(x, d, index, src, false),
                wrt(x, [d, index = Saved(index)](const Tensor& g) { return scatter(g, d, index, 0.0); }));
}

Tensor scatter_add(const Tensor& x, std::int64_t dim, const Tensor& index, const Tensor& src) {
  const std::int64_t d = wrap_dim("scatter_add", dim, x.dim());
  check_scatter("scatter_add", x, d, index, src);
  const Tensor part = reached(src, index.shape());
  return record("scatter_add", scattered(x, d, index, part, true), wrt(x, [](const Tensor& g) { return g; }),
                wrt(part, [d, index = Saved(index)](const Tensor& g) { return gather(g, d, index); }));
}

Tensor take_along_dim(const Tensor& x, const Tensor& indices, std::optional<std::int64_t> dim) {
  if (!dim) return gather(reshape(x, {-1}), 0, reshape(indices, {-1}));
  const std::int64_t d = wrap_dim("take_along_dim", *dim, x.dim());
  if (x.dim() != indices.dim()) {
    fail("take_along_dim: the indices need as many dims as the tensor: {} and {}", indices.shape(), x.shape());
  }
  if (x.dim() == 0) return gather(x, d, indices);
  Shape from = x.shape(), to = indices.shape();
  from[d] = to[d] = 1;
  const Shape common = broadcast_shapes("take_along_dim", from, to);
  const auto spread = [&common, d](const Tensor& t) {
    Shape shape = common;
    shape[d] = t.shape()[d];
    return expand(t, shape);
  };
  return gather(spread(x), d, spread(indices));
}

Tensor masked_select(const Tensor& x, const Tensor& mask) {
  if (mask.dtype() != boolean) fail("masked_select: the mask must be bool, got {}", mask.dtype());
  const Shape shape = broadcast_shapes("masked_select", x.shape(), mask.shape());
  const Tensor chosen = dense(expand(mask, shape));
  std::vector<std::int64_t> index;
  for (std::int64_t at = 0; const bool wanted : chosen.data<bool>()) {
    if (wanted) index.push_back(at);
    ++at;
  }
  return index_select(reshape(expand(x, shape), {-1}), 0, tensor(index));
}

Tensor masked_fill(const Tensor& x, const Tensor& mask, double value) {
  if (mask.dtype() != boolean) fail("masked_fill: the mask must be bool, got {}", mask.dtype());
  const Shape shape = broadcast_shapes("masked_fill", x.shape(), mask.shape());
  return where(expand(mask, shape), value, x);
}

Tensor one_hot(const Tensor& classes, std::int64_t num_classes) {
  if (classes.dtype() != int64) fail("one_hot: classes must be int64, got {}", classes.dtype());
  const Tensor flat = dense(classes);
  const auto values = flat.data<std::int64_t>();
  if (values.empty() && num_classes < 1) fail("one_hot: an empty tensor does not say how many classes there are");
  const std::int64_t count = num_classes == -1 ? 1 + *std::max_element(values.begin(), values.end()) : num_classes;
  Shape shape = classes.shape();
  shape.push_back(std::max<std::int64_t>(count, 0));
  const Tensor out = zeros(shape, {.dtype = int64});
  std::int64_t* row = data_of<std::int64_t>(out);
  for (const std::int64_t value : values) {
    if (value < 0 || value >= count) fail("one_hot: class {} is out of range for {} classes", value, count);
    row[value] = 1;
    row += count;
  }
  return out;
}

Tensor Tensor::masked_select(const Tensor& mask) const { return gradus::masked_select(*this, mask); }
Tensor Tensor::masked_fill(const Tensor& mask, double value) const { return gradus::masked_fill(*this, mask, value); }

}  // namespace gradus
