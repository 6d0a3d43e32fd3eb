#include "train/diagnose/steps.hpp"

#include <array>
#include <string_view>
#include <unordered_map>

#include "train/diagnose/finding.hpp"

namespace gradus::train::doctor {
namespace {

using enum Illness;

// In the order of optim::Failure.
constexpr std::array illnesses{nonfinite,          no_gradient,      dead, vanishing, exploding, flat, zero_weights,
                               learning_rate_high, learning_rate_low};
static_assert(illnesses.size() == static_cast<std::size_t>(optim::Failure::learning_rate_low) + 1);

// "the gradient of a.weight is ..." stays as it is where it starts with a name.
std::string sentence(std::string text, std::string_view name) {
  if (text.empty()) return text;
  if (name.empty() || !text.starts_with(name)) {
    if (text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
  }
  return text + '.';
}

}  // namespace

std::vector<Symptom> symptoms(const optim::Diagnostics& diagnostics, const optim::DiagnosticLimits& limits,
                              const nn::Module& model) {
  std::unordered_map<std::string, Tensor> parameters;
  for (const auto& [name, p] : model.named_parameters()) parameters.emplace(name, p);
  std::vector<Symptom> result;
  for (const optim::Finding& f : optim::findings(diagnostics, limits)) {
    const Illness illness = illnesses[static_cast<std::size_t>(f.failure)];
    const auto known = parameters.find(f.parameter);
    if (known != parameters.end()) {
      if (illness == no_gradient && !known->second.requires_grad()) continue;
      if (illness == dead && known->second.dim() < 2) continue;
    }
    result.push_back(
        {illness, f.parameter, f.value, f.limit, sentence(f.evidence, f.parameter), sentence(f.advice, "")});
  }
  return result;
}

}  // namespace gradus::train::doctor
