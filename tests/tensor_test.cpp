// What a tensor is: shapes, strides, views, values, dtypes, factories, in-place forms.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <set>

#include <gradus/autograd.hpp>
#include <gradus/factory.hpp>
#include <gradus/ops.hpp>

using namespace gradus;

namespace {

std::vector<float> floats(const Tensor& t) {
  const Tensor dense = t.detach().contiguous();
  const auto data = dense.data<float>();
  return {data.begin(), data.end()};
}

Tensor counting(const Shape& shape) {
  return arange(static_cast<double>(shape.numel()), {.dtype = float32}).reshape(shape);
}

const float* memory(const Tensor& t) { return t.contiguous().data<const float>().data(); }

using Floats = std::vector<float>;

}  // namespace

TEST_CASE("a tensor knows its shape, strides, dims and number of elements") {
  const Tensor x = zeros({2, 3, 4});
  CHECK(x.shape() == Shape{2, 3, 4});
  CHECK(x.strides() == Shape{12, 4, 1});
  CHECK(x.dim() == 3);
  CHECK(x.numel() == 24);
  CHECK(x.size(0) == 2);
  CHECK(x.size(-1) == 4);
  CHECK(x.dtype() == float32);
  CHECK(x.is_contiguous());
  CHECK(to_string(x.shape()) == "(2, 3, 4)");
  CHECK(to_string(Shape{5}) == "(5,)");
  CHECK(to_string(Shape{}) == "()");
}

TEST_CASE("tensors have from 0 to 8 dims and not 9") {
  Shape shape;
  for (std::int64_t dims = 0; dims <= 8; ++dims) {
    const Tensor x = full(shape, 2.0);
    CHECK(x.dim() == dims);
    CHECK(x.numel() == (std::int64_t{1} << dims));
    CHECK((x + x).sum().item() == 4.0 * static_cast<double>(x.numel()));
    if (dims > 1) CHECK(x.transpose(0, -1).clone().sum().item() == 2.0 * static_cast<double>(x.numel()));
    if (dims < 8) shape.push_back(2);
  }
  CHECK_THROWS_AS(shape.push_back(2), Error);
  CHECK_THROWS_AS(zeros({1, 1, 1, 1, 1, 1, 1, 1, 1}), Error);
  CHECK_THROWS_AS(zeros(shape).unsqueeze(0), Error);
  CHECK_THROWS_AS(stack({zeros(shape), zeros(shape)}), Error);
}

TEST_CASE("an undefined tensor says so and nothing more") {
  Tensor none;
  CHECK_FALSE(none.defined());
  CHECK_THROWS_AS(none.shape(), Error);
  CHECK_THROWS_AS(none.item(), Error);
  CHECK_THROWS_AS(none.add_(1.0), Error);
  CHECK_THROWS_AS(none.backward(), Error);
  CHECK_THROWS_AS(none.detach(), Error);
  CHECK_THROWS_AS(none.clone(), Error);
  CHECK_THROWS_AS(none.set_requires_grad(), Error);
  CHECK_THROWS_AS(none.grad(), Error);
  none = zeros({2});
  CHECK(none.defined());
}

TEST_CASE("copies of a handle share everything") {
  Tensor a = zeros({3});
  Tensor b = a;
  CHECK(a.is(b));
  b.fill_(2);
  CHECK(floats(a) == Floats{2, 2, 2});
  Tensor c = std::move(b);
  CHECK_FALSE(b.defined());  // NOLINT: a moved-from handle is undefined
  CHECK(c.is(a));
  c = c;  // NOLINT
  CHECK(c.is(a));
  CHECK_FALSE(a.clone().is(a));
}

TEST_CASE("views share memory without a copy") {
  Tensor x = counting({2, 3, 4});
  // contiguous() gives a contiguous view itself, so its memory is the view's.
  const auto shares = [&x](const Tensor& view, std::int64_t offset) { return memory(view) == memory(x) + offset; };
  CHECK(shares(x.select(0, 1), 12));
  CHECK(shares(x[1], 12));
  CHECK(shares(x[1][2], 20));
  CHECK(shares(x.slice(0, 1, 2), 12));
  CHECK(shares(x.narrow(0, 1, 1), 12));
  CHECK(shares(x.reshape({4, 6}), 0));
  CHECK(shares(x.view({-1}), 0));
  CHECK(shares(x.flatten(1), 0));
  CHECK(shares(x.unsqueeze(1), 0));
  CHECK(shares(x.unsqueeze(1).squeeze(1), 0));
  CHECK(shares(x.detach(), 0));

  // Writing through every kind of view is seen in the base.
  x.transpose(0, 2).select(0, 3).fill_(-1);
  CHECK(floats(x.select(2, 3)) == Floats{-1, -1, -1, -1, -1, -1});
  x.permute({2, 0, 1})[0][1].copy_(tensor({7.0, 8.0, 9.0}));
  CHECK(floats(x.select(0, 1).select(1, 0)) == Floats{7, 8, 9});
  x.slice(2, 1, {}, 2).zero_();
  CHECK(floats(x[0][0]) == Floats{0, 0, 2, 0});
  CHECK(x.version() == 3);
}

