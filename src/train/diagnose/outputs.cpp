// Whether outputs, targets and loss suit each other.
#include <algorithm>
#include <cmath>

#include "gradus/autograd.hpp"
#include "gradus/ops.hpp"
#include "storage/format.hpp"
#include "train/diagnose/probe.hpp"
#include "train/diagnose/rules.hpp"
#include "train/diagnose/statistics.hpp"

namespace gradus::train::doctor {
namespace {

using enum Illness;

// The size of the shape to which two broadcast; none if they don't.
std::optional<std::int64_t> broadcast_size(const Shape& a, const Shape& b) {
  std::int64_t size = 1;
  for (std::int64_t i = 1; i <= std::max(a.size(), b.size()); ++i) {
    const std::int64_t m = i <= a.size() ? a[a.size() - i] : 1, n = i <= b.size() ? b[b.size() - i] : 1;
    if (m != n && m != 1 && n != 1) return std::nullopt;
    size *= std::max(m, n);
  }
  return size;
}

// The loss may well bring both into shape; then it doesn't matter which shape they come in.
void judge_shapes(Diagnosis& diagnosis, const Patient& patient, const Examination& seen) {
  const Tensor &output = seen.output, &y = patient.batch.y;
  if (!is_floating_point(y.dtype()) || output.shape() == y.shape() || output.numel() != y.numel()) return;
  const auto size = broadcast_size(output.shape(), y.shape());
  if (!size || *size <= output.numel()) return;
  const double matched = cost(patient.loss, output.reshape(y.shape()), y);
  if (std::isnan(matched) || std::abs(matched - seen.loss) <= 1e-5 * std::abs(matched)) return;
  report(diagnosis, broadcast_loss, "output", static_cast<double>(*size), static_cast<double>(output.numel()),
         formatted("Outputs of shape {} meet targets of shape {}: {} differences instead of {}.",
                   to_string(output.shape()), to_string(y.shape()), *size, output.numel()));
}

bool are_probabilities(const Tensor& output) {
  return output.min().item() >= 0 && (output.sum({1}) - 1.0).abs().max().item() < 1e-3;
}

void judge_softmax(Diagnosis& diagnosis, const Examination& seen, const LossKind& kind) {
  const bool is_squashed = seen.last_op == "softmax" || seen.last_op == "sigmoid";
  if (kind.is_cross_entropy && (is_squashed || are_probabilities(seen.output))) {
    report(diagnosis, double_softmax, "output", seen.output.max().item(), 1,
           formatted("The outputs are in [0, 1], and the loss takes their softmax: it can't fall below {:.3g}.",
                     std::log(std::exp(1.0) + static_cast<double>(kind.classes) - 1) - 1));
  } else if (kind.is_binary_entropy && is_squashed) {
    report(diagnosis, double_softmax, "output", seen.output.max().item(), 1,
           "The outputs are in [0, 1], and the loss takes their sigmoid: it can't fall below 0.313 for one class, and "
           "0.693 for the other.");
  }
  if (kind.is_log_likelihood) {
    const double off = seen.output.logsumexp({1}).abs().max().item();
    if (off > 0.1) {
      report(diagnosis, missing_log_softmax, "output", off, 0.1,
             formatted("The loss takes log-probabilities, but those of a sample sum up to e^{:.3g} (limit e^0.1): it "
                       "has no minimum.",
                       off));
    }
  }
}

void judge_reach(Diagnosis& diagnosis, const Patient& patient, const Examination& seen) {
  const Tensor& y = patient.batch.y;
  const bool is_sigmoid = seen.last_op == "sigmoid" || seen.last_op == "softmax";
  double out = 0;
  if (is_sigmoid)
    out = share((y - 0.5).abs() > 0.5);
  else if (seen.last_op == "tanh")
    out = share(y.abs() > 1.0);
  else if (seen.last_op == "relu")
    out = share(y < 0.0);
  // A hundredth may be noise.
  if (out <= 0.01) return;
  report(diagnosis, out_of_reach, "output", out, 0.01,
         formatted("{:.0f} % of the targets are outside the range of {}, the model's last op (limit 1 %).", 100 * out,
                   seen.last_op));
}

}  // namespace

void judge_outputs(Diagnosis& diagnosis, const Patient& patient, const Examination& seen, const LossKind& kind) {
  const NoGrad guard;
  judge_shapes(diagnosis, patient, seen);
  judge_softmax(diagnosis, seen, kind);
  if (kind.is_distance) judge_reach(diagnosis, patient, seen);
}

void judge_first_loss(Diagnosis& diagnosis, const Patient& patient, const Examination& seen, const LossKind& kind,
                      std::optional<double> constant) {
  const DiagnoseLimits& limits = patient.options.limits;
  if (const auto chance = kind.chance()) {
    diagnosis.measured.emplace_back(formatted("log({} classes)", kind.classes), *chance);
    const double ratio = seen.loss / *chance;
    if (ratio <= limits.first_loss || diagnosis.has(missing_log_softmax)) return;
    report(diagnosis, high_first_loss, "output", ratio, limits.first_loss,
           formatted("The loss is {:.3g}, {:.3g} times log({}), which guessing costs (limit {:g}).", seen.loss, ratio,
                     kind.classes, limits.first_loss));
  } else if (constant && *constant > 0) {
    const double ratio = seen.loss / *constant;
    if (ratio <= limits.constant_loss) return;
    report(diagnosis, high_first_loss, "output", ratio, limits.constant_loss,
           formatted("The loss is {:.3g}, {:.3g} times that of the best constant prediction (limit {:g}).", seen.loss,
                     ratio, limits.constant_loss),
           "Scale the targets, start the last layer smaller, or its bias at the targets' mean.");
  }
}

}  // namespace gradus::train::doctor
