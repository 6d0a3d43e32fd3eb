#include "gradus/optimizer_spec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include <gradus/error.hpp>

#include "gradus/words.hpp"

namespace gradus::tool {
namespace {

using Parameters = optim::ParameterList;
using Made = std::unique_ptr<optim::Optimizer>;

void refuse(const OptimizerOptions& wishes, const char* option) {
  throw Error(fmt::format("--optimizer: {} has no {}", wishes.name, option));
}

template <class Rule>
using OptionsOf = decltype(Rule::Group::options);

template <class Rule>
Made make(const OptimizerOptions& wishes, const Parameters& parameters, OptionsOf<Rule> options) {
  if (wishes.lr) options.lr = *wishes.lr;
  if (wishes.momentum) {
    if constexpr (requires { options.betas[0]; })
      options.betas[0] = *wishes.momentum;
    else if constexpr (requires { options.momentum; })
      options.momentum = *wishes.momentum;
    else
      refuse(wishes, "--momentum");
  }
  if (wishes.weight_decay) {
    if constexpr (requires { options.weight_decay; })
      options.weight_decay = *wishes.weight_decay;
    else
      refuse(wishes, "--weight-decay");
  }
  if (wishes.nesterov) {
    if constexpr (requires { options.nesterov; })
      options.nesterov = true;
    else
      refuse(wishes, "--nesterov");
  }
  return std::make_unique<Rule>(std::vector<typename Rule::Group>{{parameters, options}});
}

using Maker = std::function<Made(const OptimizerOptions&, const Parameters&)>;

template <class Rule>
Maker maker(OptionsOf<Rule> options = {}) {
  return [options](const OptimizerOptions& wishes, const Parameters& parameters) {
    return make<Rule>(wishes, parameters, options);
  };
}

const std::map<std::string, Maker>& optimizers() {
  using namespace optim;
  static const std::map<std::string, Maker> makers = {
      {"adadelta", maker<Adadelta>()},
      {"adafactor", maker<Adafactor>()},
      {"adagrad", maker<Adagrad>()},
      {"adam", maker<Adam>()},
      {"adamax", maker<Adamax>()},
      {"adamw", maker<AdamW>()},
      {"amsgrad", maker<Adam>({.amsgrad = true})},
      {"armijo-gd", maker<ArmijoGD>()},
      {"asgd", maker<ASGD>()},
      {"lamb", maker<LAMB>()},
      {"lbfgs", maker<LBFGS>({.max_iter = 1, .line_search_fn = LineSearch::strong_wolfe})},
      {"lion", maker<Lion>()},
      {"momentum", maker<SGD>({.momentum = 0.9})},
      {"muon", maker<Muon>()},
      {"nadam", maker<NAdam>()},
      {"nesterov", maker<SGD>({.momentum = 0.9, .nesterov = true})},
      {"newton", maker<Newton>()},
      {"radam", maker<RAdam>()},
      {"rmsprop", maker<RMSprop>()},
      {"rprop", maker<Rprop>()},
      {"schedule-free-adamw", maker<ScheduleFreeAdamW>()},
      {"schedule-free-sgd", maker<ScheduleFreeSGD>()},
      {"sgd", maker<SGD>()},
      {"soap", maker<SOAP>()}};
  return makers;
}

using Scheduled = std::unique_ptr<optim::LRScheduler>;
using ScheduleMaker = std::function<Scheduled(optim::Optimizer&, std::int64_t)>;

const std::map<std::string, ScheduleMaker>& schedules() {
  using namespace optim;
  static const std::map<std::string, ScheduleMaker> makers = {
      {"constant", [](Optimizer&, std::int64_t) -> Scheduled { return nullptr; }},
      {"cosine",
       [](Optimizer& optimizer, std::int64_t steps) -> Scheduled {
         return std::make_unique<CosineAnnealingLR>(optimizer, CosineAnnealingLROptions{.T_max = steps});
       }},
      {"exponential",  // down to a hundredth
       [](Optimizer& optimizer, std::int64_t steps) -> Scheduled {
         const double gamma = std::pow(0.01, 1.0 / static_cast<double>(steps));
         return std::make_unique<ExponentialLR>(optimizer, ExponentialLROptions{.gamma = gamma});
       }},
      {"inverse-sqrt",
       [](Optimizer& optimizer, std::int64_t steps) -> Scheduled {
         const std::int64_t warmup = std::max<std::int64_t>(1, steps / 10);
         return std::make_unique<InverseSquareRoot>(optimizer, InverseSquareRootOptions{.warmup_steps = warmup});
       }},
      {"linear",  // down to zero
       [](Optimizer& optimizer, std::int64_t steps) -> Scheduled {
         return std::make_unique<PolynomialLR>(optimizer, PolynomialLROptions{.total_iters = steps});
       }},
      {"one-cycle",
       [](Optimizer& optimizer, std::int64_t steps) -> Scheduled {
         return std::make_unique<OneCycleLR>(
             optimizer,
             OneCycleLROptions{
                 .max_lr = optimizer.lr(), .total_steps = steps, .cycle_momentum = optimizer.momentum().has_value()});
       }},
      {"step",  // to a tenth after each third
       [](Optimizer& optimizer, std::int64_t steps) -> Scheduled {
         return std::make_unique<StepLR>(optimizer, StepLROptions{.step_size = std::max<std::int64_t>(1, steps / 3)});
       }},
      {"warmup-cosine",
       [](Optimizer& optimizer, std::int64_t steps) -> Scheduled {
         return std::make_unique<WarmupCosine>(optimizer,
                                               WarmupCosineOptions{.warmup_steps = steps / 10, .total_steps = steps});
       }},
      {"warmup-stable-decay", [](Optimizer& optimizer, std::int64_t steps) -> Scheduled {
         const std::int64_t warmup = steps / 10, decay = std::max<std::int64_t>(1, steps / 5);
         return std::make_unique<WarmupStableDecay>(
             optimizer, WarmupStableDecayOptions{.warmup_steps = warmup,
                                                 .stable_steps = std::max<std::int64_t>(0, steps - warmup - decay),
                                                 .decay_steps = decay});
       }}};
  return makers;
}

template <class Makers>
std::vector<std::string> names_of(const Makers& makers) {
  std::vector<std::string> names;
  for (const auto& [name, make] : makers) names.push_back(name);
  return names;
}

}  // namespace

std::vector<std::string> known_optimizers() { return names_of(optimizers()); }

bool needs_closure(const std::string& name) { return name == "armijo-gd" || name == "lbfgs" || name == "newton"; }

std::vector<std::string> optimizers_for_batches() {
  std::vector<std::string> names = known_optimizers();
  std::erase_if(names, needs_closure);
  return names;
}

bool differentiates(const std::string& name) { return name == "newton" || name == "armijo-gd"; }

std::unique_ptr<optim::Optimizer> make_optimizer(const OptimizerOptions& options, const Parameters& parameters) {
  const auto found = optimizers().find(options.name);
  if (found == optimizers().end()) refuse_unknown("--optimizer: optimizer", options.name, known_optimizers());
  return found->second(options, parameters);
}

std::vector<std::string> known_schedules() { return names_of(schedules()); }

std::unique_ptr<optim::LRScheduler> make_schedule(const std::string& name, optim::Optimizer& optimizer,
                                                  std::int64_t steps) {
  const auto found = schedules().find(name);
  if (found == schedules().end()) refuse_unknown("--schedule: schedule", name, known_schedules());
  return found->second(optimizer, steps);
}

}  // namespace gradus::tool
