// The report as text: a table that a person can read, worst first.

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <ostream>

#include "gradus/gradcheck.hpp"
#include "storage/format.hpp"

namespace gradus {
namespace {

const char* colour_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
      return "\033[32m";
    case Verdict::inconclusive:
      return "\033[33m";
    default:
      return "\033[31m";
  }
}

std::string painted(const std::string& text, Verdict verdict, bool colour) {
  return colour ? colour_of(verdict) + text + "\033[0m" : text;
}

// Row-major element of a shape, as it is written in code: (1, 2).
std::string position(std::int64_t element, const Shape& shape) {
  if (element < 0) return "along a direction";
  return to_string(unravel_index(element, shape));
}

std::string output_of(const GradcheckEntry& e) {
  if (e.output < 0) return "sum";
  return e.output == 0 ? formatted("[{}]", e.output_element) : formatted("{}[{}]", e.output, e.output_element);
}

// "28 of 84" if 28 did not pass.
std::string checked(const GradcheckInput& input) {
  const std::int64_t bad = input.failed > 0 ? input.failed : input.inconclusive;
  return bad > 0 ? formatted("{} of {}", bad, input.checked) : formatted("{}", input.checked);
}

bool goes_to_terminal() { return std::getenv("NO_COLOR") == nullptr && isatty(STDOUT_FILENO) != 0; }

void add_table(std::string& text, const GradcheckReport& report, bool colour) {
  std::size_t width = 5;
  for (const GradcheckInput& input : report.inputs) width = std::max(width, input.name.size());
  std::size_t counts = 7;
  for (const GradcheckInput& input : report.inputs) counts = std::max(counts, checked(input).size());
  text += formatted("  {:<{}}  {:<12}  {:>{}}  {:<18}  {:<8}  {:>13}  {:>13}  {:>8}  {:>8}  {:>8}\n", "input", width,
                    "verdict", "checked", counts, "worst at", "output", "analytic", "numeric", "+-", "abs", "rel");
  std::vector<const GradcheckInput*> order;
  for (const GradcheckInput& input : report.inputs) order.push_back(&input);
  std::ranges::stable_sort(order, [](const auto* a, const auto* b) { return a->verdict > b->verdict; });
  for (const GradcheckInput* input : order) {
    const std::string verdict = painted(formatted("{:<12}", to_string(input->verdict)), input->verdict, colour);
    text += formatted("  {:<{}}  {}  {:>{}}", input->name, width, verdict, checked(*input), counts);
    // One line for what passes, a few for what doesn't.
    std::size_t lines = 0;
    for (const GradcheckEntry& e : input->worst) {
      if (lines > 0 && (lines == 4 || e.verdict == Verdict::pass)) break;
      if (lines++ > 0) text += formatted("  {:<{}}  {:<12}  {:>{}}", "", width, "", "", counts);
      text += formatted("  {:<18}  {:<8}  {:>13.6g}  {:>13.6g}  {:>8.1e}  {:>8.1e}  {:>8.1e}\n",
                        position(e.element, input->shape), output_of(e), e.analytic, e.numeric, e.error_bar,
                        e.absolute_error(), e.relative_error());
    }
    if (lines == 0) text += formatted("  {}\n", input->shape.numel() == 0 ? "empty: nothing to check" : "not checked");
  }
}

}  // namespace

const char* to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
      return "PASS";
    case Verdict::inconclusive:
      return "INCONCLUSIVE";
    default:
      return "FAIL";
  }
}

double GradcheckEntry::absolute_error() const { return std::abs(analytic - numeric); }

double GradcheckEntry::relative_error() const {
  const double size = std::max(std::abs(analytic), std::abs(numeric));
  return size > 0 ? absolute_error() / size : 0;
}

std::string GradcheckReport::culprit() const { return found.empty() ? std::string() : found.front().op; }

std::vector<std::string> GradcheckReport::culprits() const {
  std::vector<std::string> names;
  for (const GradcheckCulprit& c : found) names.push_back(c.op);
  return names;
}

std::string GradcheckReport::to_string() const { return to_string(goes_to_terminal()); }

std::string GradcheckReport::to_string(bool colour) const {
  std::string text = formatted("{} {}", second_order ? "gradgradcheck" : "gradcheck",
                               painted(gradus::to_string(verdict), verdict, colour));
  if (!reason.empty()) text += ": " + reason;
  text += "\n";
  add_table(text, *this, colour);
  for (const GradcheckCulprit& c : found) {
    text += formatted("  {} op {} of {}, {}, by its input {} {}: {}\n", painted("culprit", Verdict::fail, colour),
                      c.place, c.ops, c.op, c.input, gradus::to_string(c.input_shape), c.evidence);
    if (!c.likely_cause.empty()) text += formatted("    it looks like this: {}\n", c.likely_cause);
  }
  if (fast) {
    text += formatted(
        "  {} random directions per input: an entry that is wrong by the entries' root mean square is caught with "
        "probability {:.9g}; Taylor slope {:.3f}\n",
        directions, detection_probability, taylor_slope);
  }
  for (const std::string& note : notes) text += "  note: " + note + "\n";
  text += formatted(
      "  PASS if |analytic - numeric| + bar <= {0:g} * {1} + {2:g} * scale, FAIL if |analytic - numeric| - bar is "
      "more\n",
      rtol, fast ? "|gradient * direction|" : "max(|analytic|, |numeric|)", atol);
  return text;
}

std::ostream& operator<<(std::ostream& out, const GradcheckReport& report) { return out << report.to_string(false); }

}  // namespace gradus
