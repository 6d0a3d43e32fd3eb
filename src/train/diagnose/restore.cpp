#include "train/diagnose/restore.hpp"

#include <utility>

#include "gradus/autograd.hpp"
#include "gradus/ops.hpp"
#include "tensor/impl.hpp"

namespace gradus::train::doctor {

Restore::Restore(nn::Module& model, optim::Optimizer* optimizer) : generator_(default_generator()), modes_(model) {
  const NoGrad guard;
  for (const Tensor& p : model.parameters()) kept_.push_back({p, p.detach().clone(), {}});
  for (const Tensor& b : model.buffers()) kept_.push_back({b, b.detach().clone(), {}});
  // The gradients' tensors are set aside, not copied: a backward pass begins new ones.
  for (Kept& k : kept_) k.grad = std::exchange(impl(k.tensor).grad, Tensor());
  if (optimizer != nullptr) optimizer_.emplace(*optimizer);
}

Restore::~Restore() {
  optimizer_.reset();
  const NoGrad guard;
  for (Kept& k : kept_) {
    k.tensor.detach().copy_(k.values);
    impl(k.tensor).grad = std::move(k.grad);
  }
  default_generator() = generator_;
}

}  // namespace gradus::train::doctor
