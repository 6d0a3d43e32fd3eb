// Lesson 18: an optimizer of one's own.
//
// Sign-momentum looks at the sign of a running mean of the gradients, and nothing else:
//
//     m = beta m + (1 - beta) g        w -= lr sign(m)
//
// The class below is the whole rule. The base (optim::OptimizerOf) brings what every optimizer needs: the loop over
// parameters, groups with rates of their own, the kept tensors and their saving, schedules.
//
// How do we know that it is right? Lion (Chen et al., 2023) steps by sign(beta1 m + (1 - beta1) g) before it moves m
// with beta2: with beta1 = beta2 it is the same rule, so both must walk the same path to the last bit. And without
// momentum each weight moves by exactly lr: from w it takes |w| / lr steps to the minimum of any bowl, however steep or
// flat.
#include <gradus/gradus.hpp>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>
#include "lesson.hpp"
using namespace gradus;

const double learning_rate = 0.03125, beta = 0.9;  // 1/32: sums of it are exact
const int steps = 120;
const double start_x = 2, start_y = 2;

struct SignMomentumOptions {
  double lr = 1e-2;
  double beta = 0.9;

  void validate() const {  // called on all options that come in
    if (lr < 0) throw Error("SignMomentum: lr must not be negative: " + std::to_string(lr));
    if (beta < 0 || beta >= 1) throw Error("SignMomentum: beta must be in [0, 1): " + std::to_string(beta));
  }
};

class SignMomentum final : public optim::OptimizerOf<SignMomentumOptions> {
 public:
  using OptimizerOf::OptimizerOf;

 protected:
  void update(Tensor& w, const Tensor& g, optim::State& state, const SignMomentumOptions& o) override {
    Tensor& m = state.tensor("momentum", w);  // zeros like w at first, then the kept one
    m.mul_(o.beta).add_(g, 1 - o.beta);
    w.sub_(sign(m), o.lr);
  }
};

struct Path {
  std::vector<double> x, y;
  bool operator==(const Path&) const = default;
};

// A bowl with curvature 1 along x and 100 along y, as steep as one likes.
Tensor bowl(const Tensor& w, double height) { return height * (0.5 * square(w[0]) + 50.0 * square(w[1])); }

Tensor start() { return tensor({start_x, start_y}, {.dtype = float64, .requires_grad = true}); }

void walk(optim::Optimizer& optimizer, const Tensor& w, Path& path, int count, double height = 1) {
  for (int step = 0; step < count; ++step) {
    path.x.push_back(w[0].item()), path.y.push_back(w[1].item());
    optimizer.zero_grad();
    bowl(w, height).backward();
    optimizer.step();
  }
}

int main(int argc, char** argv) {
  Tensor w = start(), w_lion = start(), w_steep = start(), w_plain = start(), w_sgd = start(), w_halves = start();
  Path ours, lion, steep, plain, sgd, halves;
  const SignMomentumOptions options{.lr = learning_rate, .beta = beta};

  SignMomentum optimizer({w}, options);
  walk(optimizer, w, ours, steps);
  optim::Lion as_lion({w_lion}, {.lr = learning_rate, .betas = {beta, beta}});
  walk(as_lion, w_lion, lion, steps);
  SignMomentum on_steep({w_steep}, options);
  walk(on_steep, w_steep, steep, steps, 1024);  // the same bowl, 1024 times as high
  SignMomentum without({w_plain}, {.lr = learning_rate, .beta = 0});
  walk(without, w_plain, plain, steps);
  optim::SGD gradient_descent({w_sgd}, {.lr = 2.0 / 101});  // 2 / (1 + 100): the best rate on this bowl
  walk(gradient_descent, w_sgd, sgd, steps);

  // Half the way, saved, and gone on with by a new optimizer.
  SignMomentum first_half({w_halves}, options), second_half({w_halves}, options);
  walk(first_half, w_halves, halves, steps / 2);
  second_half.load_state_dict(first_half.state_dict());
  walk(second_half, w_halves, halves, steps - steps / 2);

  std::printf("%6s %18s %18s %18s %18s\n", "step", "sign-momentum", "Lion(beta, beta)", "sign alone",
              "gradient descent");
  for (const int k : {0, 1, 10, 30, 63, 64, 65, 70, 100, 119}) {
    if (k >= steps) break;
    std::printf("%6d", k);
    for (const Path* path : {&ours, &lion, &plain, &sgd}) std::printf("  %8.4f %8.4f", path->x[k], path->y[k]);
    std::printf("\n");
  }
  std::printf("\n");

  plot::Figure figure({.title = "Sign-momentum on a bowl of condition number 100"});
  figure.axes({.title = "The way down", .x_label = "x", .y_label = "y"})
      .contour(
          plot::sample([](const Tensor& w) { return 0.5 * square(w.select(-1, 0)) + 50.0 * square(w.select(-1, 1)); },
                       {{-0.5, 2.2}, {-2.2, 2.2}}),
          {.color_bar = false})
      .path(sgd.x, sgd.y, {.label = "gradient descent", .width = 1, .markers = false})
      .path(ours.x, ours.y, {.label = "sign-momentum"})
      .path(plain.x, plain.y, {.label = "sign alone"});
  const auto distance = [](const Path& path) {
    std::vector<double> d;
    for (std::size_t k = 0; k < path.x.size(); ++k) d.push_back(std::hypot(path.x[k], path.y[k]));
    return d;
  };
  figure.axes({.title = "Distance from the minimum", .x_label = "step", .y_label = "distance"})
      .line(distance(sgd), {.label = "gradient descent"})
      .line(distance(ours), {.label = "sign-momentum"})
      .line(distance(plain), {.label = "sign alone"});
  figure.save(lesson::picture(argc, argv, "18_custom_optimizer.svg"));

  const int arrival = int(start_x / learning_rate);
  lesson::claim("sign-momentum and Lion(beta, beta) agree to the last bit", ours == lion);
  lesson::claim("a loss 1024 times as high changes not a bit: only signs count", ours == steep);
  lesson::claim("saved half-way and resumed by a new optimizer: not a bit changes", ours == halves);
  lesson::claim("the sign alone arrives after |w| / lr steps, in steep and flat directions alike, and not earlier",
                plain.x[arrival] == 0 && plain.y[arrival] == 0 && plain.x[arrival - 1] != 0);
  lesson::claim("momentum overshoots: ours stands at the minimum at that step as well, but does not stay",
                ours.x[arrival] == 0 && ours.x[arrival + 1] < 0);
  lesson::claim("gradient descent is then still as far as the condition number 100 says: 2 (99 / 101)^k",
                std::abs(sgd.x[arrival] / (start_x * std::pow(99.0 / 101, arrival)) - 1) < 1e-9);
  return lesson::finish(
      {"learning_rate = 0.03: 2 / 0.03 is no whole number. Where does the sign alone end up, and which "
       "schedule would help?",
       "write Lion's own rule, beta1 = 0.9 and beta2 = 0.99, into update. How far does it overshoot?"});
}
