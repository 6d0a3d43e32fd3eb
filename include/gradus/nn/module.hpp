// Module: names and owns parameters, and composes ops.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "gradus/error.hpp"
#include "gradus/nn/hooks.hpp"
#include "gradus/nn/members.hpp"
#include "gradus/nn/parameter.hpp"
#include "gradus/tensor.hpp"

namespace gradus::nn {

struct LoadStateOptions {
  bool strict = true;  // throw if a key is missing or unexpected
};

struct IncompatibleKeys {
  std::vector<std::string> missing_keys;     // the module's, that the state lacks
  std::vector<std::string> unexpected_keys;  // the state's, that the module lacks
};

// The base of layers and models. A module is a value: a copy is an independent model with the same weights, and
// assigning one model to another rewrites the weights in place. A class lists its members in GRADUS_MODULE(...).
class Module {
 public:
  virtual ~Module() = default;

  // The module's function of one tensor. Throws unless the class defines it.
  virtual Tensor forward(const Tensor& x);
  // forward, between the hooks. An Error on the way names the module that it comes from, by its path from this one:
  // "blocks.1.fc: linear: ...". Call modules, as here, not their forward.
  Tensor operator()(const Tensor& x) {
    return call(x, [this](const Tensor& input) { return forward(input); });
  }

  // Handles that share memory and gradient with the members, in the order in which these are listed.
  std::vector<Tensor> parameters() const;
  std::vector<std::pair<std::string, Tensor>> named_parameters() const;
  std::vector<Tensor> buffers() const;
  std::vector<std::pair<std::string, Tensor>> named_buffers() const;
  // This module, under the name "", and all inside, each before those inside it.
  std::vector<Module*> modules();
  std::vector<std::pair<std::string, Module*>> named_modules();

  // Training or evaluation, for layers that differ (dropout). What requires a gradient stays as it is.
  Module& train(bool mode = true);
  Module& eval() { return train(false); }
  bool is_training() const { return training_; }
  // Whether the parameters are trained, or frozen. The mode stays as it is.
  Module& requires_grad_(bool requires_grad = true);

  // Calls fn on every module inside and then on this one: `model.apply([](nn::Module& m) { ... })`.
  Module& apply(const std::function<void(Module&)>& fn);
  // Converts floating parameters, their gradients and floating buffers in place: they remain the same tensors, so that
  // an optimizer trains on; one with a state of the old dtype throws at its next step. What was recorded before cannot
  // run backward any more. Throws unless the dtype is floating.
  Module& to(Dtype dtype);

  void zero_grad();

  // All parameters and buffers by name. As in PyTorch they share memory with the module: clone() what shall not change.
  std::map<std::string, Tensor> state_dict() const;
  // Copies values into the members of these names. Throws one Error that lists all missing and unexpected keys and all
  // wrong shapes; then nothing has been changed. Unless strict, returns the keys that did not meet.
  IncompatibleKeys load_state_dict(const std::map<std::string, Tensor>& state, const LoadStateOptions& options = {});

  // `hook` sees the input of each call, (Module&, const Tensor& x), before forward does; if it returns a tensor, that
  // takes the place of x. Hooks belong to one module: a copy has none, assigning weights changes none, a move takes
  // them along. They run where the module is called, not where its forward is.
  template <class Hook>
  RemovableHandle register_forward_pre_hook(Hook hook) {
    return hooks_.add_before(detail::forward_pre_hook(std::move(hook)));
  }
  // The same for the output: (Module&, const Tensor& x, const Tensor& y).
  template <class Hook>
  RemovableHandle register_forward_hook(Hook hook) {
    return hooks_.add_after(detail::forward_hook(std::move(hook)));
  }
  bool has_forward_hooks() const { return hooks_.any(); }

  // What GRADUS_MODULE defines. A class without it has no members.
  virtual void visit_members(MemberVisitor& visitor, const MemberPath& path);

 protected:
  // Of classes, not through a Module&: that would copy the base and lose the layer.
  Module() = default;
  Module(const Module&) = default;
  Module(Module&&) noexcept = default;
  Module& operator=(const Module&) = default;
  Module& operator=(Module&&) noexcept = default;

  // What operator() does, with `function` for forward: for classes whose calls have more arguments. It returns a
  // tensor, or a struct with one called output or h.
  template <class Function>
  std::invoke_result_t<const Function&, const Tensor&> call(const Tensor& x, const Function& function) {
    try {
      if (!hooks_.any()) [[likely]]
        return function(x);
      const Tensor input = hooks_.run_before(*this, x);
      auto result = function(input);
      Tensor& output = detail::output_of(result);
      output = hooks_.run_after(*this, input, output);
      return result;
    } catch (const Error&) {
      detail::throw_through(*this);
    }
  }

 private:
  void visit(MemberVisitor& visitor) const;

  bool training_ = true;
  detail::ForwardHooks hooks_;
};

}  // namespace gradus::nn
