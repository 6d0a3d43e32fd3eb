#include "gradus/xtensor.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <vector>

#if __has_include(<xtensor/containers/xarray.hpp>)
#include <xtensor/containers/xarray.hpp>
#include <xtensor/containers/xtensor.hpp>
#include <xtensor/core/xmath.hpp>
#else
#include <xtensor/xarray.hpp>
#include <xtensor/xmath.hpp>
#include <xtensor/xtensor.hpp>
#endif

#include "gradus/autograd.hpp"
#include "gradus/ops.hpp"

using namespace gradus;

namespace {

template <class T>
std::vector<T> values_of(const Tensor& tensor) {
  const auto data = tensor.data<T>();
  return {data.begin(), data.end()};
}

template <class T>
void check_dtype(Dtype dtype) {
  const xt::xarray<T> a = {{0, 1, 1}, {1, 0, 1}};
  const Tensor t = from_xtensor(a);
  CHECK(t.dtype() == dtype);
  CHECK(t.shape() == Shape{2, 3});
  CHECK(values_of<std::int64_t>(t.to(int64)) == std::vector<std::int64_t>{0, 1, 1, 1, 0, 1});
}

}  // namespace

TEST_CASE("from_xtensor takes the dtype from the value type") {
  check_dtype<float>(float32);
  check_dtype<double>(float64);
  check_dtype<bool>(boolean);
  check_dtype<std::int64_t>(int64);
  check_dtype<int>(int64);
  check_dtype<std::uint8_t>(int64);
  check_dtype<std::int16_t>(int64);
  check_dtype<std::size_t>(int64);
}

TEST_CASE("from_xtensor copies: later writes on either side don't meet") {
  xt::xarray<double> a = {1, 2, 3};
  const Tensor t = from_xtensor(a);
  a(0) = 9;
  CHECK(values_of<double>(t) == std::vector<double>{1, 2, 3});
}

TEST_CASE("from_xtensor evaluates lazy expressions and views") {
  const xt::xarray<float> a = {{1, 2, 3}, {4, 5, 6}};
  CHECK(values_of<float>(from_xtensor(a * 2.0f + 1.0f)) == std::vector<float>{3, 5, 7, 9, 11, 13});
  CHECK(values_of<float>(from_xtensor(xt::transpose(a))) == std::vector<float>{1, 4, 2, 5, 3, 6});
  CHECK(values_of<float>(from_xtensor(xt::sum(a, {1}))) == std::vector<float>{6, 15});
  CHECK(values_of<bool>(from_xtensor(a > 3.0f)) == std::vector<bool>{false, false, false, true, true, true});
}

TEST_CASE("from_xtensor writes in row-major order whatever the layout of the source") {
  const xt::xarray<int, xt::layout_type::column_major> a = {{1, 2, 3}, {4, 5, 6}};
  CHECK(values_of<std::int64_t>(from_xtensor(a)) == std::vector<std::int64_t>{1, 2, 3, 4, 5, 6});
}

TEST_CASE("from_xtensor takes 0-d, empty and fixed-rank arrays") {
  const xt::xarray<double> scalar = 7.0;
  CHECK(from_xtensor(scalar).shape() == Shape{});
  CHECK(from_xtensor(scalar).item() == 7.0);
  const xt::xarray<float> nothing = xt::zeros<float>({2, 0, 3});
  CHECK(from_xtensor(nothing).shape() == Shape{2, 0, 3});
  const xt::xtensor<float, 2> matrix = {{1, 2}};
  CHECK(from_xtensor(matrix).shape() == Shape{1, 2});
}

TEST_CASE("from_xtensor refuses what a tensor cannot hold") {
  const xt::xarray<std::uint64_t> big = {1, std::numeric_limits<std::uint64_t>::max()};
  CHECK_THROWS_WITH_AS(from_xtensor(big), "from_xtensor: int64 cannot hold 18446744073709551615", Error);
  const xt::xarray<float> deep = xt::zeros<float>({1, 1, 1, 1, 1, 1, 1, 1, 1});
  CHECK_THROWS_AS(from_xtensor(deep), Error);
}

