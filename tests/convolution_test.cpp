// Convolutions that are large enough for several tiles of rows and several threads; their kernels beside plain loops.
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "gradus/gradus.hpp"
#include "kernel_tables.hpp"
#include "kernels/convolution.hpp"

using namespace gradus;
using kernels::Convolution;

namespace {

struct Example {
  Tensor x, weight, bias;
  Conv2dOptions options;
};

Example example(Dtype dtype) {
  const RandomOptions random{.dtype = dtype, .requires_grad = true};
  manual_seed(4);
  return {randn({5, 4, 37, 64}, random), randn({6, 4, 5, 3}, random), randn({6}, random), {.padding = {2, 1}}};
}

// The sum over the kernel's elements of the image, shifted by their place, times their weights.
Tensor shifted_products(const Example& e) {
  const Tensor padded = pad(e.x, {1, 1, 2, 2});
  Tensor y = e.bias.reshape({1, -1, 1, 1});
  for (std::int64_t k = 0; k < e.weight.size(2); ++k) {
    for (std::int64_t l = 0; l < e.weight.size(3); ++l) {
      const Tensor image = padded.narrow(2, k, e.x.size(2)).narrow(3, l, e.x.size(3));
      y = y + einsum("oc,nchw->nohw", {e.weight.select(3, l).select(2, k), image});
    }
  }
  return y;
}

// The result, and the derivatives of its product with fixed random numbers.
template <class Function>
std::vector<Tensor> with_gradients(const Example& e, const Function& function) {
  const Tensor y = function(e);
  Generator generator(9);
  const Tensor cotangent = randn(y.shape(), {.dtype = y.dtype(), .generator = &generator});
  std::vector<Tensor> all = grad(sum(y * cotangent), {e.x, e.weight, e.bias});
  all.push_back(y.detach());
  return all;
}

Tensor convolved(const Example& e) { return conv2d(e.x, e.weight, e.bias, e.options); }

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

template <class T = double>
std::vector<T> random_values(std::int64_t n, std::uint64_t seed) {
  Generator generator(seed);
  const Tensor values =
      randn({n}, {.dtype = float64, .generator = &generator}).to(std::is_same_v<T, float> ? float32 : float64);
  const auto data = values.data<T>();
  return {data.begin(), data.end()};
}

// Calls visit(place in the result, in the image, in the weight) for every product that a convolution sums.
template <class Visit>
void for_each_product(const Convolution& c, const Visit& visit) {
  for (std::int64_t n = 0; n < c.batch; ++n)
    for (std::int64_t o = 0; o < c.out; ++o)
      for (std::int64_t i = 0; i < c.y.outputs; ++i)
        for (std::int64_t j = 0; j < c.x.outputs; ++j)
          for (std::int64_t in = 0; in < c.group_in(); ++in)
            for (std::int64_t k = 0; k < c.y.kernel; ++k)
              for (std::int64_t l = 0; l < c.x.kernel; ++l) {
                const std::int64_t row = i * c.y.stride + c.y.first(k), column = j * c.x.stride + c.x.first(l);
                if (row < 0 || row >= c.y.size || column < 0 || column >= c.x.size) continue;
                const std::int64_t channel = o / c.group_out() * c.group_in() + in;
                visit(at(((n * c.out + o) * c.y.outputs + i) * c.x.outputs + j),
                      at(((n * c.in + channel) * c.y.size + row) * c.x.size + column),
                      at(((o * c.group_in() + in) * c.y.kernel + k) * c.x.kernel + l));
              }
}

std::int64_t count_finite(const Tensor& x) {
  std::int64_t count = 0;
  for (const double value : x.data<double>()) count += std::isfinite(value) ? 1 : 0;
  return count;
}

// The largest difference; NaN stays.
template <class T>
double distance(const std::vector<T>& a, const std::vector<double>& b) {
  double result = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double apart = std::abs(static_cast<double>(a[i]) - b[i]);
    if (!(apart <= result)) result = apart;
  }
  return result;
}

}  // namespace

