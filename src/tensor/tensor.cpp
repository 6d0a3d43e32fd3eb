#include "gradus/tensor.hpp"

#include <limits>

#include "tensor/impl.hpp"

namespace gradus {

namespace detail {

void destroy(Counted* counted) noexcept {
  auto* tensor = static_cast<TensorImpl*>(counted);
  tensor->~TensorImpl();
  pool::deallocate(tensor, sizeof(TensorImpl));
}

}  // namespace detail

namespace {

TensorImpl* new_impl() { return new (pool::allocate(sizeof(TensorImpl))) TensorImpl; }

// The product of the sizes, refusing what memory could never hold.
std::int64_t checked_numel(const Shape& shape, Dtype dtype) {
  auto bytes = 2 * static_cast<std::int64_t>(size_of(dtype));
  bool overflows = false;  // asked once: a division for every dim would cost a tiny tensor more than its memory
  for (const std::int64_t size : shape) {
    if (size < 0) fail("tensor: sizes must not be negative: {}", shape);
    overflows |=
        __builtin_mul_overflow(bytes, std::max<std::int64_t>(size, 1), &bytes);  // not 0: strides are products too
  }
  if (overflows) fail("tensor: too many elements for memory: {}", shape);
  return shape.numel();
}

}  // namespace

Tensor make_tensor(const Shape& shape, Dtype dtype) {
  const std::int64_t numel = checked_numel(shape, dtype);
  Ref<Storage> storage(Storage::create(static_cast<std::size_t>(numel) * size_of(dtype)));
  TensorImpl* t = new_impl();
  t->dtype = dtype;
  t->numel = numel;
  t->shape = shape;
  t->strides = contiguous_strides(shape);
  t->storage = std::move(storage);
  return Tensor(t);
}

Tensor make_view(const Tensor& base, const Shape& shape, const Shape& strides, std::int64_t offset) {
  const TensorImpl& b = impl(base);
  TensorImpl* t = new_impl();
  t->dtype = b.dtype;
  t->is_view = true;
  t->rewrites = b.storage->rewrites;
  t->numel = shape.numel();
  t->offset = offset;
  t->shape = shape;
  t->strides = strides;
  t->storage = b.storage;
  return Tensor(t);
}

Tensor alias(const Tensor& tensor) {
  const TensorImpl& t = impl(tensor);
  Tensor same = make_view(tensor, t.shape, t.strides, t.offset);
  impl(same).is_view = false;  // it has no history that could go stale
  return same;
}

void set_data(const Tensor& leaf, const Tensor& data) {
  TensorImpl& t = impl(leaf);
  const TensorImpl& d = impl(data);
  d.storage->version = t.storage->version + 1;
  t.dtype = d.dtype;
  t.is_view = false;
  t.numel = d.numel;
  t.offset = d.offset;
  t.shape = d.shape;
  t.strides = d.strides;
  t.storage = d.storage;
}

bool is_contiguous(const Shape& shape, const Shape& strides) {
  std::int64_t expected = 1;
  for (std::int64_t i = shape.size(); i-- > 0;) {
    if (shape[i] == 0) return true;
    if (shape[i] != 1 && strides[i] != expected) return false;
    expected *= shape[i];
  }
  return true;
}

std::int64_t wrap_dim(const char* op, std::int64_t dim, std::int64_t dims) {
  const std::int64_t count = dims == 0 ? 1 : dims;
  if (dim < -count || dim >= count) {
    fail("{}: dim must be in [{}, {}] for a tensor of {} dims, got {}", op, -count, count - 1, dims, dim);
  }
  return dim < 0 ? dim + count : dim;
}

std::int64_t wrap_new_dim(const char* op, std::int64_t dim, std::int64_t dims) {
  if (dim < -dims - 1 || dim > dims) {
    fail("{}: dim must be in [{}, {}] for a tensor of {} dims, got {}", op, -dims - 1, dims, dims, dim);
  }
  return dim < 0 ? dim + dims + 1 : dim;
}

const Shape& Tensor::shape() const { return impl(*this).shape; }
const Shape& Tensor::strides() const { return impl(*this).strides; }
std::int64_t Tensor::dim() const { return impl(*this).shape.size(); }
std::int64_t Tensor::numel() const { return impl(*this).numel; }
Dtype Tensor::dtype() const { return impl(*this).dtype; }
bool Tensor::is_contiguous() const { return gradus::is_contiguous(shape(), strides()); }
std::uint32_t Tensor::version() const { return impl(*this).storage->version; }

std::int64_t Tensor::size(std::int64_t dim) const {
  const Shape& sizes = shape();
  if (sizes.empty()) fail("size: a 0-d tensor has no dim {}", dim);
  return sizes[wrap_dim("size", dim, sizes.size())];
}

template <class T>
T Tensor::item() const {
  const TensorImpl& t = impl(*this);
  if (t.numel != 1) fail("item: only a tensor of one element has an item, got shape {}", t.shape);
  return dispatch(t.dtype, [&]<class U>() {
    const U value = *t.data<U>();
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool> && !std::is_same_v<U, bool>) {
      const double limit = std::is_same_v<T, int> ? 0x1p31 : 0x1p63;
      const auto number = static_cast<double>(value);
      if (!(number >= -limit && (number < limit || std::is_same_v<T, U>))) {
        fail("item: {} does not fit into {} bits", value, 8 * sizeof(T));
      }
    }
    return static_cast<T>(value);
  });
}
template float Tensor::item<float>() const;
template double Tensor::item<double>() const;
template std::int64_t Tensor::item<std::int64_t>() const;
template int Tensor::item<int>() const;
template bool Tensor::item<bool>() const;

template <class T>
std::span<T> Tensor::data() const {
  const TensorImpl& t = impl(*this);
  if (t.dtype != dtype_of<T>) fail("data: the tensor is {}, not {}", t.dtype, dtype_of<T>);
  if (!is_contiguous()) {
    fail("data: the tensor is not contiguous: shape {}, strides {}; call contiguous() first", t.shape, t.strides);
  }
  return {t.data<T>(), static_cast<std::size_t>(t.numel)};
}
template std::span<float> Tensor::data<float>() const;
template std::span<double> Tensor::data<double>() const;
template std::span<std::int64_t> Tensor::data<std::int64_t>() const;
template std::span<bool> Tensor::data<bool>() const;
template std::span<const float> Tensor::data<const float>() const;
template std::span<const double> Tensor::data<const double>() const;
template std::span<const std::int64_t> Tensor::data<const std::int64_t>() const;
template std::span<const bool> Tensor::data<const bool>() const;

}  // namespace gradus
