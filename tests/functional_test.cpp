// Jacobians, Hessians, their products with vectors, and the curvature of a loss, against closed forms.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <gradus/autograd.hpp>
#include <gradus/factory.hpp>
#include <gradus/functional.hpp>
#include <gradus/nn.hpp>
#include <gradus/ops.hpp>
#include <gradus/random.hpp>

#include "messages.hpp"

using namespace gradus;
using gradus::tests::message_of;

namespace {

constexpr TensorOptions f64{.dtype = float64};

Tensor doubles(std::initializer_list<Nested> values) { return tensor(values, {.dtype = float64}); }

bool close(const Tensor& a, const Tensor& b, double tolerance = 1e-12) {
  if (a.shape() != b.shape() || a.dtype() != b.dtype()) return false;
  return a.numel() == 0 || (a - b).detach().abs().max().item() <= tolerance;
}

Tensor bowl(const Tensor& w) { return square(w[0]) + 4.0 * square(w[1]); }

Tensor rosenbrock(const Tensor& x) { return square(1.0 - x[0]) + 100.0 * square(x[1] - square(x[0])); }

Tensor rosenbrock_hessian(double x, double y) {
  return doubles({{2 - 400 * (y - 3 * x * x), -400 * x}, {-400 * x, 200.0}});
}

// x^T A x / 2 for a symmetric A: its Hessian is A.
UnaryFunction quadratic(const Tensor& a) {
  return [a](const Tensor& x) { return 0.5 * sum(x * matmul(a, x)); };
}

Tensor symmetric(std::int64_t n, std::uint64_t seed) {
  Generator generator(seed);
  const Tensor a = randn({n, n}, {.dtype = float64, .generator = &generator});
  return (a + a.t()) / 2.0;
}

// Q diag(values) Q^T with the Householder reflection Q = I - 2 v v^T / v^T v.
Tensor with_eigenvalues(const std::vector<double>& values) {
  const auto n = static_cast<std::int64_t>(values.size());
  Generator generator(5);
  const Tensor v = randn({n, 1}, {.dtype = float64, .generator = &generator});
  const Tensor q = eye(n, f64) - 2.0 * matmul(v, v.t()) / sum(v * v);
  return matmul(q * tensor(values), q.t());
}

}  // namespace

TEST_CASE("the Jacobian of softmax is diag(p) - p p^T") {
  const Tensor x = doubles({0.3, -1.0, 2.0, 0.1});
  const Tensor p = softmax(x, 0);
  const Tensor j = jacobian([](const Tensor& z) { return softmax(z, 0); }, x);
  CHECK(close(j, eye(4, f64) * p - matmul(p.unsqueeze(1), p.unsqueeze(0))));
}

TEST_CASE("a Jacobian has the shape of the result and then that of the input") {
  const Tensor x = randn({2, 3}, {.dtype = float64});
  const Tensor w = randn({3, 4}, {.dtype = float64});
  const Tensor j = jacobian([&](const Tensor& z) { return matmul(z, w); }, x);
  REQUIRE(j.shape() == Shape{2, 4, 2, 3});
  for (int a = 0; a < 2; ++a) {
    for (int b = 0; b < 4; ++b) {
      CHECK(close(j[a][b][a], w.t()[b]));
      CHECK(j[a][b][1 - a].abs().sum().item() == 0);
    }
  }
  CHECK(jacobian([](const Tensor& z) { return sum(z); }, x).shape() == Shape{2, 3});
  CHECK(jacobian([](const Tensor& z) { return z.slice(0, 0, 0); }, x).shape() == Shape{0, 3, 2, 3});
}

TEST_CASE("the Hessian of a quadratic form is its matrix and that of Rosenbrock's valley is known") {
  const Tensor a = symmetric(5, 1);
  CHECK(close(hessian(quadratic(a), zeros({5}, f64)), a));
  CHECK(close(hessian(rosenbrock, doubles({-1.2, 1.0})), rosenbrock_hessian(-1.2, 1.0), 1e-10));
  const Tensor cubes = hessian([](const Tensor& x) { return sum(x * x * x); }, doubles({{1.0, 2.0}, {3.0, 4.0}}));
  REQUIRE(cubes.shape() == Shape{2, 2, 2, 2});
  CHECK(close(cubes.reshape({4, 4}), eye(4, f64) * doubles({6.0, 12.0, 18.0, 24.0})));
}

