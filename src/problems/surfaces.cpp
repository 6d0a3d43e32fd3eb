// Valleys, plateaus, saddles, and surfaces with many minima.

#include <cmath>
#include <numbers>

#include "gradus/problems.hpp"
#include "problems/points.hpp"
#include "storage/format.hpp"

namespace gradus::problems {
namespace {

using std::numbers::pi;

void check_dimension(const char* name, std::int64_t dimension, std::int64_t least) {
  if (dimension < least) fail("{}: dimension must be at least {}, got {}", name, least, dimension);
}

// "rosenbrock", or "rosenbrock(5)" beyond two dimensions.
std::string named(const char* name, std::int64_t dimension) {
  return dimension == 2 ? name : formatted("{}({})", name, dimension);
}

std::optional<Domain> square_domain(std::int64_t dimension, double half_width) {
  if (dimension != 2) return {};
  return Domain{{-half_width, half_width}, {-half_width, half_width}};
}

Tensor constant(std::int64_t dimension, double value) { return full({dimension}, value, {.dtype = float64}); }

}  // namespace

Problem rosenbrock(std::int64_t dimension) {
  check_dimension("rosenbrock", dimension, 2);
  Tensor start = constant(dimension, 1);
  for (std::int64_t i = 0; i < dimension; i += 2) start[i].fill_(-1.2);
  return {.name = named("rosenbrock", dimension),
          .dimension = dimension,
          .f =
              [dimension](const Tensor& x) {
                const Tensor here = x.narrow(-1, 0, dimension - 1), next = x.narrow(-1, 1, dimension - 1);
                return total(100.0 * square(next - square(here)) + square(1.0 - here));
              },
          .starts = {start},
          .minima = {{constant(dimension, 1), 0}},
          .domain = dimension == 2 ? std::optional(Domain{{-2, 2}, {-1, 3}}) : std::nullopt};
}

Problem ring_valley() {
  // The lesser root of 400 x^2 + 400 x + 1/2: the other factor of the slope on the x axis is x - 1.
  const double west = -(1 + std::sqrt(1 - 4.0 / 800)) / 2;
  return {.name = "ring_valley",
          .dimension = 2,
          .f =
              [](const Tensor& p) {
                const Tensor x = coordinate(p, 0), y = coordinate(p, 1);
                return 100.0 * square(square(x) + square(y) - 1.0) + 0.25 * square(x - 1.0);
              },
          .starts = {point({-1, 0.3}), point({0, 1.2})},
          .minima = {{point({1, 0}), 0}},
          .saddles = {point({west, 0})},
          .domain = Domain{{-1.5, 1.5}, {-1.5, 1.5}}};
}

Problem beale() {
  return {.name = "beale",
          .dimension = 2,
          .f =
              [](const Tensor& p) {
                const Tensor x = coordinate(p, 0), y = coordinate(p, 1);
                return square(1.5 - x + x * y) + square(2.25 - x + x * pow(y, 2)) + square(2.625 - x + x * pow(y, 3));
              },
          .starts = {point({1, 1}), point({2, -1})},
          .minima = {{point({3, 0.5}), 0}},
          .saddles = {point({0, 1})},
          .domain = Domain{{-4.5, 4.5}, {-4.5, 4.5}}};
}

Problem plateau() {
  return {.name = "plateau",
          .dimension = 2,
          .f = [](const Tensor& x) { return 1.0 - exp(total(square(x)) / -2.0); },
          .starts = {point({2, 1.5}), point({3, 2})},
          .minima = {{origin(2), 0}},
          .domain = Domain{{-4, 4}, {-4, 4}}};
}

Problem himmelblau() {
  return {.name = "himmelblau",
          .dimension = 2,
          .f =
              [](const Tensor& p) {
                const Tensor x = coordinate(p, 0), y = coordinate(p, 1);
                return square(square(x) + y - 11.0) + square(x + square(y) - 7.0);
              },
          .starts = {point({0, 0}), point({-4, 1}), point({-1, -4}), point({4, -4})},
          .minima = {{point({3, 2}), 0},
                     {point({-2.8051180869527448531, 3.1313125182505729658}), 0},
                     {point({-3.7793102533777468919, -3.2831859912861694123}), 0},
                     {point({3.5844283403304917449, -1.8481265269644035535}), 0}},
          .saddles = {point({0.086677504555396351823, 2.8842547011747761131}),
                      point({-0.12796134673068006631, -1.9537149802445764261}),
                      point({3.385154183607020938, 0.073851879837749287719}),
                      point({-3.0730257507643896105, -0.081353044287967511553})},
          .domain = Domain{{-5, 5}, {-5, 5}}};
}

Problem rastrigin(std::int64_t dimension) {
  check_dimension("rastrigin", dimension, 1);
  return {.name = named("rastrigin", dimension),
          .dimension = dimension,
          .f = [](const Tensor& x) { return total(square(x) + (10.0 - 10.0 * cos(2 * pi * x))); },
          .starts = {constant(dimension, 0.4), constant(dimension, 3.3)},
          .minima = {{origin(dimension), 0}},
          .domain = square_domain(dimension, 5.12)};
}

Problem ackley(std::int64_t dimension) {
  check_dimension("ackley", dimension, 1);
  return {.name = named("ackley", dimension),
          .dimension = dimension,
          .f =
              [root = std::sqrt(static_cast<double>(dimension))](const Tensor& x) {
                const Tensor funnel = 20.0 * exp(norm(x, 2, -1) * (-0.2 / root));
                return (20.0 - funnel) + (std::numbers::e - exp(mean(cos(2 * pi * x), -1)));
              },
          .starts = {constant(dimension, 0.4), constant(dimension, 2.5)},
          .minima = {{origin(dimension), 0}},
          .domain = square_domain(dimension, 5),
          .smooth = false};
}

Problem styblinski_tang(std::int64_t dimension) {
  check_dimension("styblinski_tang", dimension, 1);
  constexpr double lowest = -2.9035340277711770951, value = -39.166165703771415464;
  const auto n = static_cast<double>(dimension);
  return {.name = named("styblinski_tang", dimension),
          .dimension = dimension,
          .f = [](const Tensor& x) { return total(pow(x, 4) - 16.0 * square(x) + 5.0 * x) / 2.0; },
          .starts = {constant(dimension, -1), constant(dimension, 0.1)},
          .minima = {{constant(dimension, lowest), n * value}},
          .domain = square_domain(dimension, 5)};
}

Problem strict_saddle() {
  return {.name = "strict_saddle",
          .dimension = 2,
          .f =
              [](const Tensor& p) {
                const Tensor x = coordinate(p, 0), y = coordinate(p, 1);
                return square(x) / 2.0 + pow(y, 4) / 4.0 - square(y) / 2.0;
              },
          .starts = {point({1, 1e-3}), point({1, 0})},
          .minima = {{point({0, -1}), -0.25}, {point({0, 1}), -0.25}},
          .saddles = {origin(2)},
          .domain = Domain{{-1.5, 1.5}, {-1.5, 1.5}}};
}

Problem monkey_saddle() {
  return {.name = "monkey_saddle",
          .dimension = 2,
          .f =
              [](const Tensor& p) {
                const Tensor x = coordinate(p, 0), y = coordinate(p, 1);
                return pow(x, 3) - 3.0 * x * square(y);
              },
          .starts = {point({0.9, 0.1})},
          .minima = {},
          .saddles = {origin(2)},
          .domain = Domain{{-1, 1}, {-1, 1}}};
}

}  // namespace gradus::problems
