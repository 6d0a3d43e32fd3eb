// The kernels of the optimizers: one pass over memory each. What a rule needs is a struct here, and what it does a few
// lines of simd/optim.cpp; its name in the list `OptimTable` makes a kernel of it.
#pragma once

#include <cstdint>
#include <string_view>

namespace gradus::kernels {

// What every rule starts from: d = (maximize ? -g : g) + weight_decay * p.
struct Direction {
  double weight_decay = 0;
  bool maximize = false;
};

struct SgdStep {
  Direction direction;
  double lr, momentum, dampening;
  bool nesterov;
  bool first;  // the first momentum buffer is the gradient itself
};

struct AdamStep {
  Direction direction;
  double lr, beta1, beta2, eps;
  double decay_factor;                        // AdamW: the parameter is first multiplied by this; 1 for Adam
  double bias_correction1, bias_correction2;  // 1 - beta^t
  bool amsgrad;                               // the third array keeps the largest second moment
};

struct RmspropStep {
  Direction direction;
  double lr, alpha, eps, momentum;
  bool centered;
};

struct AdagradStep {
  Direction direction;
  double rate, eps;
};

struct LionStep {
  Direction direction;
  double lr, beta1, beta2;
  double decay_factor;  // the parameter is first multiplied by this
};

struct AdadeltaStep {
  Direction direction;
  double lr, rho, eps;
};

struct AdamaxStep {
  Direction direction;
  double rate, beta1, beta2, eps;
};

struct NadamStep {
  Direction direction;
  double beta1, beta2, eps, bias_correction2;
  double gradient_rate, mean_rate;  // lr times the weights of the gradient and of its mean
};

struct RadamStep {
  Direction direction;
  double rate, beta1, beta2, eps;
  bool adaptive;  // divides by the root of the second moment
};

struct RpropStep {
  Direction direction;
  double eta_minus, eta_plus;
  double smallest, largest;  // step sizes
};

struct AsgdStep {
  Direction direction;
  double eta, decay_factor;
  double mu;  // the weight of the newest parameter in the average
};

struct ScheduleFreeStep {
  Direction direction;
  double lr, decay;       // the decay is added to what the gradient has become
  double average_weight;  // of z in the average x
  double y_rate;          // the part of the step that y takes itself
  bool adaptive;          // divides by the root of the second moment, the second array
  double beta2, eps, bias_correction2;
};

// The arrays that a rule keeps, in the order its code numbers them; null where its options need none.
template <class T>
struct StateArrays {
  static constexpr int most = 3;
  T* of[most] = {};
};

template <class T, class Step>
struct StepKernel {
  void (*run)(T* p, const T* g, StateArrays<T> state, std::int64_t n, const Step& step);
};

template <class T, class... Steps>
struct StepKernels : StepKernel<T, Steps>... {};

template <class T>
using OptimTable = StepKernels<T, SgdStep, AdamStep, RmspropStep, AdagradStep, LionStep, AdadeltaStep, AdamaxStep,
                               NadamStep, RadamStep, RpropStep, AsgdStep, ScheduleFreeStep>;

// As table() and table_for() of kernels.hpp, for float and double.
template <class T>
const OptimTable<T>& optim_table();
template <class T>
const OptimTable<T>* optim_table_for(std::string_view isa);

// One step of n elements: updates p and the state.
template <class T, class Step>
void run_step(const OptimTable<T>& table, T* p, const T* g, StateArrays<T> state, std::int64_t n, const Step& step) {
  const StepKernel<T, Step>& kernel = table;
  kernel.run(p, g, state, n, step);
}

}  // namespace gradus::kernels
