#include "gradus/optim/state.hpp"

#include "gradus/factory.hpp"
#include "tensor/impl.hpp"

namespace gradus::optim {

const Tensor* State::find(std::string_view name) const {
  for (const Entry& entry : entries_) {
    if (entry.name == name) return &entry.value;
  }
  return nullptr;
}

// What is saved by that name is the count.
Tensor& State::add(std::string_view name, const Tensor& value) {
  if (name == "step") fail("optimizer: a state cannot be named step, which is the count of updates");
  return entries_.emplace_back(std::string(name), value).value;
}

Tensor& State::tensor(std::string_view name, const Tensor& like, double initial) {
  return tensor(name, impl(like).shape, impl(like).dtype, initial);
}

Tensor& State::tensor(std::string_view name, const Shape& shape, Dtype dtype, double initial) {
  if (Tensor* found = find(name)) {
    const TensorImpl& kept = impl(*found);
    if (kept.shape != shape || kept.dtype != dtype) {
      fail("optimizer: the state {} is {} {}, the parameter needs {} {}", name, kept.dtype, kept.shape, dtype, shape);
    }
    return *found;
  }
  return add(name, full(shape, initial, {.dtype = dtype}));
}

double& State::number(std::string_view name, double initial) {
  Tensor* found = find(name);
  if (found == nullptr) found = &add(name, full({}, initial, {.dtype = float64}));
  if (found->dtype() != float64) *found = found->to(float64);  // PyTorch's own are float32
  return *impl(*found).data<double>();
}

Tensor State::value(std::string_view name) const {
  const Tensor* found = find(name);
  return found ? *found : Tensor();
}

void State::set_value(std::string_view name, const Tensor& value) {
  if (Tensor* found = find(name)) {
    *found = value;
  } else {
    add(name, value);
  }
}

double State::number_or(std::string_view name, double otherwise) const {
  const Tensor* found = find(name);
  return found ? found->item() : otherwise;
}

}  // namespace gradus::optim
