#pragma once

#include <string>

#include "gradus/optim/diagnostics.hpp"
#include "gradus/tensor.hpp"

namespace gradus::optim {

// The numbers of a parameter after a step; `before` are its contiguous values at the start.
ParameterDiagnostics measure_update(const std::string& name, const Tensor& param, const Tensor& before);

}  // namespace gradus::optim
