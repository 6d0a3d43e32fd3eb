#include "gradus/optim/diagnostics.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "storage/format.hpp"

namespace gradus::optim {
namespace {

using Parameters = std::vector<const ParameterDiagnostics*>;

// --- Findings -------------------------------------------------------------------------------------------------------

// Those that stand for layers, from the first to the last.
Parameters layers_of(const Diagnostics& d) {
  const bool any_matrix = std::ranges::any_of(d.parameters, [](const auto& p) { return p.shape.size() >= 2; });
  Parameters layers;
  for (const ParameterDiagnostics& p : d.parameters) {
    if (!any_matrix || p.shape.size() >= 2) layers.push_back(&p);
  }
  return layers;
}

void add(std::vector<Finding>& found, Failure failure, const std::string& parameter, double value, double limit,
         const std::string& evidence, const std::string& advice = "") {
  const std::string text = advice.empty() ? evidence : formatted("{}: {}", evidence, advice);
  found.push_back({failure, parameter, value, limit, text, evidence, advice});
}

// What is wrong with one parameter by itself.
void judge_parameter(std::vector<Finding>& found, const ParameterDiagnostics& p) {
  if (!std::isfinite(p.weight_norm)) {
    add(found, Failure::nonfinite, p.name, p.weight_norm, 0,
        formatted("{} has weights that are NaN or infinite: it was spoiled before this step", p.name));
  } else if (!p.has_gradient && p.update_norm == 0) {
    add(found, Failure::no_gradient, p.name, 0, 0,
        formatted("{} has no gradient: the loss does not depend on it, or backward() was not called", p.name));
  } else if (p.nonfinite_share > 0) {
    add(found, Failure::nonfinite, p.name, p.nonfinite_share, 0,
        formatted("{:.3g} % of the gradient of {} are NaN or infinite (limit 0)", 100 * p.nonfinite_share, p.name),
        "lower the learning rate, clip the gradients, look for log(0), sqrt(0) or a division by 0");
  } else if (!std::isfinite(p.update_norm)) {
    add(found, Failure::nonfinite, p.name, p.update_norm, 0, formatted("the update of {} is NaN or infinite", p.name),
        "lower the learning rate");
  } else if (p.zero_share == 1) {
    add(found, Failure::dead, p.name, p.zero_share, 1,
        formatted("the gradient of {} is 0 everywhere: the units behind it are dead or saturated", p.name));
  }
  if (p.shape.size() >= 2 && p.shape.numel() > 0 && p.weight_norm == 0) {
    add(found, Failure::zero_weights, p.name, 0, 0,
        formatted("{} is 0 everywhere: a poor initialization, for its units can't become different", p.name),
        "start from random weights");
  }
}

// How a gradient norm compares with those of the layers behind: the layer where `is_worse` says so most.
struct Fall {
  const ParameterDiagnostics* front = nullptr;
  const ParameterDiagnostics* back = nullptr;
  double ratio = 1;
};

bool has_signal(const ParameterDiagnostics& p) {
  return p.has_gradient && p.gradient_norm > 0 && std::isfinite(p.gradient_norm);
}

template <class IsWorse>
Fall steepest_fall(const Parameters& layers, const IsWorse& is_worse) {
  Fall worst;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    for (std::size_t j = i + 1; j < layers.size(); ++j) {
      if (!has_signal(*layers[i]) || !has_signal(*layers[j])) continue;
      const double ratio = layers[i]->gradient_norm / layers[j]->gradient_norm;
      if (is_worse(ratio, worst.ratio)) worst = {layers[i], layers[j], ratio};
    }
  }
  return worst;
}

void judge_depth(std::vector<Finding>& found, const Parameters& layers, const DiagnosticLimits& limits) {
  if (const Fall fall = steepest_fall(layers, std::less<>()); fall.ratio < limits.vanishing) {
    add(found, Failure::vanishing, fall.front->name, fall.ratio, limits.vanishing,
        formatted("vanishing gradients: their norm falls from {:.3g} at {} to {:.3g} at {}, to {:.3g} of it "
                  "(limit {:g})",
                  fall.back->gradient_norm, fall.back->name, fall.front->gradient_norm, fall.front->name, fall.ratio,
                  limits.vanishing),
        "use ReLU or another activation that does not saturate, a better initialization, normalization, or skip "
        "connections");
  }
  if (const Fall rise = steepest_fall(layers, std::greater<>()); rise.ratio > limits.exploding) {
    add(found, Failure::exploding, rise.front->name, rise.ratio, limits.exploding,
        formatted("exploding gradients: their norm grows from {:.3g} at {} to {:.3g} at {}, {:.3g} times (limit {:g})",
                  rise.back->gradient_norm, rise.back->name, rise.front->gradient_norm, rise.front->name, rise.ratio,
                  limits.exploding),
        "use a smaller initialization, normalization, or clip the gradients");
  }
}

void judge_size(std::vector<Finding>& found, const Diagnostics& d, const DiagnosticLimits& limits) {
  double norm = 0;
  for (const ParameterDiagnostics& p : d.parameters) norm = std::hypot(norm, p.gradient_norm);
  const bool any_gradient = std::ranges::any_of(d.parameters, &ParameterDiagnostics::has_gradient);
  if (!any_gradient || !std::isfinite(norm)) return;
  if (norm > limits.gradient_norm) {
    add(found, Failure::exploding, "", norm, limits.gradient_norm,
        formatted("exploding gradients: their norm is {:.3g} (limit {:g})", norm, limits.gradient_norm),
        "lower the learning rate, or clip the gradients");
  } else if (norm < limits.flat) {
    add(found, Failure::flat, "", norm, limits.flat,
        formatted("hardly any gradient: their norm is {:.3g} (limit {:g}): a minimum, a plateau or a saddle point",
                  norm, limits.flat));
  }
}

void judge_updates(std::vector<Finding>& found, const Parameters& layers, const DiagnosticLimits& limits) {
  const ParameterDiagnostics* most = nullptr;
  for (const ParameterDiagnostics* p : layers) {
    if (!has_signal(*p) || p->weight_norm == 0 || !std::isfinite(p->update_to_weight)) continue;
    if (!most || p->update_to_weight > most->update_to_weight) most = p;
  }
  if (most && most->update_to_weight > limits.update_to_weight) {
    add(found, Failure::learning_rate_high, most->name, most->update_to_weight, limits.update_to_weight,
        formatted("the update of {} is {:.3g} of its norm (limit {:g}, healthy is about 0.001): the learning rate is "
                  "too high",
                  most->name, most->update_to_weight, limits.update_to_weight));
  }
  // One layer that hardly moves may be meant; all of them are the rate's fault.
  if (most && most->update_to_weight < limits.least_update) {
    add(found, Failure::learning_rate_low, most->name, most->update_to_weight, limits.least_update,
        formatted("the largest update, of {}, is {:.3g} of its norm (limit {:g}, healthy is about 0.001): the "
                  "learning rate is too low",
                  most->name, most->update_to_weight, limits.least_update));
  }
}

// --- The table ------------------------------------------------------------------------------------------------------

using Row = std::array<std::string, 8>;

Row row_of(const ParameterDiagnostics& p) {
  Row row{p.name,
          formatted("{}", p.shape),
          "-",
          formatted("{:.3g}", p.update_norm),
          formatted("{:.3g}", p.weight_norm),
          formatted("{:.3g}", p.update_to_weight),
          "-",
          "-"};
  if (!p.has_gradient) return row;
  row[2] = formatted("{:.3g}", p.gradient_norm);
  row[6] = formatted("{:.1f} %", 100 * p.zero_share);
  row[7] = formatted("{:.1f} %", 100 * p.nonfinite_share);
  return row;
}

std::string aligned(const std::vector<Row>& rows) {
  std::array<std::size_t, std::tuple_size_v<Row>> widths{};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const bool is_text = i < 2;
      if (i > 0) text += "  ";
      text += is_text ? formatted("{:<{}}", row[i], widths[i]) : formatted("{:>{}}", row[i], widths[i]);
    }
    text += '\n';
  }
  return text;
}

}  // namespace

