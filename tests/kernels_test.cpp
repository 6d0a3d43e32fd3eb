// Every kernel of every instruction set that this processor has, against plain loops in long double.
#include "kernels/kernels.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "kernel_tables.hpp"

using namespace gradus::kernels;
using gradus::tests::for_each_table;

namespace {

using Size = std::int64_t;
using Real = long double;

template <class T>
constexpr T inf_of = std::numeric_limits<T>::infinity();
template <class T>
constexpr T nan_of = std::numeric_limits<T>::quiet_NaN();

template <class T>
constexpr Real tolerance = std::is_same_v<T, float> ? 1e-6L : 1e-12L;

template <class T>
std::vector<T> random_values(Size n, double low, double high, unsigned seed = 1) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<double> distribution(low, high);
  std::vector<T> values(static_cast<std::size_t>(n));
  for (T& v : values) v = static_cast<T>(distribution(generator));
  return values;
}

template <class T>
T element(const std::vector<T>& v, Size i) {
  return v[static_cast<std::size_t>(i)];
}

// Within the tolerance of the exact value, where it is a normal number; NaN for NaN, and the same infinity.
template <class T>
bool close(T got, Real exact, Real factor = 1) {
  const T rounded = static_cast<T>(exact);
  if (std::isnan(rounded)) return std::isnan(got);
  if (std::isinf(rounded) || std::isinf(got)) return got == rounded;
  const Real floor = std::numeric_limits<T>::min();
  return std::abs(Real(got) - exact) <= factor * tolerance<T> * std::max(std::abs(exact), floor);
}

template <class T>
bool same_bits(T a, T b) {
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  return std::bit_cast<Bits>(a) == std::bit_cast<Bits>(b) || (a != a && b != b);
}

Real normal_cdf(Real x) { return std::erfc(-x / std::sqrt(2.0L)) / 2; }
Real sigmoid(Real x) { return 1 / (1 + std::exp(-x)); }
Real relu(Real x) { return x <= 0 ? 0 : x; }
Real softplus(Real x) { return relu(x) + std::log1p(std::exp(-std::abs(x))); }

struct UnaryCase {
  Unary op;
  const char* name;
  double low, high;
  std::function<Real(Real)> exact;
};

const std::vector<UnaryCase>& unary_cases() {
  static const std::vector<UnaryCase> cases = {
      {Unary::neg, "neg", -5, 5, [](Real x) { return -x; }},
      {Unary::abs, "abs", -5, 5, [](Real x) { return std::abs(x); }},
      {Unary::sign, "sign", -5, 5, [](Real x) { return Real((x > 0) - (x < 0)); }},
      {Unary::square, "square", -5, 5, [](Real x) { return x * x; }},
      {Unary::sqrt, "sqrt", 0, 5, [](Real x) { return std::sqrt(x); }},
      {Unary::exp, "exp", -20, 20, [](Real x) { return std::exp(x); }},
      {Unary::expm1, "expm1", -3, 20, [](Real x) { return std::expm1(x); }},
      {Unary::log, "log", 1e-3, 20, [](Real x) { return std::log(x); }},
      {Unary::sin, "sin", -10, 10, [](Real x) { return std::sin(x); }},
      {Unary::cos, "cos", -10, 10, [](Real x) { return std::cos(x); }},
      {Unary::tanh, "tanh", -3, 3, [](Real x) { return std::tanh(x); }},
      {Unary::sigmoid, "sigmoid", -10, 10, sigmoid},
      {Unary::relu, "relu", -5, 5, relu},
      {Unary::gelu, "gelu", -6, 6, [](Real x) { return x * normal_cdf(x); }},
      {Unary::softplus, "softplus", -10, 10, softplus},
  };
  return cases;
}

template <class T>
void check_unary(const UnaryCase& c, const Table<T>& table, const std::vector<T>& x, Size stride, Size n) {
  std::vector<T> y(static_cast<std::size_t>(n) + 1, T(77));
  table.unary[index(c.op)](y.data(), x.data(), stride, n);
  CAPTURE(std::string(c.name));
  CAPTURE(n);
  CAPTURE(stride);
  Size wrong = -1;
  for (Size i = 0; i < n && wrong < 0; ++i)
    if (!close(element(y, i), c.exact(element(x, i * stride)))) wrong = i;
  if (wrong >= 0) {
    CAPTURE(element(x, wrong * stride));
    CAPTURE(element(y, wrong));
    CHECK(wrong == -1);
  }
  CHECK(y.back() == T(77));  // nothing is written beyond the end
}

template <class T>
void check_all_unary() {
  CHECK(unary_cases().size() == count_of<Unary>);
  for_each_table<T>([](const Table<T>& table) {
    for (const UnaryCase& c : unary_cases()) {
      const auto x = random_values<T>(3 * 70 + 1, c.low, c.high);
      for (Size n = 0; n <= 70; ++n)
        for (Size stride : {1, 0, 3}) check_unary(c, table, x, stride, n);
      const auto many = random_values<T>(20000, c.low, c.high, 2);
      check_unary(c, table, many, 1, 20000);
      check_unary(c, table, many, 7, 2000);
    }
  });
}

