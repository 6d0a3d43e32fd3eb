// Lesson 12: optimisation is not generalisation.
//
//     training error   what the optimizer makes small, on samples that it sees
//     test error       what we want small, on samples that nobody has looked at
//     gap              test error - training error
//
// An expressive model can drive the first to zero whatever the second does. Two experiments. A network learns digits of
// which a share has labels drawn at random: it learns all of them, the random ones by heart (Zhang et al.,
// Understanding deep learning requires rethinking generalization, ICLR 2017). And polynomials of rising degree through
// few points: who chooses the degree by the training error uses the same samples twice, and always gets the largest.
#include <gradus/gradus.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>
#include "lesson.hpp"
using namespace gradus;

const std::uint64_t seed = 5;
const std::int64_t train_digits = 200, hidden = 128;
const int epochs = 100;
const int points = 20;
const double noise = 0.25;

struct Accuracy {
  double train, test;
};

double accuracy(nn::Module& model, const Tensor& x, const Tensor& labels) {
  NoGrad guard;
  return eq(argmax(model(x), 1), labels).to(float64).mean().item();
}

// Learns `train` with that share of its labels drawn at random.
Accuracy learn(data::Dataset train, const data::Dataset& test, double random_share) {
  manual_seed(seed);
  const Tensor chosen = rand({train.size()}) < random_share;
  train.y = where(chosen, randint(10, {train.size()}), train.y);
  nn::Sequential model(nn::Linear(64, hidden), nn::ReLU(), nn::Linear(hidden, 10));
  optim::Adam optimizer(model.parameters(), {.lr = 1e-2});
  data::DataLoader loader(train, {.batch_size = 50, .shuffle = true});
  for (int epoch = 0; epoch < epochs; ++epoch) {
    for (const auto& [x, y] : loader) {
      optimizer.zero_grad();
      cross_entropy(model(x), y).backward();
      optimizer.step();
    }
  }
  return {accuracy(model, train.x, train.y), accuracy(model, test.x, test.y)};
}

// T_0(x), ..., T_degree(x), the Chebyshev polynomials: they span all polynomials, and are not nearly alike as powers
// are.
Tensor basis(const Tensor& x, int degree) {
  std::vector<Tensor> columns = {ones_like(x), x};
  while (int(columns.size()) <= degree) columns.push_back(2.0 * x * columns.back() - columns[columns.size() - 2]);
  columns.resize(degree + 1);
  return stack(columns, 1);
}

Tensor truth(const Tensor& x) { return sin(3.0 * x); }

int main(int argc, char** argv) {
  const auto [pool, test] = data::digits().split(0.5, {.seed = seed});
  const data::Dataset train = pool.split(double(train_digits) / pool.size(), {.seed = seed}).first;
  std::printf("digits: %lld to learn from, %lld to test on, %lld weights\n", (long long)train.size(),
              (long long)test.size(), (long long)(65 * hidden + (hidden + 1) * 10));
  std::printf("%14s %14s %14s %8s\n", "random labels", "train error", "test error", "gap");
  std::vector<double> shares, train_errors, test_errors;
  for (const double share : {0.0, 0.25, 0.5, 0.75, 1.0}) {
    const Accuracy result = learn(train, test, share);
    shares.push_back(share), train_errors.push_back(1 - result.train), test_errors.push_back(1 - result.test);
    std::printf("%13.0f%% %13.1f%% %13.1f%% %8.3f\n", 100 * share, 100 * train_errors.back(), 100 * test_errors.back(),
                test_errors.back() - train_errors.back());
  }

  manual_seed(seed);
  const Tensor x = 2.0 * rand({points}, {.dtype = float64}) - 1.0;
  const Tensor y = truth(x) + noise * randn({points}, {.dtype = float64});
  const Tensor fresh_x = 2.0 * rand({2000}, {.dtype = float64}) - 1.0;
  const Tensor fresh_y = truth(fresh_x) + noise * randn({2000}, {.dtype = float64});
  std::printf("\npolynomials through %d points, noise of variance %.4f\n%14s %14s %14s\n", points, noise * noise,
              "degree", "train mse", "test mse");
  std::vector<double> train_mse, test_mse;
  for (int degree = 0; degree < points; ++degree) {
    const Tensor w = linalg::lstsq(basis(x, degree), y).solution;
    train_mse.push_back(mse_loss(matmul(basis(x, degree), w), y).item());
    test_mse.push_back(mse_loss(matmul(basis(fresh_x, degree), w), fresh_y).item());
    std::printf("%14d %14.3g %14.3g\n", degree, train_mse.back(), test_mse.back());
  }
  plot::Figure figure({.title = "Optimisation is not generalisation"});
  figure
      .axes({.title = "A network on digits",
             .x_label = "share of random labels",
             .y_label = "error",
             .x_range = {{-0.03, 1.03}},
             .y_range = {{-0.03, 1}}})
      .line(shares, train_errors, {.label = "training", .markers = true})
      .line(shares, test_errors, {.label = "test", .markers = true});
  figure
      .axes({.title = "Polynomials through " + std::to_string(points) + " points",
             .x_label = "degree",
             .y_label = "mean squared error",
             .y_log = true,
             .y_range = {{1e-3, 1e3}}})
      .line(train_mse, {.label = "training", .markers = true})
      .line(test_mse, {.label = "test", .markers = true})
      .hline(noise * noise, {.label = "noise"});
  figure.save(lesson::picture(argc, argv, "12_generalisation.svg"));

  const auto best = [](const std::vector<double>& v) { return std::min_element(v.begin(), v.end()) - v.begin(); };
  const auto by_train = best(train_mse), by_test = best(test_mse);
  std::printf("degree chosen by the training points: %d; by fresh ones: %d\n\n", int(by_train), int(by_test));

  lesson::claim("the network learns all labels by heart, true or random",
                *std::max_element(train_errors.begin(), train_errors.end()) == 0);
  lesson::claim("with true labels it errs on fewer than 10 % of the test digits", test_errors.front() < 0.1);
  lesson::claim("with random ones it guesses: 90 % wrong, within 5 %", std::abs(test_errors.back() - 0.9) < 0.05);
  lesson::claim("each further share of random labels widens the gap, though training errors are the same",
                std::is_sorted(test_errors.begin(), test_errors.end()));
  lesson::claim("a higher degree never has a higher training error: it can do all that a lower one can",
                std::is_sorted(train_mse.rbegin(), train_mse.rend()));
  lesson::claim("as many coefficients as points pass through all of them, to 1e-6", train_mse.back() < 1e-6);
  lesson::claim("chosen by training error the degree is the largest, and a thousand times worse on fresh points",
                by_train == points - 1 && test_mse[by_train] > 1000 * test_mse[by_test]);
  return lesson::finish(
      {"train_digits = 800. What happens to the test errors, and what does it cost to learn by heart now?",
       "points = 40. From which degree on do the two errors part?"});
}
