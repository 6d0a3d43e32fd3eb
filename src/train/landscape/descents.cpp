#include "train/landscape/descents.hpp"

#include <cmath>
#include <limits>

#include "gradus/autograd.hpp"
#include "gradus/optim.hpp"
#include "gradus/tensor.hpp"

namespace gradus::train {
namespace {

bool is_inside(const problems::Domain& box, double x, double y) {
  return x >= box.x[0] && x <= box.x[1] && y >= box.y[0] && y <= box.y[1];
}

}  // namespace

const std::vector<Rule>& rules() {
  using namespace optim;
  using Params = std::vector<Tensor>;
  static const std::vector<Rule> all{
      {"sgd", "SGD", "momentum",
       [](const Params& p, double lr, double m) {
         return std::make_unique<SGD>(p, SGDOptions{.lr = lr, .momentum = m});
       }},
      {"nesterov", "SGD, Nesterov", "momentum",
       [](const Params& p, double lr, double m) {
         // Without momentum Nesterov's form is plain SGD, and the options would be refused.
         return std::make_unique<SGD>(p, SGDOptions{.lr = lr, .momentum = m, .nesterov = m > 0});
       }},
      {"adagrad", "AdaGrad", "",
       [](const Params& p, double lr, double) { return std::make_unique<Adagrad>(p, AdagradOptions{.lr = lr}); }},
      {"rmsprop", "RMSprop", "momentum",
       [](const Params& p, double lr, double m) {
         return std::make_unique<RMSprop>(p, RMSpropOptions{.lr = lr, .momentum = m});
       }},
      {"adam", "Adam", "beta1",
       [](const Params& p, double lr, double m) {
         return std::make_unique<Adam>(p, AdamOptions{.lr = lr, .betas = {m, 0.999}});
       }},
      {"lion", "Lion", "beta1",
       [](const Params& p, double lr, double m) {
         return std::make_unique<Lion>(p, LionOptions{.lr = lr, .betas = {m, 0.99}});
       }},
  };
  return all;
}

Descent descend(const problems::Problem& problem, const Rule& rule, const Tensor& start, const problems::Domain& box,
                const DescentSettings& settings) {
  Tensor point = start.detach().clone().set_requires_grad();
  const auto optimizer = rule.make({point}, settings.lr, settings.momentum);
  Descent way;
  for (std::int64_t step = 0; step <= settings.steps; ++step) {
    optimizer->zero_grad();
    const Tensor loss = problem(point);
    const auto at = point.data<double>();
    if (!std::isfinite(loss.item()) || !std::isfinite(at[0]) || !std::isfinite(at[1])) {
      way.left = true;
      break;
    }
    way.x.push_back(at[0]);
    way.y.push_back(at[1]);
    way.loss.push_back(loss.item());
    way.left = !is_inside(box, at[0], at[1]);
    if (way.left || step == settings.steps) break;
    loss.backward();
    optimizer->step();
  }
  return way;
}

double best_learning_rate(const std::vector<double>& rates, const problems::Problem& problem, const Rule& rule,
                          const Tensor& start, const problems::Domain& box, DescentSettings settings) {
  double best = rates.front(), least = std::numeric_limits<double>::infinity();
  for (const double lr : rates) {
    settings.lr = lr;
    const Descent way = descend(problem, rule, start, box, settings);
    if (way.left || way.loss.back() >= least) continue;
    best = lr;
    least = way.loss.back();
  }
  return best;
}

}  // namespace gradus::train
