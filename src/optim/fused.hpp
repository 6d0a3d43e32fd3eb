// What the fused rules share: one pass over memory per parameter, on several threads if it is large.
#pragma once

#include "kernels/kernels.hpp"
#include "kernels/parallel.hpp"
#include "tensor/impl.hpp"

namespace gradus::optim {

// Elements that one thread updates at least: below, waking another costs more than it saves.
inline constexpr std::int64_t fused_grain = 32768;

// Calls kernel.operator()<T>(p, g, begin, end) with the data of both, on pieces that cover all elements. The kernel
// writes p[begin, end) only. A parameter or gradient that is not contiguous goes through a copy.
template <class Kernel>
void update_fused(const char* name, Tensor& param, const Tensor& grad, const Kernel& kernel) {
  const TensorImpl& p = impl(param);
  const TensorImpl& g = impl(grad);
  if (p.dtype != g.dtype || p.shape != g.shape) {
    fail("{}: the gradient is {} {}, the parameter {} {}", name, g.dtype, g.shape, p.dtype, p.shape);
  }
  if (!is_contiguous(g.shape, g.strides)) return update_fused(name, param, grad.contiguous(), kernel);
  if (!is_contiguous(p.shape, p.strides)) {
    Tensor dense = param.detach().contiguous();
    update_fused(name, dense, grad, kernel);
    param.copy_(dense);
    return;
  }
  dispatch_floating(name, p.dtype, [&]<class T>() {
    T* values = p.data<T>();
    const T* slopes = g.data<T>();
    kernels::parallel_for(0, p.numel, fused_grain, [&](std::int64_t begin, std::int64_t end) {
      kernel.template operator()<T>(values, slopes, begin, end);
    });
  });
  bump_version(param);
}

// lr and friends: "SGD: lr must be at least 0, got -1".
inline void check_not_negative(const char* rule, const char* option, double value) {
  if (!(value >= 0)) fail("{}: {} must be at least 0, got {}", rule, option, value);
}

}  // namespace gradus::optim
