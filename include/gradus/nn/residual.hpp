#pragma once

#include <optional>
#include <utility>

#include "gradus/nn/any_module.hpp"

namespace gradus::nn {

// x + inner(x) [He et al., 2016]. Where inner changes the shape, a shortcut brings x along: shortcut(x) + inner(x).
// Names begin with "inner." and "shortcut.". Throws, when called, if the two shapes differ: they do not broadcast.
class Residual : public Module {
 public:
  explicit Residual(AnyModule inner_module) : inner(std::move(inner_module)) {}
  Residual(AnyModule inner_module, AnyModule shortcut_module)
      : inner(std::move(inner_module)), shortcut(std::move(shortcut_module)) {}

  Tensor forward(const Tensor& x) override;

  AnyModule inner;
  std::optional<AnyModule> shortcut;
  GRADUS_MODULE(inner, shortcut)
};

}  // namespace gradus::nn
