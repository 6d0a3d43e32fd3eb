// Lesson 11: regularisation, the geometry of L1 and L2, dropout and early stopping.
//
//     J_reg(w) = J(w) + lambda R(w)           L2: R = sum w^2           L1: R = sum |w|
//
// A penalty moves the minimum towards 0, and its shape decides how. On J = 1/2 sum a[i] (w[i] - c[i])^2 all is known:
//
//     L2               w[i] = c[i] a[i] / (a[i] + 2 lambda)              every weight shrinks, none becomes 0
//     L1               w[i] = sign(c[i]) max(|c[i]| - lambda / a[i], 0)  the diamond has corners: weights become 0
//     early stopping   w[i] = c[i] (1 - (1 - lr a[i])^k)                 k steps from 0: flat directions stay short
//
// Dropout, on the n inputs of a linear model, is L2 in disguise: the mean of its loss over all masks is the plain loss
// plus p / (1 - p) sum_j w[j]^2 |x_j|^2 / n, x_j the j-th column of the inputs (Srivastava et al., Dropout, JMLR 2014).
// First the bowl; then all four on a regression that needs them: 40 samples, 30 features of which only 5 matter.
#include <gradus/gradus.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <vector>
#include "lesson.hpp"
using namespace gradus;

const double steep = 4, flat = 1;             // a, the curvatures of the bowl
const double lambda_l1 = 1.6, lambda_l2 = 1;  // on the bowl
const int early_on_bowl = 5;                  // steps

const std::uint64_t seed = 1;
const int samples = 40, features = 30, relevant = 5;
const double noise = 3, l1 = 0.4, l2 = 0.2, drop = 0.2;
const int masks = 4000;

using Loss = std::function<Tensor(const Tensor& w)>;
using Watch = std::function<void(const Tensor& w)>;

// Gradient descent from 0. The L1 penalty has no gradient at 0, so its part of the step is exact instead: each weight
// goes lr * l1 towards 0, and not beyond (soft thresholding, or proximal gradient descent).
Tensor minimise(const Loss& loss, std::int64_t size, double lr, int steps, double l1 = 0, const Watch& watch = {}) {
  Tensor w = zeros({size}, {.dtype = float64, .requires_grad = true});
  for (int step = 0; step < steps; ++step) {
    w.zero_grad();
    loss(w).backward();
    NoGrad guard;
    w -= lr * w.grad();
    if (l1 > 0) w.copy_(sign(w) * relu(abs(w) - lr * l1));
    if (watch) watch(w);
  }
  return w.detach();
}

void on_the_bowl(plot::Axes& axes) {
  const Tensor a = tensor({steep, flat}, {.dtype = float64}), c = tensor({1.0, 1.5}, {.dtype = float64});
  const double lr = 0.1;
  const Loss bowl = [&](const Tensor& w) { return 0.5 * sum(a * square(w - c)); };
  const Loss with_l2 = [&](const Tensor& w) { return bowl(w) + lambda_l2 * l2_penalty({w}); };

  struct Row {
    const char* name;
    Tensor found, formula;
  };
  const std::vector<Row> rows = {
      {"none", minimise(bowl, 2, lr, 400), c},
      {"L2", minimise(with_l2, 2, lr, 400), c * a / (a + 2 * lambda_l2)},
      {"L1", minimise(bowl, 2, lr, 400, lambda_l1), sign(c) * relu(abs(c) - lambda_l1 / a)},
      {"early stopping", minimise(bowl, 2, lr, early_on_bowl), c * (1.0 - pow(1.0 - lr * a, early_on_bowl))},
  };
  std::printf("%-16s %22s %26s\n", "on the bowl", "descended to", "formula");
  bool all_close = true;
  for (const auto& [name, found, formula] : rows) {
    std::printf("%-16s %12.6f %9.6f %16.6f %9.6f\n", name, found[0].item(), found[1].item(), formula[0].item(),
                formula[1].item());
    all_close = all_close && allclose(found, formula, {.rtol = 0, .atol = 1e-9});
  }
  // The ways of the minima, as penalties grow and steps get fewer. Dashed: where a penalty is what it is at its
  // minimum.
  const auto draw = [&](const Tensor& way, const plot::LineOptions& options) {
    axes.line(lesson::numbers(way.select(1, 0)), lesson::numbers(way.select(1, 1)), options);
  };
  const auto height = [&](const Tensor& w) { return 0.5 * sum(a * square(w - c), -1); };
  axes.contour(plot::sample(height, {{-1.7, 2.5}, {-0.9, 1.8}}), {.log = true, .color_bar = false});
  const Tensor lambda = exp2(linspace(-8, 6, 80, {.dtype = float64})).unsqueeze(1);
  draw(c * a / (a + 2.0 * lambda), {.label = "L2", .color = "C0"});
  draw(relu(c - lambda / a), {.label = "L1", .color = "C1"});
  const Tensor steps = linspace(60, 0, 61, {.dtype = float64}).unsqueeze(1);
  draw(c * (1.0 - pow(1.0 - lr * a, steps)), {.label = "early stopping", .color = "C2", .markers = true});
  const Tensor angle = linspace(0, 6.2831853, 73, {.dtype = float64});
  draw(norm(rows[1].found) * stack({cos(angle), sin(angle)}, 1), {.color = "C0", .dashed = true, .width = 1.5});
  draw(norm(rows[2].found, 1) *
           tensor({{1.0, 0.0}, {0.0, 1.0}, {-1.0, 0.0}, {0.0, -1.0}, {1.0, 0.0}}, {.dtype = float64}),
       {.color = "C1", .dashed = true, .width = 1.5});

  lesson::claim("descent finds what the formulas say, to 1e-9", all_close);
  lesson::claim("L1 makes the flat direction's weight exactly 0", rows[2].found[1].item() == 0);
}