template <class T>
void check_unary_extremes() {
  const T denormal = std::numeric_limits<T>::denorm_min(), tiny = std::numeric_limits<T>::min(),
          huge = std::numeric_limits<T>::max();
  std::vector<T> x = {T(0),     T(-0.0),       T(1),          T(-1),     T(1e-8),    T(-1e-8),     T(0.5),   T(40),
                      T(-40),   T(100),        T(-100),       T(800),    T(-800),    T(1000),      T(-1000), T(88.7),
                      T(-88.7), T(-87.5),      T(-100),       T(-103),   T(709.7),   T(-740),      T(6),     T(-6),
                      T(13),    T(-13),        T(-37),        T(1e6),    T(-1e6),    T(8192),      T(9000),  T(1e10),
                      T(-3e8),  T(3.14159274), T(1.57079637), denormal,  -denormal,  8 * denormal, tiny,     -tiny,
                      tiny / 2, huge,          -huge,         inf_of<T>, -inf_of<T>, nan_of<T>};
  for_each_table<T>([&](const Table<T>& table) {
    for (const UnaryCase& c : unary_cases()) {
      for (T value : x) {
        T y{};
        table.unary[index(c.op)](&y, &value, 1, 1);
        Real exact = c.exact(value);
        if (std::isnan(value)) exact = c.op == Unary::sign ? 0 : nan_of<Real>;
        CAPTURE(std::string(c.name));
        CAPTURE(value);
        CAPTURE(y);
        CAPTURE(double(exact));
        CHECK(close(y, exact));
      }
    }
    const auto apply = [&](Unary op, T value) {
      T y{};
      table.unary[index(op)](&y, &value, 1, 1);
      return y;
    };
    for (Unary op : {Unary::tanh, Unary::sin, Unary::sqrt, Unary::expm1}) CHECK(std::signbit(apply(op, T(-0.0))));
    for (Unary op : {Unary::tanh, Unary::sin, Unary::sqrt}) CHECK(!std::signbit(apply(op, T(0))));
    for (Unary op : {Unary::tanh, Unary::sin, Unary::expm1}) CHECK(apply(op, 8 * denormal) == 8 * denormal);
    CHECK(apply(Unary::abs, T(-0.0)) == 0);
    CHECK(!std::signbit(apply(Unary::abs, T(-0.0))));
  });
}

// Elements are computed alone, in place and among others.
template <class T>
void check_unary_independence() {
  auto x = random_values<T>(300, -30, 30);
  for (std::size_t i = 0; i < x.size(); i += 7) x[i] = x[i] * T(1000);  // the slow lanes of sin and cos
  const Size n = static_cast<Size>(x.size());
  for_each_table<T>([&](const Table<T>& table) {
    for (const UnaryCase& c : unary_cases()) {
      const auto f = table.unary[index(c.op)];
      std::vector<T> whole(x.size()), split(x.size()), in_place = x;
      f(whole.data(), x.data(), 1, n);
      f(in_place.data(), in_place.data(), 1, n);
      for (Size i = 0; i < n; i += 1 + i % 5) f(split.data() + i, x.data() + i, 1, std::min<Size>(1 + i % 5, n - i));
      int different = 0;
      for (std::size_t i = 0; i < x.size(); ++i)
        different += !same_bits(whole[i], in_place[i]) || !same_bits(whole[i], split[i]);
      CAPTURE(std::string(c.name));
      CHECK(different == 0);
    }
  });
}

struct BinaryCase {
  Binary op;
  const char* name;
  std::function<Real(Real, Real)> exact;
};

const std::vector<BinaryCase>& binary_cases() {
  static const std::vector<BinaryCase> cases = {
      {Binary::add, "add", [](Real a, Real b) { return a + b; }},
      {Binary::sub, "sub", [](Real a, Real b) { return a - b; }},
      {Binary::mul, "mul", [](Real a, Real b) { return a * b; }},
      {Binary::div, "div", [](Real a, Real b) { return a / b; }},
      {Binary::pow, "pow", [](Real a, Real b) { return std::pow(a, b); }},
      {Binary::maximum, "maximum", [](Real a, Real b) { return a != a || b != b ? nan_of<Real> : std::max(a, b); }},
      {Binary::minimum, "minimum", [](Real a, Real b) { return a != a || b != b ? nan_of<Real> : std::min(a, b); }},
      {Binary::relu_backward, "relu_backward", [](Real g, Real y) { return y <= 0 ? 0 : g; }},
      {Binary::tanh_backward, "tanh_backward", [](Real g, Real y) { return g * (1 - y * y); }},
      {Binary::sigmoid_backward, "sigmoid_backward", [](Real g, Real y) { return g * (y * (1 - y)); }},
      {Binary::gelu_backward, "gelu_backward",
       [](Real g, Real x) {
         const Real density = std::exp(-x * x / 2) * 0.398942280401432677939946L;
         return g * (normal_cdf(x) + (std::isinf(x) ? nan_of<Real> : x * density));
       }},
      {Binary::softplus_backward, "softplus_backward", [](Real g, Real x) { return g * sigmoid(x); }},
  };
  return cases;
}

template <class T>
void check_all_binary() {
  CHECK(binary_cases().size() == count_of<Binary>);
  const auto a = random_values<T>(2 * 700 + 1, -5, 5, 3), b = random_values<T>(2 * 700 + 1, -5, 5, 4);
  for_each_table<T>([&](const Table<T>& table) {
    for (const BinaryCase& c : binary_cases())
      for (Size n = 0; n <= 700; n += n < 70 ? 1 : 210)
        for (Size sa : {1, 0, 2})
          for (Size sb : {1, 0, 2}) {
            std::vector<T> y(static_cast<std::size_t>(n) + 1, T(77));
            table.binary[index(c.op)](y.data(), a.data(), sa, b.data(), sb, n);
            int wrong = 0;
            for (Size i = 0; i < n; ++i) {
              const Real exact = c.exact(element(a, i * sa), element(b, i * sb));
              // Differences that cancel are only as exact as their terms.
              const Real slack = std::abs(exact) < 1 ? 10 * tolerance<T> : 0;
              wrong += !close(element(y, i), exact) && !(std::abs(element(y, i) - exact) <= slack);
            }
            CAPTURE(std::string(c.name));
            CAPTURE(n);
            CAPTURE(sa);
            CAPTURE(sb);
            CHECK(wrong == 0);
            CHECK(y.back() == T(77));
          }
  });
}

