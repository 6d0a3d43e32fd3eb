// Schedules that decay a group's base rate: rate(t) = base * factor(t).
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

#include "gradus/optim/schedules/per_group.hpp"
#include "gradus/optim/schedules/schedule.hpp"

namespace gradus::optim {

struct LambdaLROptions {
  PerGroup<std::function<double(std::int64_t)>> lr_lambda;
};
// base * lr_lambda(t)
class LambdaLR final : public Schedule {
 public:
  LambdaLR(Optimizer& optimizer, const LambdaLROptions& options);
};

// base * lr_lambda(1) * ... * lr_lambda(t). The product so far is remembered.
class MultiplicativeLR final : public Schedule {
 public:
  MultiplicativeLR(Optimizer& optimizer, const LambdaLROptions& options);
};

struct FunctionLROptions {
  PerGroup<std::function<double(std::int64_t)>> lr;
};
// lr(t), whatever the base.
class FunctionLR final : public Schedule {
 public:
  FunctionLR(Optimizer& optimizer, const FunctionLROptions& options);
};

struct StepLROptions {
  std::int64_t step_size = 0;  // at least 1
  double gamma = 0.1;
};
// base * gamma^floor(t / step_size)
class StepLR final : public Schedule {
 public:
  StepLR(Optimizer& optimizer, const StepLROptions& options);
};

struct MultiStepLROptions {
  std::vector<std::int64_t> milestones;
  double gamma = 0.1;
};
// base * gamma^(number of milestones that are at most t)
class MultiStepLR final : public Schedule {
 public:
  MultiStepLR(Optimizer& optimizer, const MultiStepLROptions& options);
};

struct ConstantLROptions {
  double factor = 1.0 / 3;
  std::int64_t total_iters = 5;
};
// base * factor while t < total_iters, then base
class ConstantLR final : public Schedule {
 public:
  ConstantLR(Optimizer& optimizer, const ConstantLROptions& options = {});
};

struct LinearLROptions {
  double start_factor = 1.0 / 3;
  double end_factor = 1;
  std::int64_t total_iters = 5;
};
// base * (start_factor + (end_factor - start_factor) * min(t / total_iters, 1))
class LinearLR final : public Schedule {
 public:
  LinearLR(Optimizer& optimizer, const LinearLROptions& options = {});
};

struct ExponentialLROptions {
  double gamma = std::numeric_limits<double>::quiet_NaN();  // must be given
};
// base * gamma^t
class ExponentialLR final : public Schedule {
 public:
  ExponentialLR(Optimizer& optimizer, const ExponentialLROptions& options);
};

struct PolynomialLROptions {
  std::int64_t total_iters = 5;
  double power = 1;
};
// base * (1 - min(t / total_iters, 1))^power
class PolynomialLR final : public Schedule {
 public:
  PolynomialLR(Optimizer& optimizer, const PolynomialLROptions& options = {});
};

}  // namespace gradus::optim
