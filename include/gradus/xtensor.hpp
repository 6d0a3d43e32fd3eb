// The bridge to xtensor, for code that already uses it. Not part of gradus.hpp: only this header pulls xtensor in.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

// The headers moved into folders after 0.25.
#if __has_include(<xtensor/containers/xadapt.hpp>)
#include <xtensor/containers/xadapt.hpp>
#include <xtensor/core/xexpression.hpp>
#include <xtensor/views/xstrided_view.hpp>
#else
#include <xtensor/xadapt.hpp>
#include <xtensor/xexpression.hpp>
#include <xtensor/xstrided_view.hpp>
#endif

#include "gradus/factory.hpp"
#include "gradus/tensor.hpp"

namespace gradus {
namespace detail {

template <class Value>
struct TensorElement {
  static_assert(std::is_integral_v<Value> || std::is_same_v<Value, float> || std::is_same_v<Value, double>,
                "from_xtensor takes expressions of float, double, integers or bool");
  using type = std::conditional_t<std::is_integral_v<Value> && !std::is_same_v<Value, bool>, std::int64_t, Value>;
};

// The address of element (0, ..., 0), also of tensors that are not contiguous; null if there is none.
template <class T>
T* first_element(Tensor tensor) {
  if (tensor.numel() == 0) return nullptr;
  while (tensor.dim() > 0) tensor = tensor.select(0, 0);
  return tensor.data<T>().data();
}

}  // namespace detail

// A tensor with a copy of an expression's values, of its shape: float gives float32, double float64, bool boolean, any
// other integer type int64. Lazy expressions are evaluated on the way. Throws beyond 8 dims, and if an unsigned value
// does not fit into int64.
template <class E>
Tensor from_xtensor(const xt::xexpression<E>& expression) {
  using Value = std::remove_cv_t<typename E::value_type>;
  using T = typename detail::TensorElement<Value>::type;
  const E& e = expression.derived_cast();
  Shape shape;
  for (const auto size : e.shape()) shape.push_back(static_cast<std::int64_t>(size));
  Tensor result = empty(shape, {.dtype = dtype_of<T>});
  const auto convert = [](Value value) {
    if constexpr (std::is_unsigned_v<Value> && sizeof(Value) == sizeof(T) && !std::is_same_v<T, bool>) {
      if (static_cast<T>(value) < 0) throw Error("from_xtensor: int64 cannot hold " + std::to_string(value));
    }
    return static_cast<T>(value);
  };
  std::transform(e.template cbegin<xt::layout_type::row_major>(), e.template cend<xt::layout_type::row_major>(),
                 result.data<T>().begin(), convert);
  return result;
}

// An xtensor view of a tensor's own memory, without a copy: it has the tensor's shape and strides and keeps the memory
// alive, so the tensor may be a temporary. Assigning to it writes into the tensor; as with data<T>(), autograd does not
// notice. Throws unless T is the C++ type of the tensor's dtype.
template <class T>
auto as_xtensor(const Tensor& tensor) {
  if (tensor.dtype() != dtype_of<T>) {
    throw Error("as_xtensor: the tensor is " + std::string(to_string(tensor.dtype())) + ", not " +
                std::string(to_string(dtype_of<T>)));
  }
  const Tensor owner = tensor.detach();
  // Not xt::dynamic_shape: xtensor 0.24 takes its inline capacity for a fixed rank when it makes temporaries.
  std::vector<std::size_t> shape;
  std::vector<std::ptrdiff_t> strides;
  std::size_t last = 0;  // offset of the last element
  for (std::int64_t dim = 0; dim < owner.dim(); ++dim) {
    const std::int64_t size = owner.shape()[dim];
    const std::int64_t stride = size == 1 ? 0 : owner.strides()[dim];  // xtensor broadcasts by a stride of 0
    shape.push_back(static_cast<std::size_t>(size));
    strides.push_back(static_cast<std::ptrdiff_t>(stride));
    if (size > 0) last += static_cast<std::size_t>((size - 1) * stride);
  }
  const std::vector<std::size_t> length{owner.numel() == 0 ? 0 : last + 1};
  auto memory = xt::adapt_smart_ptr(detail::first_element<T>(owner), length, std::make_shared<Tensor>(owner));
  const auto layout = owner.is_contiguous() ? xt::layout_type::row_major : xt::layout_type::dynamic;
  return xt::strided_view(std::move(memory), std::move(shape), std::move(strides), 0, layout);
}

}  // namespace gradus
