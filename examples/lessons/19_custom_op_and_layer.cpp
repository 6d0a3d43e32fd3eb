// Lesson 19: an op and a layer of one's own.
//
// Snake (Ziyin, Hartwig and Ueda, Neural networks fail to learn periodic functions and how to fix it, NeurIPS 2020):
//
//     y = x + sin^2(a x) / a
//     dy/dx = 1 + sin(2 a x)            dy/da = x sin(2 a x) / a - sin^2(a x) / a^2
//
// An op is a value and a derivative for each input; custom_op joins them. Derivatives written with ops can be
// differentiated again. A layer owns parameters, here one frequency a per feature, and calls ops: it needs no
// derivative of its own. What one writes oneself one checks: gradcheck takes op, layer and network alike.
//
// Then the reason for Snake: tanh is flat far out, and relu straight; a network of Snakes can go on with a period.
#include <gradus/gradus.hpp>
#include <cmath>
#include <cstdio>
#include <vector>
#include "lesson.hpp"
using namespace gradus;

const int starts = 5;  // networks per activation, with other weights to begin with
const int steps = 1500;
const std::int64_t hidden = 32;
const double seen = 6, far = 12;  // training on [-seen, seen], a look at [-far, far]

// (..., features), (features) -> (..., features)
Tensor snake(const Tensor& x, const Tensor& a) {
  const auto sine = [](const Tensor& x, const Tensor& a) { return sin(2.0 * a * x); };
  const auto squared = [](const Tensor& x, const Tensor& a) { return square(sin(a * x)); };
  const Tensor value = [&] {
    NoGrad guard;  // the derivatives are ours: the ops that make the value need not be recorded
    return x + squared(x, a) / a;
  }();
  return custom_op("snake", value,
                   {{x, [=](const Tensor& g) { return g * (1.0 + sine(x, a)); }},
                    {a, [=](const Tensor& g) { return g * (x * sine(x, a) / a - squared(x, a) / square(a)); }}});
}

struct Snake : nn::Module {
  nn::Parameter a;
  explicit Snake(std::int64_t features, Dtype dtype = float32) : a(ones({features}, {.dtype = dtype})) {}
  GRADUS_MODULE(a)

  Tensor forward(const Tensor& x) override { return snake(x, a); }
};

Tensor target(const Tensor& x) { return sin(x) + 0.3 * x; }

// Trains on [-seen, seen]; returns what the network says everywhere.
template <class Layer>
Tensor trained(const Layer& activation, std::uint64_t seed, const Tensor& everywhere) {
  manual_seed(seed);
  const Tensor x = linspace(-seen, seen, 64).unsqueeze(1);
  nn::Sequential model(nn::Linear(1, hidden), activation, nn::Linear(hidden, 1));
  optim::Adam optimizer(model.parameters(), {.lr = 1e-2});
  optim::CosineAnnealingLR schedule(optimizer, {.T_max = steps});
  for (int step = 0; step < steps; ++step) {
    optimizer.zero_grad();
    mse_loss(model(x), target(x)).backward();
    optimizer.step();
    schedule.step();
  }
  NoGrad guard;
  return model(everywhere);
}

struct Row {
  const char* name;
  double inside = 0, outside = 0;  // mean squared errors over all starts
  Tensor shown = {};               // what the first of the networks says
};

template <class Layer>
Row measure(const char* name, const Layer& activation, const Tensor& everywhere) {
  Row row{name};
  const Tensor inside = abs(everywhere) <= seen, outside = abs(everywhere) > seen;
  for (int seed = 1; seed <= starts; ++seed) {
    const Tensor y = trained(activation, seed, everywhere), error = square(y - target(everywhere));
    row.inside += error.masked_select(inside).mean().item() / starts;
    row.outside += error.masked_select(outside).mean().item() / starts;
    if (seed == 1) row.shown = y;
  }
  std::printf("%-8s %16.6f %16.6f\n", name, row.inside, row.outside);
  return row;
}

int main(int argc, char** argv) {
  manual_seed(0);
  const Tensor x = randn({4, 3}, {.dtype = float64}), a = 0.5 + rand({3}, {.dtype = float64});
  const GradcheckReport op = gradcheck(snake, {x, a}), twice = gradgradcheck(snake, {x, a});
  const GradcheckReport layer = gradcheck(Snake(3, float64), x);
  std::printf("the layer, checked:\n%s\n", layer.to_string().c_str());
  const auto composed = [](const Tensor& x, const Tensor& a) { return x + square(sin(a * x)) / a; };

  lesson::claim("the op's value is that of its formula written with ops", allclose(snake(x, a), composed(x, a)));
  lesson::claim("its derivatives are right, by x and by a", op.passed());
  lesson::claim("and so are theirs: second derivatives come free", twice.passed());
  lesson::claim("the layer is right, its parameter too", layer.passed());
  lesson::claim("the layer's parameter has a name: 0.a inside a Sequential",
                nn::Sequential(Snake(3)).named_parameters().front().first == "0.a");

  const Tensor everywhere = linspace(-far, far, 193).unsqueeze(1);
  std::printf("\nmean squared errors on sin(x) + 0.3 x, means of %d networks\n%-8s %16s %16s\n", starts, "",
              "where trained", "farther out");
  const Row by_snake = measure("snake", Snake(hidden), everywhere), by_tanh = measure("tanh", nn::Tanh(), everywhere),
            by_relu = measure("relu", nn::ReLU(), everywhere);
  std::printf("\n");

  plot::Figure figure({.panel_width = 760});
  plot::Axes& axes =
      figure.axes({.title = "Trained between the dashed lines", .x_label = "x", .y_label = "y", .y_range = {{-6, 6}}});
  const std::vector<double> at = lesson::numbers(everywhere.flatten());
  axes.line(at, lesson::numbers(target(everywhere).flatten()),
            {.label = "sin(x) + 0.3 x", .color = "muted", .width = 5, .opacity = 0.5});
  for (const Row* row : {&by_snake, &by_tanh, &by_relu})
    axes.line(at, lesson::numbers(row->shown.flatten()), {.label = row->name});
  axes.vline(-seen).vline(seen);
  figure.save(lesson::picture(argc, argv, "19_custom_op_and_layer.svg"));

  lesson::claim("Snake fits where it was trained: an error below 1e-3", by_snake.inside < 1e-3);
  lesson::claim("farther out it errs less than half as much as tanh, and a tenth as much as relu",
                by_snake.outside < by_tanh.outside / 2 && by_snake.outside < by_relu.outside / 10);
  return lesson::finish(
      {"ones -> 0.2 * ones for a in Snake: a lower frequency to begin with. What becomes of the error farther out?",
       "far = 24. Does Snake go on, and can it know how long the period stays the same?"});
}
