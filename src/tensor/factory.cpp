#include "gradus/factory.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "tensor/impl.hpp"

namespace gradus {
namespace {

template <class T>
T cast(double value) {
  if constexpr (std::is_same_v<T, bool>)
    return value != 0;
  else
    return static_cast<T>(value);
}

void check_integer(const char* op, Dtype dtype, double value) {
  if (dtype == int64 && (!(std::abs(value) <= 0x1p62) || value != std::trunc(value))) {
    fail("{}: {} is no int64", op, value);
  }
}

// Fills a new tensor with rule(i), computed in double.
template <class Rule>
Tensor generate(const char* op, const Shape& shape, Dtype dtype, bool requires_grad, const Rule& rule) {
  Tensor out = make_tensor(shape, dtype);
  dispatch(dtype, [&]<class T>() {
    T* const values = data_of<T>(out);
    for (std::int64_t i = 0; i < out.numel(); ++i) {
      const double value = rule(i);
      check_integer(op, dtype, value);
      values[i] = cast<T>(value);
    }
  });
  if (requires_grad) out.set_requires_grad();
  return out;
}

Tensor filled(const Shape& shape, double value, Dtype dtype, bool requires_grad) {
  check_integer("full", dtype, value);
  Tensor out = make_tensor(shape, dtype);
  dispatch(dtype, [&]<class T>() { std::fill_n(data_of<T>(out), out.numel(), cast<T>(value)); });
  if (requires_grad) out.set_requires_grad();
  return out;
}

TensorOptions options_of(const Tensor& like, const ValueOptions& options) {
  return {options.dtype.value_or(like.dtype()), options.requires_grad};
}

// The shape of nested lists: the first item of each level decides.
Shape shape_of(const Nested& values) {
  Shape shape;
  const Nested* level = &values;
  while (level->is_list()) {
    shape.push_back(static_cast<std::int64_t>(level->items().size()));
    if (level->items().empty()) break;
    level = level->items().data();
  }
  return shape;
}

// Copies the leaves in order and checks that every list has the length that its level demands.
class Flattener {
 public:
  explicit Flattener(const Shape& shape) : shape_(shape) {}

  void visit(const Nested& values, std::int64_t depth) {
    if (!values.is_list()) {
      if (depth != shape_.size()) fail("tensor: a number where shape {} has a list of {}", shape_, shape_[depth]);
      leaves.push_back(&values);
      dtype = std::max(dtype, values.dtype(), [](Dtype a, Dtype b) { return rank(a) < rank(b); });
      return;
    }
    const auto length = static_cast<std::int64_t>(values.items().size());
    if (depth == shape_.size()) fail("tensor: a list of {} where shape {} has a number", length, shape_);
    if (length != shape_[depth]) {
      fail("tensor: lists differ in length: {} where the first of that level has {}", length, shape_[depth]);
    }
    for (const Nested& item : values.items()) visit(item, depth + 1);
  }

  std::vector<const Nested*> leaves;
  Dtype dtype = boolean;

 private:
  static int rank(Dtype dtype) { return dtype == boolean ? 0 : dtype == int64 ? 1 : 2; }