TEST_CASE("products with vectors are those of the matrices") {
  const Tensor x = doubles({-1.2, 1.0}), v = doubles({0.5, -2.0});
  CHECK(close(hvp(rosenbrock, x, v), matmul(rosenbrock_hessian(-1.2, 1.0), v), 1e-10));
  CHECK(close(vhp(rosenbrock, x, v), hvp(rosenbrock, x, v)));
  const auto f = [](const Tensor& z) { return stack({z[0] * z[1], sin(z[0]), exp(z[1])}); };
  const Tensor j = jacobian(f, x);
  CHECK(close(j, tensor({{1.0, -1.2}, {std::cos(-1.2), 0.0}, {0.0, std::exp(1.0)}}, {.dtype = float64})));
  const Tensor u = doubles({1.0, 2.0, 3.0});
  CHECK(close(vjp(f, x, u), matmul(u, j)));
  CHECK(close(jvp(f, x, v), matmul(j, v)));
  CHECK_FALSE(jvp(f, x, v).requires_grad());
  CHECK_FALSE(vjp(f, x, u).requires_grad());
}

TEST_CASE("functions of several inputs have blocks") {
  const Tensor x = doubles({1.0, 2.0}), y = doubles({{3.0}, {4.0}});
  const auto f = [](const std::vector<Tensor>& in) { return sum(square(in[0]) * in[1].squeeze(1)); };  // x^2 y
  const auto h = hessian(f, {x, y});
  REQUIRE(h.size() == 2);
  CHECK(close(h[0][0], doubles({{6.0, 0.0}, {0.0, 8.0}})));
  CHECK(h[0][1].shape() == Shape{2, 2, 1});
  CHECK(close(h[0][1].squeeze(2), doubles({{2.0, 0.0}, {0.0, 4.0}})));
  CHECK(close(h[1][0].squeeze(1), doubles({{2.0, 0.0}, {0.0, 4.0}})));
  CHECK(h[1][1].abs().sum().item() == 0);
  const Tensor vx = doubles({1.0, -1.0}), vy = doubles({{2.0}, {0.5}});
  const auto product = hvp(f, {x, y}, {vx, vy});
  CHECK(close(product[0], doubles({10.0, -6.0})));
  CHECK(close(product[1], doubles({{2.0}, {-4.0}})));
  CHECK(close(vhp(f, {x, y}, {vx, vy})[0], product[0]));
  const auto rows = jacobian(f, {x, y});
  CHECK(close(rows[0], doubles({6.0, 16.0})));
  CHECK(close(rows[1], doubles({{1.0}, {4.0}})));
  CHECK(jvp(f, {x, y}, {vx, vy}).item() == doctest::Approx(6 - 16 + 2 + 2));
  CHECK(close(vjp(f, {x, y}, doubles({2.0})[0])[0], doubles({12.0, 32.0})));
}

TEST_CASE("what a function does not depend on has derivative zero, and so do constant and linear functions") {
  const Tensor x = doubles({1.0, 2.0});
  const auto constant = [](const Tensor&) { return tensor(3.0, {.dtype = float64}); };
  const auto linear_one = [](const Tensor& z) { return sum(2.0 * z); };
  const auto second = [](const std::vector<Tensor>& in) { return sum(square(in[1])); };
  CHECK(close(jacobian(constant, x), zeros({2}, f64)));
  CHECK(close(hessian(constant, x), zeros({2, 2}, f64)));
  CHECK(close(hessian(linear_one, x), zeros({2, 2}, f64)));
  CHECK(close(hvp(linear_one, x, x), zeros({2}, f64)));
  CHECK(close(jvp(constant, x, x), zeros({}, f64)));
  CHECK(close(vjp(constant, x, ones({}, f64)), zeros({2}, f64)));
  CHECK(close(jacobian(second, {x, x})[0], zeros({2}, f64)));
  CHECK(close(hessian(second, {x, x})[1][1], 2.0 * eye(2, f64)));
  CHECK(close(hvp(second, {x, x}, {x, x})[0], zeros({2}, f64)));
  const Eigenvalue flat = largest_hessian_eigenvalue(linear_one, x);
  CHECK(flat.value == 0);
  CHECK(flat.converged);
}