template <class T>
void check_binary_extremes() {
  const std::vector<T> values = {T(0),    T(-0.0), T(1),  T(-1), T(2),      T(3),       T(0.5),   T(-0.5),
                                 T(-2.5), T(9),    T(-9), T(7),  inf_of<T>, -inf_of<T>, nan_of<T>};
  for_each_table<T>([&](const Table<T>& table) {
    for (const BinaryCase& c : binary_cases())
      for (T a : values)
        for (T b : values) {
          T scalar{}, y{};
          table.binary[index(c.op)](&y, &a, 1, &b, 1, 1);
          table.binary[index(c.op)](&scalar, &a, 1, &b, 0, 1);  // the exponents that need no pow
          CAPTURE(std::string(c.name));
          CAPTURE(a);
          CAPTURE(b);
          CHECK(close(y, c.exact(a, b)));
          CHECK(close(scalar, c.exact(a, b)));
        }
    T minus_zero = T(-0.0), half = T(0.5), y{};
    table.binary[index(Binary::pow)](&y, &minus_zero, 1, &half, 0, 1);
    CHECK(!std::signbit(y));
  });
}

template <class T>
void check_in_place_binary() {
  const auto a = random_values<T>(100, -5, 5, 3), b = random_values<T>(100, -5, 5, 4);
  for_each_table<T>([&](const Table<T>& table) {
    for (const BinaryCase& c : binary_cases()) {
      const auto f = table.binary[index(c.op)];
      std::vector<T> y(100), left = a, right = b;
      f(y.data(), a.data(), 1, b.data(), 1, 100);
      f(left.data(), left.data(), 1, b.data(), 1, 100);
      f(right.data(), a.data(), 1, right.data(), 1, 100);
      int different = 0;
      for (std::size_t i = 0; i < 100; ++i) different += !same_bits(y[i], left[i]) || !same_bits(y[i], right[i]);
      CAPTURE(std::string(c.name));
      CHECK(different == 0);
    }
  });
}

template <class T>
void check_compare_where_add_scaled() {
  auto a = random_values<T>(141, -2, 2, 5), b = random_values<T>(141, -2, 2, 6);
  for (std::size_t i = 0; i < a.size(); i += 5) b[i] = a[i];
  if constexpr (std::is_floating_point_v<T>) a[3] = nan_of<T>, b[8] = nan_of<T>, a[9] = b[9] = inf_of<T>;
  for_each_table<T>([&](const Table<T>& table) {
    for (Size n = 0; n <= 70; ++n)
      for (Size sa : {1, 0, 2})
        for (Size sb : {1, 0, 2}) {
          CAPTURE(n);
          CAPTURE(sa);
          CAPTURE(sb);
          const auto size = static_cast<std::size_t>(n);
          const std::unique_ptr<bool[]> y(new bool[size + 1]);
          const auto compare = [&](Compare op, auto exact) {
            table.compare[index(op)](y.get(), a.data(), sa, b.data(), sb, n);
            int wrong = 0;
            for (Size i = 0; i < n; ++i)
              wrong += y[static_cast<std::size_t>(i)] != exact(element(a, i * sa), element(b, i * sb));
            CHECK(wrong == 0);
          };
          compare(Compare::eq, [](T u, T v) { return u == v; });
          compare(Compare::ne, [](T u, T v) { return u != v; });
          compare(Compare::lt, [](T u, T v) { return u < v; });
          compare(Compare::le, [](T u, T v) { return u <= v; });
          compare(Compare::gt, [](T u, T v) { return u > v; });
          compare(Compare::ge, [](T u, T v) { return u >= v; });

          const std::unique_ptr<bool[]> c(new bool[141]);
          for (std::size_t i = 0; i < 141; ++i) c[i] = i % 3 == 0 || i % 7 == 2;
          for (Size sc : {1, 0, 2}) {
            std::vector<T> chosen(size + 1, T(77));
            table.where(chosen.data(), c.get(), sc, a.data(), sa, b.data(), sb, n);
            int wrong = 0;
            for (Size i = 0; i < n; ++i) {
              const T exact = c[static_cast<std::size_t>(i * sc)] ? element(a, i * sa) : element(b, i * sb);
              wrong += !same_bits(element(chosen, i), exact);
            }
            CHECK(wrong == 0);
            CHECK(chosen.back() == T(77));
          }

          std::vector<T> sum(size + 1, T(77));
          table.add_scaled(sum.data(), a.data(), sa, b.data(), sb, T(3), n);
          int wrong = 0;
          for (Size i = 0; i < n; ++i) {
            const Real exact = Real(element(a, i * sa)) + 3 * Real(element(b, i * sb));
            if constexpr (std::is_same_v<T, Size>)
              wrong += element(sum, i) != static_cast<Size>(exact);
            else
              wrong += !close(element(sum, i), exact) && !(std::abs(element(sum, i) - exact) < 8 * tolerance<T>);
          }
          CHECK(wrong == 0);
          CHECK(sum.back() == T(77));
        }
  });
}

