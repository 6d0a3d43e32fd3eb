// Optimizers on the classic surfaces: how many steps each takes until the loss is within 1e-6 of the minimum.
#include <gradus/gradus.hpp>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
using namespace gradus;

struct Runner {
  std::string name;
  std::function<std::unique_ptr<optim::Optimizer>(const std::vector<Tensor>&)> make;
};

template <class Rule, class Options>
Runner runner(const std::string& name, const Options& options) {
  return {name, [options](const std::vector<Tensor>& params) { return std::make_unique<Rule>(params, options); }};
}

// The number of steps, or none within 20000.
std::string steps_to_minimum(const problems::Problem& problem, const Runner& runner) {
  Tensor x = problem.starts.front().clone().set_requires_grad();
  const auto optimizer = runner.make({x});
  for (int step = 1; step <= 20000; ++step) {
    const Tensor loss = optimizer->step([&] {
      optimizer->zero_grad();
      Tensor value = problem(x);
      value.backward();
      return value;
    });
    if (!(loss.item() < 1e6)) return "diverges";
    if (loss.item() - problem.minima.front().value < 1e-6) return std::to_string(step);
  }
  return "> 20000";
}

int main() {
  using namespace optim;
  const std::vector<Runner> runners{
      runner<SGD>("SGD(lr=0.001)", SGDOptions{.lr = 1e-3}),
      runner<SGD>("SGD(lr=0.001, momentum=0.9)", SGDOptions{.lr = 1e-3, .momentum = 0.9}),
      runner<SGD>("SGD(lr=0.1)", SGDOptions{.lr = 0.1}),
      runner<Adam>("Adam(lr=0.1)", AdamOptions{.lr = 0.1}),
      runner<Rprop>("Rprop()", RpropOptions{}),
      runner<LBFGS>("LBFGS(strong_wolfe)", LBFGSOptions{.max_iter = 1, .line_search_fn = LineSearch::strong_wolfe}),
  };
  const std::vector<std::string> names{"bowl(1, 4)", "quadratic(100, 2)", "beale", "rosenbrock"};
  std::printf("%-30s", "steps to 1e-6");
  for (const std::string& name : names) std::printf("%18s", name.c_str());
  for (const Runner& runner : runners) {
    std::printf("\n%-30s", runner.name.c_str());
    for (const std::string& name : names) {
      std::printf("%18s", steps_to_minimum(problems::find(name), runner).c_str());
    }
  }
  std::printf("\n");
}
