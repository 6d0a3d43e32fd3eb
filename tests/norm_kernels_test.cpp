// The kernels of the norms, of every instruction set that this processor has, against plain loops in long double.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <functional>
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
using Values = std::vector<T>;

std::size_t at(Size i) { return static_cast<std::size_t>(i); }

template <class T>
Values<T> random_values(Size n, unsigned seed, double shift = 0) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<double> distribution(-2, 2);
  Values<T> values(at(n));
  for (T& v : values) v = static_cast<T>(distribution(generator) + shift);
  return values;
}

template <class T>
bool close(T actual, Real expected, Real scale = 1) {
  const Real tolerance = std::is_same_v<T, float> ? 4e-6L : 1e-13L;
  return std::abs(static_cast<Real>(actual) - expected) <= tolerance * (scale + std::abs(expected));
}

template <class F>
void for_both(const F& f) {
  f.template operator()<float>();
  f.template operator()<double>();
}

const Runs groups[] = {{1, 0, 1},  {1, 0, 2},   {1, 0, 7},   {1, 0, 16},   {1, 0, 33},     {3, 10, 1},
                       {3, 10, 7}, {2, 40, 19}, {5, 64, 64}, {1, 0, 5000}, {2, 5000, 4100}};

struct Exact {
  Real mean = 0, variance = 0;
};

template <class T>
Exact exact_moments(const T* x, Runs runs) {
  const Real n = static_cast<Real>(runs.count * runs.length);
  Exact e;
  for (int pass = 0; pass < 2; ++pass) {
    for (Size r = 0; r < runs.count; ++r) {
      for (Size i = 0; i < runs.length; ++i) {
        const Real v = x[r * runs.stride + i];
        if (pass == 0)
          e.mean += v / n;
        else
          e.variance += (v - e.mean) * (v - e.mean) / n;
      }
    }
  }
  return e;
}

}  // namespace

TEST_CASE("moments, sums and normalised values of groups of runs are right, and nothing else is written") {
  for_both([]<class T>() {
    for_each_table<T>([](const Table<T>& table) {
      for (const Runs& runs : groups) {
        CAPTURE(runs.count);
        CAPTURE(runs.length);
        const Size size = runs.count * std::max(runs.stride, runs.length) + 3;
        const Values<T> x = random_values<T>(size, 1, 50), g = random_values<T>(size, 2);
        const Exact exact = exact_moments(x.data(), runs);
        T mean, variance, sum, dot;
        table.moments(&mean, &variance, x.data(), runs);
        CHECK(close(mean, exact.mean));
        CHECK(close(variance, exact.variance));

        table.norm_sums(&sum, &dot, g.data(), x.data(), mean, runs);
        Real exact_sum = 0, exact_dot = 0;
        Values<T> y(at(size), T(7)), dx = y, wanted_y = y, wanted_dx = y;
        table.normalize(y.data(), x.data(), mean, T(1.5), T(-0.25), runs);
        table.normalize_backward(dx.data(), g.data(), x.data(), mean, T(1.5), T(-0.25), T(0.5), runs);
        for (Size r = 0; r < runs.count; ++r) {
          for (Size i = r * runs.stride; i < r * runs.stride + runs.length; ++i) {
            const Real deviation = static_cast<Real>(x[at(i)]) - mean;
            exact_sum += g[at(i)];
            exact_dot += g[at(i)] * deviation;
            wanted_y[at(i)] = static_cast<T>(1.5L * deviation - 0.25L);
            wanted_dx[at(i)] = static_cast<T>(1.5L * g[at(i)] - 0.25L * deviation + 0.5L);
          }
        }
        const Real scale = std::sqrt(static_cast<Real>(runs.count * runs.length));
        CHECK(close(sum, exact_sum, scale));
        CHECK(close(dot, exact_dot, scale));
        bool right = true;
        for (Size i = 0; i < size; ++i) {
          right = right && close(y[at(i)], wanted_y[at(i)]) && close(dx[at(i)], wanted_dx[at(i)]);
        }
        CHECK(right);
      }
    });
  });
}

