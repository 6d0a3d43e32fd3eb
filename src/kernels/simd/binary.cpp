// y = f(a, b) with broadcasting, one struct per op, and the derivatives that read the gradient and a saved value.
#include "kernels/simd/math.hpp"
#include "kernels/simd/pointwise.hpp"
#include "kernels/simd/table.hpp"

namespace gradus::kernels::GRADUS_ISA {
namespace {

struct Add {
  template <class T>
  static Vec<T> apply(Vec<T> a, Vec<T> b) {
    return a + b;
  }
};

struct Sub {
  template <class T>
  static Vec<T> apply(Vec<T> a, Vec<T> b) {
    return a - b;
  }
};

struct Mul {
  template <class T>
  static Vec<T> apply(Vec<T> a, Vec<T> b) {
    return a * b;
  }
};

struct Div {
  template <class T>
  static Vec<T> apply(Vec<T> a, Vec<T> b) {
    return a / b;
  }
};

struct Maximum {
  template <class T>
  static Vec<T> apply(Vec<T> a, Vec<T> b) {
    return maximum(a, b);
  }
};

struct Minimum {
  template <class T>
  static Vec<T> apply(Vec<T> a, Vec<T> b) {
    return minimum(a, b);
  }
};

struct ReluBackward {
  template <class T>
  static Vec<T> apply(Vec<T> g, Vec<T> y) {
    return select(y <= Vec<T>(T(0)), Vec<T>(T(0)), g);
  }
};

struct TanhBackward {
  template <class T>
  static Vec<T> apply(Vec<T> g, Vec<T> y) {
    return g * (Vec<T>(T(1)) - y * y);
  }
};

struct SigmoidBackward {
  template <class T>
  static Vec<T> apply(Vec<T> g, Vec<T> y) {
    return g * ((Vec<T>(T(1)) - y) * y);
  }
};

struct GeluBackward {  // d/dx x P(x) = P(x) + x p(x)
  template <class T>
  static Vec<T> apply(Vec<T> g, Vec<T> x) {
    const auto tail = normal_tail<T>(x);
    const Vec<T> density = tail.bell * Vec<T>(T(0.3989422804014326779));
    return g * multiply_add(x, density, normal_cdf<T>(x, tail));
  }
};

struct SoftplusBackward {
  template <class T>
  static Vec<T> apply(Vec<T> g, Vec<T> x) {
    return g * sigmoid<T>(x);
  }
};

template <class T, class Op>
void binary(T* y, const T* a, Size sa, const T* b, Size sb, Size n) {
  map(y, a, sa, b, sb, n, [](Vec<T> u, Vec<T> v) GRADUS_LAMBDA { return Op::template apply<T>(u, v); });
}

template <class T>
void add_scaled(T* y, const T* a, Size sa, const T* b, Size sb, T alpha, Size n) {
  map(y, a, sa, b, sb, n,
      [scale = Vec<T>(alpha)](Vec<T> u, Vec<T> v) GRADUS_LAMBDA { return multiply_add(scale, v, u); });
}

// --- pow ------------------------------------------------------------------------------------------------------------

float scalar_pow(float a, float b) { return __builtin_powf(a, b); }
double scalar_pow(double a, double b) { return __builtin_pow(a, b); }

std::int64_t scalar_pow(std::int64_t a, std::int64_t b) {  // by squaring; negative exponents round towards zero
  if (b < 0) return a == 1 ? 1 : a == -1 ? (b % 2 != 0 ? -1 : 1) : 0;
  Int power = 1;
  for (Int base = a; b != 0; b /= 2, base = base * base)
    if (b % 2 != 0) power = power * base;
  return power.value;
}

// The exponents that need no pow; false for any other.
template <class T>
bool pow_of_common_exponent(T* y, const T* a, Size sa, T exponent, Size n) {
  if (exponent == T(1)) return map(y, a, sa, n, [](Vec<T> x) GRADUS_LAMBDA { return x; }), true;
  if (exponent == T(2)) return map(y, a, sa, n, [](Vec<T> x) GRADUS_LAMBDA { return x * x; }), true;
  if (exponent == T(3)) return map(y, a, sa, n, [](Vec<T> x) GRADUS_LAMBDA { return x * x * x; }), true;
  if constexpr (is_float<T>) {
    const Vec<T> zero(T(0)), infinity(static_cast<T>(__builtin_inf()));
    if (exponent == T(-1)) return map(y, a, sa, n, [](Vec<T> x) GRADUS_LAMBDA { return Vec<T>(T(1)) / x; }), true;
    if (exponent == T(0.5)) {  // unlike sqrt, pow(-0, 0.5) is 0 and pow(-inf, 0.5) is inf
      return map(y, a, sa, n,
                 [=](Vec<T> x) GRADUS_LAMBDA { return select(x == -infinity, infinity, xsimd::sqrt(x) + zero); }),
             true;
    }
  }
  return false;
}

template <class T>
void pow(T* y, const T* a, Size sa, const T* b, Size sb, Size n) {
  if (sb == 0 && n > 0 && pow_of_common_exponent(y, a, sa, *b, n)) return;
  for (Size i = 0; i < n; ++i) y[i] = scalar_pow(a[i * sa], b[i * sb]);
}

// --------------------------------------------------------------------------------------------------------------------

template <class T>
void fill_any(Table<T>& table) {
  table.binary[index(Binary::add)] = binary<T, Add>;
  table.binary[index(Binary::sub)] = binary<T, Sub>;
  table.binary[index(Binary::mul)] = binary<T, Mul>;
  table.binary[index(Binary::pow)] = pow<T>;
  table.binary[index(Binary::maximum)] = binary<T, Maximum>;
  table.binary[index(Binary::minimum)] = binary<T, Minimum>;
  table.add_scaled = add_scaled<T>;
}

template <class T>
void fill_floating(Table<T>& table) {
  fill_any(table);
  table.binary[index(Binary::div)] = binary<T, Div>;
  table.binary[index(Binary::relu_backward)] = binary<T, ReluBackward>;
  table.binary[index(Binary::tanh_backward)] = binary<T, TanhBackward>;
  table.binary[index(Binary::sigmoid_backward)] = binary<T, SigmoidBackward>;
  table.binary[index(Binary::gelu_backward)] = binary<T, GeluBackward>;
  table.binary[index(Binary::softplus_backward)] = binary<T, SoftplusBackward>;
}

}  // namespace

template <>
void fill_binary(Table<float>& table) {
  fill_floating(table);
}
template <>
void fill_binary(Table<double>& table) {
  fill_floating(table);
}
template <>
void fill_binary(Table<std::int64_t>& table) {
  fill_any(table);
}

}  // namespace gradus::kernels::GRADUS_ISA
