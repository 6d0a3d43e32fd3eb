#pragma once

#include <concepts>
#include <cstdint>
#include <tuple>
#include <utility>

#include "gradus/nn/any_module.hpp"

namespace gradus::nn {

// Applies modules and plain functions one after the other: Sequential(Linear(4, 8), Tanh(), [](const Tensor& x) {...}).
// It holds them by value; names are "0.weight", "0.bias", "2.weight", ...
class Sequential : public Module {
 public:
  Sequential() = default;
  // One Sequential alone is copied, not wrapped.
  template <class... Modules>
  requires(sizeof...(Modules) > 0) && (!std::same_as<std::tuple<Modules...>, std::tuple<Sequential>>)&&(
                                          ModuleOrFunction<Modules>&&...) explicit Sequential(Modules... modules) {
    modules_.reserve(sizeof...(Modules));
    (modules_.emplace_back(std::move(modules)), ...);
  }

  Tensor forward(const Tensor& x) override;

  void push_back(AnyModule module) { modules_.push_back(std::move(module)); }
  std::int64_t size() const { return static_cast<std::int64_t>(modules_.size()); }
  // Throws unless -size() <= index < size().
  Module& operator[](std::int64_t index);

  void visit_members(MemberVisitor& visitor, const MemberPath& path) override;

 private:
  detail::Nested<AnyModule> modules_;
};

}  // namespace gradus::nn