std::string_view to_string(Failure failure) {
  static constexpr std::array<std::string_view, 9> names{"non-finite",
                                                         "no gradient",
                                                         "dead",
                                                         "vanishing",
                                                         "exploding",
                                                         "flat",
                                                         "zero weights",
                                                         "learning rate too high",
                                                         "learning rate too low"};
  return names[static_cast<std::size_t>(failure)];
}

std::vector<Finding> findings(const Diagnostics& diagnostics, const DiagnosticLimits& limits) {
  std::vector<Finding> found;
  for (const ParameterDiagnostics& p : diagnostics.parameters) judge_parameter(found, p);
  const Parameters layers = layers_of(diagnostics);
  judge_depth(found, layers, limits);
  judge_size(found, diagnostics, limits);
  if (!diagnostics.skipped) judge_updates(found, layers, limits);
  return found;
}

std::string to_string(const Diagnostics& diagnostics, const DiagnosticLimits& limits) {
  std::vector<Row> rows{
      {"parameter", "shape", "|gradient|", "|update|", "|weight|", "update/weight", "zero", "non-finite"}};
  for (const ParameterDiagnostics& p : diagnostics.parameters) rows.push_back(row_of(p));
  std::string text = aligned(rows);
  if (diagnostics.skipped) text += "The step was left out: its gradients are not finite.\n";
  const std::vector<Finding> found = findings(diagnostics, limits);
  if (found.empty()) return text + "Nothing to find fault with.\n";
  for (const Finding& finding : found) text += formatted("- {}\n", finding.text);
  return text;
}

}  // namespace gradus::optim
