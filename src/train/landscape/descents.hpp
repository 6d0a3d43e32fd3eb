// The way that an optimizer takes down a surface.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gradus/optim/optimizer.hpp"
#include "gradus/problems.hpp"

namespace gradus::train {

// An optimizer with two knobs.
struct Rule {
  std::string key;       // as in a link
  std::string name;      // as people say it
  std::string momentum;  // what the second knob is called; "" if there is none
  std::function<std::unique_ptr<optim::Optimizer>(const std::vector<Tensor>& params, double lr, double momentum)> make;
};
const std::vector<Rule>& rules();

struct Descent {
  std::vector<double> x, y, loss;  // from the start on; they end early if the way does
  bool left = false;               // the last point is outside the box, or the next would be nowhere
};

struct DescentSettings {
  double lr = 0;
  double momentum = 0;
  std::int64_t steps = 0;
};

// From `start`, (2), on, until the steps are done or the way leaves the box.
Descent descend(const problems::Problem& problem, const Rule& rule, const Tensor& start, const problems::Domain& box,
                const DescentSettings& settings);

// Of these rates, that by which the way ends lowest; the first if all leave the box.
double best_learning_rate(const std::vector<double>& rates, const problems::Problem& problem, const Rule& rule,
                          const Tensor& start, const problems::Domain& box, DescentSettings settings);

}  // namespace gradus::train
