#include "gradus/plot/grid.hpp"

#include "gradus/autograd.hpp"
#include "gradus/dtype.hpp"
#include "gradus/error.hpp"
#include "gradus/factory.hpp"
#include "storage/format.hpp"

namespace gradus::plot {

Grid sample(const UnaryFunction& f, const problems::Domain& domain, std::int64_t points) {
  if (points < 2) throw Error(formatted("sample: points must be at least 2: {}", points));
  const auto spaced = [&](const std::array<double, 2>& range) {
    std::vector<double> result;
    for (std::int64_t i = 0; i < points; ++i)
      result.push_back(range[0] + (range[1] - range[0]) * static_cast<double>(i) / static_cast<double>(points - 1));
    return result;
  };
  Grid grid{.x = spaced(domain.x), .y = spaced(domain.y), .z = {}};
  std::vector<double> places;
  for (const double y : grid.y) {
    for (const double x : grid.x) places.insert(places.end(), {x, y});
  }
  const NoGrad no_grad;
  const Tensor values = f(tensor(places).reshape({points * points, 2}));
  if (values.shape() != Shape{points * points}) {
    throw Error(formatted("sample: f must give one value per point, {} of them: shape {}", points * points,
                          to_string(values.shape())));
  }
  const Tensor copy = values.to(float64).contiguous();
  grid.z.assign(copy.data<double>().begin(), copy.data<double>().end());
  return grid;
}

}  // namespace gradus::plot
