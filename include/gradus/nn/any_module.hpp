// AnyModule: a module of any class, or a function, held by value. Containers are made of these.
#pragma once

#include <concepts>
#include <memory>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

#include "gradus/nn/module.hpp"

namespace gradus::nn {

// A plain function of a tensor in the place of a module.
template <class Function>
class FunctionModule final : public Module {
 public:
  explicit FunctionModule(Function function) : function_(std::move(function)) {}
  Tensor forward(const Tensor& x) override { return function_(x); }

 private:
  Function function_;
};

// A copyable module, or a copyable function of a tensor: `[](const Tensor& x) { return x * 2.0; }`, `relu`. An
// overloaded function must be wrapped in a lambda, which says which one is meant.
template <class T>
concept ModuleOrFunction = std::derived_from<T, Module> ||
    (std::copy_constructible<T>&& std::is_invocable_r_v<Tensor, T&, const Tensor&>);

class AnyModule {
 public:
  // The order matters: whether an AnyModule can be copied must not be asked while that is being found out.
  template <class T>
  requires(!std::same_as<T, AnyModule>) && ModuleOrFunction<T> AnyModule(T module)
      : AnyModule(wrap(std::move(module))) {}

  AnyModule(const AnyModule& other)
      : type_(other.type_), module_(other.module_ ? type_->clone(*other.module_) : nullptr) {}
  AnyModule(AnyModule&&) noexcept = default;
  // A module of the same class is assigned to, so that handles to its parameters stay valid.
  AnyModule& operator=(const AnyModule& other) {
    if (type_ != other.type_ || !module_ || !other.module_ || !type_->assign(*module_, *other.module_))
      *this = AnyModule(other);
    return *this;
  }
  AnyModule& operator=(AnyModule&&) noexcept = default;
  ~AnyModule() = default;

  // True for a module of exactly this class.
  template <class M>
  bool is() const {
    return typeid(*module_) == typeid(M);
  }

  Module& operator*() const { return *module_; }
  Module* operator->() const { return module_.get(); }

 private:
  // What has to be known of the class to copy a module of it.
  struct Type {
    std::unique_ptr<Module> (*clone)(const Module&);
    bool (*assign)(Module&, const Module&);  // false if the class cannot be assigned
  };

  template <class M>
  static std::unique_ptr<Module> clone(const Module& module) {
    return std::make_unique<M>(static_cast<const M&>(module));
  }

  template <class M>
  static bool assign([[maybe_unused]] Module& to, [[maybe_unused]] const Module& from) {
    if constexpr (std::is_copy_assignable_v<M>) static_cast<M&>(to) = static_cast<const M&>(from);
    return std::is_copy_assignable_v<M>;
  }

  template <class M>
  static constexpr Type type_of{&clone<M>, &assign<M>};

  template <class T>
  static AnyModule wrap(T module) {
    // Not a constraint: the answer may depend on what is an AnyModule, as in a class that is made of one.
    static_assert(std::copy_constructible<T>, "a module that is held by value must be copyable");
    if constexpr (std::derived_from<T, Module>)
      return {type_of<T>, std::make_unique<T>(std::move(module))};
    else
      return wrap(FunctionModule<T>(std::move(module)));
  }

  AnyModule(const Type& type, std::unique_ptr<Module> module) : type_(&type), module_(std::move(module)) {}

  const Type* type_;
  std::unique_ptr<Module> module_;
};

namespace detail {

// What a container holds, assigned by way of a copy: the source may be a container inside this one.
template <class T>
class Nested : public std::vector<T> {
 public:
  using std::vector<T>::vector;
  Nested(const Nested&) = default;
  Nested(Nested&&) noexcept = default;
  Nested& operator=(const Nested& other) {
    const std::vector<T> copy = other;
    std::vector<T>::operator=(copy);
    return *this;
  }
  Nested& operator=(Nested&& other) noexcept {
    std::vector<T> taken = std::move(other);
    this->swap(taken);
    return *this;
  }
  ~Nested() = default;
};

}  // namespace detail

}  // namespace gradus::nn
