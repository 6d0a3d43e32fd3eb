#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "gradus/optim/bias_correction.hpp"
#include "gradus/optim/optimizer.hpp"

namespace gradus::optim {

struct ScheduleFreeAdamWOptions {
  double lr = 2.5e-3;
  std::array<double, 2> betas = {0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 0;
  std::int64_t warmup_steps = 0;  // in these the learning rate rises linearly
  double r = 0;                   // step t weighs t^r in the average
  double weight_lr_power = 2;     // times the largest learning rate so far to this power
  bool maximize = false;

  // Throws unless lr, eps, weight_decay, warmup_steps, r and weight_lr_power are at least 0, the first beta in (0, 1)
  // and the second in [0, 1).
  void validate() const;
};

struct ScheduleFreeSGDOptions {
  double lr = 1;
  double momentum = 0.9;  // the share of the average in the point where gradients are taken
  double weight_decay = 0;
  std::int64_t warmup_steps = 0;
  double r = 0;
  double weight_lr_power = 2;
  bool maximize = false;

  // Throws unless lr, weight_decay, warmup_steps, r and weight_lr_power are at least 0 and momentum in (0, 1).
  void validate() const;
};

// What both rules share. Three points stand in the place of a schedule: z, that steps are taken from; their weighted
// average x, which is the result; and y = (1 - beta) z + beta x between them, where gradients are taken. A parameter
// holds y while training, and x after eval(); going from one to the other and back is exact up to rounding. The state
// knows where it is: saved in either mode, an optimizer continues bit for bit, if the parameters were saved then, too.
template <class Options>
class ScheduleFree : public OptimizerOf<Options> {
 public:
  using OptimizerOf<Options>::OptimizerOf;

  // None that a schedule may change: x is not stored but told from y and z by beta. By set_options(), too, beta must
  // stay.
  std::optional<double> momentum(std::int64_t group = 0) const final { return Optimizer::momentum(group); }
  void set_momentum(std::int64_t group, double momentum) final;

  // Parameters become y, before training; calling it twice changes nothing more. New optimizers are there already.
  void train();
  // Parameters become x, before validating, testing or using the model. Before the first step all three points are one,
  // and a state that is saved then does not tell the mode.
  void eval();
  bool is_training() const;

  using OptimizerOf<Options>::step;
  // Throws after eval(), with nothing changed: gradients at x are no use.
  void step() override;

 private:
  void set_mode(bool training);
};

extern template class ScheduleFree<ScheduleFreeAdamWOptions>;
extern template class ScheduleFree<ScheduleFreeSGDOptions>;

// v = beta2 * v + (1 - beta2) * g^2; u = g / (sqrt(v / (1 - beta2^t)) + eps) + weight_decay * y; z -= lr * u;
// w = t^r * (largest lr so far)^weight_lr_power; c = w / (sum of all w); x += c * (z - x); y = (1 - beta1) z + beta1 x.
// [Defazio et al., The road less scheduled, NeurIPS 2024]
class ScheduleFreeAdamW : public ScheduleFree<ScheduleFreeAdamWOptions> {
 public:
  using ScheduleFree::ScheduleFree;

 protected:
  void update(Tensor& param, const Tensor& grad, State& state, const ScheduleFreeAdamWOptions& options) override;
  std::span<const StateName> state_names() const override;

 private:
  BiasCorrection bias_correction_;
};

// The same with u = g + weight_decay * y, and momentum for beta1.
class ScheduleFreeSGD : public ScheduleFree<ScheduleFreeSGDOptions> {
 public:
  using ScheduleFree::ScheduleFree;

 protected:
  void update(Tensor& param, const Tensor& grad, State& state, const ScheduleFreeSGDOptions& options) override;
  std::span<const StateName> state_names() const override;
};

}  // namespace gradus::optim