struct Extent {
  Size outer, size, inner;
};

const Extent extents[] = {{1, 1, 1},   {1, 7, 1}, {3, 16, 1},  {2, 70, 1},    {5, 1000, 1}, {1, 5000, 1}, {2, 20000, 1},
                          {1, 3, 2},   {2, 5, 3}, {3, 33, 16}, {2, 100, 37},  {1, 200, 70}, {2, 40, 513}, {1, 3000, 5},
                          {4, 1, 129}, {0, 4, 3}, {3, 4, 0},   {1, 65, 1100}, {7, 2, 10}};

template <class T>
struct Reduced {
  Real sum = 0, sum_square = 0, absolute = 0;
  T max, min;
  Size argmax = 0, argmin = 0;
};

template <class T>
Reduced<T> reduce_slowly(const std::vector<T>& x, Extent e, Size o, Size c) {
  const auto at = [&](Size r) { return element(x, (o * e.size + r) * e.inner + c); };
  Reduced<T> result{.max = at(0), .min = at(0)};
  for (Size r = 0; r < e.size; ++r) {
    const T v = at(r);
    result.sum += v;
    result.sum_square += Real(v) * Real(v);
    result.absolute += std::abs(Real(v));
    if (v > result.max || (v != v && result.max == result.max)) result.max = v, result.argmax = r;
    if (v < result.min || (v != v && result.min == result.min)) result.min = v, result.argmin = r;
  }
  return result;
}

template <class T>
void check_reductions(bool with_nan) {
  for (const Extent& e : extents) {
    auto x = random_values<T>(e.outer * e.size * e.inner, -50, 50, 7);
    if constexpr (std::is_floating_point_v<T>) {
      if (with_nan)
        for (std::size_t i = 3; i < x.size(); i += 11) x[i] = nan_of<T>;
    }
    CAPTURE(e.outer);
    CAPTURE(e.size);
    CAPTURE(e.inner);
    for_each_table<T>([&](const Table<T>& table) {
      const auto outputs = static_cast<std::size_t>(e.outer * e.inner);
      std::vector<T> sum(outputs), square(outputs), max(outputs), min(outputs);
      std::vector<Size> argmax(outputs), argmin(outputs);
      table.reduce[index(Reduce::sum)](sum.data(), x.data(), e.outer, e.size, e.inner);
      table.reduce[index(Reduce::sum_square)](square.data(), x.data(), e.outer, e.size, e.inner);
      table.reduce[index(Reduce::max)](max.data(), x.data(), e.outer, e.size, e.inner);
      table.reduce[index(Reduce::min)](min.data(), x.data(), e.outer, e.size, e.inner);
      table.argmax(argmax.data(), x.data(), e.outer, e.size, e.inner);
      table.argmin(argmin.data(), x.data(), e.outer, e.size, e.inner);
      int wrong = 0;
      for (Size o = 0; o < e.outer; ++o)
        for (Size c = 0; c < e.inner; ++c) {
          const Reduced<T> exact = reduce_slowly(x, e, o, c);
          const Size i = o * e.inner + c;
          wrong += !same_bits(element(max, i), exact.max) || !same_bits(element(min, i), exact.min);
          wrong += element(argmax, i) != exact.argmax || element(argmin, i) != exact.argmin;
          if constexpr (std::is_floating_point_v<T>) {
            wrong += !close(element(square, i), exact.sum_square);
            wrong += std::isnan(exact.sum) ? !std::isnan(element(sum, i))
                                           : !(std::abs(element(sum, i) - exact.sum) <= tolerance<T> * exact.absolute);
          } else {
            wrong += element(sum, i) != static_cast<T>(exact.sum);
            wrong += element(square, i) != static_cast<T>(exact.sum_square);
          }
          // One slice alone gives the same bits.
          if (e.inner == 1) {
            T alone{};
            table.reduce[index(Reduce::sum)](&alone, x.data() + o * e.size, 1, e.size, 1);
            wrong += !same_bits(alone, element(sum, i));
          }
        }
      CHECK(wrong == 0);
    });
  }
}

template <class T>
std::vector<std::vector<T>> softmax_rows() {
  std::vector<std::vector<T>> rows;
  for (Size n : {1, 2, 3, 7, 8, 10, 15, 16, 17, 31, 64, 65, 500, 3000}) rows.push_back(random_values<T>(n, -8, 8, 9));
  rows.push_back({T(1e4), T(-1e4), T(0), T(9999)});
  rows.push_back({T(-1e4), T(-1e4)});
  rows.push_back({-inf_of<T>, T(0), T(1)});
  rows.push_back({-inf_of<T>, -inf_of<T>});
  rows.push_back({inf_of<T>, T(1)});
  rows.push_back({nan_of<T>, T(1)});
  return rows;
}

