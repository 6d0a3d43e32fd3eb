// Optimizer steps: one pass over memory.
#include "kernels/simd/simd.hpp"
#include "kernels/simd/table.hpp"

namespace gradus::kernels::GRADUS_ISA {
namespace {

// p - lr * (gradient, or the momentum buffer b = momentum * b + (1 - dampening) * gradient)
template <class T>
void sgd(T* p, const T* g, T* buffer, Size n, const SgdStep& step) {
  const Vec<T> sign(step.maximize ? T(-1) : T(1)), decay(static_cast<T>(step.weight_decay));
  const Vec<T> minus_lr(static_cast<T>(-step.lr)), momentum(static_cast<T>(step.momentum));
  const Vec<T> fresh(static_cast<T>(1 - step.dampening));
  const bool decays = step.weight_decay != 0, has_momentum = step.momentum != 0;
  const bool first = step.first, nesterov = step.nesterov;
  for_each_batch<T>(n, [=](Size i, auto lanes) GRADUS_LAMBDA {
    const Vec<T> param = load(p + i, lanes);
    Vec<T> d = load(g + i, lanes) * sign;
    if (decays) d = multiply_add(decay, param, d);
    if (has_momentum) {
      const Vec<T> b = first ? d : multiply_add(momentum, load(buffer + i, lanes), fresh * d);
      store(buffer + i, b, lanes);
      d = nesterov ? multiply_add(momentum, b, d) : b;
    }
    store(p + i, multiply_add(minus_lr, d, param), lanes);
  });
}

// [Kingma and Ba 2015, arXiv:1412.6980; decoupled decay: Loshchilov and Hutter 2019, arXiv:1711.05101]
template <class T>
void adam(T* p, const T* g, T* m, T* v, Size n, const AdamStep& step) {
  const Vec<T> sign(step.maximize ? T(-1) : T(1)), decay(static_cast<T>(step.weight_decay));
  const Vec<T> shrink(static_cast<T>(step.decay_factor));
  const Vec<T> beta1(static_cast<T>(step.beta1)), fresh1(static_cast<T>(1 - step.beta1));
  const Vec<T> beta2(static_cast<T>(step.beta2)), fresh2(static_cast<T>(1 - step.beta2));
  const Vec<T> root(static_cast<T>(1 / __builtin_sqrt(step.bias_correction2))), eps(static_cast<T>(step.eps));
  const Vec<T> minus_rate(static_cast<T>(-step.lr / step.bias_correction1));
  const bool decays = step.weight_decay != 0;
  for_each_batch<T>(n, [=](Size i, auto lanes) GRADUS_LAMBDA {
    const Vec<T> param = load(p + i, lanes);
    Vec<T> d = load(g + i, lanes) * sign;
    if (decays) d = multiply_add(decay, param, d);
    const Vec<T> mean = multiply_add(beta1, load(m + i, lanes), fresh1 * d);
    const Vec<T> square = multiply_add(beta2, load(v + i, lanes), fresh2 * d * d);
    store(m + i, mean, lanes);
    store(v + i, square, lanes);
    const Vec<T> denominator = multiply_add(xsimd::sqrt(square), root, eps);
    store(p + i, multiply_add(minus_rate, mean / denominator, param * shrink), lanes);
  });
}

}  // namespace

template <>
void fill_optim(Table<float>& table) {
  table.sgd = sgd<float>;
  table.adam = adam<float>;
}

template <>
void fill_optim(Table<double>& table) {
  table.sgd = sgd<double>;
  table.adam = adam<double>;
}

}  // namespace gradus::kernels::GRADUS_ISA
