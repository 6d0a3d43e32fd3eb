// The optimizer table: one row per rule and choice of options. optim_test.cpp runs every check on every row.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gradus/optim.hpp"

struct OptimizerRow {
  std::string name;  // "SGD/momentum": also the key of PyTorch's trajectory in tests/data/optim_reference.json
  std::function<std::unique_ptr<gradus::optim::Optimizer>(const std::vector<gradus::Tensor>& params)> make;
  bool lr_is_the_first_step_only = false;
};

struct RefusedOptions {
  std::string error;  // the exact message
  std::function<void(const std::vector<gradus::Tensor>& params)> make;
};

const std::vector<OptimizerRow>& optimizer_table();
const std::vector<RefusedOptions>& refused_options();
