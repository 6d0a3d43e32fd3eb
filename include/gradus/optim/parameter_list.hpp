#pragma once

#include <string>
#include <utility>
#include <vector>

#include "gradus/tensor.hpp"

namespace gradus::optim {

using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

// The parameters of a group: a vector of tensors that keeps their names if they came with any, as
// model.named_parameters() do. Errors and diagnostics call them by these; the others are "parameter 3".
struct ParameterList : std::vector<Tensor> {
  using vector::vector;
  ParameterList() = default;
  ParameterList(const std::vector<Tensor>& params) : vector(params) {}
  ParameterList(const NamedTensors& params) {
    for (const auto& [name, param] : params) {
      push_back(param);
      names.push_back(name);
    }
  }

  std::vector<std::string> names;  // none, or one for each
};

}  // namespace gradus::optim
