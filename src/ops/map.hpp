// Any function of numbers as a pointwise op: for those that are too rarely hot to deserve a vector kernel.
//
//   map("tan", x, [](auto v) { return std::tan(v); })
//   map("atan2", y, x, [](auto u, auto v) { return std::atan2(u, v); })
#pragma once

#include <array>
#include <cstdint>
#include <utility>

#include "ops/rows.hpp"

namespace gradus {

// y[i] = f(x[i], ...) for one row; neighbours of operand k are strides[k] apart.
template <class T, class F, std::size_t... k>
void map_row(const F& f, T* y, const std::array<const T*, sizeof...(k)>& x,
             const std::array<std::int64_t, sizeof...(k)>& strides, std::int64_t n, std::index_sequence<k...>) {
  if (((strides[k] == 1) && ...)) {
    for (std::int64_t i = 0; i < n; ++i) y[i] = f(x[k][i]...);
  } else {
    for (std::int64_t i = 0; i < n; ++i) y[i] = f(x[k][i * strides[k]]...);
  }
}

// The operands broadcast; all of them are of the dtype that T stands for.
template <class T, class F, class... Operands>
Tensor map_as([[maybe_unused]] const char* op, const F& f, const Tensor& first, const Operands&... more) {
  constexpr std::size_t count = 1 + sizeof...(more);
  constexpr auto indices = std::make_index_sequence<count>();
  Shape shape = first.shape();
  ((shape = broadcast_shapes(op, shape, more.shape())), ...);
  Tensor out = make_tensor(shape, first.dtype());
  const std::array<const T*, count> data{data_of<T>(first), data_of<T>(more)...};
  const Rows<count + 1> rows(shape,
                             {out.strides(), broadcast_strides(first, shape), broadcast_strides(more, shape)...});
  T* const to = data_of<T>(out);
  std::array<std::int64_t, count> strides;
  for (std::size_t k = 0; k < count; ++k) strides[k] = rows.stride(k + 1);
  rows.run([&](const auto& offset, std::int64_t n) {
    std::array<const T*, count> from;
    for (std::size_t k = 0; k < count; ++k) from[k] = data[k] + offset[k + 1];
    map_row(f, to + offset[0], from, strides, n, indices);
  });
  return out;
}

// For operands of a floating dtype: f is called with one, two or three floats or doubles.
template <class F>
Tensor map(const char* op, const Tensor& x, const F& f) {
  return dispatch_floating(op, x.dtype(), [&]<class T>() { return map_as<T>(op, f, x); });
}
template <class F>
Tensor map(const char* op, const Tensor& a, const Tensor& b, const F& f) {
  return dispatch_floating(op, a.dtype(), [&]<class T>() { return map_as<T>(op, f, a, b); });
}
template <class F>
Tensor map(const char* op, const Tensor& a, const Tensor& b, const Tensor& c, const F& f) {
  return dispatch_floating(op, a.dtype(), [&]<class T>() { return map_as<T>(op, f, a, b, c); });
}

}  // namespace gradus
