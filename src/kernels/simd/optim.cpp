// Optimizer steps: one pass over memory.
#include "kernels/optim.hpp"
#include "kernels/simd/simd.hpp"

namespace gradus::kernels::GRADUS_ISA {
namespace {

template <class T>
GRADUS_INLINE Vec<T> splat(double x) {
  return Vec<T>(static_cast<T>(x));
}

// The state of the elements that a pass is at: one batch of each array.
template <class T, class Lanes>
struct Here {
  StateArrays<T> arrays;
  Size i;
  Lanes lanes;

  GRADUS_INLINE Vec<T> get(int k) const { return load(arrays.of[k] + i, lanes); }
  GRADUS_INLINE Vec<T> put(int k, Vec<T> v) const {
    store(arrays.of[k] + i, v, lanes);
    return v;
  }
};

// beta * (what array k holds) + fresh * x, which becomes what it holds.
template <class V, class At>
GRADUS_INLINE V average(const At& state, int k, V beta, V fresh, V x) {
  return state.put(k, multiply_add(beta, state.get(k), fresh * x));
}

// --- the rules: each returns a function of the state, the parameter and d that returns the new parameter -------------

template <class T>
GRADUS_INLINE auto rule(const SgdStep& step) {
  const Vec<T> minus_lr = splat<T>(-step.lr), momentum = splat<T>(step.momentum), fresh = splat<T>(1 - step.dampening);
  const bool has_momentum = step.momentum != 0, first = step.first, nesterov = step.nesterov;
  return [=](auto state, Vec<T> p, Vec<T> d) GRADUS_LAMBDA {
    if (has_momentum) {
      const Vec<T> b = first ? state.put(0, d) : average(state, 0, momentum, fresh, d);
      d = nesterov ? multiply_add(momentum, b, d) : b;
    }
    return multiply_add(minus_lr, d, p);
  };
}

template <class T>
GRADUS_INLINE auto rule(const AdamStep& step) {
  const Vec<T> beta1 = splat<T>(step.beta1), fresh1 = splat<T>(1 - step.beta1);
  const Vec<T> beta2 = splat<T>(step.beta2), fresh2 = splat<T>(1 - step.beta2);
  const Vec<T> root = splat<T>(1 / __builtin_sqrt(step.bias_correction2)), eps = splat<T>(step.eps);
  const Vec<T> minus_rate = splat<T>(-step.lr / step.bias_correction1), shrink = splat<T>(step.decay_factor);
  const bool amsgrad = step.amsgrad;
  return [=](auto state, Vec<T> p, Vec<T> d) GRADUS_LAMBDA {
    const Vec<T> mean = average(state, 0, beta1, fresh1, d);
    Vec<T> square = average(state, 1, beta2, fresh2 * d, d);
    if (amsgrad) square = state.put(2, maximum(state.get(2), square));
    const Vec<T> denominator = multiply_add(xsimd::sqrt(square), root, eps);
    return multiply_add(minus_rate, mean / denominator, p * shrink);
  };
}

template <class T>
GRADUS_INLINE auto rule(const RmspropStep& step) {
  const Vec<T> alpha = splat<T>(step.alpha), fresh = splat<T>(1 - step.alpha), eps = splat<T>(step.eps);
  const Vec<T> minus_lr = splat<T>(-step.lr), momentum = splat<T>(step.momentum), zero = splat<T>(0);
  const bool has_momentum = step.momentum != 0, centered = step.centered;
  return [=](auto state, Vec<T> p, Vec<T> d) GRADUS_LAMBDA {
    Vec<T> square = average(state, 0, alpha, fresh * d, d);
    if (centered) {
      const Vec<T> mean = average(state, 1, alpha, fresh, d);
      square = maximum(square - mean * mean, zero);  // rounding may leave less than 0
    }
    Vec<T> b = d / (xsimd::sqrt(square) + eps);
    if (has_momentum) b = state.put(2, multiply_add(momentum, state.get(2), b));
    return multiply_add(minus_lr, b, p);
  };
}

template <class T>
GRADUS_INLINE auto rule(const AdagradStep& step) {
  const Vec<T> minus_rate = splat<T>(-step.rate), eps = splat<T>(step.eps);
  return [=](auto state, Vec<T> p, Vec<T> d) GRADUS_LAMBDA {
    const Vec<T> sum = state.put(0, multiply_add(d, d, state.get(0)));
    return multiply_add(minus_rate, d / (xsimd::sqrt(sum) + eps), p);
  };
}

// -1, 0 or 1; of NaN: 0, as in PyTorch.
template <class T>
GRADUS_INLINE Vec<T> sign_of(Vec<T> x) {
  const Vec<T> zero = splat<T>(0), one = splat<T>(1);
  return select(x > zero, one, select(x < zero, -one, zero));
}

template <class T>
GRADUS_INLINE auto rule(const LionStep& step) {
  const Vec<T> beta1 = splat<T>(step.beta1), fresh1 = splat<T>(1 - step.beta1);
  const Vec<T> beta2 = splat<T>(step.beta2), fresh2 = splat<T>(1 - step.beta2);
  const Vec<T> minus_lr = splat<T>(-step.lr), shrink = splat<T>(step.decay_factor);
  return [=](auto state, Vec<T> p, Vec<T> d) GRADUS_LAMBDA {
    const Vec<T> ahead = multiply_add(beta1, state.get(0), fresh1 * d);
    average(state, 0, beta2, fresh2, d);
    return multiply_add(minus_lr, sign_of<T>(ahead), p * shrink);
  };
}

template <class T>
GRADUS_INLINE auto rule(const AdadeltaStep& step) {
  const Vec<T> rho = splat<T>(step.rho), fresh = splat<T>(1 - step.rho), eps = splat<T>(step.eps);
  const Vec<T> minus_lr = splat<T>(-step.lr);
  return [=](auto state, Vec<T> p, Vec<T> d) GRADUS_LAMBDA {
    const Vec<T> square = average(state, 0, rho, fresh * d, d);
    const Vec<T> delta = xsimd::sqrt(state.get(1) + eps) / xsimd::sqrt(square + eps) * d;
    average(state, 1, rho, fresh * delta, delta);
    return multiply_add(minus_lr, delta, p);
  };
}

template <class T>
GRADUS_INLINE auto rule(const AdamaxStep& step) {
  const Vec<T> beta1 = splat<T>(step.beta1), fresh1 = splat<T>(1 - step.beta1), beta2 = splat<T>(step.beta2);
  const Vec<T> eps = splat<T>(step.eps), minus_rate = splat<T>(-step.rate);
  return [=](auto state, Vec<T> p, Vec<T> d) GRADUS_LAMBDA {
    const Vec<T> mean = average(state, 0, beta1, fresh1, d);
    const Vec<T> largest = state.put(1, maximum<Vec<T>>(beta2 * state.get(1), xsimd::abs(d) + eps));
    return multiply_add(minus_rate, mean / largest, p);
  };
}

template <class T>
GRADUS_INLINE auto rule(const NadamStep& step) {
  const Vec<T> beta1 = splat<T>(step.beta1), fresh1 = splat<T>(1 - step.beta1);
  const Vec<T> beta2 = splat<T>(step.beta2), fresh2 = splat<T>(1 - step.beta2);
  const Vec<T> root = splat<T>(1 / __builtin_sqrt(step.bias_correction2)), eps = splat<T>(step.eps);
  const Vec<T> gradient_rate = splat<T>(step.gradient_rate), mean_rate = splat<T>(step.mean_rate);
  return [=](auto state, Vec<T> p, Vec<T> d) GRADUS_LAMBDA {
    const Vec<T> mean = average(state, 0, beta1, fresh1, d);
    const Vec<T> square = average(state, 1, beta2, fresh2 * d, d);
    const Vec<T> denominator = multiply_add(xsimd::sqrt(square), root, eps);
    return p - multiply_add(mean_rate, mean, gradient_rate * d) / denominator;
  };
}

template <class T>
GRADUS_INLINE auto rule(const RadamStep& step) {
  const Vec<T> beta1 = splat<T>(step.beta1), fresh1 = splat<T>(1 - step.beta1);
  const Vec<T> beta2 = splat<T>(step.beta2), fresh2 = splat<T>(1 - step.beta2);
  const Vec<T> eps = splat<T>(step.eps), minus_rate = splat<T>(-step.rate);
  const bool adaptive = step.adaptive;
  return [=](auto state, Vec<T> p, Vec<T> d) GRADUS_LAMBDA {
    Vec<T> mean = average(state, 0, beta1, fresh1, d);
    const Vec<T> square = average(state, 1, beta2, fresh2 * d, d);
    if (adaptive) mean = mean / (xsimd::sqrt(square) + eps);
    return multiply_add(minus_rate, mean, p);
  };
}

template <class T>
GRADUS_INLINE auto rule(const RpropStep& step) {
  const Vec<T> minus = splat<T>(step.eta_minus), plus = splat<T>(step.eta_plus);
  const Vec<T> smallest = splat<T>(step.smallest), largest = splat<T>(step.largest);
  const Vec<T> zero = splat<T>(0), one = splat<T>(1);
  return [=](auto state, Vec<T> p, Vec<T> d) GRADUS_LAMBDA {
    const Vec<T> agreement = d * state.get(0);
    const Vec<T> factor = select(agreement > zero, plus, select(agreement < zero, minus, one));
    const Vec<T> size = state.put(1, minimum(maximum<Vec<T>>(state.get(1) * factor, smallest), largest));
    d = state.put(0, select(agreement < zero, zero, d));
    return p - sign_of<T>(d) * size;
  };
}

template <class T>
GRADUS_INLINE auto rule(const AsgdStep& step) {
  const Vec<T> minus_eta = splat<T>(-step.eta), shrink = splat<T>(step.decay_factor), mu = splat<T>(step.mu);
  const bool averages = step.mu != 1;
  return [=](auto state, Vec<T> p, Vec<T> d) GRADUS_LAMBDA {
    p = multiply_add(minus_eta, d, p * shrink);
    const Vec<T> mean = averages ? multiply_add<Vec<T>>(mu, p - state.get(0), state.get(0)) : p;
    state.put(0, mean);
    return p;
  };
}

template <class T>
GRADUS_INLINE auto rule(const ScheduleFreeStep& step) {
  const Vec<T> beta2 = splat<T>(step.beta2), fresh2 = splat<T>(1 - step.beta2), eps = splat<T>(step.eps);
  const Vec<T> root = splat<T>(1 / __builtin_sqrt(step.bias_correction2)), decay = splat<T>(step.decay);
  const Vec<T> weight = splat<T>(step.average_weight);
  const Vec<T> minus_lr = splat<T>(-step.lr), minus_y_rate = splat<T>(-step.y_rate);
  const bool adaptive = step.adaptive, decays = step.decay != 0;
  return [=](auto state, Vec<T> y, Vec<T> d) GRADUS_LAMBDA {
    if (adaptive) d = d / multiply_add(xsimd::sqrt(average(state, 1, beta2, fresh2 * d, d)), root, eps);
    if (decays) d = multiply_add(decay, y, d);
    const Vec<T> z = state.get(0);
    state.put(0, multiply_add(minus_lr, d, z));
    return multiply_add(minus_y_rate, d, multiply_add<Vec<T>>(weight, z - y, y));
  };
}

// --- the pass -------------------------------------------------------------------------------------------------------

template <class T, class Step>
void pass(T* p, const T* g, StateArrays<T> arrays, Size n, const Step& step) {
  const Vec<T> sign = splat<T>(step.direction.maximize ? -1 : 1), decay = splat<T>(step.direction.weight_decay);
  const bool decays = step.direction.weight_decay != 0;
  const auto update = rule<T>(step);
  for_each_batch<T>(n, [&](Size i, auto lanes) GRADUS_LAMBDA {  // by value, a small parameter pays for the copy
    const Vec<T> param = load(p + i, lanes);
    Vec<T> d = load(g + i, lanes) * sign;
    if (decays) d = multiply_add(decay, param, d);
    store(p + i, update(Here<T, decltype(lanes)>{arrays, i, lanes}, param, d), lanes);
  });
}

template <class T, class... Steps>
void fill_each(StepKernels<T, Steps...>& table) {
  ((static_cast<StepKernel<T, Steps>&>(table).run = pass<T, Steps>), ...);
}

}  // namespace

template <class T>
void fill(OptimTable<T>& table) {
  fill_each(table);
}

template void fill(OptimTable<float>& table);
template void fill(OptimTable<double>& table);

}  // namespace gradus::kernels::GRADUS_ISA
