// A tensor into several views, and vectors into a grid. Their derivatives are those of slice, select and expand.

#include <numeric>
#include <vector>

#include "autograd/record.hpp"
#include "gradus/ops.hpp"

namespace gradus {

std::vector<Tensor> split(const Tensor& x, const std::vector<std::int64_t>& split_sizes, std::int64_t dim) {
  if (x.dim() == 0) fail("split: a 0-d tensor has no dim to split");
  const std::int64_t d = wrap_dim("split", dim, x.dim());
  std::int64_t total = 0;
  for (const std::int64_t size : split_sizes) {
    if (size < 0) fail("split: a size must not be negative, got {}", size);
    if (__builtin_add_overflow(total, size, &total)) fail("split: the sizes are too large to add up, got {}", size);
  }
  if (total != x.shape()[d]) fail("split: the sizes must add up to dim {} of shape {}, not to {}", d, x.shape(), total);
  std::vector<Tensor> parts;
  parts.reserve(split_sizes.size());
  std::int64_t start = 0;
  for (const std::int64_t size : split_sizes) parts.push_back(narrow(x, d, std::exchange(start, start + size), size));
  return parts;
}

std::vector<Tensor> split(const Tensor& x, std::int64_t split_size, std::int64_t dim) {
  if (x.dim() == 0) fail("split: a 0-d tensor has no dim to split");
  const std::int64_t whole = x.shape()[wrap_dim("split", dim, x.dim())];
  if (split_size < 0 || (split_size == 0 && whole > 0)) fail("split: the size must be positive, got {}", split_size);
  std::vector<std::int64_t> sizes;
  for (std::int64_t at = 0; at < whole; at += split_size) sizes.push_back(std::min(split_size, whole - at));
  if (whole == 0) sizes.push_back(0);
  return split(x, sizes, dim);
}

std::vector<Tensor> chunk(const Tensor& x, std::int64_t chunks, std::int64_t dim) {
  if (x.dim() == 0) fail("chunk: a 0-d tensor has no dim to split");
  if (chunks < 1) fail("chunk: at least one chunk is needed, got {}", chunks);
  const std::int64_t whole = x.shape()[wrap_dim("chunk", dim, x.dim())];
  if (whole == 0) return split(x, std::vector<std::int64_t>(static_cast<std::size_t>(chunks), 0), dim);
  return split(x, whole / chunks + (whole % chunks != 0 ? 1 : 0), dim);
}

std::vector<Tensor> unbind(const Tensor& x, std::int64_t dim) {
  if (x.dim() == 0) fail("unbind: a 0-d tensor has no dim to split");
  const std::int64_t d = wrap_dim("unbind", dim, x.dim());
  std::vector<Tensor> parts;
  for (std::int64_t i = 0; i < x.shape()[d]; ++i) parts.push_back(select(x, d, i));
  return parts;
}

std::vector<Tensor> meshgrid(const std::vector<Tensor>& tensors, const MeshgridOptions& options) {
  if (tensors.empty()) fail("meshgrid: at least one tensor is needed");
  const bool swapped = options.indexing == Indexing::xy && tensors.size() > 1;
  Shape shape;
  for (const Tensor& t : tensors) {
    if (t.dim() > 1) fail("meshgrid: vectors are needed, got shape {}", t.shape());
    if (t.dtype() != tensors[0].dtype()) fail("meshgrid: dtypes differ: {} and {}", tensors[0].dtype(), t.dtype());
    shape.push_back(t.numel());
  }
  const Shape sizes = shape;
  if (swapped) std::swap(shape[0], shape[1]);
  std::vector<Tensor> grids;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const auto position = static_cast<std::int64_t>(swapped && i < 2 ? 1 - i : i);
    Shape column = shape;
    for (std::int64_t d = 0; d < column.size(); ++d)
      column[d] = d == position ? sizes[static_cast<std::int64_t>(i)] : 1;
    grids.push_back(expand(reshape(tensors[i], column), shape));
  }
  return grids;
}

std::vector<Tensor> Tensor::split(std::int64_t split_size, std::int64_t dim) const {
  return gradus::split(*this, split_size, dim);
}
std::vector<Tensor> Tensor::chunk(std::int64_t chunks, std::int64_t dim) const {
  return gradus::chunk(*this, chunks, dim);
}
std::vector<Tensor> Tensor::unbind(std::int64_t dim) const { return gradus::unbind(*this, dim); }

}  // namespace gradus
