// What a Tensor handle points to: storage, shape, strides, dtype, history.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "gradus/tensor.hpp"
#include "storage/format.hpp"
#include "storage/storage.hpp"

namespace gradus {

// A node of the tape: the autograd floor defines it, this floor only owns it.
struct Node;
class NodeRef {
 public:
  NodeRef() = default;
  explicit NodeRef(Node* adopted) : node_(adopted) {}
  NodeRef(const NodeRef& other) noexcept;
  NodeRef(NodeRef&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
  NodeRef& operator=(NodeRef other) noexcept {
    std::swap(node_, other.node_);
    return *this;
  }
  ~NodeRef() {
    if (node_) release();
  }
  Node* get() const { return node_; }
  Node* operator->() const { return node_; }
  explicit operator bool() const { return node_ != nullptr; }

 private:
  void release() noexcept;

  Node* node_ = nullptr;
};

// Functions that see a gradient on its way, by id.
struct Hooks {
  std::vector<std::pair<int, std::function<Tensor(const Tensor&)>>> list;
};

struct TensorImpl : detail::Counted {
  Dtype dtype = float32;
  bool requires_grad = false;  // asked for by the user: leaves only
  bool is_view = false;        // shares its storage with the tensor it was made from
  std::uint32_t rewrites = 0;  // of the storage when this view was made
  std::int64_t numel = 0;
  std::int64_t offset = 0;  // in elements
  Shape shape;
  Shape strides;
  Ref<Storage> storage;
  NodeRef node;  // the op that computed this tensor; none for leaves
  // Of a view: the tensor, itself no view, whose history changes when this one is written to while recording. The tape
  // never holds a tensor that has a base, so there are no cycles.
  Tensor base;
  Tensor grad;
  std::unique_ptr<Hooks> hooks;  // of leaves; those of others live in their node

  template <class T>
  T* data() const {
    return static_cast<T*>(storage->data()) + offset;
  }
};

// The impl behind a handle; throws if it is undefined.
inline TensorImpl& impl(const Tensor& tensor) {
  if (!tensor.defined()) fail("tensor: an undefined tensor was used");
  return *static_cast<TensorImpl*>(tensor.handle());
}

template <class T>
T* data_of(const Tensor& tensor) {
  return impl(tensor).data<T>();
}

// A new tensor of uninitialised contiguous memory. Throws if a size is negative or the product overflows.
Tensor make_tensor(const Shape& shape, Dtype dtype);

// Another tensor over the same memory, without history.
Tensor make_view(const Tensor& base, const Shape& shape, const Shape& strides, std::int64_t offset);
Tensor alias(const Tensor& tensor);

// Gives a leaf the memory of `data`, which nobody else holds, with its dtype, shape and strides. Every handle to the
// leaf sees it, and so does who saved it: the version has moved on.
void set_data(const Tensor& leaf, const Tensor& data);

bool is_contiguous(const Shape& shape, const Shape& strides);

inline void bump_version(const Tensor& tensor) { ++impl(tensor).storage->version; }

// True if writing into it can be seen by nobody but this handle.
inline bool is_exclusive(const Tensor& tensor) {
  const TensorImpl& t = impl(tensor);
  return t.references.load(std::memory_order_acquire) == 1 && t.storage->unique() && !t.hooks;
}

// dim in [-dims, dims) -> [0, dims). A 0-d tensor counts as having one dim.
std::int64_t wrap_dim(const char* op, std::int64_t dim, std::int64_t dims);
// The same for a dim that is to be inserted, in [-dims - 1, dims].
std::int64_t wrap_new_dim(const char* op, std::int64_t dim, std::int64_t dims);

// Calls f.template operator()<T>() with the C++ type of the dtype.
template <class F>
decltype(auto) dispatch(Dtype dtype, const F& f) {
  switch (dtype) {
    case Dtype::float32:
      return f.template operator()<float>();
    case Dtype::float64:
      return f.template operator()<double>();
    case Dtype::int64:
      return f.template operator()<std::int64_t>();
    case Dtype::boolean:
      break;
  }
  return f.template operator()<bool>();
}

// As dispatch, for an op that exists for float32 and float64 only.
template <class F>
decltype(auto) dispatch_floating(const char* op, Dtype dtype, const F& f) {
  if (dtype == Dtype::float64) return f.template operator()<double>();
  if (dtype != Dtype::float32) fail("{}: a floating dtype is needed, got {}", op, dtype);
  return f.template operator()<float>();
}

// As dispatch, for an op on numbers: not boolean.
template <class F>
decltype(auto) dispatch_numeric(const char* op, Dtype dtype, const F& f) {
  if (dtype == Dtype::boolean) fail("{}: a numeric dtype is needed, got bool", op);
  if (dtype == Dtype::float64) return f.template operator()<double>();
  if (dtype == Dtype::int64) return f.template operator()<std::int64_t>();
  return f.template operator()<float>();
}

}  // namespace gradus
