// Functions of one's own with a context: forward saves what backward needs.
#pragma once

#include <any>
#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

#include "gradus/tensor.hpp"

namespace gradus {

class AutogradContext;

namespace detail {

using FunctionBackward = std::vector<Tensor> (*)(AutogradContext& ctx, const Tensor& g);

Tensor run_function(std::string_view name, const std::vector<Tensor>& inputs,
                    const std::function<Tensor(AutogradContext&)>& forward, FunctionBackward backward);

std::string readable_name(const std::type_info& type);

}  // namespace detail

// What passes from forward to backward.
class AutogradContext {
 public:
  AutogradContext() = default;
  AutogradContext(const AutogradContext&) = delete;
  AutogradContext& operator=(const AutogradContext&) = delete;

  // In forward, once: arguments, the result, or anything computed on the way. Saving the result makes no cycle, and
  // what is changed in place before backward reads it is an Error. What was computed on the way is a constant to second
  // derivatives: where these matter, compute it again from the arguments.
  void save_for_backward(std::vector<Tensor> tensors) { to_save_ = std::move(tensors); }
  // In backward: those tensors, in that order. Throws elsewhere.
  std::vector<Tensor> saved_tensors() const;

  // Whether anybody wants the derivative by argument i of forward; backward may leave out the others.
  bool needs_input_grad(std::size_t i) const { return i < needed_.size() && needed_[i]; }

  // Anything that is not a tensor, by name.
  std::map<std::string, std::any> saved_data;

 private:
  friend struct FunctionCall;
  friend Tensor detail::run_function(std::string_view, const std::vector<Tensor>&,
                                     const std::function<Tensor(AutogradContext&)>&, detail::FunctionBackward);

  std::vector<Tensor> to_save_;
  std::vector<bool> needed_;
  std::function<std::vector<Tensor>()> unpack_;  // set while backward runs
};

// The base of such a function. backward returns one gradient per argument of forward, an undefined tensor for those
// that are no tensors (a std::vector<Tensor> counts as its elements). Written with ops, it is differentiable itself.
//
//   struct Cube : Function<Cube> {
//     static constexpr std::string_view name = "cube";  // may be left out: the name of the type
//     static Tensor forward(AutogradContext& ctx, const Tensor& x, double factor) {
//       ctx.save_for_backward({x});
//       ctx.saved_data["factor"] = factor;
//       return factor * x * x * x;
//     }
//     static std::vector<Tensor> backward(AutogradContext& ctx, const Tensor& g) {
//       const Tensor x = ctx.saved_tensors()[0];
//       return {g * 3.0 * std::any_cast<double>(ctx.saved_data["factor"]) * x * x, {}};
//     }
//   };
//
//   Tensor y = Cube::apply(x, 2.0);
template <class Derived>
struct Function {
  // The result of forward, which runs without recording. Throws if that is undefined.
  template <class... Args>
  static Tensor apply(const Args&... args) {
    std::vector<Tensor> inputs;
    (add_input(inputs, args), ...);
    return detail::run_function(
        name_of_function(), inputs, [&](AutogradContext& ctx) { return Derived::forward(ctx, args...); },
        &Derived::backward);
  }

 private:
  static std::string name_of_function() {
    if constexpr (requires { std::string_view(Derived::name); })
      return std::string(Derived::name);
    else
      return detail::readable_name(typeid(Derived));
  }

  template <class T>
  static void add_input(std::vector<Tensor>& inputs, const T& argument) {
    if constexpr (std::is_convertible_v<const T&, const Tensor&>)
      inputs.push_back(argument);
    else if constexpr (std::is_same_v<T, std::vector<Tensor>>)
      inputs.insert(inputs.end(), argument.begin(), argument.end());
    else
      inputs.emplace_back();  // undefined: no tensor
  }
};

}  // namespace gradus