TEST_CASE("as_xtensor is a window on the tensor's memory") {
  Tensor t = tensor({{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}});
  auto view = as_xtensor<float>(t);
  REQUIRE(view.dimension() == 2);
  CHECK(view.shape(0) == 2);
  CHECK(view.shape(1) == 3);
  CHECK(&view(0, 0) == t.data<float>().data());
  CHECK(view(1, 2) == 6.0f);
  view(1, 2) = -6;
  CHECK(t[1][2].item() == -6);
  t.data<float>()[0] = 10;
  CHECK(view(0, 0) == 10.0f);
  CHECK(xt::sum(view)() == 18.0f);
  xt::xarray<float> copy = view * 2.0f;
  CHECK(copy(0, 0) == 20.0f);
  CHECK(copy(1, 2) == -12.0f);
}

TEST_CASE("as_xtensor honours strides, offsets and broadcast dims") {
  const Tensor base = arange(24, {.dtype = float64}).reshape({2, 3, 4});
  const Tensor forms[] = {base,
                          base.transpose(0, 2),
                          base.permute({1, 2, 0}),
                          base[1],
                          base.slice(2, 1, 4, 2),
                          base.select(1, 2).t(),
                          base.slice(0, 1),
                          base[0].unsqueeze(1).expand({3, 5, 4}),
                          base.slice(1, 1, 2).expand({2, 3, 4})};
  for (const Tensor& form : forms) {
    CAPTURE(to_string(form.shape()));
    const auto view = as_xtensor<double>(form);
    const xt::xarray<double> dense = view;
    CHECK(values_of<double>(from_xtensor(dense)) == values_of<double>(form.contiguous()));
    CHECK(values_of<double>(from_xtensor(view)) == values_of<double>(form.contiguous()));
    CHECK(xt::sum(view)() == doctest::Approx(form.sum().item()));
    // A size of 1 broadcasts against others.
    const xt::xarray<double> doubled = view + view;
    CHECK(values_of<double>(from_xtensor(doubled)) == values_of<double>((form + form).contiguous()));
  }
}

TEST_CASE("as_xtensor broadcasts a row and a column of a tensor like xtensor's own arrays") {
  const Tensor m = arange(6, {.dtype = float64}).reshape({2, 3});
  const xt::xarray<double> sums = as_xtensor<double>(m.slice(1, 0, 1)) + as_xtensor<double>(m.slice(0, 1, 2));
  CHECK(values_of<double>(from_xtensor(sums)) == std::vector<double>{3, 4, 5, 6, 7, 8});
}

TEST_CASE("assigning to as_xtensor writes through strides and touches nothing else") {
  const Tensor base = zeros({3, 4}, {.dtype = float64});
  auto column = as_xtensor<double>(base.select(1, 2));
  column = xt::xarray<double>{1, 2, 3};
  CHECK(values_of<double>(base) == std::vector<double>{0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0});
  auto all = as_xtensor<double>(base);
  all += 1.0;
  CHECK(values_of<double>(base) == std::vector<double>{1, 1, 2, 1, 1, 1, 3, 1, 1, 1, 4, 1});
}

TEST_CASE("as_xtensor keeps the memory of a temporary alive, through copies and moves") {
  auto view = as_xtensor<float>(full({1000}, 3));
  const Tensor other = full({1000}, 4);  // would take over freed memory
  auto copy = view;
  auto moved = std::move(view);
  CHECK(xt::sum(copy)() == 3000.0f);
  CHECK(xt::sum(moved)() == 3000.0f);
  CHECK(&copy(0) == &moved(0));
}

TEST_CASE("as_xtensor takes every dtype, 0-d and empty tensors") {
  CHECK(as_xtensor<bool>(tensor({true, false}))(0));
  CHECK(as_xtensor<std::int64_t>(tensor({1, 2}))(1) == 2);
  const auto scalar = as_xtensor<float>(tensor(2.5));
  CHECK(scalar.dimension() == 0);
  CHECK(scalar() == 2.5f);
  const auto nothing = as_xtensor<float>(zeros({2, 0}));
  CHECK(nothing.size() == 0);
  CHECK(nothing.shape(0) == 2);
}

TEST_CASE("as_xtensor of a tensor on the tape records nothing") {
  const Tensor x = full({2, 2}, 3, {.requires_grad = true});
  const Tensor y = x * x;
  const std::int64_t nodes = live_nodes();
  CHECK(xt::sum(as_xtensor<float>(y))() == 36.0f);
  CHECK(live_nodes() == nodes);
}

TEST_CASE("as_xtensor refuses another dtype") {
  CHECK_THROWS_WITH_AS(as_xtensor<double>(zeros({2})), "as_xtensor: the tensor is float32, not float64", Error);
  CHECK_THROWS_AS(as_xtensor<float>(Tensor()), Error);
}