TEST_CASE("a convolution of any geometry is a sum of products, and so are its derivatives") {
  const Convolution geometries[] = {
      {2, 3, 9, 1, {6, 3, 1, 1, 1}, {14, 3, 1, 1, 1}},         {1, 2, 5, 1, {5, 2, 1, 0, 1}, {33, 4, 1, 2, 1}},
      {3, 4, 8, 2, {7, 3, 1, 2, 2}, {16, 3, 1, 2, 2}},         {2, 6, 6, 6, {4, 3, 1, 1, 1}, {31, 5, 1, 2, 1}},
      {2, 2, 3, 1, {4, 1, 1, 3, 1}, {15, 2, 1, 4, 1}},         {1, 1, 16, 1, {3, 3, 1, 1, 1}, {17, 3, 1, 1, 1}},
      {2, 3, 4, 1, {8, 3, 2, 1, 1}, {19, 3, 2, 1, 1}},         {2, 4, 2, 2, {5, 3, 1, 1, 1}, {4, 3, 1, 1, 1}},
      {2, 3, 4, 1, {5, 1, 1, 0, 1}, {6, 1, 1, 0, 1}},          {9, 2, 3, 1, {3, 2, 1, 0, 1}, {48, 2, 1, 0, 1}},
      {2, 3, 10, 1, {8, 3, 1, 1, 1, 6}, {20, 3, 1, 1, 1, 13}},
  };
  std::uint64_t seed = 1;
  for (const Convolution& c : geometries) {
    CAPTURE(seed);
    const auto image = random_values(c.batch * c.image(), seed), weight = random_values(c.out * c.depth(), seed + 100),
               cotangent = random_values(c.batch * c.result(), seed + 200), bias = random_values(c.out, ++seed + 300);
    std::vector<double> result(cotangent.size()), by_image(image.size()), by_weight(weight.size());
    for (std::size_t i = 0; i < result.size(); ++i) {
      result[i] = bias[i / at(c.pixels()) % at(c.out)];
    }
    for_each_product(c, [&](std::size_t y, std::size_t x, std::size_t w) {
      result[y] += image[x] * weight[w];
      by_image[x] += cotangent[y] * weight[w];
      by_weight[w] += cotangent[y] * image[x];
    });
    std::vector<double> ours(result.size(), NAN), ours_by_image(image.size(), NAN), ours_by_weight(weight.size(), NAN);
    kernels::convolve(c, ours.data(), image.data(), weight.data(), bias.data());
    kernels::convolve_by_image(c, ours_by_image.data(), weight.data(), cotangent.data());
    kernels::convolve_by_weight(c, ours_by_weight.data(), image.data(), cotangent.data());
    CHECK(distance(ours, result) < 1e-12);
    CHECK(distance(ours_by_image, by_image) < 1e-12);
    CHECK(distance(ours_by_weight, by_weight) < 1e-11);
  }
}

namespace {

template <class T>
void check_taps(double tolerance) {
  const std::int64_t offset[] = {0, 1, 5, 40, 41, 83, 120}, pitch = 40, images = 2, step = 400;
  const auto image = random_values<T>(images * step + 16, 3), bias = random_values<T>(11, 6);
  const auto exact = [](const std::vector<T>& v, std::int64_t i) { return static_cast<double>(v[at(i)]); };
  tests::for_each_table<T>([&](const kernels::Table<T>& table) {
    for (const std::int64_t columns : {1, 2, 3, 7, 8, 9, 15, 17, 24, 33}) {
      for (const auto& [rows, outputs, count] : std::vector<std::array<std::int64_t, 3>>{
               {1, 1, 1}, {2, 2, 7}, {3, 3, 4}, {1, 8, 5}, {2, 11, 7}, {3, 9, 2}, {4, 4, 6}}) {
        CAPTURE(columns);
        CAPTURE(outputs);
        const kernels::Taps<T> taps{image.data(), pitch, images, step, offset, count, rows, columns};
        const std::int64_t channel = rows * columns;
        const auto weight = random_values<T>(outputs * count, 4), g = random_values<T>(images * outputs * channel, 5);
        std::vector<double> result(at(outputs * channel)), sums(weight.size(), 1);
        std::vector<T> ours(result.size(), NAN), our_sums(weight.size(), 1);
        for (std::int64_t o = 0; o < outputs; ++o)
          for (std::int64_t i = 0; i < channel; ++i) {
            double& y = result[at(o * channel + i)] = exact(bias, o);
            for (std::int64_t k = 0; k < count; ++k) {
              const std::int64_t pixel = offset[k] + i / columns * pitch + i % columns;
              y += exact(weight, o * count + k) * exact(image, pixel);
              for (std::int64_t n = 0; n < images; ++n) {
                sums[at(o * count + k)] += exact(g, (n * outputs + o) * channel + i) * exact(image, n * step + pixel);
              }
            }
          }
        table.convolve(taps, ours.data(), channel, weight.data(), bias.data(), outputs);
        table.correlate(taps, g.data(), channel, outputs * channel, our_sums.data(), outputs);
        CHECK(distance(ours, result) < tolerance);
        CHECK(distance(our_sums, sums) < 10 * tolerance);
      }
    }
  });
}

}  // namespace