TEST_CASE("inputs and their gradients stay as they were, with and without requires_grad, also under NoGrad") {
  const std::int64_t nodes = live_nodes();
  {
    Tensor x = tensor({1.0, 2.0}, {.dtype = float64, .requires_grad = true});
    const Tensor plain = doubles({1.0, 2.0});
    const NoGrad guard;
    for (const Tensor& input : {x, plain}) {
      CHECK(close(hessian(bowl, input), doubles({{2.0, 0.0}, {0.0, 8.0}})));
      CHECK(close(hvp(bowl, input, input), doubles({2.0, 16.0})));
      CHECK(close(jacobian(bowl, input), doubles({2.0, 16.0})));
      CHECK_FALSE(hessian(bowl, input).requires_grad());
      CHECK_FALSE(input.grad().defined());
    }
    CHECK(x.requires_grad());
    CHECK_FALSE(plain.requires_grad());
    CHECK_FALSE(is_grad_enabled());
    CHECK(live_nodes() == nodes);
  }
}

TEST_CASE("derivatives recorded with create_graph can be differentiated by the user's tensor") {
  const std::int64_t nodes = live_nodes();
  {
    Tensor x = tensor({1.0, 2.0}, {.dtype = float64, .requires_grad = true});
    const auto quartic = [](const Tensor& z) { return sum(square(square(z))); };
    const Tensor h = hessian(quartic, x, {.create_graph = true});  // 12 x^2
    CHECK(close(grad(sum(h), {x})[0], doubles({24.0, 48.0})));
    const Tensor j = jacobian([](const Tensor& z) { return z * z * z; }, x, {.create_graph = true});  // 3 x^2
    CHECK(close(grad(sum(j), {x})[0], doubles({6.0, 12.0})));
    const Tensor v = doubles({1.0, -1.0});
    CHECK(close(grad(sum(hvp(quartic, x, v, {.create_graph = true})), {x})[0], doubles({24.0, -48.0})));
    CHECK(close(grad(sum(jvp([](const Tensor& z) { return z * z * z; }, x, v, {.create_graph = true})), {x})[0],
                doubles({6.0, -12.0})));
    const Tensor y = 2.0 * x;  // an inner tensor leads on to its leaf
    CHECK(close(grad(sum(hessian(quartic, y, {.create_graph = true})), {x})[0], doubles({96.0, 192.0})));
    CHECK_FALSE(x.grad().defined());
  }
  CHECK(live_nodes() == nodes);
}

TEST_CASE("the curvature of a network's loss is taken by its own parameters") {
  manual_seed(3);
  nn::Sequential model(nn::Linear(3, 4, {.dtype = float64}), nn::Tanh(), nn::Linear(4, 2, {.dtype = float64}));
  const Tensor x = randn({8, 3}, {.dtype = float64}), y = randn({8, 2}, {.dtype = float64});
  const std::vector<Tensor> parameters = model.parameters();
  const auto loss = [&] { return mse_loss(model(x), y); };
  const Tensor spectrum = hessian_spectrum(loss, parameters);
  const std::int64_t n = 3 * 4 + 4 + 4 * 2 + 2;
  REQUIRE(spectrum.shape() == Shape{n});
  const auto all = spectrum.data<double>();
  CHECK(std::is_sorted(all.begin(), all.end()));
  const Eigenvalue largest = largest_hessian_eigenvalue(loss, parameters);
  CHECK(largest.converged);
  CHECK(largest.value == doctest::Approx(all[n - 1]).epsilon(1e-9));
  const Eigenvalue smallest = largest_hessian_eigenvalue(loss, parameters, {.which = SpectrumEnd::smallest});
  CHECK(std::abs(smallest.value - all[0]) <= 1e-6 * std::abs(all[n - 1]));

  // The vector that comes with it is of length one and an eigenvector.
  REQUIRE(largest.vector.size() == parameters.size());
  const std::vector<Tensor> hu = hvp(loss, parameters, largest.vector);
  double length = 0, residual = 0;
  for (std::size_t i = 0; i < hu.size(); ++i) {
    CHECK(hu[i].shape() == parameters[i].shape());
    length += sum(square(largest.vector[i])).item();
    residual += sum(square(hu[i] - largest.value * largest.vector[i])).item();
  }
  CHECK(length == doctest::Approx(1));
  CHECK(std::sqrt(residual) == doctest::Approx(largest.error).epsilon(1e-3));
  for (const Tensor& parameter : parameters) CHECK_FALSE(parameter.grad().defined());
}