TEST_CASE("strides of views") {
  const Tensor x = counting({2, 3, 4});
  CHECK(x.transpose(0, 2).shape() == Shape{4, 3, 2});
  CHECK(x.transpose(0, 2).strides() == Shape{1, 4, 12});
  CHECK(x.permute({2, 0, 1}).strides() == Shape{1, 12, 4});
  CHECK(x.slice(2, 1, 4, 2).shape() == Shape{2, 3, 2});
  CHECK(x.slice(2, 1, 4, 2).strides() == Shape{12, 4, 2});
  CHECK(x.select(1, 0).strides() == Shape{12, 1});
  CHECK(x.unsqueeze(0).expand({5, 2, 3, 4}).strides()[0] == 0);
  CHECK(counting({3, 1}).expand({3, 4}).strides() == Shape{1, 0});
  CHECK_FALSE(x.transpose(0, 1).is_contiguous());
  CHECK(x.transpose(0, 1).contiguous().is_contiguous());
  CHECK(x.contiguous().is(x));
  CHECK(x.select(0, 1).is_contiguous());
  CHECK(zeros({3, 1}).transpose(0, 1).is_contiguous());  // the stride of a dim of size 1 does not matter
}

TEST_CASE("reshape copies only where it must") {
  const Tensor x = counting({2, 3, 4});
  CHECK(memory(x.reshape({6, 4})) == memory(x));
  CHECK(memory(x.reshape({2, 12})) == memory(x));
  CHECK(x.slice(2, 0, 2).reshape({6, 2}).strides() == Shape{4, 1});  // the outer dims merge, the inner stays strided
  Tensor split = x.transpose(0, 1).reshape({3, 2, 2, 2});            // splitting a strided dim needs no copy
  split.fill_(0);
  CHECK(x.sum().item() == 0);

  const Tensor y = counting({2, 3});
  const Tensor flat = y.t().reshape({6});
  CHECK(floats(flat) == Floats{0, 3, 1, 4, 2, 5});
  CHECK(memory(flat) != memory(y));
  CHECK_THROWS_AS(y.t().view({6}), Error);
  CHECK(y.t().view({3, 2, 1}).shape() == Shape{3, 2, 1});
  CHECK(counting({1}).expand({4}).reshape({2, 2}).strides() == Shape{0, 0});
}

TEST_CASE("empty tensors work like others") {
  const Tensor x = zeros({0, 3});
  CHECK(x.numel() == 0);
  CHECK(x.is_contiguous());
  CHECK(x.data<float>().empty());
  CHECK((x + 1.0).shape() == Shape{0, 3});
  CHECK(x.sum().item() == 0);
  CHECK(floats(x.sum(0)) == Floats{0, 0, 0});
  CHECK(x.t().shape() == Shape{3, 0});
  CHECK(x.t().contiguous().shape() == Shape{3, 0});
  CHECK(x.reshape({0, 7}).shape() == Shape{0, 7});
  CHECK(cat({x, ones({2, 3})}).shape() == Shape{2, 3});
  CHECK(matmul(zeros({2, 0}), zeros({0, 3})).sum().item() == 0);
  CHECK(std::isnan(x.mean().item()));
  CHECK(tensor(std::initializer_list<Nested>{}).shape() == Shape{0});
  CHECK(equal(x, x.clone()));
  Tensor y = x.clone();
  y.add_(1.0).fill_(3).zero_().copy_(x);
  CHECK(x.to(int64).dtype() == int64);
  CHECK_THROWS_AS(x.reshape({-1, 0}), Error);
  CHECK_THROWS_AS(x[0], Error);
}

