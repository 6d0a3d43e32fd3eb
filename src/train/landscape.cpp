#include "gradus/train/landscape.hpp"

#include <algorithm>
#include <cmath>

#include "gradus/autograd.hpp"
#include "gradus/error.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "gradus/random.hpp"
#include "storage/format.hpp"
#include "train/landscape/weights.hpp"

namespace gradus::train {
namespace {

std::vector<double> spaced(double low, double high, std::int64_t points) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < points; ++i) {
    const double part = static_cast<double>(i) / static_cast<double>(points - 1);
    values.push_back(low * (1 - part) + high * part);
  }
  return values;
}

void check(const char* op, const SliceOptions& o) {
  if (!(o.extent > 0 && std::isfinite(o.extent))) {
    throw Error(formatted("{}: extent must be positive and finite: {}", op, o.extent));
  }
  if (o.points < 2) throw Error(formatted("{}: points must be at least 2: {}", op, o.points));
}

std::vector<Weights> directions_of(const char* op, const nn::Module& model, const SliceOptions& o, std::size_t count) {
  std::vector<Weights> directions = o.directions;
  for (std::size_t i = 0; o.directions.empty() && i < count; ++i) {
    directions.push_back(filter_normalized_direction(model, o.seed + i));
  }
  if (directions.size() != count) {
    throw Error(formatted("{}: directions must be {}: {}", op, count, directions.size()));
  }
  for (const Weights& direction : directions) check_shapes(op, model.parameters(), direction);
  return directions;
}

// A direction has the dtype of the weights that it moves.
Tensor unit_filters(const Tensor& weight, Generator& generator) {
  if (weight.dim() < 2) return zeros(weight.shape(), {.dtype = weight.dtype()});
  const Tensor random = randn(weight.shape(), {.dtype = weight.dtype(), .generator = &generator});
  const Shape filters{weight.size(0), -1};
  const auto length = [&](const Tensor& t) { return sqrt(sum(square(t.reshape(filters)), 1, {.keepdim = true})); };
  return (random.reshape(filters) * (length(weight) / length(random))).reshape(weight.shape());
}

}  // namespace

Weights filter_normalized_direction(const nn::Module& model, std::uint64_t seed) {
  const NoGrad no_grad;
  Generator generator(seed);
  Weights direction;
  for (const Tensor& weight : model.parameters()) direction.push_back(unit_filters(weight.detach(), generator));
  return direction;
}

LossLine loss_line(nn::Module& model, const gradus::LossFunction& loss, const SliceOptions& options) {
  check("loss_line", options);
  const auto directions = directions_of("loss_line", model, options, 1);
  LossLine line{.x = spaced(-options.extent, options.extent, options.points), .loss = {}};
  Excursion excursion(model);
  for (const double x : line.x) line.loss.push_back(excursion.loss_at(loss, {{x, &directions[0]}}));
  return line;
}

plot::Grid loss_slice(nn::Module& model, const gradus::LossFunction& loss, const SliceOptions& options) {
  check("loss_slice", options);
  const auto directions = directions_of("loss_slice", model, options, 2);
  plot::Grid grid{.x = spaced(-options.extent, options.extent, options.points), .y = {}, .z = {}};
  grid.y = grid.x;
  Excursion excursion(model);
  for (const double y : grid.y) {
    for (const double x : grid.x) {
      grid.z.push_back(excursion.loss_at(loss, {{x, &directions[0]}, {y, &directions[1]}}));
    }
  }
  return grid;
}

plot::Grid loss_on_plane(nn::Module& model, const gradus::LossFunction& loss, const PrincipalPlane& plane,
                         const PlaneOptions& options) {
  if (options.points < 2) throw Error(formatted("loss_on_plane: points must be at least 2: {}", options.points));
  check_shapes("loss_on_plane", model.parameters(), plane.center);
  const auto [left, right] = std::ranges::minmax(plane.x);
  const auto [low, high] = std::ranges::minmax(plane.y);
  const double margin = options.margin * std::max(right - left, high - low);
  plot::Grid grid{.x = spaced(left - margin, right + margin, options.points),
                  .y = spaced(low - margin, high + margin, options.points),
                  .z = {}};
  Excursion excursion(model, plane.center);
  for (const double y : grid.y) {
    for (const double x : grid.x) {
      grid.z.push_back(excursion.loss_at(loss, {{x, &plane.directions[0]}, {y, &plane.directions[1]}}));
    }
  }
  return grid;
}

}  // namespace gradus::train
