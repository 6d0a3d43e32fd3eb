// Assignment through a view while recording: the base's history and the view's own change.
#include <doctest/doctest.h>

#include <vector>

#include <gradus/autograd.hpp>
#include <gradus/factory.hpp>
#include <gradus/ops.hpp>

#include "ops/checks.hpp"

namespace gradus::test {
namespace {

using Doubles = std::vector<double>;

Tensor vector(std::initializer_list<double> list, bool requires_grad = false) {
  const Doubles data(list);
  return tensor(std::span<const double>(data), {static_cast<std::int64_t>(data.size())},
                {.requires_grad = requires_grad});
}
Tensor leaf(std::initializer_list<double> list) { return vector(list, true); }

TEST_CASE("a write through a view reaches the gradient of its base") {
  const Tensor x = leaf({1, 2, 3});
  Tensor y = x * 2.0;
  y.slice(0, 0, 1).mul_(10.0);
  CHECK(values(y) == Doubles{20, 4, 6});
  sum(y * y).backward();  // (20 x0)^2 + (2 x1)^2 + (2 x2)^2
  CHECK(values(x.grad()) == Doubles{800, 16, 24});
}

TEST_CASE("values assigned to a part of a plain tensor bring their history along") {
  const std::int64_t nodes = live_nodes();
  {
    const Tensor a = leaf({1, 2}), b = leaf({3, 4});
    Tensor table = zeros({3, 2}, {.dtype = float64});
    table[0].copy_(a);
    table[1] += b;
    table[2].copy_(a * b);
    CHECK(table.requires_grad());
    CHECK(values(table) == Doubles{1, 2, 3, 4, 3, 8});
    sum(square(table)).backward();
    CHECK(values(a.grad()) == Doubles{2 + 2 * 3 * 3, 4 + 2 * 8 * 4});
    CHECK(values(b.grad()) == Doubles{6 + 2 * 3 * 1, 8 + 2 * 8 * 2});
  }
  CHECK(live_nodes() == nodes);
}

TEST_CASE("what was overwritten has no gradient any more") {
  const Tensor x = leaf({1, 2, 3}), v = leaf({5});
  Tensor y = x * 2.0;
  y.narrow(0, 1, 1).copy_(v);
  y[2].fill_(7);
  sum(square(y)).backward();
  CHECK(values(x.grad()) == Doubles{8, 0, 0});
  CHECK(values(v.grad()) == Doubles{10});
}

TEST_CASE("the view that was written through can be used and written again") {
  const Tensor x = leaf({1, 2, 3});
  Tensor y = x * 1.0;
  Tensor tail = y.slice(0, 1);
  tail.mul_(tail);
  tail.add_(1.0);
  CHECK(values(y) == Doubles{1, 5, 10});
  CHECK(values(tail) == Doubles{5, 10});
  sum(tail * y.slice(0, 1)).backward();  // (x^2 + 1)^2
  CHECK(values(x.grad()) == Doubles{0, 40, 120});
}

TEST_CASE("views of views, transposed, strided, diagonal and reshaped ones are written where they lie") {
  using Show = Tensor (*)(const Tensor&);
  const std::vector<Show> views = {[](const Tensor& t) { return t[1][2]; },
                                   [](const Tensor& t) { return t.t()[1].slice(0, 0, 3, 2); },
                                   [](const Tensor& t) { return diagonal(t, 1); },
                                   [](const Tensor& t) {
                                     return t.view({2, 6}).select(1, 4);
                                   },
                                   [](const Tensor& t) {
                                     return t.unsqueeze(0).permute({2, 0, 1}).squeeze(1).narrow(0, 1, 2);
                                   },
                                   [](const Tensor& t) { return split(t, 2, 1)[1]; },
                                   [](const Tensor& t) { return unbind(t, 0)[2]; },
                                   [](const Tensor& t) { return t.slice(0, 2, 2); }};
  for (std::size_t i = 0; i < views.size(); ++i) {
    CAPTURE(i);
    const Tensor start = reshape(arange(12, {.dtype = float64}) * 0.1 - 0.5, {3, 4});
    // Functionally: y with f(part) in place of the part, by the mask of what the view shows.
    Tensor shown = zeros({3, 4}, {.dtype = float64});
    {
      NoGrad guard;
      views[i](shown).fill_(1);
    }
    const Tensor mask = shown.to(boolean);
    Tensor x = start.clone().set_requires_grad(), z = start.clone().set_requires_grad();
    Tensor y = x * 3.0;
    Tensor part = views[i](y);
    part.exp_();
    const Tensor expected = where(mask, exp(z * 3.0), z * 3.0);
    CHECK(difference(y, expected) == "");
    CHECK(difference(part, views[i](expected)) == "");
    const Tensor weights = cotangent_like(y);
    sum(square(y) * weights).backward();
    sum(square(expected) * weights).backward();
    CHECK(difference(x.grad(), z.grad(), {.relative = 1e-14}) == "");
  }
}

TEST_CASE("second derivatives go through partial assignments") {
  const auto energy = [](const Tensor& x) {
    Tensor y = x * x;
    y[0].mul_(x[1]);  // x0^2 x1
    Tensor tail = y.slice(0, 1, 3);
    tail.exp_();
    tail.mul_(x.slice(0, 0, 2));
    return sum(y * x) + sum(square(tail));
  };
  const Tensor x = leaf({0.5, -0.3, 0.7});
  const Tensor direction = vector({1, 2, 3});
  const auto slope = [&](const Tensor& at, bool create_graph) {
    return sum(grad(energy(at), {at}, {.create_graph = create_graph})[0] * direction);
  };
  const Tensor hessian_direction = grad(slope(x, true), {x})[0];
  const Tensor expected = central_differences(
      [&](const Tensors& moved) { return slope(moved[0].clone().set_requires_grad(), false).item(); }, {x.detach()}, 0);
  CHECK(difference(hessian_direction, expected, {.to_scale = 1e-8}) == "");
}

TEST_CASE("other views that are older than the write are refused, also as targets") {
  const Tensor x = leaf({1, 2, 3});
  Tensor y = x * 2.0;
  Tensor head = y.slice(0, 0, 1), tail = y.slice(0, 1);
  head.mul_(10.0);
  CHECK_THROWS_WITH_AS(sum(tail), doctest::Contains("its history is stale"), Error);
  CHECK_THROWS_WITH_AS(tail.mul_(2.0), doctest::Contains("its history is stale"), Error);
  CHECK(values(y) == Doubles{20, 4, 6});
  y.slice(0, 1).mul_(2.0);  // a new one will do
  sum(y).backward();
  CHECK(values(x.grad()) == Doubles{20, 4, 4});
}

TEST_CASE("a derivative that needs what a view has overwritten says so") {
  const Tensor x = leaf({1, 2});
  Tensor y = x * 1.0;
  const Tensor z = sum(y * y);
  y[0].add_(1.0);
  CHECK_THROWS_WITH_AS(z.backward(), doctest::Contains("changed in place"), Error);
}

TEST_CASE("a view of a leaf is changed only under NoGrad, and what is detached is a base of its own") {
  Tensor x = leaf({1, 2});
  CHECK_THROWS_WITH_AS(x[0].mul_(2.0), doctest::Contains("view of a leaf"), Error);
  {
    NoGrad guard;
    x[0].mul_(2.0);
  }
  CHECK(values(x) == Doubles{2, 2});
  Tensor part = zeros({3}, {.dtype = float64}).slice(0, 1);
  part.set_requires_grad();  // a leaf, though it shares its memory
  CHECK_THROWS_WITH_AS(part[0].mul_(2.0), doctest::Contains("view of a leaf"), Error);

  const Tensor before = x * 3.0;
  Tensor h = before.detach();
  h[0].mul_(x[1]);
  CHECK(values(h) == Doubles{12, 6});
  sum(h).backward();
  CHECK(values(x.grad()) == Doubles{0, 6});
}

TEST_CASE("a view of a detached transpose is written where it lies") {
  const Tensor w = leaf({1, 2});
  Tensor h = zeros({2, 3}, {.dtype = float64}).t().detach();  // strides (1, 3)
  h[1].copy_(w);
  sum(h * reshape(arange(6, {.dtype = float64}), {3, 2})).backward();
  CHECK(values(w.grad()) == Doubles{2, 3});
}

TEST_CASE("a view made under NoGrad cannot bring a history, nor can a view of it") {
  const Tensor w = leaf({1});
  Tensor plain = zeros({3}, {.dtype = float64});
  Tensor view;
  {
    NoGrad guard;
    view = plain.slice(0, 0, 2);
  }
  const char* const refusal =
      "copy_: a view whose base is not known cannot be changed in place while it is recorded; make it anew";
  CHECK_THROWS_WITH_AS(view.copy_(w), refusal, Error);
  CHECK_THROWS_WITH_AS(view[1].copy_(sum(w)), refusal, Error);
  CHECK(values(plain) == Doubles{0, 0, 0});
}

TEST_CASE("a view outlives its base, and assignments leave no node behind") {
  const std::int64_t nodes = live_nodes();
  {
    const Tensor x = leaf({1, 2, 3});
    Tensor view = (x * 2.0).slice(0, 1);
    view.mul_(view);
    sum(view).backward();
    CHECK(values(x.grad()) == Doubles{0, 16, 24});
    Tensor never_run = x * 1.0;
    never_run[0].mul_(never_run[0]);
    never_run.slice(0, 1) += never_run[0];
    Tensor plain = zeros({2}, {.dtype = float64});
    Tensor part = plain.slice(0, 0, 1);
    part.set_requires_grad();  // a leaf now, and no view any more for the tape
    plain += sum(part * part);
  }
  CHECK(live_nodes() == nodes);
}

TEST_CASE("a base and a view that retain their gradients go on doing so after the write") {
  const Tensor x = leaf({1, 2});
  Tensor y = x * 1.0;
  Tensor head = y.slice(0, 0, 1);
  y.retain_grad();
  head.retain_grad();
  head.mul_(3.0);
  (sum(square(y)) + sum(head)).backward();
  CHECK(values(y.grad()) == Doubles{7, 4});  // that of the values after the write
  CHECK(values(head.grad()) == Doubles{1});
  CHECK(values(x.grad()) == Doubles{21, 4});
}

TEST_CASE("a recurrence may fill a table of its states") {
  const Tensor w = leaf({0.5, 1.5});
  Tensor states = zeros({4, 2}, {.dtype = float64});
  states[0].copy_(w);
  for (std::int64_t t = 1; t < 4; ++t) states[t].copy_(states[t - 1].clone() * w + 1.0);
  sum(states).backward();
  const Tensor v = leaf({0.5, 1.5});
  Tensor state = v, total = v;
  for (int t = 1; t < 4; ++t) {
    state = state * v + 1.0;
    total = total + state;
  }
  sum(total).backward();
  CHECK(difference(w.grad(), v.grad(), {.relative = 1e-14}) == "");
}

}  // namespace
}  // namespace gradus::test
