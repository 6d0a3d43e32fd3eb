// Lesson 9: vanishing and exploding gradients; initialisation, normalisation, clipping.
//
// Backprop multiplies by one Jacobian per layer. If each changes the length of a gradient by a factor r, then `depth`
// layers change it by r^depth: 0.7^30 is 0.00002, 1.4^30 is 24000. Weights of variance s^2 / fan_in keep
//
//     r = s * sqrt(mean act'(h)^2):    linear s,    ReLU s / sqrt(2),    sigmoid at most s / 4,    tanh below s
//
// so s = sqrt(2) is right for ReLU (Kaiming) and s = 1 nearly so for tanh (Xavier). Normalising each layer's output
// makes the scale of weights irrelevant; clipping leaves the direction of a gradient and limits its length.
#include <gradus/gradus.hpp>
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>
#include "lesson.hpp"
using namespace gradus;

const int depth = 30;
const std::int64_t width = 64, batch = 64;

struct Recipe {
  std::string name;
  double s;  // the weights' standard deviation times sqrt(fan_in)
  UnaryFunction act;
  bool normalise = false;
};
const UnaryFunction identity = [](const Tensor& x) { return x; };
const std::vector<Recipe> recipes{
    {"linear, s = 0.8", 0.8, identity},
    {"linear, s = 1.25", 1.25, identity},
    {"sigmoid, s = 1", 1, [](const Tensor& x) { return sigmoid(x); }},
    {"tanh, s = 1", 1, [](const Tensor& x) { return tanh(x); }},
    {"ReLU, s = 1", 1, [](const Tensor& x) { return relu(x); }},
    {"ReLU, s = sqrt(2)", std::sqrt(2), [](const Tensor& x) { return relu(x); }},
    {"ReLU, s = 3", 3, [](const Tensor& x) { return relu(x); }},
    {"ReLU, s = 3, norm", 3, [](const Tensor& x) { return relu(x); }, true},
};

std::vector<Tensor> make_weights(double s) {
  std::vector<Tensor> weights;
  for (int layer = 0; layer < depth; ++layer) {
    weights.push_back(nn::init::normal_(empty({width, width}), 0, s / std::sqrt(width)).set_requires_grad());
  }
  return weights;
}

// |d loss / d (output of layer)| for each layer, from the input on, where the loss is a random direction of the output.
std::vector<double> gradient_norms(const Recipe& recipe) {
  manual_seed(0);
  Tensor h = randn({batch, width}).set_requires_grad();
  std::vector<Tensor> outputs{h};
  for (const Tensor& weight : make_weights(recipe.s)) {
    h = matmul(h, weight.t());
    outputs.push_back(h = recipe.act(recipe.normalise ? layer_norm(h, {width}) : h));
  }
  const std::vector<Tensor> gradients = grad((h * randn({batch, width})).sum(), outputs);
  std::vector<double> norms;
  for (const Tensor& g : gradients) norms.push_back(norm(g).item());
  return norms;
}

struct Training {
  std::vector<double> losses, norms;  // infinite once it has broken
};

// Fits a network of 10 layers to a smooth function.
Training learn(double s, double max_norm) {
  manual_seed(1);
  const Tensor x = rand({batch, 2}), y = (3.0 * x).sin().sum(1, {.keepdim = true});
  nn::Sequential model(nn::Linear(2, 32));
  for (int layer = 0; layer < 8; ++layer) {
    model.push_back(nn::ReLU());
    model.push_back(nn::Linear(32, 32));
  }
  model.push_back(nn::Linear(32, 1));
  for (Tensor& p : model.parameters()) {
    if (p.dim() == 2) nn::init::normal_(p, 0, s / std::sqrt(p.size(1)));
  }
  optim::SGD optimizer(model.parameters(), {.lr = 0.01});
  Training training;
  for (int step = 0; step < 200; ++step) {
    optimizer.zero_grad();
    const Tensor loss = mse_loss(model(x), y);
    loss.backward();
    training.losses.push_back(std::isfinite(loss.item()) ? loss.item() : INFINITY);
    training.norms.push_back(clip_grad_norm_(model.parameters(), max_norm));
    optimizer.step();
  }
  return training;
}

int main(int argc, char** argv) {
  std::printf("%-20s %12s %12s %12s %16s\n", "length of gradient", "at the end", "half-way", "at the input",
              "times per layer");
  std::vector<std::vector<double>> norms;
  std::vector<double> factors;
  for (const Recipe& recipe : recipes) {
    const std::vector<double>& n = norms.emplace_back(gradient_norms(recipe));
    factors.push_back(std::pow(n.front() / n.back(), 1.0 / depth));
    std::printf("%-20s %12.3g %12.3g %12.3g %16.3f\n", recipe.name.c_str(), n.back(), n[depth / 2], n.front(),
                factors.back());
  }
  const Training free = learn(2, INFINITY), clipped = learn(2, 1), kaiming = learn(std::sqrt(2), INFINITY);
  std::printf("\n10 layers, lr 0.01; the first gradient has length %.3g with s = 2, %.3g with s = sqrt(2)\n",
              free.norms[0], kaiming.norms[0]);
  std::printf("%10s %14s %18s %14s\n", "step", "s = 2", "s = 2, clipped", "s = sqrt(2)");
  for (const int step : {0, 1, 2, 10, 50, 199}) {
    std::printf("%10d %14.4g %18.4g %14.4g\n", step, free.losses[step], clipped.losses[step], kaiming.losses[step]);
  }
  plot::Figure figure({.title = "Gradients in deep networks"});
  plot::Axes& lengths = figure.axes({.title = "Length of the gradient by layer", .x_label = "layer", .y_log = true});
  for (std::size_t i = 0; i < recipes.size(); ++i) lengths.line(norms[i], {.label = recipes[i].name});
  figure.axes({.title = "Loss of a network of 10 layers", .x_label = "step", .y_log = true})
      .line(free.losses, {.label = "s = 2", .markers = true})
      .line(clipped.losses, {.label = "s = 2, clipped"})
      .line(kaiming.losses, {.label = "s = sqrt(2)"});
  figure.save(lesson::picture(argc, argv, "09_deep_gradients.svg"));

  const auto near = [](double found, double expected) { return std::abs(found / expected - 1) < 0.05; };
  lesson::claim("in linear layers the length of a gradient is multiplied by s",
                near(factors[0], 0.8) && near(factors[1], 1.25));
  lesson::claim("behind ReLU by s / sqrt(2): Kaiming's s = sqrt(2) keeps it",
                near(factors[4], 1 / std::sqrt(2)) && near(factors[5], 1) && near(factors[6], 3 / std::sqrt(2)));
  lesson::claim("behind sigmoids by a quarter at most: nothing arrives at the input", factors[2] < 0.25);
  lesson::claim("with normalisation s = 3 does no harm", near(factors[7], 1));
  lesson::claim("without clipping the network breaks within ten steps", !std::isfinite(free.losses[10]));
  lesson::claim("clipped to length 1 it survives and learns", clipped.losses.back() < 0.01 * clipped.losses.front());
  lesson::claim("the right start needs no clipping and gets further",
                kaiming.losses.back() < 0.5 * clipped.losses.back());
  return lesson::finish(
      {"Normalise behind the ReLU instead of before it. Why do gradients now grow by"
       " sqrt(pi / (pi - 1)) = 1.21 per layer?",
       "learn(2, 0.1): does stronger clipping help? And a smaller rate instead of clipping?"});
}