TEST_CASE("every instruction set's direct convolution sums the products of the taps, and no others") {
  check_taps<double>(1e-13);
  check_taps<float>(1e-5);
}

TEST_CASE("every instruction set keeps the first of the largest, any NaN, and where they were") {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  const std::vector<double> candidates{1, 5, nan, 5, -inf, 2, 5, 5, nan, 0, -1};
  const std::vector<double> expected{1, 9, nan, 5, -inf, 2, 5, nan, nan, 0, -1};
  const std::vector<bool> taken{true, false, true, false, true, true, false, false, true, true, true};
  tests::for_each_table<double>([&](const kernels::Table<double>& table) {
    for (const std::int64_t stride : {1, 2, 3}) {
      std::vector<double> best{0, 9, 1, 5, -inf, -inf, 5, nan, nan, 7, -2};
      std::vector<std::int64_t> places{0, 1, 2, 3, -1, 5, 6, 7, 8, -1, 10};
      std::vector<double> spaced(candidates.size() * at(stride));
      for (std::size_t i = 0; i < candidates.size(); ++i) spaced[i * at(stride)] = candidates[i];
      table.keep_larger(best.data(), places.data(), spaced.data(), stride, 100, 11);
      for (std::size_t i = 0; i < best.size(); ++i) {
        CAPTURE(i);
        CHECK((best[i] == expected[i] || (std::isnan(best[i]) && std::isnan(expected[i]))));
        CHECK(places[i] == (taken[i] ? 100 + static_cast<std::int64_t>(i) * stride : static_cast<std::int64_t>(i)));
      }
    }
  });
}

TEST_CASE("a window that sees padding alone is refused, and an empty batch has gradients of zero") {
  const auto pool = [] { max_pool1d(ones({2, 1, 2}), 2, {.stride = 1, .padding = 1, .dilation = 3}); };
  CHECK_THROWS_WITH(pool(), "max_pool2d: dilation 3 and padding 1 leave window 0 without any element");
  const Tensor weight = ones({3, 2, 3, 3}, {.requires_grad = true});
  conv2d(zeros({0, 2, 9, 33}), weight).sum().backward();
  CHECK(equal(weight.grad(), zeros({3, 2, 3, 3})));
}

TEST_CASE("NaN and infinity reach only the windows and the outputs that see them") {
  Tensor x = zeros({1, 1, 6, 40}, {.dtype = float64});
  x.select(3, 39).select(2, 2).fill_(std::numeric_limits<double>::infinity());
  CHECK(count_finite(avg_pool2d(x, 2)) == 3 * 20 - 1);
  CHECK(count_finite(adaptive_avg_pool2d(x, {3, 5})) == 3 * 5 - 1);
  CHECK(count_finite(conv2d(x, ones({1, 1, 3, 3}, {.dtype = float64}), {}, {.padding = 1})) == 240 - 6);
  Tensor weight = zeros({1, 1, 1, 2}, {.dtype = float64, .requires_grad = true});
  conv2d(x, weight).sum().backward();
  CHECK(count_finite(weight.grad()) == 1);  // the left tap never sees the last column
}

TEST_CASE("a convolution in several tiles is the sum of shifted products, and so are its derivatives") {
  const Example e = example(float64);
  const auto ours = with_gradients(e, convolved), expected = with_gradients(e, shifted_products);
  for (std::size_t i = 0; i < ours.size(); ++i) {
    CAPTURE(i);
    CHECK(allclose(ours[i], expected[i], {.rtol = 1e-11, .atol = 1e-11}));
  }
}

TEST_CASE("a convolution and its derivatives are the same for any number of threads") {
  const Example e = example(float32);
  const int before = get_num_threads();
  set_num_threads(1);
  const auto alone = with_gradients(e, convolved);
  set_num_threads(3);
  const auto shared = with_gradients(e, convolved);
  set_num_threads(before);
  for (std::size_t i = 0; i < alone.size(); ++i) {
    CAPTURE(i);
    CHECK(equal(alone[i], shared[i]));
  }
}