  Shape shape_;
};

}  // namespace

Tensor empty(const Shape& shape, const TensorOptions& options) {
  Tensor out = make_tensor(shape, options.dtype);
  if (options.requires_grad) out.set_requires_grad();
  return out;
}

Tensor zeros(const Shape& shape, const TensorOptions& options) {
  Tensor out = empty(shape, options);
  if (out.numel() > 0) std::memset(impl(out).storage->data(), 0, impl(out).storage->bytes);
  return out;
}

Tensor full(const Shape& shape, double value, const TensorOptions& options) {
  return filled(shape, value, options.dtype, options.requires_grad);
}

Tensor ones(const Shape& shape, const TensorOptions& options) { return full(shape, 1, options); }
Tensor empty_like(const Tensor& like, const ValueOptions& options) {
  return empty(like.shape(), options_of(like, options));
}
Tensor zeros_like(const Tensor& like, const ValueOptions& options) {
  return zeros(like.shape(), options_of(like, options));
}
Tensor ones_like(const Tensor& like, const ValueOptions& options) {
  return ones(like.shape(), options_of(like, options));
}
Tensor full_like(const Tensor& like, double value, const ValueOptions& options) {
  return full(like.shape(), value, options_of(like, options));
}

Tensor arange(double end, const ValueOptions& options) { return arange(0, end, 1, options); }

Tensor arange(double start, double end, double step, const ValueOptions& options) {
  const double count = std::ceil((end - start) / step);
  if (!(step != 0) || !std::isfinite(count)) fail("arange: no steps of {} lead from {} to {}", step, start, end);
  if (count < 0) fail("arange: steps of {} lead away from {} on the way from {}", step, end, start);
  const auto whole = [](double x) { return x == std::trunc(x); };
  const Dtype deduced = whole(start) && whole(end) && whole(step) ? int64 : float32;
  if (count > 0x1p60) fail("arange: {} steps are too many for memory", count);
  return generate("arange", {static_cast<std::int64_t>(count)}, options.dtype.value_or(deduced), options.requires_grad,
                  [=](std::int64_t i) { return start + static_cast<double>(i) * step; });
}

Tensor linspace(double start, double end, std::int64_t steps, const TensorOptions& options) {
  if (steps < 0) fail("linspace: the number of steps must not be negative, got {}", steps);
  const double gap = steps > 1 ? (end - start) / static_cast<double>(steps - 1) : 0;
  // From both ends towards the middle, so that the last value is exactly `end`.
  return generate("linspace", {steps}, options.dtype, options.requires_grad, [=](std::int64_t i) {
    return i < steps / 2 || steps == 1 ? start + gap * static_cast<double>(i)
                                       : end - gap * static_cast<double>(steps - 1 - i);
  });
}

Tensor eye(std::int64_t n, const TensorOptions& options) { return eye(n, n, options); }

Tensor eye(std::int64_t n, std::int64_t m, const TensorOptions& options) {
  return generate("eye", {n, m}, options.dtype, options.requires_grad,
                  [m](std::int64_t i) { return i / m == i % m ? 1.0 : 0.0; });
}

Tensor tensor(std::initializer_list<Nested> values, const ValueOptions& options) {
  return detail::tensor_from(Nested(values), options);
}

namespace detail {

Tensor tensor_from(const Nested& values, const ValueOptions& options) {
  const Shape shape = shape_of(values);
  Flattener flat(shape);
  flat.visit(values, 0);
  const Dtype deduced = flat.leaves.empty() ? float32 : flat.dtype;
  Tensor out = make_tensor(shape, options.dtype.value_or(deduced));
  dispatch(out.dtype(), [&]<class T>() {
    T* to = data_of<T>(out);
    for (const Nested* leaf : flat.leaves) {
      if constexpr (std::is_same_v<T, std::int64_t>) {
        if (leaf->dtype() == float32) check_integer("tensor", int64, leaf->value());
        *to++ = leaf->dtype() == float32 ? static_cast<T>(leaf->value()) : leaf->integer();
      } else {
        *to++ = cast<T>(leaf->value());
      }
    }
  });
  if (options.requires_grad) out.set_requires_grad();
  return out;
}

Tensor tensor_from(const void* values, Dtype dtype, std::int64_t count, const Shape& shape,
                   const ValueOptions& options) {
  Tensor out = make_tensor(shape, dtype);
  if (out.numel() != count) fail("tensor: {} values do not fill shape {}", count, shape);
  if (count > 0) std::memcpy(impl(out).storage->data(), values, static_cast<std::size_t>(count) * size_of(dtype));
  if (options.dtype) out = out.to(*options.dtype);
  if (options.requires_grad) out.set_requires_grad();
  return out;
}

}  // namespace detail
}  // namespace gradus
