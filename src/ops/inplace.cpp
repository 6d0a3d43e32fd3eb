// In-place forms. Without recording they write straight into the memory. With recording the new value is computed from
// a copy that keeps the old history, and this tensor takes over the result's; parts.hpp has more about views.

#include "ops/inplace.hpp"
#include "autograd/record.hpp"
#include "gradus/autograd.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "ops/copy.hpp"
#include "ops/elementwise.hpp"
#include "ops/parts.hpp"

namespace gradus {
namespace {

using kernels::Binary;
using kernels::Unary;

void check_result(const char* name, const Tensor& self, const Tensor& result) {
  if (result.shape() != self.shape() || result.dtype() != self.dtype()) {
    fail("{}: the result is {} {}, the tensor written to {} {}", name, result.dtype(), result.shape(), self.dtype(),
         self.shape());
  }
}

// While recording, a view that an earlier write has left behind may not be written to: whose history would change?
void check_target(const char* name, const Tensor& self) {
  check_writable(name, self);
  if (grad_enabled && detail::is_stale(self)) detail::fail_stale(name, self);
}

template <class Compute>
void rewrite_recorded(Tensor& self, const char* name, const Compute& compute) {
  TensorImpl& t = impl(self);
  if (t.requires_grad) {
    fail("{}: a leaf that requires a gradient cannot be changed in place; do it under NoGrad", name);
  }
  if (t.is_view) check_rewritable_part(name, self);
  // A copy: derivatives may save it, and it must survive the write below.
  Tensor before = make_tensor(t.shape, t.dtype);
  copy_values(before, self);
  impl(before).node = t.node;
  Tensor result = compute(before);
  check_result(name, self, result);
  if (t.is_view) return rewrite_part(self, name, result);
  copy_values(self, result);
  bump_version(self);
  ++t.storage->rewrites;
  t.node = impl(result).node;
  if (t.node) t.node->name = name;
  hand_on_retained_grad(impl(before).node.get(), t.node.get());
}

// True if `other` shares memory with self other than element for element.
bool overlaps(const Tensor& self, const Tensor& other) {
  const TensorImpl& a = impl(self);
  const TensorImpl& b = impl(other);
  return a.storage == b.storage && !(a.offset == b.offset && a.shape == b.shape && a.strides == b.strides);
}

// `write` is the fast way, straight into the memory; it may be taken when no tensor needs converting or broadcasting.
template <class Compute, class Write>
Tensor& rewrite(Tensor& self, const char* name, const Tensor* other, const Compute& compute, const Write& write) {
  check_target(name, self);
  if (grad_enabled && (needs_grad(self) || (other != nullptr && needs_grad(*other)))) {
    rewrite_recorded(self, name, compute);
    return self;
  }
  const NoGrad guard;
  bool direct = self.is_contiguous() && self.dtype() != boolean;
  if (other != nullptr) {
    direct = direct && other->dtype() == self.dtype() && !overlaps(self, *other) &&
             (other->shape() == self.shape() || broadcast_shapes(name, self.shape(), other->shape()) == self.shape());
  }
  if (direct) {
    write();
  } else {
    const Tensor result = compute(self);
    check_result(name, self, result);
    copy_values(self, result);
  }
  bump_version(self);
  return self;
}

// In x.mul_(x) the other operand is what x was before, too. (Saving self in its own history would be a cycle.)
const Tensor& operand(const Tensor& self, const Tensor& before, const Tensor& other) {
  return other.is(self) ? before : other;
}

Tensor& rewrite_binary(Tensor& self, const char* name, Binary op, const Tensor& other,
                       Tensor (*compute)(const Tensor&, const Tensor&)) {
  return rewrite(
      self, name, &other, [&](const Tensor& x) { return compute(x, operand(self, x, other)); },
      [&] { apply_into(self, name, op, self, other); });
}

Tensor& rewrite_scalar(Tensor& self, const char* name, Binary op, double value,
                       Tensor (*compute)(const Tensor&, double)) {
  return rewrite(
      self, name, nullptr, [&](const Tensor& x) { return compute(x, value); },
      [&] { apply_into(self, name, op, self, value); });
}

Tensor& rewrite_unary(Tensor& self, const char* name, Unary op, Tensor (*compute)(const Tensor&)) {
  return rewrite(self, name, nullptr, compute, [&] {
    if (self.dtype() == int64 && op != Unary::neg && op != Unary::relu) {
      fail("{}: a floating dtype is needed, got {}", name, self.dtype());
    }
    apply_into(self, op, self);
  });
}

Tensor& overwrite(Tensor& self, const char* name, const Tensor& source) {
  check_target(name, self);
  if (broadcast_shapes(name, self.shape(), source.shape()) != self.shape()) {
    fail("{}: shape {} does not broadcast to {}", name, source.shape(), self.shape());
  }
  if (grad_enabled && is_floating_point(self.dtype()) && (needs_grad(self) || needs_grad(source))) {
    rewrite_recorded(self, name, [&](const Tensor& before) {
      Tensor value = make_tensor(self.shape(), self.dtype());
      copy_values(value, source);
      return record(name, value, wrt(before, [](const Tensor& g) { return zeros_like(g); }),
                    wrt(source, [from = source.dtype()](const Tensor& g) { return g.to(from); }));
    });
    return self;
  }
  copy_values(self, overlaps(self, source) ? source.detach().clone() : source);
  bump_version(self);
  return self;
}

Tensor divide(const Tensor& a, const Tensor& b) { return a / b; }

void check_divisible(const char* name, const Tensor& self) {
  if (!is_floating_point(self.dtype())) fail("{}: a quotient does not fit into {}", name, self.dtype());
}

}  // namespace

void check_writable(const char* name, const Tensor& self) {
  const TensorImpl& t = impl(self);
  for (std::int64_t i = 0; i < t.shape.size(); ++i) {
    if (t.strides[i] == 0 && t.shape[i] > 1) {
      fail("{}: an expanded tensor cannot be written: shape {}, strides {}; use clone()", name, t.shape, t.strides);
    }
  }
}

Tensor& Tensor::add_(const Tensor& other, double alpha) {
  return rewrite(
      *this, "add_", &other, [&](const Tensor& x) { return gradus::add(x, operand(*this, x, other), alpha); },
      [&] { apply_add_scaled_into(*this, "add_", *this, other, alpha); });
}

Tensor& Tensor::sub_(const Tensor& other, double alpha) {
  return rewrite(
      *this, "sub_", &other, [&](const Tensor& x) { return gradus::sub(x, operand(*this, x, other), alpha); },
      [&] { apply_add_scaled_into(*this, "sub_", *this, other, -alpha); });
}

Tensor& Tensor::mul_(const Tensor& other) { return rewrite_binary(*this, "mul_", Binary::mul, other, gradus::mul); }
Tensor& Tensor::div_(const Tensor& other) {
  check_divisible("div_", *this);
  return rewrite_binary(*this, "div_", Binary::div, other, divide);
}
Tensor& Tensor::add_(double value) { return rewrite_scalar(*this, "add_", Binary::add, value, gradus::operator+); }
Tensor& Tensor::sub_(double value) { return rewrite_scalar(*this, "sub_", Binary::sub, value, gradus::operator-); }
Tensor& Tensor::mul_(double value) { return rewrite_scalar(*this, "mul_", Binary::mul, value, gradus::operator*); }
Tensor& Tensor::div_(double value) {
  check_divisible("div_", *this);
  return rewrite_scalar(*this, "div_", Binary::div, value, gradus::operator/);
}
Tensor& Tensor::pow_(double exponent) {
  if (dtype() == int64) return copy_(gradus::pow(*this, exponent));  // with its look at the exponent
  return rewrite_scalar(*this, "pow_", Binary::pow, exponent, gradus::pow);
}
Tensor& Tensor::neg_() { return rewrite_unary(*this, "neg_", Unary::neg, gradus::neg); }
Tensor& Tensor::exp_() { return rewrite_unary(*this, "exp_", Unary::exp, gradus::exp); }
Tensor& Tensor::sqrt_() { return rewrite_unary(*this, "sqrt_", Unary::sqrt, gradus::sqrt); }
Tensor& Tensor::relu_() { return rewrite_unary(*this, "relu_", Unary::relu, gradus::relu); }
Tensor& Tensor::sigmoid_() { return rewrite_unary(*this, "sigmoid_", Unary::sigmoid, gradus::sigmoid); }
Tensor& Tensor::tanh_() { return rewrite_unary(*this, "tanh_", Unary::tanh, gradus::tanh); }

Tensor& Tensor::clamp_(std::optional<double> min, std::optional<double> max) {
  return rewrite(
      *this, "clamp_", nullptr, [&](const Tensor& x) { return gradus::clamp(x, min, max); },
      [&] { copy_values(*this, gradus::clamp(*this, min, max)); });
}

Tensor& Tensor::copy_(const Tensor& source) { return overwrite(*this, "copy_", source); }
Tensor& Tensor::fill_(double value) { return overwrite(*this, "fill_", full({}, value, {.dtype = dtype()})); }
Tensor& Tensor::zero_() { return overwrite(*this, "zero_", full({}, 0, {.dtype = dtype()})); }

}  // namespace gradus
