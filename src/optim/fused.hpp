// What the fused rules share: one pass over memory per parameter, on several threads if it is large.
#pragma once

#include <initializer_list>

#include "kernels/optim.hpp"
#include "kernels/parallel.hpp"
#include "tensor/impl.hpp"

namespace gradus::optim {

// Elements that one thread updates at least: below, waking another costs more than it saves.
inline constexpr std::int64_t fused_grain = 32768;

// Moves `param` and `state` (shaped like it, contiguous; null where the options need none) by the kernel of this step.
// A parameter or gradient that is not contiguous goes through a copy.
template <class Step>
void update_fused(const char* name, Tensor& param, const Tensor& grad, std::initializer_list<const Tensor*> state,
                  const Step& step) {
  const TensorImpl& p = impl(param);
  const TensorImpl& g = impl(grad);
  if (p.dtype != g.dtype || p.shape != g.shape) {
    fail("{}: the gradient is {} {}, the parameter {} {}", name, g.dtype, g.shape, p.dtype, p.shape);
  }
  if (!is_contiguous(g.shape, g.strides)) return update_fused(name, param, grad.contiguous(), state, step);
  if (!is_contiguous(p.shape, p.strides)) {
    Tensor dense = param.detach().contiguous();
    update_fused(name, dense, grad, state, step);
    param.copy_(dense);
    return;
  }
  dispatch_floating(name, p.dtype, [&]<class T>() {
    T* values = p.data<T>();
    const T* slopes = g.data<T>();
    kernels::StateArrays<T> arrays;
    for (int k = 0; const Tensor* kept : state) arrays.of[k++] = kept ? impl(*kept).data<T>() : nullptr;
    kernels::parallel_for(0, p.numel, fused_grain, [&](std::int64_t begin, std::int64_t end) {
      kernels::StateArrays<T> from = arrays;
      for (T*& array : from.of) array = array ? array + begin : nullptr;
      kernels::run_step(kernels::optim_table<T>(), values + begin, slopes + begin, from, end - begin, step);
    });
  });
  bump_version(param);
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