template <class T>
void check_softmax() {
  for_each_table<T>([](const Table<T>& table) {
    for (const auto& row : softmax_rows<T>()) {
      const std::size_t n = row.size();
      const Size size = static_cast<Size>(n);
      CAPTURE(n);
      Real max = row[0], sum = 0, dot = 0, total = 0;
      for (T v : row) max = v != v || max != max ? nan_of<Real> : std::max(max, Real(v));
      for (T v : row) sum += std::exp(Real(v) - max);
      const auto gradient = random_values<T>(size, -1, 1, 10);
      for (std::size_t i = 0; i < n; ++i) {
        dot += gradient[i] * std::exp(row[i] - max) / sum;
        total += gradient[i];
      }

      // Two equal rows: the result of a row does not depend on where it stands.
      std::vector<T> x = row, y(2 * n), log_y(2 * n), dx(n), log_dx(n), prob(2 * n);
      x.insert(x.end(), row.begin(), row.end());
      T lse[2], loss[2];
      table.softmax(y.data(), x.data(), 2, size);
      table.log_softmax(log_y.data(), x.data(), 2, size);
      table.logsumexp(lse, x.data(), 2, size);
      table.softmax_backward(dx.data(), gradient.data(), y.data(), 1, size);
      table.log_softmax_backward(log_dx.data(), gradient.data(), log_y.data(), 1, size);
      const Size target[2] = {size - 1, size / 2};
      table.cross_entropy(loss, prob.data(), x.data(), target, 2, size);

      const Real exact_lse = std::isinf(max) ? max : max + std::log(sum);
      CHECK((close(lse[0], exact_lse) || std::abs(lse[0] - exact_lse) < 4 * tolerance<T>));
      int wrong = 0;
      for (std::size_t i = 0; i < n; ++i) {
        const Real p = std::exp(row[i] - max) / sum, log_p = row[i] - max - std::log(sum);
        // The error of x - max is relative to their size, and exp makes it a relative error of the result.
        const Real factor = 1 + std::min(std::abs(Real(row[i])) + std::abs(max), 50.0L) / 4;
        wrong += !close(y[i], p, factor);
        wrong += !same_bits(y[i], y[n + i]) || !same_bits(log_y[i], log_y[n + i]);
        wrong += !same_bits(prob[i], y[i]) || !same_bits(prob[n + i], y[i]);
        wrong += !close(log_y[i], log_p, 4) && !(std::abs(log_y[i] - log_p) < 8 * tolerance<T>);
        if (std::isfinite(sum) && std::isfinite(max)) {
          wrong += !(std::abs(dx[i] - p * (gradient[i] - dot)) <= 20 * tolerance<T>);
          wrong += !(std::abs(log_dx[i] - (gradient[i] - p * total)) <=
                     20 * tolerance<T> * std::max<Real>(1, std::abs(total)));
        }
      }
      CHECK(wrong == 0);
      for (int r = 0; r < 2; ++r) {
        const Real exact = std::log(sum) + (max - row[static_cast<std::size_t>(target[r])]);
        CAPTURE(loss[r]);
        CAPTURE(double(exact));
        CHECK((close(loss[r], exact) || std::abs(loss[r] - exact) < 8 * tolerance<T>));
      }

      // In place.
      std::vector<T> z = x;
      table.softmax(z.data(), z.data(), 2, size);
      int different = 0;
      for (std::size_t i = 0; i < 2 * n; ++i) different += !same_bits(z[i], y[i]);
      z = x;
      T loss_in_place[2];
      table.cross_entropy(loss_in_place, z.data(), z.data(), target, 2, size);
      for (std::size_t i = 0; i < 2 * n; ++i) different += !same_bits(z[i], y[i]);
      different += !same_bits(loss_in_place[0], loss[0]) || !same_bits(loss_in_place[1], loss[1]);
      CHECK(different == 0);

      const T scale[2] = {T(0.5), T(2)};
      for (Size stride : {0, 1}) {
        std::vector<T> d(2 * n);
        table.cross_entropy_backward(d.data(), prob.data(), target, scale, stride, T(0.25), 2, size);
        wrong = 0;
        for (Size r = 0; r < 2; ++r)
          for (Size c = 0; c < size; ++c) {
            const T p = element(prob, r * size + c);
            const Real exact = (Real(p) - (c == target[r])) * scale[r * stride] * 0.25L;
            wrong += !close(element(d, r * size + c), exact);
          }
        CHECK(wrong == 0);
      }
    }
  });
}

template <class T>
void check_bias_activation() {
  const std::function<Real(Real)> exact[] = {[](Real x) { return x; }, relu, [](Real x) { return std::tanh(x); },
                                             sigmoid, [](Real x) { return x * normal_cdf(x); }};
  static_assert(std::size(exact) == count_of<Activation>);
  for_each_table<T>([&](const Table<T>& table) {
    for (std::size_t act = 0; act < count_of<Activation>; ++act)
      for (Size cols : {0, 1, 2, 10, 16, 17, 33, 100})
        for (bool with_bias : {true, false}) {
          const Size rows = 5;
          const auto before = random_values<T>(rows * cols, -3, 3, 11), bias = random_values<T>(cols, -1, 1, 12);
          auto y = before;
          table.bias_activation[act](y.data(), with_bias ? bias.data() : nullptr, rows, cols);
          int wrong = 0;
          for (Size i = 0; i < rows * cols; ++i) {
            const T sum = with_bias ? element(before, i) + element(bias, i % cols) : element(before, i);
            wrong += !close(element(y, i), exact[act](sum));
          }
          CAPTURE(act);
          CAPTURE(cols);
          CAPTURE(with_bias);
          CHECK(wrong == 0);
        }
  });
}

template <class T>
void check_mean_squared_error_pieces() {
  for_each_table<T>([](const Table<T>& table) {
    for (Size n = 0; n <= 5000; n += n < 70 ? 1 : 1643) {
      const auto a = random_values<T>(n, -3, 3, 13), b = random_values<T>(n, -3, 3, 14);
      std::vector<T> y(a.size());
      table.scaled_difference(y.data(), a.data(), b.data(), T(0.3), n);
      Real distance = 0;
      int wrong = 0;
      for (std::size_t i = 0; i < a.size(); ++i) {
        const T difference = a[i] - b[i];
        distance += Real(difference) * difference;
        wrong += !close(y[i], Real(T(0.3)) * difference);
      }
      CAPTURE(n);
      CHECK(wrong == 0);
      CHECK(close(table.squared_distance(a.data(), b.data(), n), distance));
    }
  });
}