TEST_CASE("tensor() takes nested lists of values") {
  CHECK(tensor({{1, 2}, {3, 4}}).shape() == Shape{2, 2});
  CHECK(tensor({{1, 2}, {3, 4}}).dtype() == int64);
  CHECK(tensor({1.0, 2.5}).dtype() == float32);
  CHECK(tensor({1.0f, 2.5f}).dtype() == float32);
  CHECK(tensor({1, 2.5}).dtype() == float32);
  CHECK(tensor({true, false}).dtype() == boolean);
  CHECK(tensor({true, 2}).dtype() == int64);
  CHECK(tensor(3.0).shape() == Shape{});
  CHECK(tensor(3).dtype() == int64);
  CHECK(tensor(true).dtype() == boolean);
  CHECK(tensor({{{1.0}}, {{2.0}}}).shape() == Shape{2, 1, 1});
  CHECK(tensor({1, 2}, {.dtype = float64}).dtype() == float64);
  CHECK(tensor({5}).shape() == Shape{1});
  CHECK(tensor({{}, {}}).shape() == Shape{2, 0});
  CHECK(floats(tensor({{1.0, 2.0}, {3.0, 4.0}})) == Floats{1, 2, 3, 4});
  CHECK(tensor({1.0}, {.requires_grad = true}).requires_grad());
  CHECK(tensor({std::numeric_limits<std::int64_t>::max()}).item<std::int64_t>() ==
        std::numeric_limits<std::int64_t>::max());
  CHECK(tensor(std::vector<double>{1.5, 2.5}).dtype() == float64);
  CHECK(tensor(std::vector<std::int64_t>{1, 2}, {.dtype = float32}).dtype() == float32);
  const std::vector<float> six = {0, 1, 2, 3, 4, 5};
  CHECK(floats(tensor(std::span<const float>(six), {2, 3}).t()) == Floats{0, 3, 1, 4, 2, 5});
  CHECK_THROWS_AS(tensor({{1, 2}, {3}}), Error);
  CHECK_THROWS_AS(tensor({{1, 2}, 3}), Error);
  CHECK_THROWS_AS(tensor({1, {2}}), Error);
  CHECK_THROWS_AS(tensor({1.5}, {.dtype = int64}), Error);
  CHECK_THROWS_AS(tensor({1}, {.requires_grad = true}), Error);
}

TEST_CASE("item gives the value of a one-element tensor only") {
  CHECK(tensor(2.5).item() == 2.5);
  CHECK(tensor({{7}}).item<std::int64_t>() == 7);
  CHECK(tensor({true}).item<bool>());
  CHECK(tensor(3.0).item<float>() == 3.0f);
  CHECK(counting({2, 3})[1][2].item() == 5);
  CHECK_THROWS_AS(zeros({2}).item(), Error);
  CHECK_THROWS_AS(zeros({0}).item(), Error);
}

TEST_CASE("data is a span over the memory of a contiguous tensor of that dtype") {
  Tensor x = counting({2, 3});
  x.data<float>()[4] = 40;
  CHECK(x[1][1].item() == 40);
  CHECK(x[1].data<float>().size() == 3);
  CHECK(x[1].data<float>()[1] == 40);
  CHECK_THROWS_AS(x.data<double>(), Error);
  CHECK_THROWS_AS(x.data<std::int64_t>(), Error);
  CHECK_THROWS_AS(x.data<bool>(), Error);
  CHECK_THROWS_AS(x.t().data<float>(), Error);
  CHECK_THROWS_AS(x.slice(1, 0, {}, 2).data<float>(), Error);
}

TEST_CASE("factories") {
  CHECK(floats(zeros({2})) == Floats{0, 0});
  CHECK(floats(ones({2})) == Floats{1, 1});
  CHECK(floats(full({2}, -3.5)) == Floats{-3.5, -3.5});
  CHECK(empty({2, 5}, {.dtype = float64}).dtype() == float64);
  CHECK(zeros({2}, {.requires_grad = true}).requires_grad());
  CHECK(zeros_like(tensor({1, 2})).dtype() == int64);
  CHECK(ones_like(zeros({2, 3}, {.dtype = float64})).dtype() == float64);
  CHECK(full_like(zeros({2}), 4).sum().item() == 8);
  CHECK(empty_like(zeros({2, 3})).shape() == Shape{2, 3});
  CHECK(floats(eye(2)) == Floats{1, 0, 0, 1});
  CHECK(floats(eye(2, 3)) == Floats{1, 0, 0, 0, 1, 0});
  CHECK(equal(arange(4), tensor({0, 1, 2, 3})));
  CHECK(equal(arange(1, 8, 3), tensor({1, 4, 7})));
  CHECK(equal(arange(3, 0, -1), tensor({3, 2, 1})));
  CHECK(arange(0).shape() == Shape{0});
  CHECK(arange(2.5).dtype() == float32);
  CHECK(arange(0, 1, 0.25).shape() == Shape{4});
  CHECK(arange(3, {.dtype = float64}).dtype() == float64);
  CHECK(floats(linspace(0, 1, 5)) == Floats{0, 0.25, 0.5, 0.75, 1});
  CHECK(floats(linspace(2, 3, 1)) == Floats{2});
  CHECK(linspace(0, 1, 0).shape() == Shape{0});
  CHECK(linspace(-0.1, 0.3, 7, {.dtype = float64})[6].item() == 0.3);
  CHECK_THROWS_AS(zeros({-1}), Error);
  CHECK_THROWS_AS(zeros({1 << 30, 1 << 30, 1 << 30}), Error);
  CHECK_THROWS_AS(arange(0, 5, -1), Error);
  CHECK_THROWS_AS(arange(0, 5, 0), Error);
  CHECK_THROWS_AS(full({1}, 0.5, {.dtype = int64}), Error);
  CHECK_THROWS_AS(zeros({1}, {.dtype = int64, .requires_grad = true}), Error);
}

