// A rule of one's own as one pass over memory, threads included.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "gradus/tensor.hpp"

namespace gradus::optim {

namespace detail {

// What to do with elements [begin, end) of the arrays of parameter, gradient and state, which are of float or of
// double.
struct Pass {
  using Chunk = void (*)(const void* function, void* const* arrays, std::int64_t begin, std::int64_t end);
  Chunk on_floats, on_doubles;
  const void* function;
};

inline constexpr std::size_t most_state = 6;

// Runs it over all elements, on several threads if there are many. State tensors must be contiguous and like `param`;
// a null one gives a null array. Throws if the gradient is not like the parameter.
void run_pass(const char* name, Tensor& param, const Tensor& grad, std::span<const Tensor* const> state,
              const Pass& pass);

// Throws unless a state tensor is contiguous and like the parameter.
void check_state(const char* name, const Tensor& param, const Tensor& state);

template <class T, class Function, class... State>
void for_elements(const void* function, void* const* arrays, std::int64_t begin, std::int64_t end) {
  const Function& f = *static_cast<const Function*>(function);
  T* const p = static_cast<T*>(arrays[0]);
  const T* const g = static_cast<const T*>(arrays[1]);
  [&]<std::size_t... k>(std::index_sequence<k...>) {
    for (std::int64_t i = begin; i < end; ++i) f(p[i], g[i], static_cast<T*>(arrays[2 + k])[i]...);
  }
  (std::index_sequence_for<State...>());
}

}  // namespace detail

// function(p, g, s...) for each element of the parameter, its gradient and the state tensors: it may write p and s. It
// is called with float or double, whatever the parameter is, so that `auto` arguments suit; for scalars of the same
// type write `const auto lr = decltype(g)(options.lr)`. Throws if gradient or state are not like the parameter.
//
//   Tensor& m = state.tensor("momentum", param);
//   update_elementwise(param, grad, [&](auto& p, auto g, auto& m) { ... }, m);
template <class Function, std::same_as<Tensor>... State>
void update_elementwise(Tensor& param, const Tensor& grad, const Function& function, State&... state) {
  static_assert(sizeof...(State) <= detail::most_state, "update_elementwise: too many state tensors");
  (detail::check_state("update_elementwise", param, state), ...);
  const std::array<const Tensor*, sizeof...(State)> kept{&state...};
  detail::run_pass(
      "update_elementwise", param, grad, kept,
      {detail::for_elements<float, Function, State...>, detail::for_elements<double, Function, State...>, &function});
}

}  // namespace gradus::optim
