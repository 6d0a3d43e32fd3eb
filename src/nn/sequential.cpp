#include "gradus/nn/sequential.hpp"

#include <optional>

#include "gradus/nn/activation.hpp"
#include "gradus/nn/linear.hpp"
#include "nn/call.hpp"
#include "ops/linear.hpp"
#include "storage/format.hpp"

namespace gradus::nn {
namespace {

// Linear and the activation behind it, unless somebody wants to see what is between them.
std::optional<kernels::Activation> fusable(const AnyModule& layer, const AnyModule& module) {
  if (!layer.is<Linear>() || layer->has_forward_hooks() || module->has_forward_hooks()) return std::nullopt;
  if (module.is<ReLU>()) return kernels::Activation::relu;
  if (module.is<Tanh>()) return kernels::Activation::tanh;
  if (module.is<Sigmoid>()) return kernels::Activation::sigmoid;
  return std::nullopt;
}

Tensor fused(Linear& layer, kernels::Activation activation, const Tensor& x) {
  try {
    return linear_activation(x, layer.weight, layer.bias, activation);
  } catch (const Error&) {
    detail::throw_through(layer);
  }
}

}  // namespace

Tensor Sequential::forward(const Tensor& x) {
  Tensor h = x;
  for (std::size_t i = 0; i < modules_.size(); ++i) {
    const auto activation = i + 1 < modules_.size() ? fusable(modules_[i], modules_[i + 1]) : std::nullopt;
    h = activation ? fused(static_cast<Linear&>(*modules_[i++]), *activation, h) : (*modules_[i])(h);
  }
  return h;
}

Module& Sequential::operator[](std::int64_t index) {
  if (index < -size() || index >= size()) fail("Sequential: index {} is out of range for {} modules", index, size());
  return *modules_[static_cast<std::size_t>(index < 0 ? index + size() : index)];
}

void Sequential::visit_members(MemberVisitor& visitor, const MemberPath& path) {
  for (std::int64_t i = 0; i < size(); ++i) visitor.module(MemberPath{&path, {}, i}, (*this)[i]);
}

}  // namespace gradus::nn
