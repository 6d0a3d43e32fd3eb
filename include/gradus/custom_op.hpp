// Ops of one's own: a value, computed in any way, and its derivative by each input.
#pragma once

#include <concepts>
#include <functional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "gradus/tensor.hpp"

namespace gradus {

// The derivative of an op by one input: d(loss)/d(output) -> d(loss)/d(input). It may also take the op's own output as
// second argument, and must not capture that: it would keep itself alive. Written with ops, it is differentiable
// itself.
class VjpFunction {
 public:
  template <class F>
  requires(!std::same_as<std::remove_cvref_t<F>, VjpFunction>) &&
      (std::is_invocable_r_v<Tensor, F&, const Tensor&> ||
       std::is_invocable_r_v<Tensor, F&, const Tensor&, const Tensor&>)VjpFunction(F f) {
    if constexpr (std::is_invocable_r_v<Tensor, F&, const Tensor&>)
      function_ = [f = std::move(f)](const Tensor& g, const Tensor&) { return f(g); };
    else
      function_ = std::move(f), reads_output_ = true;
  }

  Tensor operator()(const Tensor& g, const Tensor& y) const { return function_(g, y); }
  bool reads_output() const { return reads_output_; }

 private:
  std::function<Tensor(const Tensor& g, const Tensor& y)> function_;
  bool reads_output_ = false;
};

struct CustomInput {
  Tensor input;
  VjpFunction vjp;
};

// The value as the result of an op of this name. However the value was computed, its derivatives are the given ones.
//
//   Tensor cube(const Tensor& x) {
//     return custom_op("cube", x * x * x, {{x, [x](const Tensor& g) { return g * (3.0 * x * x); }}});
//   }
Tensor custom_op(std::string_view name, const Tensor& value, const std::vector<CustomInput>& inputs);

}  // namespace gradus
