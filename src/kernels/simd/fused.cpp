// Bias with activation, and the pieces of the mean squared error.
#include "kernels/simd/fold.hpp"
#include "kernels/simd/math.hpp"
#include "kernels/simd/pointwise.hpp"
#include "kernels/simd/table.hpp"

namespace gradus::kernels::GRADUS_ISA {
namespace {

struct Identity {
  template <class T>
  static Vec<T> apply(Vec<T> x) {
    return x;
  }
};

struct Relu {
  template <class T>
  static Vec<T> apply(Vec<T> x) {
    return relu(x);
  }
};

struct Tanh {
  template <class T>
  static Vec<T> apply(Vec<T> x) {
    return tanh<T>(x);
  }
};

struct Sigmoid {
  template <class T>
  static Vec<T> apply(Vec<T> x) {
    return sigmoid<T>(x);
  }
};

struct Gelu {
  template <class T>
  static Vec<T> apply(Vec<T> x) {
    return gelu<T>(x);
  }
};

template <class T, class Op>
void bias_activation(T* y, const T* bias, Size rows, Size cols) {
  if (bias == nullptr)
    return map(y, y, 1, rows * cols, [](Vec<T> v) GRADUS_LAMBDA { return Op::template apply<T>(v); });
  if (cols == 1)
    return map(y, y, 1, bias, 0, rows, [](Vec<T> v, Vec<T> b) GRADUS_LAMBDA { return Op::template apply<T>(v + b); });
  for (Size r = 0; r < rows; ++r, y += cols)
    for_each_batch<T>(cols, [=](Size i, auto lanes) GRADUS_LAMBDA {
      store(y + i, Op::template apply<T>(load(y + i, lanes) + load(bias + i, lanes)), lanes);
    });
}

template <class T>
T squared_distance(const T* a, const T* b, Size n) {
  return fold_range<T, SumSquareFold>(
      0, n, [=](Size i, auto lanes) GRADUS_LAMBDA { return load(a + i, lanes) - load(b + i, lanes); });
}

template <class T>
void scaled_difference(T* y, const T* a, const T* b, T scale, Size n) {
  map(y, a, 1, b, 1, n, [s = broadcast(scale)](Vec<T> u, Vec<T> v) GRADUS_LAMBDA { return s * (u - v); });
}

template <class T>
void fill_floating(Table<T>& table) {
  table.bias_activation[index(Activation::identity)] = bias_activation<T, Identity>;
  table.bias_activation[index(Activation::relu)] = bias_activation<T, Relu>;
  table.bias_activation[index(Activation::tanh)] = bias_activation<T, Tanh>;
  table.bias_activation[index(Activation::sigmoid)] = bias_activation<T, Sigmoid>;
  table.bias_activation[index(Activation::gelu)] = bias_activation<T, Gelu>;
  table.squared_distance = squared_distance<T>;
  table.scaled_difference = scaled_difference<T>;
}

}  // namespace

template <>
void fill_fused(Table<float>& table) {
  fill_floating(table);
}
template <>
void fill_fused(Table<double>& table) {
  fill_floating(table);
}

}  // namespace gradus::kernels::GRADUS_ISA
