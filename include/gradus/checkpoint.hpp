// Recomputing instead of storing.
#pragma once

#include <functional>
#include <vector>

#include "gradus/tensor.hpp"

namespace gradus {

struct CheckpointOptions {
  // Replay the default generator, so that dropout and the like draw the same numbers again. Other generators are not.
  bool preserve_rng_state = true;
};

// fn(inputs), without the tensors that its derivatives need: fn runs a second time when a backward pass first asks for
// one of them. That saves the memory of all that is computed inside, for the price of one more forward pass. fn must
// compute the same each time; it may read parameters, which get their gradients, and contain checkpoints itself.
// Derivatives of any order work. Throws, then or in the backward pass, if fn differentiates what it has recorded
// itself, if it saves tensors of other shapes the second time, or if an input or parameter was changed in place since.
// Other things that it reads (masks, generators of its own) are not watched, and must be as they were.
Tensor checkpoint(const std::function<Tensor(const std::vector<Tensor>&)>& fn, const std::vector<Tensor>& inputs,
                  const CheckpointOptions& options = {});
Tensor checkpoint(const std::function<Tensor(const Tensor&)>& fn, const Tensor& x,
                  const CheckpointOptions& options = {});

// A module must not be copied, a copy would have parameters of its own: it is used in place and must outlive the
// backward pass.
template <class Module>
requires requires(Module& module, const Tensor& x) {
  module.parameters();
  module.forward(x);
}
Tensor checkpoint(Module& module, const Tensor& x, const CheckpointOptions& options = {}) {
  return checkpoint([&module](const Tensor& input) -> Tensor { return module(input); }, x, options);
}

}  // namespace gradus