TEST_CASE("Lanczos finds the wanted end of a known spectrum, within its error bar") {
  std::vector<double> values;
  for (int i = 0; i < 60; ++i) values.push_back(-20.0 + i * 0.5);
  values[7] = 31;
  values[20] = -40;
  const UnaryFunction f = quadratic(with_eigenvalues(values));
  const Tensor x = zeros({60}, f64);
  const auto check = [&](SpectrumEnd which, double expected) {
    const Eigenvalue found = largest_hessian_eigenvalue(f, x, {.which = which});
    CAPTURE(expected);
    CHECK(found.converged);
    CHECK(std::abs(found.value - expected) <= found.error + 1e-12);
    CHECK(found.error <= 40 * 1e-6);
    CHECK(found.iterations < 60);
  };
  check(SpectrumEnd::largest, 31);
  check(SpectrumEnd::smallest, -40);
  check(SpectrumEnd::magnitude, -40);
  CHECK(largest_hessian_eigenvalue(bowl, zeros({2}, f64)) == doctest::Approx(8).epsilon(1e-12));
}

TEST_CASE("too few iterations are told by the error bar") {
  std::vector<double> values;
  for (int i = 0; i < 40; ++i) values.push_back(i);
  const UnaryFunction f = quadratic(with_eigenvalues(values));
  const Eigenvalue rough = largest_hessian_eigenvalue(f, zeros({40}, f64), {.max_iterations = 5});
  CHECK_FALSE(rough.converged);
  CHECK(rough.iterations == 5);
  CHECK(rough.error > 0.01);
  CHECK(std::abs(rough.value - 39) > 1e-3);
  // Some eigenvalue lies within the bar, even if not yet the largest.
  CHECK(std::abs(rough.value - std::round(rough.value)) <= rough.error);
}

TEST_CASE("repeated eigenvalues, one element and float32 converge") {
  const Eigenvalue same = largest_hessian_eigenvalue([](const Tensor& x) { return sum(square(x)); }, ones({50}, f64));
  CHECK(same.iterations == 1);
  CHECK(same.value == doctest::Approx(2));
  CHECK(largest_hessian_eigenvalue([](const Tensor& x) { return x * x * x; }, doubles({2.0})[0]).value ==
        doctest::Approx(12));
  const Tensor a = with_eigenvalues({1, 2, 3, 4, 10, -3}).to(float32);
  const Eigenvalue single = largest_hessian_eigenvalue(quadratic(a), zeros({6}));
  CHECK(single.converged);
  CHECK(single.value == doctest::Approx(10).epsilon(1e-6));
  CHECK(single.vector[0].dtype() == float32);
}

TEST_CASE("a random start leaves the default generator alone unless it is the one passed in") {
  manual_seed(11);
  const std::uint64_t before = default_generator().position();
  const double first = largest_hessian_eigenvalue(bowl, zeros({2}, f64));
  CHECK(default_generator().position() == before);
  CHECK(first == largest_hessian_eigenvalue(bowl, zeros({2}, f64)).value);
  largest_hessian_eigenvalue(bowl, zeros({2}, f64), {.generator = &default_generator()});
  CHECK(default_generator().position() > before);
}