struct Product {
  bool transpose_a, transpose_b;
  Size m, n, k;
};

// The largest error of c = alpha op(a) op(b) + beta c relative to the sum of the absolute terms.
template <class T, class Multiply>
Real product_error(Product s, T alpha, T beta, Multiply multiply) {
  const Size lda = (s.transpose_a ? s.m : s.k) + 1, ldb = (s.transpose_b ? s.k : s.n) + 2, ldc = s.n + 3;
  const auto a = random_values<T>(lda * std::max(s.m, s.k), -1, 1, 19);
  const auto b = random_values<T>(ldb * std::max(s.n, s.k), -1, 1, 20);
  const auto before = beta == T(0) ? std::vector<T>(static_cast<std::size_t>(ldc * s.m), nan_of<T>)
                                   : random_values<T>(ldc * s.m, -1, 1, 21);
  auto c = before;
  multiply(a.data(), lda, b.data(), ldb, c.data(), ldc);
  Real worst = 0;
  for (Size i = 0; i < s.m; ++i)
    for (Size j = 0; j < ldc; ++j) {
      const T got = element(c, i * ldc + j), old = element(before, i * ldc + j);
      if (j >= s.n) {
        if (!same_bits(got, old)) return inf_of<Real>;  // written beyond a row
        continue;
      }
      Real exact = beta == T(0) ? 0 : Real(beta) * old, size = 1;
      for (Size p = 0; p < s.k; ++p) {
        const Real left = s.transpose_a ? element(a, p * lda + i) : element(a, i * lda + p);
        const Real right = s.transpose_b ? element(b, j * ldb + p) : element(b, p * ldb + j);
        exact += alpha * left * right;
        size += std::abs(left * right);
      }
      const Real error = std::abs(got - exact) / size;
      worst = error <= worst ? worst : error;  // NaN too
    }
  return worst;
}

template <class T>
void check_products() {
  const Size sizes[][3] = {{1, 1, 1},  {4, 16, 2},   {4, 1, 16},   {4, 16, 1},   {1, 16, 4},  {16, 2, 4},
                           {8, 8, 8},  {3, 5, 7},    {9, 33, 17},  {5, 40, 130}, {2, 3, 300}, {17, 31, 6},
                           {6, 2, 40}, {40, 40, 40}, {33, 70, 50}, {3, 4, 0},    {0, 3, 2},   {3, 0, 2}};
  for (const auto& size : sizes)
    for (bool transpose_a : {false, true})
      for (bool transpose_b : {false, true})
        for (T alpha : {T(1), T(0.5)})
          for (T beta : {T(0), T(1), T(-2)}) {
            const Product s{transpose_a, transpose_b, size[0], size[1], size[2]};
            CAPTURE(s.transpose_a);
            CAPTURE(s.transpose_b);
            CAPTURE(s.m);
            CAPTURE(s.n);
            CAPTURE(s.k);
            CAPTURE(beta);
            CHECK(product_error<T>(s, alpha, beta, [&](const T* a, Size lda, const T* b, Size ldb, T* c, Size ldc) {
                    gemm(s.transpose_a, s.transpose_b, s.m, s.n, s.k, alpha, a, lda, b, ldb, beta, c, ldc);
                  }) <= tolerance<T>);
            for_each_table<T>([&](const Table<T>& table) {
              CHECK(product_error<T>(s, alpha, beta, [&](const T* a, Size lda, const T* b, Size ldb, T* c, Size ldc) {
                      table.small_gemm(s.m, s.n, s.k, alpha, a, s.transpose_a ? 1 : lda, s.transpose_a ? lda : 1, b,
                                       s.transpose_b ? 1 : ldb, s.transpose_b ? ldb : 1, beta, c, ldc);
                    }) <= tolerance<T>);
            });
          }
}

template <class T>
void check_copy_matrix() {
  const Size sizes[][2] = {{0, 3}, {3, 0}, {1, 1}, {1, 9}, {9, 1}, {4, 4}, {8, 512}, {33, 70}, {64, 65}, {5, 3}};
  for (const auto& [rows, cols] : sizes)
    for (auto [row_stride, col_stride] : {std::pair<Size, Size>{cols, 1},
                                          {cols + 3, 1},
                                          {1, rows},
                                          {1, rows + 1},
                                          {0, 1},
                                          {1, 0},
                                          {0, 0},
                                          {2 * cols + 1, 2},
                                          {2, 2 * rows + 1}}) {
      const Size n = rows * std::max<Size>(row_stride, 1) + cols * std::max<Size>(col_stride, 1) + 1;
      const std::unique_ptr<T[]> x(new T[static_cast<std::size_t>(n)]);
      for (Size i = 0; i < n; ++i) x[static_cast<std::size_t>(i)] = static_cast<T>(i * 7 % 11 % 5);
      const std::unique_ptr<T[]> y(new T[static_cast<std::size_t>(rows * cols) + 1]());
      copy_matrix<T>(y.get(), x.get(), rows, cols, row_stride, col_stride);
      int wrong = 0;
      for (Size i = 0; i < rows; ++i)
        for (Size j = 0; j < cols; ++j)
          wrong +=
              y[static_cast<std::size_t>(i * cols + j)] != x[static_cast<std::size_t>(i * row_stride + j * col_stride)];
      CAPTURE(rows);
      CAPTURE(cols);
      CAPTURE(row_stride);
      CAPTURE(col_stride);
      CHECK(wrong == 0);
      CHECK(y[static_cast<std::size_t>(rows * cols)] == T(0));
    }
}

