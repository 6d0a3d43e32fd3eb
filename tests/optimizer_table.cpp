#include "optimizer_table.hpp"

#include <limits>

using namespace gradus;

namespace {

template <class Rule>
using OptionsOf = decltype(Rule::Group::options);

template <class Rule>
OptimizerRow row(std::string name, OptionsOf<Rule> options, bool lr_is_the_first_step_only = false) {
  return {std::move(name),
          [options](const std::vector<Tensor>& params) { return std::make_unique<Rule>(params, options); },
          lr_is_the_first_step_only};
}

template <class Rule>
RefusedOptions refused(std::string error, OptionsOf<Rule> options) {
  return {std::move(error), [options](const std::vector<Tensor>& params) { Rule(params, options); }};
}

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

const std::vector<OptimizerRow>& optimizer_table() {
  using optim::Adadelta, optim::Adagrad, optim::Adam, optim::Adamax, optim::AdamW, optim::ASGD, optim::Lion,
      optim::NAdam, optim::RAdam, optim::RMSprop, optim::Rprop, optim::SGD;
  static const std::vector<OptimizerRow> rows{
      row<SGD>("SGD", {}),
      row<SGD>("SGD/lr", {.lr = 0.25}),
      row<SGD>("SGD/weight_decay", {.lr = 0.1, .weight_decay = 0.05}),
      row<SGD>("SGD/maximize", {.lr = 0.1, .weight_decay = 0.05, .maximize = true}),
      row<SGD>("SGD/momentum", {.lr = 0.1, .momentum = 0.9}),
      row<SGD>("SGD/dampening", {.lr = 0.1, .momentum = 0.9, .dampening = 0.3}),
      row<SGD>("SGD/nesterov", {.lr = 0.1, .momentum = 0.8, .nesterov = true}),
      row<SGD>("SGD/momentum,weight_decay", {.lr = 0.1, .momentum = 0.5, .dampening = 0.1, .weight_decay = 0.1}),
      row<SGD>("SGD/nesterov,weight_decay,maximize",
               {.lr = 0.05, .momentum = 0.9, .weight_decay = 0.02, .nesterov = true, .maximize = true}),
      row<Adam>("Adam", {}),
      row<Adam>("Adam/lr", {.lr = 0.1}),
      row<Adam>("Adam/betas", {.lr = 0.01, .betas = {0.7, 0.99}}),
      row<Adam>("Adam/betas of 0", {.lr = 0.05, .betas = {0, 0}}),
      row<Adam>("Adam/eps", {.lr = 0.05, .eps = 0.5}),
      row<Adam>("Adam/weight_decay", {.lr = 0.05, .weight_decay = 0.1}),
      row<Adam>("Adam/weight_decay,maximize", {.lr = 0.05, .weight_decay = 0.1, .maximize = true}),
      row<Adam>("Adam/amsgrad", {.lr = 0.05, .betas = {0.8, 0.9}, .amsgrad = true}),
      row<Adam>("Adam/amsgrad,weight_decay,maximize",
                {.lr = 0.02, .weight_decay = 0.1, .amsgrad = true, .maximize = true}),
      row<AdamW>("AdamW", {}),
      row<AdamW>("AdamW/lr,weight_decay", {.lr = 0.1, .weight_decay = 0.3}),
      row<AdamW>("AdamW/weight_decay of 0", {.lr = 0.1, .weight_decay = 0}),
      row<AdamW>("AdamW/betas,eps,maximize", {.lr = 0.01, .betas = {0.8, 0.95}, .eps = 1e-3, .maximize = true}),
      row<AdamW>("AdamW/amsgrad", {.lr = 0.05, .betas = {0.8, 0.9}, .amsgrad = true}),
      row<RMSprop>("RMSprop", {}),
      row<RMSprop>("RMSprop/alpha,eps", {.lr = 0.02, .alpha = 0.8, .eps = 1e-2}),
      row<RMSprop>("RMSprop/momentum", {.lr = 0.01, .momentum = 0.9}),
      row<RMSprop>("RMSprop/centered", {.lr = 0.02, .centered = true}),
      row<RMSprop>("RMSprop/weight_decay,maximize", {.lr = 0.01, .weight_decay = 0.1, .maximize = true}),
      row<RMSprop>("RMSprop/alpha,weight_decay,momentum,centered",
                   {.lr = 0.01, .alpha = 0.9, .eps = 1e-3, .weight_decay = 0.05, .momentum = 0.7, .centered = true}),
      row<Adagrad>("Adagrad", {}),
      row<Adagrad>("Adagrad/lr_decay", {.lr = 0.2, .lr_decay = 0.05}),
      row<Adagrad>("Adagrad/initial_accumulator_value", {.lr = 0.1, .initial_accumulator_value = 0.5}),
      row<Adagrad>("Adagrad/eps", {.lr = 0.1, .eps = 0.1}),
      row<Adagrad>("Adagrad/all", {.lr = 0.1,
                                   .lr_decay = 0.01,
                                   .weight_decay = 0.1,
                                   .initial_accumulator_value = 0.1,
                                   .eps = 1e-3,
                                   .maximize = true}),
      row<Lion>("Lion", {}),
      row<Lion>("Lion/lr", {.lr = 0.01}),
      row<Lion>("Lion/betas,weight_decay", {.lr = 0.005, .betas = {0.95, 0.98}, .weight_decay = 0.5}),
      row<Lion>("Lion/betas of 0", {.lr = 0.003, .betas = {0, 0}}),
      row<Lion>("Lion/weight_decay,maximize", {.lr = 0.01, .weight_decay = 0.1, .maximize = true}),
      row<Adadelta>("Adadelta", {}),
      row<Adadelta>("Adadelta/lr,rho", {.lr = 0.5, .rho = 0.7}),
      row<Adadelta>("Adadelta/eps", {.lr = 0.5, .eps = 1e-3}),
      row<Adadelta>("Adadelta/weight_decay", {.weight_decay = 0.1}),
      row<Adadelta>("Adadelta/rho,weight_decay,maximize", {.rho = 0.95, .weight_decay = 0.05, .maximize = true}),
      row<Adamax>("Adamax", {}),
      row<Adamax>("Adamax/lr", {.lr = 0.05}),
      row<Adamax>("Adamax/betas", {.lr = 0.01, .betas = {0.5, 0.98}}),
      row<Adamax>("Adamax/eps,weight_decay", {.lr = 0.05, .eps = 0.1, .weight_decay = 0.1}),
      row<Adamax>("Adamax/weight_decay,maximize", {.lr = 0.02, .weight_decay = 0.05, .maximize = true}),
      row<NAdam>("NAdam", {}),
      row<NAdam>("NAdam/lr,momentum_decay", {.lr = 0.05, .momentum_decay = 0.1}),
      row<NAdam>("NAdam/betas", {.lr = 0.01, .betas = {0.6, 0.99}}),
      row<NAdam>("NAdam/eps,weight_decay", {.lr = 0.05, .eps = 0.1, .weight_decay = 0.1}),
      row<NAdam>("NAdam/weight_decay,momentum_decay,maximize",
                 {.lr = 0.02, .weight_decay = 0.05, .momentum_decay = 0, .maximize = true}),
      row<RAdam>("RAdam", {}),
      row<RAdam>("RAdam/lr", {.lr = 0.05}),
      row<RAdam>("RAdam/betas", {.lr = 0.01, .betas = {0.6, 0.99}}),
      row<RAdam>("RAdam/always plain", {.lr = 0.02, .betas = {0.9, 0.6}}),
      row<RAdam>("RAdam/eps,weight_decay", {.lr = 0.05, .eps = 0.1, .weight_decay = 0.1}),
      row<RAdam>("RAdam/weight_decay,maximize", {.lr = 0.02, .weight_decay = 0.05, .maximize = true}),
      row<Rprop>("Rprop", {}, /*lr_is_the_first_step_only=*/true),
      row<Rprop>("Rprop/lr", {.lr = 0.1}, true),
      row<Rprop>("Rprop/etas", {.lr = 0.02, .etas = {0.3, 1.5}}, true),
      row<Rprop>("Rprop/step_sizes", {.step_sizes = {0.005, 0.03}}, true),
      row<Rprop>("Rprop/weight_decay,maximize", {.weight_decay = 0.1, .maximize = true}, true),
      row<ASGD>("ASGD", {}),
      row<ASGD>("ASGD/lr", {.lr = 0.1}),
      row<ASGD>("ASGD/lambd,alpha", {.lr = 0.1, .lambd = 0.1, .alpha = 0.5}),
      row<ASGD>("ASGD/t0", {.lr = 0.05, .lambd = 0.01, .t0 = 5}),
      row<ASGD>("ASGD/weight_decay,maximize", {.lr = 0.05, .t0 = 0, .weight_decay = 0.1, .maximize = true}),
  };
  return rows;
}

const std::vector<RefusedOptions>& refused_options() {
  using optim::Adadelta, optim::Adagrad, optim::Adam, optim::Adamax, optim::AdamW, optim::ASGD, optim::Lion,
      optim::NAdam, optim::RAdam, optim::RMSprop, optim::Rprop, optim::SGD;
  static const std::vector<RefusedOptions> rows{
      refused<SGD>("SGD: lr must be at least 0, got -1", {.lr = -1}),
      refused<SGD>("SGD: lr must be at least 0, got nan", {.lr = nan}),
      refused<SGD>("SGD: momentum must be at least 0, got -0.5", {.momentum = -0.5}),
      refused<SGD>("SGD: weight_decay must be at least 0, got -2", {.weight_decay = -2}),
      refused<SGD>("SGD: nesterov needs a momentum above 0 and a dampening of 0, got 0 and 0", {.nesterov = true}),
      refused<SGD>("SGD: nesterov needs a momentum above 0 and a dampening of 0, got 0.9 and 0.1",
                   {.momentum = 0.9, .dampening = 0.1, .nesterov = true}),
      refused<Adam>("Adam: lr must be at least 0, got -0.001", {.lr = -0.001}),
      refused<Adam>("Adam: betas must be in [0, 1), got 1 and 0.999", {.betas = {1, 0.999}}),
      refused<Adam>("Adam: betas must be in [0, 1), got 0.9 and -0.1", {.betas = {0.9, -0.1}}),
      refused<Adam>("Adam: betas must be in [0, 1), got nan and 0.999", {.betas = {nan, 0.999}}),
      refused<Adam>("Adam: eps must be at least 0, got -1e-08", {.eps = -1e-8}),
      refused<Adam>("Adam: weight_decay must be at least 0, got -1", {.weight_decay = -1}),
      refused<AdamW>("AdamW: lr must be at least 0, got -1", {.lr = -1}),
      refused<AdamW>("AdamW: betas must be in [0, 1), got 0.9 and 1", {.betas = {0.9, 1}}),
      refused<AdamW>("AdamW: eps must be at least 0, got nan", {.eps = nan}),
      refused<AdamW>("AdamW: weight_decay must be at least 0, got -0.01", {.weight_decay = -0.01}),
      refused<RMSprop>("RMSprop: lr must be at least 0, got -1", {.lr = -1}),
      refused<RMSprop>("RMSprop: alpha must be in [0, 1], got 1.5", {.alpha = 1.5}),
      refused<RMSprop>("RMSprop: alpha must be in [0, 1], got nan", {.alpha = nan}),
      refused<RMSprop>("RMSprop: eps must be at least 0, got -1", {.eps = -1}),
      refused<RMSprop>("RMSprop: weight_decay must be at least 0, got -1", {.weight_decay = -1}),
      refused<RMSprop>("RMSprop: momentum must be at least 0, got -0.9", {.momentum = -0.9}),
      refused<Adagrad>("Adagrad: lr must be at least 0, got -1", {.lr = -1}),
      refused<Adagrad>("Adagrad: lr_decay must be at least 0, got -1", {.lr_decay = -1}),
      refused<Adagrad>("Adagrad: weight_decay must be at least 0, got -1", {.weight_decay = -1}),
      refused<Adagrad>("Adagrad: initial_accumulator_value must be at least 0, got -1",
                       {.initial_accumulator_value = -1}),
      refused<Adagrad>("Adagrad: eps must be at least 0, got nan", {.eps = nan}),
      refused<Lion>("Lion: lr must be at least 0, got -1", {.lr = -1}),
      refused<Lion>("Lion: betas must be in [0, 1), got 0.9 and 1", {.betas = {0.9, 1}}),
      refused<Lion>("Lion: weight_decay must be at least 0, got nan", {.weight_decay = nan}),
      refused<Adadelta>("Adadelta: lr must be at least 0, got -1", {.lr = -1}),
      refused<Adadelta>("Adadelta: rho must be in [0, 1], got 1.1", {.rho = 1.1}),
      refused<Adadelta>("Adadelta: rho must be in [0, 1], got nan", {.rho = nan}),
      refused<Adadelta>("Adadelta: eps must be at least 0, got -1", {.eps = -1}),
      refused<Adadelta>("Adadelta: weight_decay must be at least 0, got -1", {.weight_decay = -1}),
      refused<Adamax>("Adamax: lr must be at least 0, got -1", {.lr = -1}),
      refused<Adamax>("Adamax: betas must be in [0, 1), got 1 and 0.999", {.betas = {1, 0.999}}),
      refused<Adamax>("Adamax: eps must be at least 0, got -1", {.eps = -1}),
      refused<Adamax>("Adamax: weight_decay must be at least 0, got -1", {.weight_decay = -1}),
      refused<NAdam>("NAdam: lr must be at least 0, got -1", {.lr = -1}),
      refused<NAdam>("NAdam: betas must be in [0, 1), got 1 and 0.999", {.betas = {1, 0.999}}),
      refused<NAdam>("NAdam: eps must be at least 0, got -1", {.eps = -1}),
      refused<NAdam>("NAdam: weight_decay must be at least 0, got -1", {.weight_decay = -1}),
      refused<NAdam>("NAdam: momentum_decay must be at least 0, got -1", {.momentum_decay = -1}),
      refused<RAdam>("RAdam: lr must be at least 0, got -1", {.lr = -1}),
      refused<RAdam>("RAdam: betas must be in [0, 1), got 1 and 0.999", {.betas = {1, 0.999}}),
      refused<RAdam>("RAdam: eps must be at least 0, got -1", {.eps = -1}),
      refused<RAdam>("RAdam: weight_decay must be at least 0, got -1", {.weight_decay = -1}),
      refused<Rprop>("Rprop: lr must be at least 0, got -1", {.lr = -1}),
      refused<Rprop>("Rprop: etas must be in (0, 1) and above 1, got 1 and 1.2", {.etas = {1, 1.2}}),
      refused<Rprop>("Rprop: etas must be in (0, 1) and above 1, got 0.5 and nan", {.etas = {0.5, nan}}),
      refused<Rprop>("Rprop: step_sizes must be at least 0 and in order, got 2 and 1", {.step_sizes = {2, 1}}),
      refused<Rprop>("Rprop: weight_decay must be at least 0, got -1", {.weight_decay = -1}),
      refused<ASGD>("ASGD: lr must be at least 0, got -1", {.lr = -1}),
      refused<ASGD>("ASGD: lambd must be at least 0, got -1", {.lambd = -1}),
      refused<ASGD>("ASGD: alpha and t0 must be numbers, got nan and 1000000", {.alpha = nan}),
      refused<ASGD>("ASGD: weight_decay must be at least 0, got -1", {.weight_decay = -1}),
  };
  return rows;
}
