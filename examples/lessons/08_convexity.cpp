// Lesson 8: convex against non-convex.
//
// A function is convex if no chord runs below it: f((a + b) / 2) <= (f(a) + f(b)) / 2 for all a and b. Then every local
// minimum is a global one, and if the curvature is positive everywhere there is only one: it does not matter where we
// start. Logistic regression is such a problem,
//
//     loss(w) = mean ln(1 + e^(-t (w x + c))) + decay |w|^2 / 2,       t = 1 or -1
//
// A network with a hidden layer is not. Its hidden units can even change places without changing the loss, so every
// minimum exists many times, with hills between.
#include <gradus/gradus.hpp>
#include <algorithm>
#include <cmath>
#include <vector>
#include "lesson.hpp"
using namespace gradus;

const std::int64_t samples = 80, hidden = 2;
const int starts = 10, steps = 1000;
const double decay = 1e-3;

// Every function takes all its parameters as one vector, theta.
struct Model {
  std::int64_t size;
  UnaryFunction loss;
};

// Classes that a line separates, mostly.
Model make_logistic() {
  Generator generator(1);
  const Tensor x = randn({samples, 2}, {.dtype = float64, .generator = &generator});
  const Tensor noise = randn({samples}, {.dtype = float64, .generator = &generator});
  const Tensor y = (x.select(1, 0) - x.select(1, 1) + noise).gt(0.0).to(float64);
  return {3, [x, y](const Tensor& theta) {
            const Tensor logits = matmul(x, theta.slice(0, 0, 2)) + theta[2];
            return binary_cross_entropy_with_logits(logits, y) + decay / 2 * square(theta).sum();
          }};
}

// Exclusive or: the class is 1 where the two inputs have different signs. No line separates that.
Model make_network() {
  Generator generator(2);
  const Tensor x = randn({samples, 2}, {.dtype = float64, .generator = &generator});
  const Tensor y = (x.select(1, 0) * x.select(1, 1)).lt(0.0).to(float64);
  return {4 * hidden + 1, [x, y](const Tensor& theta) {
            const Tensor weight = theta.slice(0, 0, 2 * hidden).reshape({hidden, 2});
            const Tensor bias = theta.slice(0, 2 * hidden, 3 * hidden), out = theta.slice(0, 3 * hidden, 4 * hidden);
            const Tensor logits = matmul(tanh(matmul(x, weight.t()) + bias), out) + theta[4 * hidden];
            return binary_cross_entropy_with_logits(logits, y) + decay / 2 * square(theta).sum();
          }};
}

struct Result {
  std::vector<Tensor> ends;
  std::vector<std::vector<double>> losses;  // of each start, at each step
};

Result descend(const Model& model) {
  Generator generator(4);
  Result result;
  for (int start = 0; start < starts; ++start) {
    Tensor theta = (2.0 * randn({model.size}, {.dtype = float64, .generator = &generator})).set_requires_grad();
    optim::SGD optimizer({theta}, {.lr = 0.3, .momentum = 0.9});
    std::vector<double>& losses = result.losses.emplace_back();
    for (int step = 0; step < steps; ++step) {
      optimizer.zero_grad();
      const Tensor loss = model.loss(theta);
      losses.push_back(loss.item());
      loss.backward();
      optimizer.step();
    }
    result.ends.push_back(theta.detach());
  }
  return result;
}

// The loss on the line from a (at 0) to b (at 1).
std::vector<double> on_line(const Model& model, const Tensor& a, const Tensor& b,
                            const std::vector<double>& positions) {
  std::vector<double> losses;
  for (const double t : positions) losses.push_back(model.loss(a + t * (b - a)).item());
  return losses;
}

// How many of 200 random chords run below the function at their middle.
int chords_below(const Model& model) {
  Generator generator(6);
  int below = 0;
  for (int i = 0; i < 200; ++i) {
    const Tensor a = 3.0 * randn({model.size}, {.dtype = float64, .generator = &generator});
    const Tensor b = 3.0 * randn({model.size}, {.dtype = float64, .generator = &generator});
    const std::vector<double> f = on_line(model, a, b, {0, 0.5, 1});
    below += f[1] > (f[0] + f[2]) / 2 + 1e-12;
  }
  return below;
}

