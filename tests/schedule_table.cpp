#include "schedule_table.hpp"

#include <cmath>

using namespace gradus;
using optim::AnnealStrategy, optim::CycleMode, optim::Optimizer, optim::Schedule;

namespace {

using SchedulePointer = std::unique_ptr<Schedule>;

template <class S, class... Options>
ScheduleRow row(std::string name, Options... options) {
  return {std::move(name),
          [options...](Optimizer& o) -> SchedulePointer { return std::make_unique<S>(o, options...); }};
}

double wave(std::int64_t t) { return 1 / (1 + 0.1 * static_cast<double>(t % 20)); }
double shrink(std::int64_t t) { return t % 10 == 0 ? 0.9 : 1.001; }

}  // namespace

// The names are those of tools/reference/schedules.py.
const std::vector<ScheduleRow>& schedule_table() {
  using namespace optim;
  static const std::vector<ScheduleRow> table{
      row<LambdaLR>("LambdaLR", LambdaLROptions{.lr_lambda = wave}),
      row<LambdaLR>("LambdaLR/per group",
                    LambdaLROptions{.lr_lambda = {wave, [](std::int64_t t) { return std::pow(0.98, t); }}}),
      row<MultiplicativeLR>("MultiplicativeLR", LambdaLROptions{.lr_lambda = shrink}),
      row<StepLR>("StepLR", StepLROptions{.step_size = 30}),
      row<StepLR>("StepLR/gamma", StepLROptions{.step_size = 7, .gamma = 0.9}),
      row<MultiStepLR>("MultiStepLR", MultiStepLROptions{.milestones = {80, 30, 300, 80}, .gamma = 0.3}),
      row<ConstantLR>("ConstantLR"),
      row<ConstantLR>("ConstantLR/options", ConstantLROptions{.factor = 0.25, .total_iters = 100}),
      row<LinearLR>("LinearLR"),
      row<LinearLR>("LinearLR/down", LinearLROptions{.start_factor = 1, .end_factor = 0.05, .total_iters = 300}),
      row<ExponentialLR>("ExponentialLR", ExponentialLROptions{.gamma = 0.99}),
      row<PolynomialLR>("PolynomialLR"),
      row<PolynomialLR>("PolynomialLR/power", PolynomialLROptions{.total_iters = 400, .power = 2.5}),
      row<CosineAnnealingLR>("CosineAnnealingLR", CosineAnnealingLROptions{.T_max = 100}),
      row<CosineAnnealingLR>("CosineAnnealingLR/eta_min", CosineAnnealingLROptions{.T_max = 170, .eta_min = 0.001}),
      row<CosineAnnealingWarmRestarts>("CosineAnnealingWarmRestarts", CosineAnnealingWarmRestartsOptions{.T_0 = 30}),
      row<CosineAnnealingWarmRestarts>("CosineAnnealingWarmRestarts/T_mult",
                                       CosineAnnealingWarmRestartsOptions{.T_0 = 10, .T_mult = 3, .eta_min = 0.002}),
      row<CyclicLR>("CyclicLR", CyclicLROptions{.base_lr = 0.001, .max_lr = 0.1, .step_size_up = 20}),
      row<CyclicLR>("CyclicLR/triangular2", CyclicLROptions{.base_lr = {0.001, 0.01},
                                                            .max_lr = {0.1, 0.2},
                                                            .step_size_up = 30,
                                                            .step_size_down = 45,
                                                            .mode = CycleMode::triangular2,
                                                            .base_momentum = 0.7,
                                                            .max_momentum = 0.95}),
      row<CyclicLR>("CyclicLR/exp_range", CyclicLROptions{.base_lr = 0.001,
                                                          .max_lr = 0.1,
                                                          .step_size_up = 25,
                                                          .mode = CycleMode::exp_range,
                                                          .gamma = 0.995,
                                                          .cycle_momentum = false}),
      row<CyclicLR>("CyclicLR/scale_fn", CyclicLROptions{.base_lr = 0.001,
                                                         .max_lr = 0.1,
                                                         .step_size_up = 25,
                                                         .scale_fn = [](double cycle) { return 1 / (1 + cycle); }}),
      row<OneCycleLR>("OneCycleLR", OneCycleLROptions{.max_lr = 0.1, .total_steps = 501}),
      row<OneCycleLR>("OneCycleLR/linear", OneCycleLROptions{.max_lr = {0.1, 0.3},
                                                             .epochs = 3,
                                                             .steps_per_epoch = 167,
                                                             .pct_start = 0.2,
                                                             .anneal_strategy = AnnealStrategy::linear,
                                                             .div_factor = 10,
                                                             .final_div_factor = 100}),
      row<OneCycleLR>(
          "OneCycleLR/three_phase",
          OneCycleLROptions{
              .max_lr = 0.1, .total_steps = 501, .base_momentum = 0.8, .max_momentum = 0.9, .three_phase = true}),
      row<OneCycleLR>("OneCycleLR/betas", OneCycleLROptions{.max_lr = 0.1, .total_steps = 501, .pct_start = 0.25}),
      row<WarmupCosine>("WarmupCosine", WarmupCosineOptions{.warmup_steps = 50, .total_steps = 400}),
      row<WarmupStableDecay>("WarmupStableDecay",
                             WarmupStableDecayOptions{.warmup_steps = 40, .stable_steps = 200, .decay_steps = 150}),
      row<WarmupStableDecay>(
          "WarmupStableDecay/cosine",
          WarmupStableDecayOptions{
              .warmup_steps = 40, .stable_steps = 200, .decay_steps = 150, .decay = DecayShape::cosine}),
      row<WarmupStableDecay>(
          "WarmupStableDecay/one_minus_sqrt",
          WarmupStableDecayOptions{
              .warmup_steps = 40, .stable_steps = 200, .decay_steps = 150, .decay = DecayShape::one_minus_sqrt}),
      row<InverseSquareRoot>("InverseSquareRoot", InverseSquareRootOptions{.warmup_steps = 60}),
      {"SequentialLR",
       [](Optimizer& o) -> SchedulePointer {
         const LinearLR warmup(o, {.start_factor = 0.1, .total_iters = 20});
         const StepLR stairs(o, {.step_size = 30, .gamma = 0.7});
         const CosineAnnealingLR cosine(o, {.T_max = 300});
         return std::make_unique<SequentialLR>(
             o, SequentialLROptions{.schedulers = {warmup, stairs, cosine}, .milestones = {20, 200}});
       }},
      {"ChainedScheduler",
       [](Optimizer& o) -> SchedulePointer {
         const ConstantLR half(o, {.factor = 0.5, .total_iters = 40});
         const ExponentialLR slow(o, {.gamma = 0.995});
         const MultiStepLR stairs(o, {.milestones = {100, 300}, .gamma = 0.5});
         return std::make_unique<ChainedScheduler>(o, ChainedSchedulerOptions{.schedulers = {half, slow, stairs}});
       }},
  };
  return table;
}

std::unique_ptr<Optimizer> optimizer_for(const std::string& row, const std::vector<Tensor>& params) {
  if (row.ends_with("/betas")) {
    return std::make_unique<optim::Adam>(std::vector<optim::Adam::Group>{
        {.params = {params[0]}, .options = {.lr = 0.5}}, {.params = {params[1]}, .options = {.lr = 0.02}}});
  }
  return std::make_unique<optim::SGD>(
      std::vector<optim::SGD::Group>{{.params = {params[0]}, .options = {.lr = 0.5, .momentum = 0.9}},
                                     {.params = {params[1]}, .options = {.lr = 0.02, .momentum = 0.9}}});
}
