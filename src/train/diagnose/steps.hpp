// What a step of the optimizer says, in the doctor's words.
#pragma once

#include <vector>

#include "gradus/nn/module.hpp"
#include "gradus/optim/diagnostics.hpp"
#include "gradus/train/diagnosis.hpp"

namespace gradus::train::doctor {

// The findings of optim:: as symptoms. Parameters that are frozen have no gradient by intent, and a bias without one
// says nothing that its weight doesn't.
std::vector<Symptom> symptoms(const optim::Diagnostics& diagnostics, const optim::DiagnosticLimits& limits,
                              const nn::Module& model);

}  // namespace gradus::train::doctor
