// The tensors that a module owns.
#pragma once

#include "gradus/tensor.hpp"

namespace gradus::nn {

// A tensor with the value semantics of its module. Copying makes an independent tensor: same values, same
// requires_grad, no gradient. Moving keeps the handle. Copied to a plain Tensor (`Tensor t = parameter`) it shares, as
// handles do.
class OwnedTensor : public Tensor {
 public:
  OwnedTensor(const OwnedTensor& other);
  OwnedTensor(OwnedTensor&&) noexcept = default;
  // Takes over the values and drops the gradient. Where shape and dtype agree the memory is rewritten, so that handles
  // to it (an optimizer's) keep working.
  OwnedTensor& operator=(const OwnedTensor& other);
  OwnedTensor& operator=(OwnedTensor&&) noexcept = default;
  ~OwnedTensor() = default;

 protected:
  OwnedTensor() = default;
  explicit OwnedTensor(Tensor tensor) : Tensor(std::move(tensor)) {}
};

// A tensor that is trained. An undefined one (a Linear without bias) is no member of its module.
class Parameter : public OwnedTensor {
 public:
  Parameter() = default;
  // Shares the memory of `data`, not its history. Throws if a gradient is wanted and the dtype is not floating.
  explicit Parameter(const Tensor& data, bool requires_grad = true);
};

// A tensor that is saved and copied with its module, but not trained: running statistics, masks.
class Buffer : public OwnedTensor {
 public:
  Buffer() = default;
  // Shares the memory of `data`, not its history.
  explicit Buffer(const Tensor& data);
};

}  // namespace gradus::nn
