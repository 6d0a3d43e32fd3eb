#include "gradus/optim/elementwise.hpp"

#include "gradus/autograd.hpp"
#include "kernels/parallel.hpp"
#include "optim/fused.hpp"
#include "tensor/impl.hpp"

namespace gradus::optim {
namespace {

// Elements that one thread updates at least: below, waking another costs more than it saves.
constexpr std::int64_t grain = 32768;

bool alike(const TensorImpl& a, const TensorImpl& b) { return a.dtype == b.dtype && a.shape == b.shape; }

bool is_dense(const TensorImpl& t) { return is_contiguous(t.shape, t.strides); }

}  // namespace

void check_gradient(const char* rule, const Tensor& param, const Tensor& grad) {
  const TensorImpl& p = impl(param);
  const TensorImpl& g = impl(grad);
  if (!alike(p, g)) fail("{}: the gradient is {} {}, the parameter {} {}", rule, g.dtype, g.shape, p.dtype, p.shape);
}

namespace detail {

void check_state(const char* name, const Tensor& param, const Tensor& state) {
  const TensorImpl& p = impl(param);
  const TensorImpl& s = impl(state);
  if (!alike(p, s)) fail("{}: the state is {} {}, the parameter {} {}", name, s.dtype, s.shape, p.dtype, p.shape);
  if (!is_dense(s)) fail("{}: the state must be contiguous, its strides are {}", name, s.strides);
}

void run_pass(const char* name, Tensor& param, const Tensor& grad, std::span<const Tensor* const> state,
              const Pass& pass) {
  const NoGrad guard;
  check_gradient(name, param, grad);
  const TensorImpl& p = impl(param);
  const TensorImpl& g = impl(grad);
  if (!is_dense(g)) return run_pass(name, param, grad.contiguous(), state, pass);
  if (!is_dense(p)) {
    Tensor dense = param.detach().contiguous();
    run_pass(name, dense, grad, state, pass);
    param.copy_(dense);
    return;
  }
  dispatch_floating(name, p.dtype, [&]<class T>() {
    void* arrays[2 + most_state] = {p.data<T>(), g.data<T>()};
    for (std::size_t k = 0; k < state.size(); ++k) arrays[2 + k] = state[k] ? impl(*state[k]).data<T>() : nullptr;
    const Pass::Chunk chunk = std::is_same_v<T, float> ? pass.on_floats : pass.on_doubles;
    kernels::parallel_for(0, p.numel, grain,
                          [&](std::int64_t begin, std::int64_t end) { chunk(pass.function, arrays, begin, end); });
  });
  bump_version(param);
}

}  // namespace detail
}  // namespace gradus::optim
