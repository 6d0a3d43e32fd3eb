// Joining tensors, and picking elements by index.

#include <vector>

#include "autograd/record.hpp"
#include "gradus/autograd.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "ops/copy.hpp"
#include "ops/derivatives.hpp"
#include "ops/indexing.hpp"
#include "ops/rows.hpp"

namespace gradus {
namespace {

// x seen as (outer, size of dim, inner), for dense x.
struct Split {
  std::int64_t outer = 1, size = 1, inner = 1;
};

Split split_at(const Shape& shape, std::int64_t dim) {
  Split s;
  for (std::int64_t i = 0; i < shape.size(); ++i) (i < dim ? s.outer : i == dim ? s.size : s.inner) *= shape[i];
  return s;
}

}  // namespace

void check_index(const char* op, const Tensor& index, std::int64_t size) {
  if (index.dtype() != int64) fail("{}: the index must be int64, got {}", op, index.dtype());
  const Tensor dense_index = dense(index);
  for (const std::int64_t i : dense_index.data<std::int64_t>()) {
    if (i < 0 || i >= size) fail("{}: index {} is out of range for a dim of size {}", op, i, size);
  }
}

void check_gather(const char* op, const Shape& x, std::int64_t dim, const Tensor& index) {
  bool fits = index.dim() == x.size();
  for (std::int64_t i = 0; fits && i < x.size(); ++i) fits = i == dim || index.shape()[i] <= x[i];
  if (!fits) fail("{}: an index of shape {} does not fit a tensor of shape {} along dim {}", op, index.shape(), x, dim);
  check_index(op, index, x.empty() ? 1 : x[dim]);
}

Tensor cat(const std::vector<Tensor>& tensors, std::int64_t dim) {
  if (tensors.empty()) fail("cat: at least one tensor is needed");
  const Tensor& first = tensors.front();
  if (first.dim() == 0) fail("cat: 0-d tensors cannot be joined; use stack");
  const std::int64_t d = wrap_dim("cat", dim, first.dim());
  Shape shape = first.shape();
  shape[d] = 0;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const Tensor& t = tensors[i];
    if (t.dtype() != first.dtype()) fail("cat: tensor {} is {}, the first {}", i, t.dtype(), first.dtype());
    Shape expected = first.shape();
    if (t.dim() == expected.size()) expected[d] = t.shape()[d];
    if (t.shape() != expected) {
      fail("cat: tensor {} of shape {} does not fit the first, {}, except along dim {}", i, t.shape(), first.shape(),
           d);
    }
    shape[d] += t.shape()[d];
  }
  Tensor out = make_tensor(shape, first.dtype());
  std::int64_t start = 0;
  for (const Tensor& t : tensors) {
    Shape part = shape;
    part[d] = t.shape()[d];
    copy_values(make_view(out, part, out.strides(), start * out.strides()[d]), t);
    start += part[d];
  }
  std::int64_t offset = 0;
  return record_list("cat", out, tensors, [&](std::size_t i) {
    const std::int64_t length = tensors[i].shape()[d];
    const std::int64_t from = std::exchange(offset, offset + length);
    return [d, from, length](const Tensor& g) { return narrow(g, d, from, length); };
  });
}

Tensor stack(const std::vector<Tensor>& tensors, std::int64_t dim) {
  if (tensors.empty()) fail("stack: at least one tensor is needed");
  const std::int64_t d = wrap_new_dim("stack", dim, tensors[0].dim());
  std::vector<Tensor> rows;
  rows.reserve(tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (tensors[i].shape() != tensors[0].shape()) {
      fail("stack: shapes differ: {} and, at {}, {}", tensors[0].shape(), i, tensors[i].shape());
    }
    if (tensors[i].dtype() != tensors[0].dtype()) {
      fail("stack: tensor {} is {}, the first {}", i, tensors[i].dtype(), tensors[0].dtype());
    }
    rows.push_back(unsqueeze(tensors[i], d));
  }
  return cat(rows, d);
}

