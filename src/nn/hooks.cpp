#include "gradus/nn/hooks.hpp"

namespace gradus::nn {

void RemovableHandle::remove() {
  if (const auto table = table_.lock()) {
    const auto is_this = [this](const auto& hook) { return hook.first == id_; };
    std::erase_if(table->before, is_this);
    std::erase_if(table->after, is_this);
  }
}

namespace detail {

HookTable& ForwardHooks::table() {
  if (!table_) table_ = std::make_shared<HookTable>();
  return *table_;
}

RemovableHandle ForwardHooks::add_before(ForwardPreHook hook) {
  const int id = table().next_id++;
  table_->before.emplace_back(id, std::make_shared<ForwardPreHook>(std::move(hook)));
  return {table_, id};
}

RemovableHandle ForwardHooks::add_after(ForwardHook hook) {
  const int id = table().next_id++;
  table_->after.emplace_back(id, std::make_shared<ForwardHook>(std::move(hook)));
  return {table_, id};
}

// Both run a copy of the list: a hook may remove itself.
Tensor ForwardHooks::run_before(Module& module, Tensor x) const {
  if (!table_) return x;
  const auto hooks = table_->before;
  for (const auto& [id, hook] : hooks) {
    if (Tensor changed = (*hook)(module, x); changed.defined()) x = std::move(changed);
  }
  return x;
}

Tensor ForwardHooks::run_after(Module& module, const Tensor& x, Tensor y) const {
  if (!table_) return y;
  const auto hooks = table_->after;
  for (const auto& [id, hook] : hooks) {
    if (Tensor changed = (*hook)(module, x, y); changed.defined()) y = std::move(changed);
  }
  return y;
}

}  // namespace detail
}  // namespace gradus::nn
