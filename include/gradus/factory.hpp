// Tensors from values and from rules.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <vector>

#include "gradus/tensor.hpp"

namespace gradus {

struct TensorOptions {
  Dtype dtype = float32;
  bool requires_grad = false;
};

// For factories that take their dtype from the values when none is asked for.
struct ValueOptions {
  std::optional<Dtype> dtype = {};
  bool requires_grad = false;
};

Tensor empty(const Shape& shape, const TensorOptions& options = {});  // uninitialised
Tensor zeros(const Shape& shape, const TensorOptions& options = {});
Tensor ones(const Shape& shape, const TensorOptions& options = {});
Tensor full(const Shape& shape, double value, const TensorOptions& options = {});
// Of another tensor's shape, and of its dtype unless another is asked for.
Tensor empty_like(const Tensor& like, const ValueOptions& options = {});
Tensor zeros_like(const Tensor& like, const ValueOptions& options = {});
Tensor ones_like(const Tensor& like, const ValueOptions& options = {});
Tensor full_like(const Tensor& like, double value, const ValueOptions& options = {});

// 0, 1, ..., end - 1; or start, start + step, ... below end. Integers by default, float32 if a bound has a fraction.
Tensor arange(double end, const ValueOptions& options = {});
Tensor arange(double start, double end, double step = 1, const ValueOptions& options = {});

// `steps` values from start to end, both included.
Tensor linspace(double start, double end, std::int64_t steps, const TensorOptions& options = {});

// The identity matrix (n, n), or (n, m).
Tensor eye(std::int64_t n, const TensorOptions& options = {});
Tensor eye(std::int64_t n, std::int64_t m, const TensorOptions& options = {});

// One value or a braced list of values or of lists, as deep as the tensor has dims: {{1, 2}, {3, 4}}.
class Nested {
 public:
  template <class T>
  requires std::is_arithmetic_v<T> Nested(T value)
      : dtype_(deduce<T>()), value_(static_cast<double>(value)), integer_(to_integer(value)) {}
  Nested(std::initializer_list<Nested> items) : is_list_(true), items_(items) {}

  bool is_list() const { return is_list_; }
  std::span<const Nested> items() const { return items_; }
  Dtype dtype() const { return dtype_; }
  double value() const { return value_; }
  std::int64_t integer() const { return integer_; }

 private:
  template <class T>
  static constexpr Dtype deduce() {
    if constexpr (std::is_same_v<T, bool>)
      return boolean;
    else
      return std::is_integral_v<T> ? int64 : float32;
  }
  template <class T>
  static constexpr std::int64_t to_integer(T value) {
    if constexpr (std::is_integral_v<T>)
      return static_cast<std::int64_t>(value);
    else
      return 0;
  }

  bool is_list_ = false;
  Dtype dtype_ = float32;
  double value_ = 0;
  std::int64_t integer_ = 0;
  std::vector<Nested> items_;
};

// tensor({{1, 2}, {3, 4}}) is int64, tensor({1.0, 2.5}) float32, tensor({true}) boolean, tensor(3.0) 0-d.
// Throws if rows differ in length.
Tensor tensor(std::initializer_list<Nested> values, const ValueOptions& options = {});

// A copy of the values, with the dtype of T, of the given shape. Throws if the sizes don't match.
template <class T>
Tensor tensor(std::span<const T> values, const Shape& shape, const ValueOptions& options = {});

template <class T>
requires std::is_arithmetic_v<T> Tensor tensor(T value, const ValueOptions& options = {});

template <class T>
Tensor tensor(const std::vector<T>& values, const ValueOptions& options = {}) {
  return tensor(std::span<const T>(values), {static_cast<std::int64_t>(values.size())}, options);
}

namespace detail {
Tensor tensor_from(const Nested& values, const ValueOptions& options);
Tensor tensor_from(const void* values, Dtype dtype, std::int64_t count, const Shape& shape,
                   const ValueOptions& options);
}  // namespace detail

template <class T>
Tensor tensor(std::span<const T> values, const Shape& shape, const ValueOptions& options) {
  return detail::tensor_from(values.data(), dtype_of<T>, static_cast<std::int64_t>(values.size()), shape, options);
}

template <class T>
requires std::is_arithmetic_v<T> Tensor tensor(T value, const ValueOptions& options) {
  return detail::tensor_from(Nested(value), options);
}

}  // namespace gradus