template <class To, class From>
To converted(From x) {
  const From pair[] = {From(0), From(0), x};
  To y[2] = {};
  convert(y, pair, 2, 2);
  return y[1];
}

}  // namespace

TEST_CASE("unary kernels agree with the standard library at all sizes and strides") {
  check_all_unary<float>();
  check_all_unary<double>();
}

TEST_CASE("unary kernels are right at the extremes") {
  check_unary_extremes<float>();
  check_unary_extremes<double>();
}

TEST_CASE("an element's result does not depend on its neighbours, and may be written in place") {
  check_unary_independence<float>();
  check_unary_independence<double>();
  check_in_place_binary<float>();
  check_in_place_binary<double>();
}

TEST_CASE("exp, log, tanh and softplus are accurate over their whole range") {
  for_each_table<float>([](const Table<float>& table) {
    for (const UnaryCase& c : unary_cases()) {
      if (c.op == Unary::exp) check_unary(c, table, random_values<float>(50000, -110, 95, 22), 1, 50000);
      if (c.op == Unary::tanh) check_unary(c, table, random_values<float>(50000, -20, 20, 22), 1, 50000);
      if (c.op == Unary::softplus) check_unary(c, table, random_values<float>(50000, -90, 40, 22), 1, 50000);
      if (c.op == Unary::gelu) check_unary(c, table, random_values<float>(50000, -13, 13, 22), 1, 50000);
      if (c.op == Unary::sin) check_unary(c, table, random_values<float>(50000, -8200, 8200, 22), 1, 50000);
      if (c.op == Unary::cos) check_unary(c, table, random_values<float>(50000, -1e5, 1e5, 22), 1, 50000);
      if (c.op != Unary::log) continue;
      std::vector<float> x = random_values<float>(50000, -140, 127, 22);
      for (float& v : x) v = std::exp2(v);  // denormal ones included
      check_unary(c, table, x, 1, 50000);
    }
  });
  for_each_table<double>([](const Table<double>& table) {
    for (const UnaryCase& c : unary_cases()) {
      if (c.op == Unary::exp) check_unary(c, table, random_values<double>(20000, -750, 715, 22), 1, 20000);
      if (c.op == Unary::tanh) check_unary(c, table, random_values<double>(20000, -25, 25, 22), 1, 20000);
      if (c.op == Unary::softplus) check_unary(c, table, random_values<double>(20000, -700, 40, 22), 1, 20000);
      if (c.op == Unary::gelu) check_unary(c, table, random_values<double>(20000, -37, 37, 22), 1, 20000);
      if (c.op == Unary::sin) check_unary(c, table, random_values<double>(20000, -1e6, 1e6, 22), 1, 20000);
      if (c.op == Unary::cos) check_unary(c, table, random_values<double>(20000, -1e7, 1e7, 22), 1, 20000);
      if (c.op != Unary::log) continue;
      std::vector<double> x = random_values<double>(20000, -1070, 1023, 22);
      for (double& v : x) v = std::exp2(v);
      check_unary(c, table, x, 1, 20000);
    }
  });
}

TEST_CASE("binary kernels agree with plain arithmetic at all sizes and strides") {
  check_all_binary<float>();
  check_all_binary<double>();
}

TEST_CASE("binary kernels treat zeros, infinities and NaN as IEEE arithmetic does") {
  check_binary_extremes<float>();
  check_binary_extremes<double>();
}

TEST_CASE("compare, where and add_scaled read any strides") {
  check_compare_where_add_scaled<float>();
  check_compare_where_add_scaled<double>();
  check_compare_where_add_scaled<Size>();
}

TEST_CASE("int64 arithmetic wraps around") {
  const Size lowest = std::numeric_limits<Size>::min(), highest = std::numeric_limits<Size>::max();
  for_each_table<Size>([&](const Table<Size>& table) {
    const auto unary = [&](Unary op, Size x) {
      Size y = 77;
      table.unary[index(op)](&y, &x, 1, 1);
      return y;
    };
    const auto binary = [&](Binary op, Size a, Size b) {
      Size y = 77;
      table.binary[index(op)](&y, &a, 1, &b, 0, 1);
      return y;
    };
    CHECK(unary(Unary::neg, lowest) == lowest);
    CHECK(unary(Unary::neg, 5) == -5);
    CHECK(unary(Unary::abs, -5) == 5);
    CHECK(unary(Unary::sign, -5) == -1);
    CHECK(unary(Unary::sign, 0) == 0);
    CHECK(unary(Unary::square, -5) == 25);
    CHECK(unary(Unary::relu, -5) == 0);
    CHECK(unary(Unary::relu, 5) == 5);
    CHECK(binary(Binary::add, highest, 1) == lowest);
    CHECK(binary(Binary::sub, lowest, 1) == highest);
    CHECK(binary(Binary::mul, highest, 2) == -2);
    CHECK(binary(Binary::maximum, -3, 4) == 4);
    CHECK(binary(Binary::minimum, -3, 4) == -3);
    CHECK(binary(Binary::pow, -3, 5) == -243);
    CHECK(binary(Binary::pow, 2, 62) == Size{1} << 62);
    CHECK(binary(Binary::pow, 2, 64) == 0);
    CHECK(binary(Binary::pow, 0, 0) == 1);
    CHECK(binary(Binary::pow, 7, 2) == 49);
    CHECK(binary(Binary::pow, 7, -1) == 0);
    CHECK(binary(Binary::pow, -1, -3) == -1);
    CHECK((table.unary[index(Unary::exp)] == nullptr));
    CHECK((table.binary[index(Binary::div)] == nullptr));
    CHECK((table.softmax == nullptr));

    std::vector<Size> x(100), y(100);
    for (std::size_t i = 0; i < 100; ++i) x[i] = static_cast<Size>(i) - 50;
    table.binary[index(Binary::mul)](y.data(), x.data(), 1, x.data(), 1, 100);
    int wrong = 0;
    for (std::size_t i = 0; i < 100; ++i) wrong += y[i] != x[i] * x[i];
    CHECK(wrong == 0);
  });
}