TEST_CASE("the spectrum of a Hessian is that of its matrix") {
  std::vector<double> values{-3, -3, 0, 0.5, 1e-8, 7, 7, 7, 1000};
  const Tensor found = hessian_spectrum(quadratic(with_eigenvalues(values)), zeros({9}, f64));
  std::sort(values.begin(), values.end());
  CHECK(close(found, tensor(values), 1e-11));
  CHECK(close(hessian_spectrum(bowl, zeros({2})), doubles({2.0, 8.0})));
  CHECK(hessian_spectrum([](const Tensor& x) { return sum(x); }, zeros({0}, f64)).shape() == Shape{0});
  const auto f = [](const std::vector<Tensor>& in) { return 3.0 * in[0] * in[1]; };
  const Tensor two = doubles({2.0})[0];
  CHECK(close(hessian_spectrum(f, {two, two}), doubles({-3.0, 3.0})));
  // Trace and Frobenius norm of a matrix that is not made from its eigenvalues.
  const Tensor a = symmetric(30, 9);
  const Tensor spectrum = hessian_spectrum(quadratic(a), zeros({30}, f64));
  CHECK(sum(spectrum).item() == doctest::Approx(sum(a * eye(30, f64)).item()).epsilon(1e-10));
  CHECK(sum(square(spectrum)).item() == doctest::Approx(sum(square(a)).item()).epsilon(1e-10));
}

TEST_CASE("what does not fit is refused in words") {
  const Tensor x = doubles({1.0, 2.0});
  const auto twice = [](const Tensor& z) { return 2.0 * z; };
  CHECK(message_of([&] { hessian(twice, x); }) == "hessian: the function must return one element, got shape (2,)");
  CHECK(message_of([&] { hvp(twice, x, x); }) == "hvp: the function must return one element, got shape (2,)");
  CHECK(message_of([&] { hvp(bowl, x, ones({3}, f64)); }) == "hvp: v must be float64 (2,), got float64 (3,)");
  CHECK(message_of([&] { vjp(twice, x, ones({2})); }) == "vjp: v must be float64 (2,), got float32 (2,)");
  CHECK(message_of([&] { jvp(twice, x, ones({1}, f64)); }) == "jvp: v must be float64 (2,), got float64 (1,)");
  CHECK(message_of([&] { jacobian(twice, tensor({1, 2})); }) == "jacobian: a floating dtype is needed, got int64");
  CHECK(message_of([&] { jacobian([](const Tensor&) { return Tensor(); }, x); }) ==
        "jacobian: the function returned an undefined tensor");
  const auto loss = [&] { return bowl(x); };
  CHECK(message_of([&] { largest_hessian_eigenvalue(loss, {x}); }) ==
        "largest_hessian_eigenvalue: parameter 0 does not require a gradient");
  CHECK(message_of([&] { largest_hessian_eigenvalue(bowl, x, {.max_iterations = 0}); }) ==
        "largest_hessian_eigenvalue: max_iterations must be positive, got 0");
  CHECK(message_of([&] {
          largest_hessian_eigenvalue([](const Tensor& z) { return sum(sqrt(z)); }, zeros({2}, f64));
        }) == "largest_hessian_eigenvalue: a product of the Hessian and a vector is not finite");
  CHECK(message_of([&] { largest_hessian_eigenvalue(bowl, zeros({0}, f64)); }) != "");
  const auto pair = [](const std::vector<Tensor>& in) { return sum(in[0]); };
  CHECK(message_of([&] { hvp(pair, {x, x}, {x}); }) == "hvp: 1 tensors v for 2 inputs");
}

TEST_CASE("the spectrum of a tiny or a huge Hessian is as right as that of any other") {
  for (const double size : {1e-165, 1.0, 1e150}) {
    CAPTURE(size);
    const Tensor d = arange(1, 11, 1, {.dtype = float64}) * size;
    const auto bowl = [&](const Tensor& x) { return sum(d * (x * x)) * 0.5; };
    const Eigenvalue found = largest_hessian_eigenvalue(bowl, zeros({10}, {.dtype = float64}));
    CHECK(found.converged);
    CHECK(std::abs(found.value / size - 10) < 1e-6);
  }
}

TEST_CASE("functional derivatives by nothing are refused") {
  CHECK_THROWS_AS(hvp([](const std::vector<Tensor>&) { return tensor(1.0); }, std::vector<Tensor>{}, {}), Error);
}
