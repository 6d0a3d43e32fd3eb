#include "gradus/autograd.hpp"

#include "autograd/node.hpp"

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
  return *this;
}

Tensor Tensor::grad() const { return impl(*this).grad; }

void Tensor::set_grad(const Tensor& grad) {
  TensorImpl& t = impl(*this);
  if (grad.defined() && (grad.shape() != t.shape || grad.dtype() != t.dtype)) {
    fail("set_grad: the gradient must be {} {}, got {} {}", t.dtype, t.shape, grad.dtype(), grad.shape());
  }
  t.grad = grad;
}

void Tensor::zero_grad() { impl(*this).grad = Tensor(); }

Tensor Tensor::detach() const { return alias(*this); }

int Tensor::register_hook(std::function<Tensor(const Tensor&)> hook) const {
  TensorImpl& t = impl(*this);
  if (!needs_grad(*this)) fail("register_hook: a tensor that requires no gradient has none to see");
  std::unique_ptr<Hooks>& hooks = t.node ? t.node->hooks : t.hooks;
  if (!hooks) hooks = std::make_unique<Hooks>();
  hooks->list.emplace_back(hooks->next_id, std::move(hook));
  return hooks->next_id++;
}

void Tensor::remove_hook(int id) const {
  TensorImpl& t = impl(*this);
  std::unique_ptr<Hooks>& hooks = t.node ? t.node->hooks : t.hooks;
  const auto removed = hooks ? std::erase_if(hooks->list, [id](const auto& entry) { return entry.first == id; }) : 0;
  if (removed == 0) fail("remove_hook: no hook {} on this tensor", id);
}

}  // namespace gradus
