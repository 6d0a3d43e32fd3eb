#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "gradus/error.hpp"
#include "gradus/plot.hpp"
#include "plot/axis.hpp"
#include "plot/isolines.hpp"
#include "plot/style.hpp"
#include "plot/svg.hpp"

using namespace gradus;
using plot::Axis;

namespace {

std::vector<std::string> labels(const Axis& axis) {
  std::vector<std::string> result;
  for (const auto& tick : axis.ticks()) {
    if (!tick.label.empty()) result.push_back(tick.label);
  }
  return result;
}

// x^2 + y^2 on [-2, 2] x [-2, 2].
plot::Grid paraboloid() {
  return plot::sample([](const Tensor& x) { return x.square().sum(-1); }, {.x = {-2, 2}, .y = {-2, 2}}, 61);
}

}  // namespace

TEST_CASE("ticks are round numbers") {
  using Labels = std::vector<std::string>;
  CHECK(labels(Axis(0, 1.43, {.extend_to_ticks = true})) == Labels{"0", "0.5", "1.0", "1.5"});
  CHECK(labels(Axis(1, 30, {.ticks = 10, .whole_numbers = true})) == Labels{"5", "10", "15", "20", "25", "30"});
  CHECK(labels(Axis(1, 3, {.ticks = 10, .whole_numbers = true})) == Labels{"1", "2", "3"});
  CHECK(labels(Axis(-3e6, 3e6, {})) == Labels{"−3M", "−2M", "−1M", "0", "1M", "2M", "3M"});
  CHECK(labels(Axis(0.5, 20, {.scale = Axis::Scale::log})) == Labels{"0.5", "1", "2", "5", "10", "20"});
  CHECK(labels(Axis(1e-9, 1e3, {.scale = Axis::Scale::log})) ==
        Labels{"10⁻⁹", "10⁻⁷", "10⁻⁵", "10⁻³", "10⁻¹", "10¹", "10³"});
  CHECK(Axis(0, 10, {}).position(2.5) == 0.25);
  CHECK(Axis(1, 100, {.scale = Axis::Scale::log}).position(10) == doctest::Approx(0.5));
  for (const double value : {0.0, 5.0, -5.0, 1e16, 1e-300}) {
    CAPTURE(value);
    const Axis axis(value, value, {});
    CHECK(axis.position(value) == doctest::Approx(0.5));
    CHECK(axis.ticks().size() < 20);
  }
}

TEST_CASE("marching squares finds a circle, closed and on its level") {
  const std::vector<plot::Polyline> lines = plot::isolines(paraboloid(), 1);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].closed);
  CHECK(lines[0].points.size() > 80);
  for (const plot::Point& p : lines[0].points) CHECK(std::abs(std::hypot(p.x, p.y) - 1) < 1e-2 * 4 / 60);  // of a cell
  // Beyond the border's middles a circle is four arcs; as an outline of what is higher, four closed corners.
  CHECK(plot::isolines(paraboloid(), 5).size() == 4);
  for (const plot::Polyline& line : plot::outlines(paraboloid(), 5)) CHECK(line.closed);
}
