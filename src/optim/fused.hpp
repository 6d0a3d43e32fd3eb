// What the fused rules share: one pass over memory per parameter, on several threads if it is large.
#pragma once

#include <initializer_list>

#include "gradus/optim/elementwise.hpp"
#include "kernels/optim.hpp"
#include "storage/format.hpp"

namespace gradus::optim {

template <class T, class Step>
void run_chunk(const void* step, void* const* arrays, std::int64_t begin, std::int64_t end) {
  kernels::StateArrays<T> state;
  for (int k = 0; k < kernels::StateArrays<T>::most; ++k) {
    T* const array = static_cast<T*>(arrays[2 + k]);
    state.of[k] = array ? array + begin : nullptr;
  }
  kernels::run_step(kernels::optim_table<T>(), static_cast<T*>(arrays[0]) + begin,
                    static_cast<const T*>(arrays[1]) + begin, state, end - begin, *static_cast<const Step*>(step));
}

// Throws unless the gradient has the parameter's shape and dtype.
void check_gradient(const char* rule, const Tensor& param, const Tensor& grad);

// Moves `param` and `state` (shaped like it, contiguous; null where the options need none) by the kernel of this step.
template <class Step>
void update_fused(const char* name, Tensor& param, const Tensor& grad, std::initializer_list<const Tensor*> state,
                  const Step& step) {
  detail::run_pass(name, param, grad, state, {run_chunk<float, Step>, run_chunk<double, Step>, &step});
}

// lr and friends: "SGD: lr must be at least 0, got -1".
inline void check_not_negative(const char* rule, const char* option, double value) {
  if (!(value >= 0)) fail("{}: {} must be at least 0, got {}", rule, option, value);
}

// The options that most rules have.
template <class Options>
void check_common(const char* rule, const Options& o) {
  check_not_negative(rule, "lr", o.lr);
  if constexpr (requires { o.eps; }) check_not_negative(rule, "eps", o.eps);
  check_not_negative(rule, "weight_decay", o.weight_decay);
  if constexpr (requires { o.betas; }) {
    for (const double beta : o.betas) {
      if (!(beta >= 0 && beta < 1)) fail("{}: betas must be in [0, 1), got {} and {}", rule, o.betas[0], o.betas[1]);
    }
  }
}

}  // namespace gradus::optim
