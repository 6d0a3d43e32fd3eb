#include "gradus/optim/schedules/decay.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "optim/schedules/check.hpp"

namespace gradus::optim {
namespace {

using Functions = PerGroup<std::function<double(std::int64_t)>>;

void check_functions(const char* name, const char* option, const Functions& functions, const Optimizer& optimizer) {
  check_fits(name, option, functions, optimizer);
  for (const auto& function : functions.values()) {
    if (!function) fail("{}: {} is an empty function", name, option);
  }
}

// The same factor for every group.
template <class Factor>
ClosedForm times(Factor factor) {
  return {.lr = [factor](std::int64_t t, double base, std::size_t) { return base * factor(t); }};
}

// t / total, at most 1.
double fraction(std::int64_t t, std::int64_t total) {
  return static_cast<double>(std::min(t, total)) / static_cast<double>(total);
}

ClosedForm lambda_form(const Optimizer& optimizer, const LambdaLROptions& o) {
  check_functions("LambdaLR", "lr_lambda", o.lr_lambda, optimizer);
  return {.lr = [f = o.lr_lambda](std::int64_t t, double base, std::size_t group) { return base * f[group](t); }};
}

ClosedForm function_form(const Optimizer& optimizer, const FunctionLROptions& o) {
  check_functions("FunctionLR", "lr", o.lr, optimizer);
  return {.lr = [f = o.lr](std::int64_t t, double, std::size_t group) { return f[group](t); }};
}

// A product over 1..t that goes on from where it was last asked, or from the start if that was later.
class RunningProduct {
 public:
  double up_to(std::int64_t t, const std::function<double(std::int64_t)>& factor) {
    // A file that says otherwise shall not keep one waiting for years.
    if (t > most) fail("MultiplicativeLR: t must be at most {}, got {}", most, t);
    if (t < t_) *this = {};
    while (t_ < t) {
      product_ *= factor(t_ + 1);  // if that throws, nothing has changed
      ++t_;
    }
    return product_;
  }

 private:
  static constexpr std::int64_t most = 1'000'000'000;

  std::int64_t t_ = 0;
  double product_ = 1;
};

ClosedForm multiplicative_form(const Optimizer& optimizer, const LambdaLROptions& o) {
  check_functions("MultiplicativeLR", "lr_lambda", o.lr_lambda, optimizer);
  return {.lr = [f = o.lr_lambda, products = std::vector<RunningProduct>()](std::int64_t t, double base,
                                                                            std::size_t group) mutable {
    if (group >= products.size()) products.resize(group + 1);
    return base * products[group].up_to(t, f[group]);
  }};
}

ClosedForm step_form(const StepLROptions& o) {
  check_at_least("StepLR", "step_size", o.step_size, 1);
  check_not_negative_number("StepLR", "gamma", o.gamma);
  return times([o](std::int64_t t) { return std::pow(o.gamma, static_cast<double>(t / o.step_size)); });
}

ClosedForm multi_step_form(const MultiStepLROptions& o) {
  check_not_negative_number("MultiStepLR", "gamma", o.gamma);
  std::vector<std::int64_t> milestones = o.milestones;
  std::ranges::sort(milestones);
  return times([milestones = std::move(milestones), gamma = o.gamma](std::int64_t t) {
    const auto passed = std::ranges::upper_bound(milestones, t) - milestones.begin();
    return std::pow(gamma, static_cast<double>(passed));
  });
}

ClosedForm constant_form(const ConstantLROptions& o) {
  check_fraction("ConstantLR", "factor", o.factor);
  check_at_least("ConstantLR", "total_iters", o.total_iters, 0);
  return times([o](std::int64_t t) { return t < o.total_iters ? o.factor : 1; });
}

ClosedForm linear_form(const LinearLROptions& o) {
  check_fraction("LinearLR", "start_factor", o.start_factor);
  check_fraction("LinearLR", "end_factor", o.end_factor);
  check_at_least("LinearLR", "total_iters", o.total_iters, 1);
  return times(
      [o](std::int64_t t) { return o.start_factor + (o.end_factor - o.start_factor) * fraction(t, o.total_iters); });
}

ClosedForm exponential_form(const ExponentialLROptions& o) {
  check_not_negative_number("ExponentialLR", "gamma", o.gamma);
  return times([gamma = o.gamma](std::int64_t t) { return std::pow(gamma, static_cast<double>(t)); });
}

ClosedForm polynomial_form(const PolynomialLROptions& o) {
  check_at_least("PolynomialLR", "total_iters", o.total_iters, 1);
  check_not_negative_number("PolynomialLR", "power", o.power);
  return times([o](std::int64_t t) { return std::pow(1 - fraction(t, o.total_iters), o.power); });
}

}  // namespace

LambdaLR::LambdaLR(Optimizer& optimizer, const LambdaLROptions& options)
    : Schedule("LambdaLR", optimizer, lambda_form(optimizer, options)) {}
MultiplicativeLR::MultiplicativeLR(Optimizer& optimizer, const LambdaLROptions& options)
    : Schedule("MultiplicativeLR", optimizer, multiplicative_form(optimizer, options)) {}
FunctionLR::FunctionLR(Optimizer& optimizer, const FunctionLROptions& options)
    : Schedule("FunctionLR", optimizer, function_form(optimizer, options)) {}
StepLR::StepLR(Optimizer& optimizer, const StepLROptions& options)
    : Schedule("StepLR", optimizer, step_form(options)) {}
MultiStepLR::MultiStepLR(Optimizer& optimizer, const MultiStepLROptions& options)
    : Schedule("MultiStepLR", optimizer, multi_step_form(options)) {}
ConstantLR::ConstantLR(Optimizer& optimizer, const ConstantLROptions& options)
    : Schedule("ConstantLR", optimizer, constant_form(options)) {}
LinearLR::LinearLR(Optimizer& optimizer, const LinearLROptions& options)
    : Schedule("LinearLR", optimizer, linear_form(options)) {}
ExponentialLR::ExponentialLR(Optimizer& optimizer, const ExponentialLROptions& options)
    : Schedule("ExponentialLR", optimizer, exponential_form(options)) {}
PolynomialLR::PolynomialLR(Optimizer& optimizer, const PolynomialLROptions& options)
    : Schedule("PolynomialLR", optimizer, polynomial_form(options)) {}

}  // namespace gradus::optim