TEST_CASE("columns get what groups of single elements get") {
  for_both([]<class T>() {
    for_each_table<T>([](const Table<T>& table) {
      for (const Size cols : {1, 3, 8, 17, 35}) {
        const Size rows = 23, stride = cols + 2;
        CAPTURE(cols);
        const Values<T> x = random_values<T>(rows * stride, 3, 50), g = random_values<T>(rows * stride, 4);
        const Values<T> a = random_values<T>(cols, 5), b = random_values<T>(cols, 6), c = random_values<T>(cols, 7);
        Values<T> mean(at(cols)), variance = mean, sum = mean, dot = mean;
        Values<T> y(x.size(), T(7)), dx = y, wanted_y = y, wanted_dx = y;
        table.column_moments(mean.data(), variance.data(), x.data(), rows, cols, stride);
        table.column_norm_sums(sum.data(), dot.data(), g.data(), x.data(), mean.data(), rows, cols, stride);
        table.column_normalize(y.data(), x.data(), mean.data(), a.data(), b.data(), rows, cols, stride);
        table.column_normalize_backward(dx.data(), g.data(), x.data(), mean.data(), a.data(), b.data(), c.data(), rows,
                                        cols, stride);
        for (Size i = 0; i < cols; ++i) {
          const Runs column{rows, stride, 1};
          const Exact exact = exact_moments(x.data() + i, column);
          T wanted_sum, wanted_dot;
          const std::size_t k = at(i);
          table.norm_sums(&wanted_sum, &wanted_dot, g.data() + i, x.data() + i, mean[k], column);
          table.normalize(wanted_y.data() + i, x.data() + i, mean[k], a[k], b[k], column);
          table.normalize_backward(wanted_dx.data() + i, g.data() + i, x.data() + i, mean[k], a[k], b[k], c[k], column);
          CHECK(close(mean[k], exact.mean));
          CHECK(close(variance[k], exact.variance));
          CHECK(close(sum[k], wanted_sum, 5));
          CHECK(close(dot[k], wanted_dot, 5));
        }
        CHECK(y == wanted_y);
        CHECK(dx == wanted_dx);
      }
    });
  });
}

TEST_CASE("rows of layer and rms norm are right, with and without weights, forward and backward") {
  for_both([]<class T>() {
    for_each_table<T>([](const Table<T>& table) {
      for (const Size n : {1, 3, 8, 16, 37, 130}) {
        for (const bool centered : {false, true}) {
          for (const bool weighted : {false, true}) {
            CAPTURE(n);
            CAPTURE(centered);
            CAPTURE(weighted);
            const Size rows = 3;
            const T eps = T(0.125);
            const Values<T> x = random_values<T>(rows * n, 1, 5), g = random_values<T>(rows * n, 2);
            const Values<T> w = random_values<T>(n, 3), b = random_values<T>(n, 4);
            Values<T> y(x.size()), mean(at(rows)), rstd(at(rows)), dx(x.size()), dw(at(n), T(1)), db(at(n), T(2));
            const T* const weight = weighted ? w.data() : nullptr;
            table.layer_norm[centered](y.data(), centered ? mean.data() : nullptr, rstd.data(), x.data(), weight,
                                       weighted ? b.data() : nullptr, eps, rows, n);
            table.layer_norm_backward[centered](dx.data(), dw.data(), db.data(), g.data(), x.data(), mean.data(),
                                                rstd.data(), weight, rows, n);
            std::vector<Real> exact_dw(at(n), 1), exact_db(at(n), 2);
            bool right = true;
            for (Size r = 0; r < rows; ++r) {
              const T* const row = x.data() + r * n;
              const Exact e = exact_moments(row, {1, 0, n});
              const Real m = centered ? e.mean : 0;
              const Real s = 1 / std::sqrt(e.variance + (e.mean - m) * (e.mean - m) + eps);
              right = right && close(rstd[at(r)], s) && (!centered || close(mean[at(r)], m));
              Real mean_h = 0, mean_hy = 0;
              for (Size i = 0; i < n; ++i) {
                const Real slope = g[at(r * n + i)], normal = (row[i] - m) * s;
                const Real h = slope * (weighted ? w[at(i)] : T(1));
                mean_h += h / static_cast<Real>(n);
                mean_hy += h * normal / static_cast<Real>(n);
                exact_dw[at(i)] += slope * normal;
                exact_db[at(i)] += slope;
                const Real value = weighted ? normal * w[at(i)] + b[at(i)] : normal;
                right = right && close(y[at(r * n + i)], value);
              }
              for (Size i = 0; i < n; ++i) {
                const Real h = g[at(r * n + i)] * (weighted ? w[at(i)] : T(1)), normal = (row[i] - m) * s;
                right = right && close(dx[at(r * n + i)], s * (h - (centered ? mean_h : 0) - normal * mean_hy));
              }
            }
            for (Size i = 0; i < n; ++i) {
              right = right && close(dw[at(i)], exact_dw[at(i)]) && close(db[at(i)], exact_db[at(i)]);
            }
            CHECK(right);

            // Each output may be left out, and that changes no other.
            Values<T> alone(x.size());
            table.layer_norm_backward[centered](alone.data(), nullptr, nullptr, g.data(), x.data(), mean.data(),
                                                rstd.data(), weight, rows, n);
            CHECK(alone == dx);
          }
        }
      }
    });
  });
}
