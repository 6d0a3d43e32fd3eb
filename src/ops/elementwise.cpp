#include "ops/elementwise.hpp"

#include <cmath>

#include "ops/copy.hpp"
#include "ops/rows.hpp"

namespace gradus {
namespace {

using kernels::table;

template <class Enum>
std::size_t at(Enum op) {
  return static_cast<std::size_t>(op);
}

// An operand whose neighbours lie in different cache lines (a large transpose) is laid out densely first: the tiled
// copy and the fast kernel together take a fraction of the strided reads. Everything else is read where it is.
Tensor readable(const Tensor& x) {
  const TensorImpl& t = impl(x);
  if (t.numel < 1024 || t.shape.size() < 2 || std::abs(t.strides.back()) < 8 || t.shape.back() == 1) return x;
  return dense(x);
}

// Runs y = f(a, b) with strides over the broadcast of a and b. Equal dense shapes, by far the most common, skip the
// rest.
template <class Y, class T, class F>
void run_binary(const Tensor& out, const Tensor& left, const Tensor& right, const F& kernel) {
  const Tensor a = readable(left);
  const Tensor b = readable(right);
  const TensorImpl& y = impl(out);
  const TensorImpl& ta = impl(a);
  const TensorImpl& tb = impl(b);
  Y* const py = y.data<Y>();
  const T* const pa = ta.data<T>();
  const T* const pb = tb.data<T>();
  if (ta.shape == y.shape && tb.shape == y.shape && a.is_contiguous() && b.is_contiguous()) {
    kernels::parallel_for(0, y.numel, parallel_grain, [&](std::int64_t begin, std::int64_t end) {
      kernel(py + begin, pa + begin, 1, pb + begin, 1, end - begin);
    });
    return;
  }
  const Rows<3> rows(y.shape, {y.strides, broadcast_strides(a, y.shape), broadcast_strides(b, y.shape)});
  const std::int64_t sa = rows.stride(1);
  const std::int64_t sb = rows.stride(2);
  rows.run(
      [&](const auto& offset, std::int64_t n) { kernel(py + offset[0], pa + offset[1], sa, pb + offset[2], sb, n); });
}

template <class Y, class T, class F>
void run_unary(const Tensor& out, const Tensor& operand, const F& kernel) {
  const Tensor x = readable(operand);
  const TensorImpl& y = impl(out);
  Y* const py = y.data<Y>();
  const T* const px = impl(x).data<T>();
  const Rows<2> rows(y.shape, {y.strides, impl(x).strides});
  const std::int64_t sx = rows.stride(1);
  rows.run([&](const auto& offset, std::int64_t n) { kernel(py + offset[0], px + offset[1], sx, n); });
}

template <class T, class F>
F* existing(const char* name, F* kernel) {
  if (kernel == nullptr) fail("{}: a floating dtype is needed, got {}", name, dtype_of<T>);
  return kernel;
}

}  // namespace

template <class T>
T scalar_as(const char* name, double value) {
  if constexpr (std::is_integral_v<T>) {
    if (!(std::abs(value) <= 0x1p62) || value != std::trunc(value)) {
      fail("{}: the scalar {} is no integer, but the tensor is {}; convert it with to(float32)", name, value,
           dtype_of<T>);
    }
  }
  return static_cast<T>(value);
}
template float scalar_as<float>(const char*, double);
template double scalar_as<double>(const char*, double);
template std::int64_t scalar_as<std::int64_t>(const char*, double);

std::pair<Tensor, Tensor> promoted(const char* name, const Tensor& a, const Tensor& b) {
  const Dtype da = a.dtype();
  const Dtype db = b.dtype();
  if (da == db) return {a, b};
  if (is_floating_point(da) && is_floating_point(db)) {
    fail("{}: dtypes differ: {} and {}; convert one with to()", name, da, db);
  }
  const auto rank = [](Dtype dtype) { return dtype == boolean ? 0 : dtype == int64 ? 1 : 2; };
  return rank(da) < rank(db) ? std::pair(a.to(db), b) : std::pair(a, b.to(da));
}

void apply_into(const Tensor& out, kernels::Unary op, const Tensor& x) {
  dispatch_numeric("in place", x.dtype(), [&]<class T>() { run_unary<T, T>(out, x, table<T>().unary[at(op)]); });
}

void apply_into(const Tensor& out, const char* name, kernels::Binary op, const Tensor& a, const Tensor& b) {
  dispatch_numeric(name, a.dtype(),
                   [&]<class T>() { run_binary<T, T>(out, a, b, existing<T>(name, table<T>().binary[at(op)])); });
}

void apply_into(const Tensor& out, const char* name, kernels::Binary op, const Tensor& a, double b) {
  dispatch_numeric(name, a.dtype(), [&]<class T>() {
    const auto kernel = existing<T>(name, table<T>().binary[at(op)]);
    const T scalar = scalar_as<T>(name, b);
    run_unary<T, T>(out, a,
                    [&](T* y, const T* x, std::int64_t sx, std::int64_t n) { kernel(y, x, sx, &scalar, 0, n); });
  });
}

void apply_add_scaled_into(const Tensor& out, const char* name, const Tensor& a, const Tensor& b, double alpha) {
  dispatch_numeric(name, a.dtype(), [&]<class T>() {
    const T factor = scalar_as<T>(name, alpha);
    run_binary<T, T>(out, a, b, [&](T* y, const T* pa, std::int64_t sa, const T* pb, std::int64_t sb, std::int64_t n) {
      table<T>().add_scaled(y, pa, sa, pb, sb, factor, n);
    });
  });
}

Tensor apply(const char* name, kernels::Unary op, const Tensor& x) {
  Tensor out = make_tensor(x.shape(), x.dtype());
  dispatch_numeric(name, x.dtype(),
                   [&]<class T>() { run_unary<T, T>(out, x, existing<T>(name, table<T>().unary[at(op)])); });
  return out;
}

Tensor apply(const char* name, kernels::Binary op, const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype()) {
    const auto [x, y] = promoted(name, a, b);
    return apply(name, op, x, y);
  }
  if (a.dtype() == boolean && (op == kernels::Binary::add || op == kernels::Binary::mul ||
                               op == kernels::Binary::maximum || op == kernels::Binary::minimum)) {
    return apply(name, op, a.to(int64), b.to(int64)).to(boolean);  // or, and, or, and
  }
  Tensor out =
      make_tensor(a.shape() == b.shape() ? a.shape() : broadcast_shapes(name, a.shape(), b.shape()), a.dtype());
  apply_into(out, name, op, a, b);
  return out;
}

