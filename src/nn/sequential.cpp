#include "gradus/nn/sequential.hpp"

#include <optional>

#include "gradus/nn/activation.hpp"
#include "gradus/nn/linear.hpp"
#include "ops/linear.hpp"
#include "storage/format.hpp"

namespace gradus::nn {
namespace {

std::optional<kernels::Activation> fusable(const AnyModule& module) {
  if (module.is<ReLU>()) return kernels::Activation::relu;
  if (module.is<Tanh>()) return kernels::Activation::tanh;
  if (module.is<Sigmoid>()) return kernels::Activation::sigmoid;
  return std::nullopt;
}

}  // namespace

Tensor Sequential::forward(const Tensor& x) {
  Tensor h = x;
  for (std::size_t i = 0; i < modules_.size(); ++i) {
    if (modules_[i].is<Linear>() && i + 1 < modules_.size()) {
      if (const auto activation = fusable(modules_[i + 1])) {
        const auto& layer = static_cast<const Linear&>(*modules_[i++]);
        h = linear_activation(h, layer.weight, layer.bias, *activation);
        continue;
      }
    }
    h = modules_[i]->forward(h);
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
