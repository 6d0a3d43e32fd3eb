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

Tensor& State::tensor(std::string_view name, const Tensor& like) {
  const TensorImpl& wanted = impl(like);
  if (const Tensor* found = find(name)) {
    const TensorImpl& kept = impl(*found);
    if (kept.shape != wanted.shape || kept.dtype != wanted.dtype) {
      fail("optimizer: the state {} is {} {}, the parameter needs {} {}", name, kept.dtype, kept.shape, wanted.dtype,
           wanted.shape);
    }
    return const_cast<Tensor&>(*found);
  }
  return entries_.emplace_back(std::string(name), zeros(wanted.shape, {.dtype = wanted.dtype})).value;
}

}  // namespace gradus::optim
