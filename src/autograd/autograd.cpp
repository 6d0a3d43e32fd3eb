#include "gradus/autograd.hpp"

#include "autograd/record.hpp"

namespace gradus {

bool is_grad_enabled() { return grad_enabled; }

NoGrad::NoGrad() : previous_(std::exchange(grad_enabled, false)) {}
NoGrad::~NoGrad() { grad_enabled = previous_; }

EnableGrad::EnableGrad() : previous_(std::exchange(grad_enabled, true)) {}
EnableGrad::~EnableGrad() { grad_enabled = previous_; }

bool Tensor::requires_grad() const { return needs_grad(*this); }
bool Tensor::is_leaf() const { return !impl(*this).node; }

Tensor& Tensor::set_requires_grad(bool requires_grad) {
  TensorImpl& t = impl(*this);
  if (t.node) {
    if (requires_grad) return *this;
    fail("set_requires_grad: only leaves can stop requiring a gradient, this is the result of '{}'; use detach()",
         t.node->name);
  }
  if (requires_grad && !is_floating_point(t.dtype)) {
    fail("set_requires_grad: only floating dtypes have gradients, got {}", t.dtype);
  }
  t.requires_grad = requires_grad;
  if (requires_grad) t.base = Tensor();  // the tape holds such leaves, and must not hold what has a base
  return *this;
}

namespace {

// Where backward() leaves the gradient: at the leaf or, if a result retains it, at the op, which outlives its handles.
Tensor& grad_of(TensorImpl& t) {
  const bool retained = t.node && t.node->extras && t.node->extras->retains_grad;
  return retained ? t.node->extras->grad : t.grad;
}

Hooks& hooks_of(TensorImpl& t) {
  if (t.node) return t.node->with_extras().hooks;
  if (!t.hooks) t.hooks = std::make_unique<Hooks>();
  return *t.hooks;
}

}  // namespace

Tensor Tensor::grad() const { return grad_of(impl(*this)); }

void Tensor::set_grad(const Tensor& grad) {
  TensorImpl& t = impl(*this);
  if (grad.defined() && (grad.shape() != t.shape || grad.dtype() != t.dtype)) {
    fail("set_grad: the gradient must be {} {}, got {} {}", t.dtype, t.shape, grad.dtype(), grad.shape());
  }
  grad_of(t) = grad;
}

void Tensor::zero_grad() { grad_of(impl(*this)) = Tensor(); }

void Tensor::retain_grad() const {
  if (!needs_grad(*this)) fail("retain_grad: a tensor that requires no gradient has none to retain");
  refuse_stale("retain_grad", *this);
  if (const NodeRef& node = impl(*this).node) node->with_extras().retains_grad = true;
}

bool Tensor::retains_grad() const {
  const NodeRef& node = impl(*this).node;
  return node && node->extras && node->extras->retains_grad;
}

Tensor Tensor::detach() const { return alias(*this); }

int Tensor::register_hook(std::function<Tensor(const Tensor&)> hook) const {
  TensorImpl& t = impl(*this);
  if (!needs_grad(*this)) fail("register_hook: a tensor that requires no gradient has none to see");
  refuse_stale("register_hook", *this);
  const int id = next_hook_id();
  hooks_of(t).list.emplace_back(id, std::move(hook));
  return id;
}

void Tensor::remove_hook(int id) const {
  const auto removed = std::erase_if(hooks_of(impl(*this)).list, [id](const auto& entry) { return entry.first == id; });
  if (removed == 0) fail("remove_hook: no hook {} on this tensor", id);
}

}  // namespace gradus