// The same network with its hidden units in the opposite order.
Tensor exchange_units(const Tensor& theta) {
  const Tensor weight = theta.slice(0, 0, 2 * hidden).reshape({hidden, 2});
  return cat({flip(weight, {0}).flatten(), flip(theta.slice(0, 2 * hidden, 3 * hidden), {0}),
              flip(theta.slice(0, 3 * hidden, 4 * hidden), {0}), theta.slice(0, 4 * hidden)},
             0);
}

int main(int argc, char** argv) {
  const Model logistic = make_logistic(), network = make_network();
  const Result convex = descend(logistic), other = descend(network);
  std::printf("%6s %22s %22s\n%6s %22s %22s\n", "start", "logistic regression", "network", "", "loss at the end",
              "loss at the end");
  for (int i = 0; i < starts; ++i) {
    std::printf("%6d %22.8f %22.8f\n", i, convex.losses[i].back(), other.losses[i].back());
  }
  double apart = 0;
  for (const Tensor& end : convex.ends) apart = std::max(apart, norm(end - convex.ends[0]).item());
  std::vector<double> last;
  for (const std::vector<double>& losses : other.losses) last.push_back(losses.back());
  const auto [best, worst] = std::minmax_element(last.begin(), last.end());
  const Tensor solution = other.ends[best - last.begin()], twin = exchange_units(solution);
  const std::vector<double> between = on_line(network, solution, twin, {0, 0.5, 1});
  std::printf("\nends of the logistic regression: %.2g apart at most\n", apart);
  std::printf("chords below the function: logistic regression %d of 200, network %d of 200\n", chords_below(logistic),
              chords_below(network));
  std::printf("the best network, half-way to its twin with exchanged units, the twin: loss %.4f, %.4f, %.4f\n",
              between[0], between[1], between[2]);

  plot::Figure figure({.title = "Convex and not", .columns = 3});
  plot::Axes& left = figure.axes(
      {.title = "Logistic regression", .x_label = "step", .y_label = "loss", .x_log = true, .y_range = {{0.3, 1.5}}});
  plot::Axes& right =
      figure.axes({.title = "Network", .x_label = "step", .y_label = "loss", .x_log = true, .y_range = {{0.3, 1.5}}});
  for (const std::vector<double>& losses : convex.losses) left.line(losses, {.color = "C0", .width = 1});
  for (const std::vector<double>& losses : other.losses) right.line(losses, {.color = "C1", .width = 1});
  std::vector<double> t;
  for (int i = -20; i <= 120; ++i) t.push_back(i / 100.0);
  const Tensor direction = ones({3}, {.dtype = float64});
  figure
      .axes({.title = "Along a line through two points", .x_label = "from one (0) to the other (1)", .y_label = "loss"})
      .line(t, on_line(logistic, convex.ends[0] - 4.0 * direction, convex.ends[0] + 4.0 * direction, t),
            {.label = "logistic regression"})
      .line(t, on_line(network, solution, twin, t), {.label = "network and its twin"});
  figure.save(lesson::picture(argc, argv, "08_convexity.svg"));

  lesson::claim("logistic regression ends at the same point from every start", apart < 1e-6);
  lesson::claim("its curvature is positive there, in every direction",
                hessian_spectrum(logistic.loss, convex.ends[0])[0].item() > 0);
  lesson::claim("no chord runs below it, but some below the network's loss",
                chords_below(logistic) == 0 && chords_below(network) > 0);
  lesson::claim("where the network ends depends on its start: the worst end is higher than the best by 0.05 or more",
                *worst - *best > 0.05);
  lesson::claim("exchanging its hidden units changes nothing, and there is a hill of 0.05 or more between the two",
                std::abs(between[2] - between[0]) < 1e-12 && between[1] > between[0] + 0.05);
  return lesson::finish(
      {"hidden = 8. How many starts end badly now? More parameters can make the search easier.",
       "decay = 0, and no noise in the first classes. Why does the logistic regression never arrive now?"});
}