Tensor gather(const Tensor& x, std::int64_t dim, const Tensor& index) {
  const std::int64_t d = wrap_dim("gather", dim, x.dim());
  check_gather("gather", x.shape(), d, index);
  const Tensor source = dense(x);
  const Tensor places = dense(index);
  Tensor out = make_tensor(index.shape(), x.dtype());
  dispatch(x.dtype(), [&]<class T>() {
    const T* const from = data_of<T>(source);
    T* const to = data_of<T>(out);
    for_gathered(x.shape(), index.shape(), d, data_of<std::int64_t>(places),
                 [=](std::int64_t place, std::int64_t at) { to[at] = from[place]; });
  });
  return record("gather", out, wrt(x, [shape = x.shape(), d, index = Saved(index)](const Tensor& g) {
                  return scatter_add_zeros(g, shape, d, index);
                }));
}

Tensor scatter_add_zeros(const Tensor& g, const Shape& shape, std::int64_t dim, const Tensor& index) {
  Tensor out = zeros(shape, {.dtype = g.dtype()});
  const Tensor source = dense(g);
  const Tensor places = dense(index);
  dispatch_numeric("scatter_add", g.dtype(), [&]<class T>() {
    const T* const from = data_of<T>(source);
    T* const to = data_of<T>(out);
    for_gathered(shape, index.shape(), dim, data_of<std::int64_t>(places),
                 [=](std::int64_t place, std::int64_t at) { to[place] += from[at]; });
  });
  return record("gather_backward", out,
                wrt(g, [dim, index = Saved(index)](const Tensor& gg) { return gather(gg, dim, index); }));
}

Tensor index_select(const Tensor& x, std::int64_t dim, const Tensor& index) {
  if (x.dim() == 0) fail("index_select: a 0-d tensor has no dim to select from");
  const std::int64_t d = wrap_dim("index_select", dim, x.dim());
  if (index.dim() != 1) fail("index_select: the index must have one dim, got shape {}", index.shape());
  check_index("index_select", index, x.shape()[d]);
  const Tensor source = dense(x);
  const Tensor places = dense(index);
  Shape shape = x.shape();
  shape[d] = index.numel();
  Tensor out = make_tensor(shape, x.dtype());
  const Split s = split_at(x.shape(), d);
  const std::int64_t count = index.numel();
  dispatch(x.dtype(), [&]<class T>() {
    const T* const from = data_of<T>(source);
    const std::int64_t* const rows = data_of<std::int64_t>(places);
    T* const to = data_of<T>(out);
    for (std::int64_t o = 0; o < s.outer; ++o) {
      for (std::int64_t i = 0; i < count; ++i) {
        std::copy_n(from + (o * s.size + rows[i]) * s.inner, s.inner, to + (o * count + i) * s.inner);
      }
    }
  });
  return record("index_select", out, wrt(x, [whole = x.shape(), d, index = Saved(index)](const Tensor& g) {
                  return index_add_zeros(g, whole, d, index);
                }));
}

Tensor index_add_zeros(const Tensor& g, const Shape& shape, std::int64_t dim, const Tensor& index) {
  Tensor out = zeros(shape, {.dtype = g.dtype()});
  const Tensor source = dense(g);
  const Tensor places = dense(index);
  const Split s = split_at(shape, dim);
  const std::int64_t count = index.numel();
  dispatch_numeric("index_add", g.dtype(), [&]<class T>() {
    const T* const from = data_of<T>(source);
    const std::int64_t* const rows = data_of<std::int64_t>(places);
    T* const to = data_of<T>(out);
    for (std::int64_t o = 0; o < s.outer; ++o) {
      for (std::int64_t i = 0; i < count; ++i) {
        const T* const row = from + (o * count + i) * s.inner;
        T* const sum = to + (o * s.size + rows[i]) * s.inner;
        for (std::int64_t j = 0; j < s.inner; ++j) sum[j] += row[j];
      }
    }
  });
  return record("index_select_backward", out,
                wrt(g, [dim, index = Saved(index)](const Tensor& gg) { return index_select(gg, dim, index); }));
}

Tensor Tensor::gather(std::int64_t dim, const Tensor& index) const { return gradus::gather(*this, dim, index); }

}  // namespace gradus
