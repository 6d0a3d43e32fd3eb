// Lesson 13: the housing predictor, by gradient descent and by closed form.
//
//     price = b0 + b1 * floor area + b2 * lot size,      J(b) = 1/n sum (price[i] - X[i] b)^2,  X[i] = (1, area, lot)
//
// J is a bowl, so there are two ways to its bottom. The closed form sets the gradient to zero: X^T X b = X^T price.
// Gradient descent walks: b -= lr * 2/n X^T (X b - price). How fast depends on the Hessian 2/n X^T X alone, and so on
// the units. With standardised features (mean 0, variance 1) of correlation r its eigenvalues are 2, 2 (1 + r) and
// 2 (1 - r): the best rate is 1/2 whatever the data, and each step shrinks the error by the factor r.
#include <gradus/gradus.hpp>
#include <cmath>
#include <cstdio>
#include <vector>
#include "lesson.hpp"
using namespace gradus;

const std::uint64_t seed = 7;
const int houses = 200, steps = 60;
const double learning_rate = 0.5;
const double true_base = 50'000, per_square_metre = 2'000, per_lot_metre = 100, noise = 25'000;
const double lot_follows_area = 3;  // large houses stand on large lots

Tensor loss(const Tensor& X, const Tensor& y, const Tensor& b) { return square(matmul(X, b) - y).mean(); }

Tensor with_ones(const Tensor& features) { return cat({ones({features.size(0), 1}, {.dtype = float64}), features}, 1); }

// The distance from the solution, relative to where it starts, after 0, 1, 2, ... steps.
std::vector<double> descend(const Tensor& X, const Tensor& y, const Tensor& solution, double lr, Tensor& b) {
  optim::SGD optimizer({b}, {.lr = lr});
  std::vector<double> distance;
  const double first = norm(b.detach() - solution).item();
  for (int step = 0; step <= steps; ++step) {
    distance.push_back(norm(b.detach() - solution).item() / first);
    optimizer.zero_grad();
    loss(X, y, b).backward();
    optimizer.step();
  }
  return distance;
}

int main(int argc, char** argv) {
  manual_seed(seed);
  const RandomOptions normal{.dtype = float64};
  const Tensor area = 130.0 + 40.0 * randn({houses, 1}, normal);  // square metres
  const Tensor lot = 500.0 + lot_follows_area * (area - 130.0) + 120.0 * randn({houses, 1}, normal);
  const Tensor price = true_base + per_square_metre * area + per_lot_metre * lot + noise * randn({houses, 1}, normal);

  const Tensor features = cat({area, lot}, 1);
  const data::StandardScaler scaler(features), price_scaler(price);
  const Tensor X = with_ones(scaler.transform(features)), y = price_scaler.transform(price);
  const double r = std::abs((X.select(1, 1) * X.select(1, 2)).mean().item());

  // Two closed forms. lstsq does not form X^T X, whose condition number is the square of that of X.
  const Tensor by_lstsq = linalg::lstsq(X, y).solution;
  const Tensor by_normal_equations = linalg::solve(matmul(X.t(), X), matmul(X.t(), y));

  Tensor b = zeros({3, 1}, {.dtype = float64, .requires_grad = true});
  const std::vector<double> scaled = descend(X, y, by_lstsq, learning_rate, b);

  // The same in dollars and square metres, with the rate that is best there.
  const Tensor X_raw = with_ones(features), raw_solution = linalg::lstsq(X_raw, price).solution;
  const Tensor curvature = linalg::eigvalsh(2.0 / houses * matmul(X_raw.t(), X_raw));
  const double least = curvature[0].item(), largest = curvature[2].item(), condition = largest / least;
  Tensor b_raw = zeros({3, 1}, {.dtype = float64, .requires_grad = true});
  const std::vector<double> raw = descend(X_raw, price, raw_solution, 2 / (least + largest), b_raw);

  // Back to units: price = mean + scale * (b0 + b1 (area - mean) / scale + b2 (lot - mean) / scale).
  NoGrad guard;
  const Tensor slopes = b.slice(0, 1).flatten() * price_scaler.scale()[0] / scaler.scale();
  const double base = (price_scaler.mean()[0] + price_scaler.scale()[0] * b[0][0] - dot(slopes, scaler.mean())).item();

  std::printf("%-24s %12s %16s %16s %12s\n", "", "data made by", "gradient descent", "closed form", "in units");
  const double mapped[] = {base, slopes[0].item(), slopes[1].item()};
  const double truth[] = {true_base, per_square_metre, per_lot_metre};
  const char* names[] = {"b0, base price", "b1, per m2 of floor", "b2, per m2 of lot"};
  for (int i = 0; i < 3; ++i)
    std::printf("%-24s %12.0f %16.8f %16.8f %12.2f\n", names[i], truth[i], b[i].item(), by_lstsq[i].item(), mapped[i]);
  const double r2 = 1 - loss(X, y, b).item();  // y has variance 1
  std::printf("\nshare of the variance explained (R2): %.3f;  correlation of area and lot: %.3f\n\n", r2, r);

  std::printf("%-16s %18s %22s %24s\n", "features", "condition number", "error at the end", "steps to 1e-6, by theory");
  const double factor = (condition - 1) / (condition + 1);
  std::printf("%-16s %18.2f %22.1e %24.0f\n", "standardised", (1 + r) / (1 - r), scaled.back(),
              std::ceil(std::log(1e-6) / std::log(r)));
  std::printf("%-16s %18.3g %22.1e %24.3g\n\n", "in units", condition, raw.back(), std::log(1e-6) / std::log(factor));

  const double mean_lot = scaler.mean()[1].item();
  std::vector<double> line_x = {40, 240}, line_y;
  for (const double x : line_x) line_y.push_back((base + slopes[0].item() * x + slopes[1].item() * mean_lot) / 1000);
  plot::Figure figure({.title = "The housing predictor"});
  figure.axes({.title = "Price against floor area", .x_label = "floor area, m2", .y_label = "price, thousands"})
      .scatter(lesson::numbers(area.flatten()), lesson::numbers(price.flatten() / 1000.0),
               {.label = "houses", .size = 4})
      .line(line_x, line_y, {.label = "predicted, on a mean lot"});
  figure
      .axes({.title = "Distance from the closed form", .x_label = "step", .y_label = "error, start = 1", .y_log = true})
      .line(scaled, {.label = "standardised"})
      .line(raw, {.label = "in units"});
  figure.save(lesson::picture(argc, argv, "13_housing.svg"));

  lesson::claim("gradient descent and the closed form agree to 1e-6", allclose(b, by_lstsq, {.rtol = 0, .atol = 1e-6}));
  lesson::claim("the normal equations agree with lstsq to 1e-12",
                allclose(by_normal_equations, by_lstsq, {.rtol = 0, .atol = 1e-12}));
  lesson::claim("mapped back to units it is the solution in units, to 6 digits",
                allclose(tensor(std::vector<double>(mapped, mapped + 3)), raw_solution.flatten(), {.rtol = 1e-6}));
  bool by_r = true;
  for (int k = 0; k < 5; ++k) by_r = by_r && std::abs(scaled[k + 1] / scaled[k] - r) < 1e-6;
  lesson::claim("at first each step shrinks the error by the correlation r, to 6 digits", by_r);
  lesson::claim("in units as many steps get nowhere near: the error is still above 0.1", raw.back() > 0.1);
  return lesson::finish(
      {"learning_rate = 0.55, then 0.6. The largest eigenvalue is 2 (1 + r): where must it begin to diverge?",
       "lot_follows_area = 0, then 30. How many steps does it take now, and why?"});
}
