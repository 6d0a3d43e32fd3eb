// Optimizers and schedules by their names.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gradus/optim.hpp>

namespace gradus::tool {

// What is not given is the rule's own default.
struct OptimizerOptions {
  std::string name = "adamw";
  std::optional<double> lr = {};
  std::optional<double> momentum = {};  // or the first beta
  std::optional<double> weight_decay = {};
  bool nesterov = false;
};

std::vector<std::string> known_optimizers();
// Those that train on batches: they take the gradient as it is.
std::vector<std::string> optimizers_for_batches();
// Whether the rule evaluates the loss itself, by step(closure) alone: for surfaces, not for mini-batches.
bool needs_closure(const std::string& name);
// Whether its closure computes the loss alone, without a backward().
bool differentiates(const std::string& name);
// Throws if there is no such optimizer, or it has not what is asked for.
std::unique_ptr<optim::Optimizer> make_optimizer(const OptimizerOptions& options,
                                                 const optim::ParameterList& parameters);

std::vector<std::string> known_schedules();
// A schedule over that many steps, in which the optimizer's rate is the highest; none for "constant".
std::unique_ptr<optim::LRScheduler> make_schedule(const std::string& name, optim::Optimizer& optimizer,
                                                  std::int64_t steps);

}  // namespace gradus::tool
