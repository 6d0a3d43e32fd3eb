// What the last step did to each parameter, in numbers and in words.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gradus/shape.hpp"

namespace gradus::optim {

struct ParameterDiagnostics {
  std::string name;
  Shape shape;
  bool has_gradient = false;    // without one, all that follows but weight_norm is 0
  double gradient_norm = 0;     // Euclidean, as the other norms
  double update_norm = 0;       // of the change that the step made
  double weight_norm = 0;       // before the step
  double update_to_weight = 0;  // update_norm / weight_norm: about 1e-3 where training goes well
  double zero_share = 0;        // of the gradient's entries, in [0, 1]
  double nonfinite_share = 0;   // NaN or infinite
};

struct Diagnostics {
  bool skipped = false;  // the step was left out: its gradients were not finite
  std::vector<ParameterDiagnostics> parameters;
};

enum class Failure : std::uint8_t {
  nonfinite,           // NaN or infinite entries
  no_gradient,         // the loss does not depend on the parameter
  dead,                // a gradient of nothing but zeros
  vanishing,           // gradients that fall by orders of magnitude from the last layers to the first
  exploding,           // gradients that are huge, or grow as much on the way
  flat,                // hardly any gradient anywhere: a minimum, a plateau or a saddle point
  zero_weights,        // a poor initialization: units of the same weights stay the same
  learning_rate_high,  // the update is large beside the weights
  learning_rate_low,   // the update is tiny beside the weights
};
std::string_view to_string(Failure failure);

// When a number is called a failure. Per-layer rules look at the parameters of two and more dims, or at all of them if
// there are none such: biases, small and at first zero, say little.
struct DiagnosticLimits {
  double vanishing = 1e-3;        // gradient norm of a layer / the largest of the layers behind it, at least
  double exploding = 1e3;         // the same, at most
  double gradient_norm = 1e3;     // of all gradients as one vector, at most
  double flat = 1e-7;             // the same, at least
  double update_to_weight = 0.1;  // at most
  double least_update = 1e-5;     // update_to_weight, at least
};

struct Finding {
  Failure failure;
  std::string parameter;  // the name; "" if it is about all of them
  double value = 0;       // what was measured
  double limit = 0;       // what it should have kept to
  std::string text;       // a sentence that says all that, and what helps,
  std::string evidence;   // its part that says what was seen,
  std::string advice;     // and the other one: "" if that says enough
};

// The worst parameter for each failure that concerns layers, every parameter for the others; none if all is well.
std::vector<Finding> findings(const Diagnostics& diagnostics, const DiagnosticLimits& limits = {});

// An aligned table with a line per parameter, and the findings below.
std::string to_string(const Diagnostics& diagnostics, const DiagnosticLimits& limits = {});

}  // namespace gradus::optim
