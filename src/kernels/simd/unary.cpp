// y = f(x), one struct per op.
#include "kernels/simd/math.hpp"
#include "kernels/simd/pointwise.hpp"
#include "kernels/simd/table.hpp"

namespace gradus::kernels::GRADUS_ISA {
namespace {

struct Neg {
  template <class T>
  static Vec<T> apply(Vec<T> x) {
    return -x;
  }
};

struct Abs {
  template <class T>
  static Vec<T> apply(Vec<T> x) {
    if constexpr (is_float<T>)
      return magnitude<T>(x);
    else
      return select(x < Int(0), -x, x);
  }
};

struct Sign {  // of NaN: 0, as in PyTorch
  template <class T>
  static Vec<T> apply(Vec<T> x) {
    const Vec<T> zero(T(0)), one(T(1));
    return select(x > zero, one, select(x < zero, -one, zero));
  }
};

struct Square {
  template <class T>
  static Vec<T> apply(Vec<T> x) {
    return x * x;
  }
};

struct Relu {
  template <class T>
  static Vec<T> apply(Vec<T> x) {
    return relu(x);
  }
};

struct Sqrt {
  template <class T>
  static Vec<T> apply(Vec<T> x) {
    return xsimd::sqrt(x);
  }
};

struct Exp {
  template <class T>
  static Vec<T> apply(Vec<T> x) {
    return exp<T>(x);
  }
};

struct Expm1 {
  template <class T>
  static Vec<T> apply(Vec<T> x) {
    return expm1<T>(x);
  }
};

struct Log {
  template <class T>
  static Vec<T> apply(Vec<T> x) {
    return log(x);
  }
};

struct Sin {
  template <class T>
  static Vec<T> apply(Vec<T> x) {
    return sin_or_cos<T, false>(x);
  }
};

struct Cos {
  template <class T>
  static Vec<T> apply(Vec<T> x) {
    return sin_or_cos<T, true>(x);
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

struct Softplus {
  template <class T>
  static Vec<T> apply(Vec<T> x) {
    return softplus<T>(x);
  }
};

template <class T, class Op>
void unary(T* y, const T* x, Size sx, Size n) {
  map(y, x, sx, n, [](Vec<T> v) GRADUS_LAMBDA { return Op::template apply<T>(v); });
}

template <class T>
void fill_any(Table<T>& table) {
  table.unary[index(Unary::neg)] = unary<T, Neg>;
  table.unary[index(Unary::abs)] = unary<T, Abs>;
  table.unary[index(Unary::sign)] = unary<T, Sign>;
  table.unary[index(Unary::square)] = unary<T, Square>;
  table.unary[index(Unary::relu)] = unary<T, Relu>;
}

template <class T>
void fill_floating(Table<T>& table) {
  fill_any(table);
  table.unary[index(Unary::sqrt)] = unary<T, Sqrt>;
  table.unary[index(Unary::exp)] = unary<T, Exp>;
  table.unary[index(Unary::expm1)] = unary<T, Expm1>;
  table.unary[index(Unary::log)] = unary<T, Log>;
  table.unary[index(Unary::sin)] = unary<T, Sin>;
  table.unary[index(Unary::cos)] = unary<T, Cos>;
  table.unary[index(Unary::tanh)] = unary<T, Tanh>;
  table.unary[index(Unary::sigmoid)] = unary<T, Sigmoid>;
  table.unary[index(Unary::gelu)] = unary<T, Gelu>;
  table.unary[index(Unary::softplus)] = unary<T, Softplus>;
}

}  // namespace

template <>
void fill_unary(Table<float>& table) {
  fill_floating(table);
}
template <>
void fill_unary(Table<double>& table) {
  fill_floating(table);
}
template <>
void fill_unary(Table<std::int64_t>& table) {
  fill_any(table);
}

}  // namespace gradus::kernels::GRADUS_ISA