TEST_CASE("reductions agree with plain loops") {
  check_reductions<float>(false);
  check_reductions<double>(false);
  check_reductions<Size>(false);
}

TEST_CASE("NaN wins in max, min, argmax and argmin") {
  check_reductions<float>(true);
  check_reductions<double>(true);
}

TEST_CASE("the extreme of equal elements is the first, and infinities are found") {
  for_each_table<float>([](const Table<float>& table) {
    const std::vector<float> x = {1, -inf_of<float>, 3, 3, inf_of<float>, inf_of<float>, -inf_of<float>};
    for (Size inner : {1, 2}) {
      std::vector<float> y;
      for (float v : x) y.insert(y.end(), static_cast<std::size_t>(inner), v);
      Size highest[2], lowest[2];
      table.argmax(highest, y.data(), 1, 7, inner);
      table.argmin(lowest, y.data(), 1, 7, inner);
      CHECK(highest[0] == 4);
      CHECK(lowest[0] == 1);
    }
    const std::vector<float> bottom(20, -inf_of<float>);
    Size where_it_is = -1;
    table.argmax(&where_it_is, bottom.data(), 1, 20, 1);
    CHECK(where_it_is == 0);
  });
}

TEST_CASE("an empty sum is zero") {
  for_each_table<float>([](const Table<float>& table) {
    float y[3] = {7, 7, 7};
    table.reduce[index(Reduce::sum)](y, y, 3, 0, 1);
    CHECK(y[0] + y[1] + y[2] == 0);
    float z[3] = {7, 7, 7};
    table.reduce[index(Reduce::sum)](z, z, 1, 0, 3);
    CHECK(z[0] + z[1] + z[2] == 0);
    CHECK(table.squared_distance(y, y, 0) == 0);
  });
}

TEST_CASE("the error of a long float sum does not grow with its length") {
  const Size n = 10'000'000;
  const auto x = random_values<float>(n, 0, 1, 23);
  double exact = 0;
  for (float v : x) exact += static_cast<double>(v);
  for_each_table<float>([&](const Table<float>& table) {
    float row = 0, columns[2] = {};
    table.reduce[index(Reduce::sum)](&row, x.data(), 1, n, 1);
    table.reduce[index(Reduce::sum)](columns, x.data(), 1, n / 2, 2);
    CHECK(std::abs(static_cast<double>(row) - exact) < 1e-6 * exact);
    CHECK(std::abs(static_cast<double>(columns[0]) + static_cast<double>(columns[1]) - exact) < 1e-6 * exact);
  });
}

TEST_CASE("softmax, its relatives and the cross-entropy are stable") {
  check_softmax<float>();
  check_softmax<double>();
}

TEST_CASE("bias and activation are applied in place") {
  check_bias_activation<float>();
  check_bias_activation<double>();
}

TEST_CASE("squared distance and scaled difference agree with plain loops") {
  check_mean_squared_error_pieces<float>();
  check_mean_squared_error_pieces<double>();
}

TEST_CASE("matrix products of every layout agree with three loops") {
  check_products<float>();
  check_products<double>();
}

TEST_CASE("copy_matrix reads any strides") {
  check_copy_matrix<float>();
  check_copy_matrix<double>();
  check_copy_matrix<Size>();
  check_copy_matrix<bool>();
}

TEST_CASE("convert truncates, saturates and treats NaN as true") {
  CHECK(converted<float>(true) == 1.0F);
  CHECK(converted<float>(Size{-3}) == -3.0F);
  CHECK(converted<double>(1.5F) == 1.5);
  CHECK(converted<float>(1e300) == inf_of<float>);
  CHECK(converted<Size>(2.9) == 2);
  CHECK(converted<Size>(-2.9F) == -2);
  CHECK(converted<Size>(1e30) == std::numeric_limits<Size>::max());
  CHECK(converted<Size>(-inf_of<float>) == std::numeric_limits<Size>::min());
  CHECK(converted<Size>(nan_of<double>) == 0);
  CHECK(converted<Size>(true) == 1);
  CHECK(converted<bool>(nan_of<float>));
  CHECK(converted<bool>(0.5));
  CHECK(!converted<bool>(-0.0));
  CHECK(converted<bool>(Size{-4}));
  CHECK(converted<bool>(true));
}

TEST_CASE("the dispatcher offers the best instruction set and names it") {
  CHECK(table_for<float>("abacus") == nullptr);
  CHECK(table_for<float>(isa()) == &table<float>());
  CHECK(table_for<double>(isa()) == &table<double>());
  CHECK(table_for<Size>(isa()) == &table<Size>());
}