TEST_CASE("to converts dtypes as C++ does and is differentiable between floating ones") {
  CHECK(equal(tensor({1.9, -1.9}).to(int64), tensor({1, -1})));
  CHECK(equal(tensor({0.0, 0.5}).to(boolean), tensor({false, true})));
  CHECK(equal(tensor({true, false}).to(float32), tensor({1.0, 0.0})));
  CHECK(tensor({1.0}).to(float64).dtype() == float64);
  const Tensor x = counting({2, 3});
  CHECK(x.to(float32).is(x));
  CHECK(floats(x.t().to(float64).to(float32)) == floats(x.t()));
  Tensor leaf = tensor({1.0, 2.0}, {.requires_grad = true});
  sum(leaf.to(float64) * 3.0).backward();
  CHECK(leaf.grad().dtype() == float32);
  CHECK(floats(leaf.grad()) == Floats{3, 3});
  CHECK_FALSE(leaf.to(int64).requires_grad());
}

TEST_CASE("dtypes of results") {
  const Tensor f = ones({2}), d = ones({2}, {.dtype = float64}), i = tensor({1, 2}), b = tensor({true, false});
  CHECK((f + i).dtype() == float32);
  CHECK((i + d).dtype() == float64);
  CHECK((f * b).dtype() == float32);
  CHECK((i + b).dtype() == int64);
  CHECK((f * 2.5).dtype() == float32);
  CHECK((2.5 * d).dtype() == float64);
  CHECK((i * 2.0).dtype() == int64);
  CHECK((i / i).dtype() == float32);
  CHECK((i / 2.0).dtype() == float32);
  CHECK((i / 2.0)[0].item() == 0.5);
}

TEST_CASE("dtypes of reductions and refused mixtures") {
  const Tensor i = tensor({1, 2}), b = tensor({true, false});
  CHECK(sum(b).dtype() == int64);
  CHECK(sum(i).item<std::int64_t>() == 3);
  CHECK(eq(i, 2).dtype() == boolean);
  CHECK(argmax(i).dtype() == int64);
  CHECK(max(i, 0).values.dtype() == int64);
  CHECK(max(i, 0).indices.dtype() == int64);
  CHECK_THROWS_AS(ones({2}) + ones({2}, {.dtype = float64}), Error);
  CHECK_THROWS_AS(mean(i), Error);
  CHECK_THROWS_AS(i * 2.5, Error);
}

TEST_CASE("shapes broadcast as in NumPy or are refused") {
  CHECK((zeros({2, 1}) + zeros({3})).shape() == Shape{2, 3});
  CHECK((zeros({}) + zeros({2, 2})).shape() == Shape{2, 2});
  CHECK((zeros({0, 1}) + zeros({5})).shape() == Shape{0, 5});
  CHECK((zeros({4, 1, 6}) * zeros({5, 1})).shape() == Shape{4, 5, 6});
  CHECK_THROWS_AS(zeros({2}) + zeros({3}), Error);
  CHECK_THROWS_AS(zeros({2, 3}) + zeros({2}), Error);
  CHECK_THROWS_AS(zeros({0}) + zeros({2}), Error);
}

