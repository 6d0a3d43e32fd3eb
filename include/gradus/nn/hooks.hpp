// Functions that see what goes into a module and what comes out of it.
#pragma once

#include <functional>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "gradus/tensor.hpp"

namespace gradus::nn {

class Module;

namespace detail {

// An undefined tensor leaves what was there.
using ForwardPreHook = std::function<Tensor(Module&, const Tensor& x)>;
using ForwardHook = std::function<Tensor(Module&, const Tensor& x, const Tensor& y)>;

struct HookTable {
  std::vector<std::pair<int, std::shared_ptr<ForwardPreHook>>> before;
  std::vector<std::pair<int, std::shared_ptr<ForwardHook>>> after;
  int next_id = 0;
};

}  // namespace detail

// What registering a hook returns. Dropping it leaves the hook in place, as in PyTorch.
class RemovableHandle {
 public:
  RemovableHandle() = default;
  RemovableHandle(const std::shared_ptr<detail::HookTable>& table, int id) : table_(table), id_(id) {}
  // Does nothing if the hook, or its module, is gone.
  void remove();

 private:
  std::weak_ptr<detail::HookTable> table_;
  int id_ = 0;
};

namespace detail {

// Inside a handler: throws the Error on, as one that came through this module.
[[noreturn]] void throw_through(Module& module);

// What hooks see of a result: the output of a layer, h of a cell.
template <class Result>
Tensor& output_of(Result& result) {
  if constexpr (std::is_same_v<Result, Tensor>)
    return result;
  else if constexpr (requires { result.output; })
    return result.output;
  else
    return result.h;
}

// The hooks of one module object: they are not copied with it, but move with it.
class ForwardHooks {
 public:
  ForwardHooks() = default;
  ForwardHooks(const ForwardHooks&) noexcept {}
  ForwardHooks(ForwardHooks&&) noexcept = default;
  ForwardHooks& operator=(const ForwardHooks&) noexcept { return *this; }
  ForwardHooks& operator=(ForwardHooks&&) noexcept = default;
  ~ForwardHooks() = default;

  bool any() const { return table_ != nullptr && !(table_->before.empty() && table_->after.empty()); }
  RemovableHandle add_before(ForwardPreHook hook);
  RemovableHandle add_after(ForwardHook hook);
  Tensor run_before(Module& module, Tensor x) const;
  Tensor run_after(Module& module, const Tensor& x, Tensor y) const;

 private:
  HookTable& table();

  std::shared_ptr<HookTable> table_;
};

// A hook that returns nothing is one that changes nothing.
template <class Hook>
ForwardPreHook forward_pre_hook(Hook hook) {
  if constexpr (std::is_void_v<std::invoke_result_t<Hook&, Module&, const Tensor&>>) {
    return [hook = std::move(hook)](Module& module, const Tensor& x) mutable {
      hook(module, x);
      return Tensor();
    };
  } else {
    return hook;
  }
}

template <class Hook>
ForwardHook forward_hook(Hook hook) {
  if constexpr (std::is_void_v<std::invoke_result_t<Hook&, Module&, const Tensor&, const Tensor&>>) {
    return [hook = std::move(hook)](Module& module, const Tensor& x, const Tensor& y) mutable {
      hook(module, x, y);
      return Tensor();
    };
  } else {
    return hook;
  }
}

}  // namespace detail
}  // namespace gradus::nn
