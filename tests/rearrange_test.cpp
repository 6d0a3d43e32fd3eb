// What the op table does not ask of indexing, rearranging and einsum: shared memory, other dtypes, refusals.
#include <doctest/doctest.h>

#include <limits>
#include <vector>

#include <gradus/autograd.hpp>
#include <gradus/factory.hpp>
#include <gradus/ops.hpp>
#include <gradus/random.hpp>

#include "ops/checks.hpp"

namespace gradus::test {
namespace {

using Doubles = std::vector<double>;

TEST_CASE("diagonal, split, chunk, unbind and meshgrid are views") {
  Tensor x = zeros({3, 4});
  diagonal(x, 1).fill_(1);
  split(x, {1, 3}, 1)[0].fill_(2);
  CHECK(values(x) == Doubles{2, 1, 0, 0, 2, 0, 1, 0, 2, 0, 0, 1});
  chunk(x, 2, 1)[1].fill_(3);
  unbind(x)[2].fill_(4);
  CHECK(values(x) == Doubles{2, 1, 3, 3, 2, 0, 3, 3, 4, 4, 4, 4});
  Tensor line = tensor({1.0, 2.0});
  const auto grids = meshgrid({line, line});
  line.fill_(5);
  CHECK(values(grids[0]) == Doubles{5, 5, 5, 5});
}

TEST_CASE("copies are copies: diag, repeat, repeat_interleave and roll share nothing with their input") {
  Tensor x = ones({2, 2});
  const std::vector<Tensor> copies = {
      diag(x), repeat(x, {1, 1}), repeat_interleave(x, 1, 0), roll(x, 0, 0), flip(x, {}), tril(x, 5), pad(x, {0, 0})};
  Tensor column = ones({2, 1});
  const Tensor wide = repeat(column, {1, 3}), long_one = repeat_interleave(column, 3, 1);
  x.zero_();
  column.zero_();
  for (const Tensor& copy : copies) CHECK(sum(copy).item() >= 2);
  CHECK(sum(wide).item() == 6);
  CHECK(sum(long_one).item() == 6);
}

TEST_CASE("rearranging works for integers and booleans") {
  const Tensor i = tensor({{1, 2}, {3, 4}});
  const Tensor b = tensor({{true, false}, {true, true}});
  CHECK(equal(tril(i), tensor({{1, 0}, {3, 4}})));
  CHECK(equal(triu(b, 1), tensor({{false, false}, {false, false}})));
  CHECK(equal(diag(tensor({1, 2}), 1), tensor({{0, 1, 0}, {0, 0, 2}, {0, 0, 0}})));
  CHECK(equal(flip(b, {1}), tensor({{false, true}, {true, true}})));
  CHECK(equal(roll(i, 1), tensor({{4, 1}, {2, 3}})));
  CHECK(equal(repeat(i, {1, 2}), tensor({{1, 2, 1, 2}, {3, 4, 3, 4}})));
  CHECK(equal(pad(i, {1, 0}, {.value = 9}), tensor({{9, 1, 2}, {9, 3, 4}})));
  CHECK(equal(masked_select(i, b), tensor({1, 3, 4})));
  CHECK(equal(masked_fill(i, b, 0), tensor({{0, 2}, {0, 0}})));
  CHECK(equal(scatter(b, 1, tensor({{0}, {0}}), tensor({{false}, {false}})), tensor({{false, false}, {false, true}})));
}

TEST_CASE("what would take more memory than there is is refused, not begun") {
  const std::int64_t huge = std::int64_t{1} << 60;
  const Tensor x = ones({3});
  CHECK_THROWS_AS(repeat_interleave(x, huge), Error);
  CHECK_THROWS_AS(repeat_interleave(x, tensor(std::vector<std::int64_t>{huge})), Error);
  CHECK_THROWS_AS(repeat(x, {huge}), Error);
  CHECK_THROWS_AS(pad(x, {huge, huge}), Error);
  CHECK_THROWS_AS(pad(x, {huge, huge}, {.mode = PadMode::replicate}), Error);
}

TEST_CASE("tensors of as many dims as there can be are repeated, too") {
  Tensor x = reshape(tensor({1.0, 2.0, 3.0, 4.0}, {.dtype = float64}), {2, 1, 1, 1, 1, 1, 1, 2});
  const Tensor flat = reshape(x, {2, 2}).clone();
  const Tensor leaf = x.set_requires_grad();
  const Tensor tiles = repeat(leaf, {2, 1, 1, 1, 3, 1, 1, 2});
  CHECK(tiles.shape() == Shape{4, 1, 1, 1, 3, 1, 1, 4});
  CHECK(equal(select(tiles, 4, 1).reshape({4, 4}), repeat(flat, {2, 2})));
  sum(tiles).backward();
  CHECK(values(leaf.grad()) == Doubles{12, 12, 12, 12});
  CHECK(values(repeat_interleave(leaf, 2, -1)) == Doubles{1, 1, 2, 2, 3, 3, 4, 4});
}

TEST_CASE("rolling by the smallest integer, and back in the derivative") {
  const Tensor x = tensor({1.0, 2.0, 3.0}, {.dtype = float64, .requires_grad = true});
  const Tensor y = roll(x, std::numeric_limits<std::int64_t>::min(), 0);  // -2^63 = -2 (mod 3)
  CHECK(values(y) == Doubles{3, 1, 2});
  sum(y * tensor({5.0, 7.0, 9.0}, {.dtype = float64})).backward();
  CHECK(values(x.grad()) == Doubles{7, 9, 5});
}

TEST_CASE("einsum gives a view where nothing is multiplied or summed, never the operand itself") {
  const Tensor x = ones({2, 3});
  for (const char* equation : {"ij->ij", "ij->ji", "..."}) {
    CAPTURE(equation);
    Tensor y = einsum(equation, {x});
    CHECK_FALSE(y.is(x));
    y.add_(1.0);
  }
  CHECK(values(x) == Doubles(6, 4));
}

TEST_CASE("of several writes of scatter to one place the last stays, and has the gradient") {
  const Tensor x = zeros({2}, {.dtype = float64, .requires_grad = true});
  const Tensor src = tensor({1.0, 2.0, 3.0}, {.dtype = float64, .requires_grad = true});
  const Tensor y = scatter(x, 0, tensor({1, 1, 0}), src);
  CHECK(values(y) == Doubles{3, 2});
  sum(y * tensor({5.0, 7.0}, {.dtype = float64})).backward();
  CHECK(values(src.grad()) == Doubles{0, 7, 5});
  CHECK(values(x.grad()) == Doubles{0, 0});
}

TEST_CASE("one_hot and gather undo each other") {
  const Tensor classes = tensor({2, 0, 1, 2});
  CHECK(equal(argmax(one_hot(classes), 1), classes));
  CHECK(one_hot(classes, 5).shape() == Shape{4, 5});
  CHECK(one_hot(zeros({2, 0}, {.dtype = int64}), 3).shape() == Shape{2, 0, 3});
}

TEST_CASE("take_along_dim sorts by what argmax finds") {
  const Tensor x = tensor({{1.0, 5.0, 3.0}, {9.0, 2.0, 4.0}});
  const Tensor best = argmax(x, 1, {.keepdim = true});
  CHECK(values(take_along_dim(x, best, 1)) == Doubles{5, 9});
}

TEST_CASE("masked_fill writes -infinity without a NaN in the gradient") {
  const Tensor x = ones({3}, {.dtype = float64, .requires_grad = true});
  const Tensor scores = masked_fill(x, tensor({false, true, false}), -std::numeric_limits<double>::infinity());
  sum(softmax(scores, 0) * tensor({1.0, 2.0, 3.0}, {.dtype = float64})).backward();
  CHECK(values(x.grad()) == Doubles{-0.5, 0, 0.5});
}

TEST_CASE("einsum agrees with the products it stands for, for large operands and spaces in the equation") {
  const Tensor a = randn({3, 40, 50}, {.dtype = float64}), b = randn({3, 50, 30}, {.dtype = float64});
  CHECK(difference(einsum("b i j, b j k -> b i k", {a, b}), bmm(a, b), {.to_scale = 1e-13}) == "");
  CHECK(difference(einsum("bij,bjk->kib", {a, b}), bmm(a, b).permute({2, 1, 0}), {.to_scale = 1e-13}) == "");
  CHECK(difference(einsum("bij->bj", {a}), sum(a, 1), {.to_scale = 1e-13}) == "");
  CHECK(difference(einsum("bij,bij->", {a, a}), sum(a * a), {.relative = 1e-13}) == "");
  CHECK(difference(einsum("...,...", {a, a}), a * a) == "");
  CHECK(einsum("ij,kl->ijkl", {zeros({2, 3}), zeros({4, 5})}).shape() == Shape{2, 3, 4, 5});
}

}  // namespace
}  // namespace gradus::test