Tensor apply(const char* name, kernels::Binary op, const Tensor& a, double b) {
  Tensor out = make_tensor(a.shape(), a.dtype());
  apply_into(out, name, op, a, b);
  return out;
}

Tensor apply(const char* name, kernels::Binary op, double a, const Tensor& b) {
  Tensor out = make_tensor(b.shape(), b.dtype());
  dispatch_numeric(name, b.dtype(), [&]<class T>() {
    const auto kernel = existing<T>(name, table<T>().binary[at(op)]);
    const T scalar = scalar_as<T>(name, a);
    run_unary<T, T>(out, b,
                    [&](T* y, const T* x, std::int64_t sx, std::int64_t n) { kernel(y, &scalar, 0, x, sx, n); });
  });
  return out;
}

Tensor apply(const char* name, kernels::Compare op, const Tensor& a, const Tensor& b) {
  const auto [pa, pb] = promoted(name, a, b);
  if (pa.dtype() == boolean) return apply(name, op, pa.to(int64), pb.to(int64));
  const Tensor &x = pa, &y = pb;
  Tensor out = make_tensor(broadcast_shapes(name, x.shape(), y.shape()), boolean);
  dispatch_numeric(name, x.dtype(), [&]<class T>() { run_binary<bool, T>(out, x, y, table<T>().compare[at(op)]); });
  return out;
}

Tensor apply(const char* name, kernels::Compare op, const Tensor& a, double b) {
  // An integer compared with a fraction, or with what int64 cannot hold, is compared as a number.
  const bool fits = b == std::trunc(b) && std::abs(b) <= 0x1p62;
  if (a.dtype() == boolean || (a.dtype() == int64 && !fits)) return apply(name, op, a.to(float64), b);
  Tensor out = make_tensor(a.shape(), boolean);
  dispatch_numeric(name, a.dtype(), [&]<class T>() {
    const T scalar = static_cast<T>(b);
    run_unary<bool, T>(out, a, [&](bool* y, const T* x, std::int64_t sx, std::int64_t n) {
      table<T>().compare[at(op)](y, x, sx, &scalar, 0, n);
    });
  });
  return out;
}

Tensor apply_add_scaled(const char* name, const Tensor& a, const Tensor& b, double alpha) {
  if (a.dtype() != b.dtype()) {
    const auto [x, y] = promoted(name, a, b);
    return apply_add_scaled(name, x, y, alpha);
  }
  Tensor out = make_tensor(broadcast_shapes(name, a.shape(), b.shape()), a.dtype());
  apply_add_scaled_into(out, name, a, b, alpha);
  return out;
}

Tensor apply_where(const Tensor& condition, const Tensor& a, const Tensor& b) {
  const Shape shape = broadcast_shapes("where", condition.shape(), broadcast_shapes("where", a.shape(), b.shape()));
  if (a.dtype() == boolean) return apply_where(condition, a.to(int64), b.to(int64)).to(boolean);
  Tensor out = make_tensor(shape, a.dtype());
  dispatch_numeric("where", a.dtype(), [&]<class T>() {
    T* const y = data_of<T>(out);
    const bool* const c = data_of<bool>(condition);
    const T* const pa = data_of<T>(a);
    const T* const pb = data_of<T>(b);
    const Rows<4> rows(shape, {out.strides(), broadcast_strides(condition, shape), broadcast_strides(a, shape),
                               broadcast_strides(b, shape)});
    rows.run([&](const auto& offset, std::int64_t n) {
      table<T>().where(y + offset[0], c + offset[1], rows.stride(1), pa + offset[2], rows.stride(2), pb + offset[3],
                       rows.stride(3), n);
    });
  });
  return out;
}

}  // namespace gradus
