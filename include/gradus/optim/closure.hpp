#pragma once

#include <concepts>
#include <memory>
#include <type_traits>

#include "gradus/tensor.hpp"

namespace gradus::optim {

// A reference to a function that computes a loss, gradients included. Unlike std::function it never allocates; what it
// refers to must outlive it, as the argument of a call does.
class Closure {
 public:
  template <class F>
  requires(std::is_class_v<F> && !std::same_as<F, Closure> && std::is_invocable_r_v<Tensor, const F&>)
      Closure(const F& function)
      : object_(&function),
        call_([](const Closure& self) -> Tensor { return (*static_cast<const F*>(self.object_))(); }) {}
  Closure(Tensor (*function)())
      : function_(function), call_([](const Closure& self) -> Tensor { return self.function_(); }) {}

  Tensor operator()() const { return call_(*this); }

 private:
  union {
    const void* object_;
    Tensor (*function_)();
  };
  Tensor (*call_)(const Closure&);
};

}  // namespace gradus::optim
