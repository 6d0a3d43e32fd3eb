// The schedule table: one row per schedule and choice of options. schedules_test.cpp and resume_test.cpp run every
// check on every row.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gradus/optim.hpp"

struct ScheduleRow {
  std::string name;  // also the key of PyTorch's rates in tests/data/schedules_reference.json
  std::function<std::unique_ptr<gradus::optim::Schedule>(gradus::optim::Optimizer&)> make;
};

const std::vector<ScheduleRow>& schedule_table();

// The optimizer that the reference has for this row: a group for each of two parameters, rates of 0.5 and 0.02.
std::unique_ptr<gradus::optim::Optimizer> optimizer_for(const std::string& row,
                                                        const std::vector<gradus::Tensor>& params);
