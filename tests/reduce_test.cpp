// What the op table does not ask of reductions: zeros and NaN, first and second derivatives included.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include <gradus/autograd.hpp>
#include <gradus/factory.hpp>
#include <gradus/ops.hpp>

#include "ops/checks.hpp"

namespace gradus::test {
namespace {

using Doubles = std::vector<double>;
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

Tensor leaf(const Doubles& elements) { return tensor(elements, {.dtype = float64, .requires_grad = true}); }

TEST_CASE("an element that is 0 has no part in the derivatives of a norm, and makes no NaN of the others'") {
  for (const double p : {0.5, 1.5, 2.0, 2.5, 3.0}) {
    CAPTURE(p);
    const Tensor with_zero = leaf({3, 0, -4}), without = leaf({3, -4});
    const auto derivatives = [p](const Tensor& x) {
      const Tensor slope = grad(norm(x, p), {x}, {.create_graph = true})[0];
      return Tensors{slope.detach(), grad(sum(slope * slope), {x}, {.allow_unused = true})[0]};
    };
    const Tensors found = derivatives(with_zero), expected = derivatives(without);
    for (std::size_t order = 0; order < 2; ++order) {
      CAPTURE(order);
      if (!expected[order].defined()) continue;
      const Doubles left = values(expected[order]);
      CHECK(difference(found[order], leaf({left[0], 0, left[1]}), {.to_scale = 1e-14}) == "");
    }
  }
}

TEST_CASE("a norm that is 0 has derivatives 0 of first and second order") {
  for (const auto& [p, elements] :
       {std::pair(-1.0, Doubles{3, 0, -4}), {-2.5, {0, 1}}, {2.0, {0, 0}}, {1.5, {0, 0}}, {3.0, {0}}}) {
    CAPTURE(p);
    const Tensor x = leaf(elements);
    const Tensor y = norm(x, p);
    CHECK(y.item() == 0);
    const Tensor slope = grad(y, {x}, {.create_graph = true})[0];
    CHECK(values(slope) == Doubles(elements.size(), 0));
    CHECK(values(grad(sum(slope), {x})[0]) == Doubles(elements.size(), 0));
  }
}

TEST_CASE("a deviation that is 0 has derivatives 0 of first and second order") {
  const Tensor x = leaf({2, 2, 2});
  const Tensor slope = grad(x.std(), {x}, {.create_graph = true})[0];
  CHECK(values(slope) == Doubles{0, 0, 0});
  CHECK(values(grad(sum(slope), {x})[0]) == Doubles{0, 0, 0});
}

TEST_CASE("norms of no elements") {
  const Tensor none = zeros({0});
  for (const double p : {0.0, 0.5, 1.0, 2.0, infinity}) {
    CAPTURE(p);
    CHECK(norm(none, p).item() == 0);
  }
  for (const double p : {-1.0, -infinity}) {
    CAPTURE(p);
    CHECK(norm(none, p).item() == infinity);
  }
}

TEST_CASE("where NaN wins, the gradient is shared among the NaNs") {
  const Doubles elements = {1, nan, 2, nan};
  const std::vector<Tensor (*)(const Tensor&)> winners = {
      [](const Tensor& x) { return max(x); }, [](const Tensor& x) { return min(x); },
      [](const Tensor& x) { return amax(x); }, [](const Tensor& x) { return amin(x); },
      [](const Tensor& x) { return median(x); }};
  for (const auto& winner : winners) {
    const Tensor x = leaf(elements);
    const Tensor y = winner(x);
    CHECK(std::isnan(y.item()));
    y.backward();
    CHECK(values(x.grad()) == Doubles{0, 0.5, 0, 0.5});
  }
  // Only the group with a NaN is concerned.
  const Tensor x = reshape(leaf({1, nan, 3, 3}), {2, 2});
  CHECK(values(grad(sum(amax(x, 1)), {x})[0]) == Doubles{0, 1, 0.5, 0.5});
  const Tensor y = leaf({1, nan, -2});
  const Doubles slope = values(grad(norm(y, infinity), {y})[0]);
  CHECK(slope[0] == 0);
  CHECK(slope[2] == 0);
}

TEST_CASE("the remainder of an infinite divisor has derivatives") {
  const Tensor a = leaf({5, -5, 0, 5, -5}), b = leaf({infinity, infinity, infinity, -infinity, -infinity});
  sum(remainder(a, b)).backward();
  CHECK(values(a.grad()) == Doubles{1, 1, 1, 1, 1});
  CHECK(values(b.grad()) == Doubles{0, 1, 0, 1, 0});
}

TEST_CASE("addmm with beta 0 does not read its input, but knows of it") {
  const Tensor input = leaf({nan, nan}), a = eye(2, {.dtype = float64, .requires_grad = true});
  const Tensor y = addmm(input, a, a.detach(), {.beta = 0});
  CHECK(values(y) == Doubles{1, 0, 0, 1});
  const Tensors gradients = grad(sum(y), {input, a});
  CHECK(values(gradients[0]) == Doubles{0, 0});
  CHECK(values(gradients[1]) == Doubles{1, 1, 1, 1});
}

}  // namespace
}  // namespace gradus::test
