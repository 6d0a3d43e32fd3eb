// The optimizer table: one row per rule and choice of options. optim_test.cpp runs every check on every row.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gradus/optim.hpp"

struct OptimizerRow {
  // "SGD/momentum": also the key of the trajectory in tests/data/optim_reference.json, which is PyTorch's, or in
  // published_optim_reference.json, which is that of the published rule.
  std::string name;
  std::function<std::unique_ptr<gradus::optim::Optimizer>(const std::vector<gradus::Tensor>& params)> make;
  bool lr_is_the_first_step_only = false;
  bool elementwise = true;  // an element moves the same whatever others its tensor has
};

struct RefusedOptions {
  std::string error;  // the exact message
  std::function<void(const std::vector<gradus::Tensor>& params)> make;
};

const std::vector<OptimizerRow>& optimizer_table();
const std::vector<RefusedOptions>& refused_options();