TEST_CASE("in-place forms return their tensor and count a version") {
  Tensor x = tensor({1.0, 2.0, 3.0});
  const float* const start = x.data<float>().data();
  CHECK(&x.add_(1.0).mul_(2.0) == &x);
  CHECK(floats(x) == Floats{4, 6, 8});
  CHECK(x.version() == 2);
  x += tensor({1.0});
  x -= 1.0;
  x *= x;
  x /= 2.0;
  CHECK(floats(x) == Floats{8, 18, 32});
  CHECK(floats(x.fill_(2)) == Floats{2, 2, 2});
  CHECK(floats(x.zero_()) == Floats{0, 0, 0});
  CHECK(x.data<float>().data() == start);
  Tensor i = tensor({1, 2});
  i.add_(tensor({true, true}));
  CHECK(equal(i, tensor({2, 3})));
  CHECK_THROWS_AS(i.add_(tensor({0.5, 0.5})), Error);  // a floating result does not fit an integer tensor
  CHECK_THROWS_AS(i.div_(2.0), Error);
  CHECK_THROWS_AS(i.fill_(0.5), Error);
  CHECK(equal(i, tensor({2, 3})));
}

TEST_CASE("in-place forms never grow their tensor") {
  Tensor x = zeros({3});
  CHECK_THROWS_AS(x.add_(zeros({2, 3})), Error);
  CHECK_THROWS_AS(x.copy_(zeros({2, 3})), Error);
  CHECK_THROWS_AS(x.mul_(zeros({2})), Error);
  CHECK(x.version() == 0);
  Tensor wide = zeros({1}).expand({3});
  CHECK_THROWS_AS(wide.add_(1.0), Error);  // several elements in one place of memory
}

TEST_CASE("copy_ broadcasts and converts") {
  Tensor x = zeros({2, 3});
  x.copy_(tensor({1, 2, 3}));
  CHECK(floats(x) == Floats{1, 2, 3, 1, 2, 3});
  x.t().copy_(counting({3, 2}));
  CHECK(floats(x) == Floats{0, 2, 4, 1, 3, 5});
  Tensor d = zeros({2}, {.dtype = float64});
  d.copy_(tensor({1.5, 2.5}));
  CHECK(d[1].item() == 2.5);
  x.copy_(x);
  CHECK(floats(x) == Floats{0, 2, 4, 1, 3, 5});
}

TEST_CASE("overlapping source and destination of an in-place op are handled") {
  Tensor x = counting({3, 3});
  x.add_(x.t());
  CHECK(floats(x) == Floats{0, 4, 8, 4, 8, 12, 8, 12, 16});
  Tensor y = counting({5});
  y.slice(0, 1, 5).copy_(y.slice(0, 0, 4));
  CHECK(floats(y) == Floats{0, 0, 1, 2, 3});
  Tensor z = counting({3});
  z.mul_(z[2]);
  CHECK(floats(z) == Floats{0, 2, 4});
}

TEST_CASE("integers beyond 2^53 keep their value") {
  const std::int64_t big = (std::int64_t{1} << 62) + 1;
  const Tensor x = tensor({big, -big});
  CHECK((x + tensor({1, 1}))[0].item<std::int64_t>() == big + 1);
  CHECK(sum(x).item<std::int64_t>() == 0);
  CHECK(max(x).item<std::int64_t>() == big);
  CHECK(x.clone().t()[1].item<std::int64_t>() == -big);
  CHECK(eq(x, tensor({big - 1, -big})).to(int64).sum().item<std::int64_t>() == 1);
}

TEST_CASE("integers compare with any number, and slices take any bounds") {
  const Tensor one = tensor({1});
  CHECK_FALSE(gt(one, 1e300).item<bool>());
  CHECK(lt(one, INFINITY).item<bool>());
  CHECK(gt(one, -INFINITY).item<bool>());
  CHECK(ne(one, NAN).item<bool>());
  CHECK(gt(one, 0.5).item<bool>());
  constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  Tensor x = counting({3}).set_requires_grad();
  const Tensor first = x.slice(0, least, most, most);
  CHECK(floats(first) == Floats{0});
  sum(first).backward();
  CHECK(floats(x.grad()) == Floats{1, 0, 0});
  CHECK(x.slice(0, most).shape() == Shape{0});
}

TEST_CASE("comparisons of booleans and masks work") {
  const Tensor a = tensor({true, false, true});
  CHECK(equal(eq(a, tensor({true, true, true})), a));
  CHECK(equal(where(a, tensor({1, 2, 3}), tensor({-1, -2, -3})), tensor({1, -2, 3})));
  CHECK(equal(a, a.clone()));
  CHECK_FALSE(equal(a, tensor({true, false})));
  CHECK(allclose(tensor({1.0}), tensor({1.0 + 1e-6})));
  CHECK_FALSE(allclose(tensor({1.0}), tensor({1.1})));
  CHECK(allclose(tensor({INFINITY}), tensor({INFINITY})));
  CHECK_FALSE(allclose(tensor({NAN}), tensor({NAN})));
  CHECK(allclose(tensor({NAN}), tensor({NAN}), {.equal_nan = true}));
}
