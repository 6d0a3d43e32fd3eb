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
#include <string>
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

void on_the_bowl() {
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
  lesson::claim("descent finds what the formulas say, to 1e-9", all_close);
  lesson::claim("L1 makes the flat direction's weight exactly 0", rows[2].found[1].item() == 0);
}

int main() {
  on_the_bowl();

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
  std::vector<double> valid_errors, test_errors;
  Tensor best;
  const Watch watch = [&](const Tensor& w) {
    if (valid_errors.empty() || mse(valid, w).item() < *std::min_element(valid_errors.begin(), valid_errors.end()))
      best = w.detach().clone();
    valid_errors.push_back(mse(valid, w).item());
    test_errors.push_back(mse(test, w).item());
  };

  struct Row {
    std::string name;
    Tensor w;
  };
  const double lr = 0.05;
  std::vector<Row> rows;
  rows.push_back({"none", minimise(plain, features, lr, 2000, 0, watch)});
  rows.push_back({"L2", minimise(with_l2, features, lr, 500)});
  rows.push_back({"L1", minimise(plain, features, lr, 1000, l1)});
  rows.push_back({"dropout", minimise(with_dropout, features, 0.01, 2000)});
  rows.push_back({"early stopping", best});

  std::printf("\n%-16s %12s %12s %12s %14s\n", "40 x 30", "train mse", "test mse", "|w|", "weights at 0");
  for (const auto& [name, w] : rows) {
    const double zeros = eq(w, 0.0).to(float64).sum().item();
    std::printf("%-16s %12.3f %12.3f %12.3f %14.0f\n", name.c_str(), mse(train, w).item(), mse(test, w).item(),
                norm(w).item(), zeros);
  }

  const Tensor w = rows[1].w;
  const double formula = (plain(w) + drop / (1 - drop) * mean(matmul(square(train.x), square(w)))).item();
  double average = 0;
  for (int mask = 0; mask < masks; ++mask) average += with_dropout(w).item() / masks;
  std::printf("\nloss at the weights of L2: %.3f; its mean over %d dropout masks: %.3f, by formula %.3f\n\n",
              plain(w).item(), masks, average, formula);

  bool all_better = true, all_pay = true;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    all_better = all_better && mse(test, rows[i].w).item() < 0.9 * mse(test, rows[0].w).item();
    all_pay = all_pay && plain(rows[i].w).item() > plain(rows[0].w).item();
  }
  const Tensor is_zero = eq(rows[2].w, 0.0).to(float64);
  lesson::claim("each of the four lowers the test error by a tenth or more", all_better);
  lesson::claim("each pays with a higher training error", all_pay);
  lesson::claim("L1 drops ten weights or more, and none of those that matter",
                is_zero.sum().item() >= 10 && is_zero.slice(0, 0, relevant).sum().item() == 0);
  lesson::claim("dropout's mean loss is the plain loss and an L2 penalty, within 2 %",
                std::abs(average / formula - 1) < 0.02);
  return lesson::finish({"l1 = 1.5: which weights does L1 drop now, and what does the test error say?",
                         "samples = 400. Which of the four are still worth their bias?"});
}