int main(int argc, char** argv) {
  plot::Figure figure({.title = "Regularisation", .columns = 3});
  on_the_bowl(figure.axes(
      {.title = "Minima as penalties grow", .x_label = "w[0], steep", .y_label = "w[1], flat", .equal = true}));

  manual_seed(seed);
  const RandomOptions normal{.dtype = float64};
  const Tensor truth = where(arange(features) < double(relevant), 2.0, zeros({features}, {.dtype = float64}));
  const auto draw = [&](std::int64_t n) {
    const Tensor x = randn({n, features}, normal);
    return data::Dataset(x, matmul(x, truth) + noise * randn({n}, normal));
  };
  const data::Dataset train = draw(samples), valid = draw(samples), test = draw(2000);
  const auto mse = [](const data::Dataset& set, const Tensor& w) { return mse_loss(matmul(set.x, w), set.y); };

  const Loss plain = [&](const Tensor& w) { return mse(train, w); };
  const Loss with_l2 = [&](const Tensor& w) { return plain(w) + l2 * l2_penalty({w}); };
  const Loss with_dropout = [&](const Tensor& w) { return mse_loss(matmul(dropout(train.x, drop), w), train.y); };

  // Early stopping keeps the weights that are best on samples held out.
  std::vector<double> train_errors, valid_errors, test_errors;
  Tensor best;
  const Watch watch = [&](const Tensor& w) {
    if (valid_errors.empty() || mse(valid, w).item() < *std::min_element(valid_errors.begin(), valid_errors.end()))
      best = w.detach().clone();
    train_errors.push_back(mse(train, w).item());
    valid_errors.push_back(mse(valid, w).item());
    test_errors.push_back(mse(test, w).item());
  };

  const double lr = 0.05;
  const Tensor none = minimise(plain, features, lr, 2000, 0, watch), by_l1 = minimise(plain, features, lr, 1000, l1);
  const Tensor by_l2 = minimise(with_l2, features, lr, 500), dropped = minimise(with_dropout, features, 0.01, 2000);

  std::printf("\n%-16s %12s %12s %12s %14s\n", "on a regression", "train mse", "test mse", "|w|", "weights at 0");
  bool all_better = true, all_pay = true;
  const auto show = [&](const char* name, const Tensor& w) {
    std::printf("%-16s %12.3f %12.3f %12.3f %14.0f\n", name, mse(train, w).item(), mse(test, w).item(), norm(w).item(),
                eq(w, 0.0).to(float64).sum().item());
    if (w.is(none)) return;
    all_better = all_better && mse(test, w).item() < 0.9 * mse(test, none).item();
    all_pay = all_pay && plain(w).item() > plain(none).item();
  };
  show("none", none), show("L2", by_l2), show("L1", by_l1), show("dropout", dropped), show("early stopping", best);

  const double formula = (plain(by_l2) + drop / (1 - drop) * mean(matmul(square(train.x), square(by_l2)))).item();
  double average = 0;
  for (int mask = 0; mask < masks; ++mask) average += with_dropout(by_l2).item() / masks;
  std::printf("\nloss at the weights of L2: %.3f; its mean over %d dropout masks: %.3f, by formula %.3f\n\n",
              plain(by_l2).item(), masks, average, formula);

  const std::vector<double> index = lesson::numbers(arange(features));
  figure.axes({.title = "Weights", .x_label = "feature", .y_label = "weight"})
      .scatter(index, lesson::numbers(truth), {.label = "truth", .color = "muted", .marker = 's', .size = 9})
      .scatter(index, lesson::numbers(none), {.label = "none", .marker = 'x', .size = 7})
      .scatter(index, lesson::numbers(by_l2), {.label = "L2"})
      .scatter(index, lesson::numbers(by_l1), {.label = "L1", .marker = 'D'});
  const std::vector<double> step = lesson::numbers(arange(1, valid_errors.size() + 1));
  const double stop = 1 + std::min_element(valid_errors.begin(), valid_errors.end()) - valid_errors.begin();
  figure.axes({.title = "Early stopping", .x_label = "step", .y_label = "mean squared error", .x_log = true})
      .line(step, train_errors, {.label = "training"})
      .line(step, valid_errors, {.label = "validation"})
      .line(step, test_errors, {.label = "test"})
      .vline(stop);
  figure.save(lesson::picture(argc, argv, "11_regularisation.svg"));

  const Tensor is_zero = eq(by_l1, 0.0).to(float64);
  lesson::claim("each of the four lowers the test error by a tenth or more", all_better);
  lesson::claim("each pays with a higher training error", all_pay);
  lesson::claim("L1 drops ten weights or more, and none of those that matter",
                is_zero.sum().item() >= 10 && is_zero.slice(0, 0, relevant).sum().item() == 0);
  lesson::claim("dropout's mean loss is the plain loss and an L2 penalty, within 2 %",
                std::abs(average / formula - 1) < 0.02);
  return lesson::finish({"l1 = 1.5: which weights does L1 drop now, and what does the test error say?",
                         "samples = 400. Which of the four are still worth their bias?"});
}
