#include "gradus/nn/parameter.hpp"

#include "gradus/autograd.hpp"
#include "gradus/ops.hpp"

namespace gradus::nn {
namespace {

Tensor independent_copy(const Tensor& tensor) {
  if (!tensor.defined()) return {};
  NoGrad guard;
  Tensor copy = clone(tensor.detach());
  if (tensor.requires_grad()) copy.set_requires_grad();
  return copy;
}

bool same_layout(const Tensor& a, const Tensor& b) { return a.dtype() == b.dtype() && a.shape() == b.shape(); }

}  // namespace

OwnedTensor::OwnedTensor(const OwnedTensor& other) : Tensor(independent_copy(other)) {}

OwnedTensor& OwnedTensor::operator=(const OwnedTensor& other) {
  if (is(other)) return *this;
  if (!defined() || !other.defined() || !same_layout(*this, other)) return *this = OwnedTensor(other);
  NoGrad guard;
  copy_(other);
  zero_grad();
  set_requires_grad(other.requires_grad());
  return *this;
}

Parameter::Parameter(const Tensor& data, bool requires_grad) : OwnedTensor(data.defined() ? data.detach() : Tensor()) {
  if (defined()) set_requires_grad(requires_grad);
}

Buffer::Buffer(const Tensor& data) : OwnedTensor(data.defined() ? data.detach() : Tensor()) {}

}  // namespace gradus::nn
