#include "gradcheck/fast.hpp"

#include <algorithm>
#include <cmath>

namespace gradus::check {
namespace {

constexpr int fewest = 2, most = 32;  // directions per input

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

// The size that sum a_i d_i has for random signs of d.
double spread_of(const std::vector<double>& a, const std::vector<double>& d) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * a[i] * d[i] * d[i];
  return std::sqrt(sum);
}

// The chance that a direction does not show an error `size` of one entry, whose weight is normal with 0.1 added.
double chance_to_miss(double size, double visible) {
  if (!(size > 0)) return 0;
  return std::erf(std::max(0.0, visible / size - 0.1) / std::sqrt(2.0));
}

class Directions {
 public:
  Directions(const Subject& subject, const Sample& base, Recorded& recorded, const Plan& plan, GradcheckReport& report)
      : subject_(subject), base_(base), recorded_(recorded), plan_(plan), report_(report), generator_(plan.seed + 2) {}

  void run() {
    const std::size_t variables = subject_.variables().size();
    std::vector<double> missed(variables, 1.0);
    for (int round = 0; round < most; ++round) {
      const auto wants_more = [&](std::size_t i) {
        const GradcheckInput& input = report_.inputs[i];
        if (input.shape.numel() == 0) return missed[i] = 0, false;
        const bool hopeless = round >= 4 && missed[i] == 1;  // every direction so far was undecided
        const bool settled = missed[i] <= 1 - plan_.confidence || input.verdict == Verdict::fail;
        return round < fewest || !(settled || hopeless);
      };
      std::vector<std::size_t> open;
      for (std::size_t i = 0; i < variables; ++i) {
        if (wants_more(i)) open.push_back(i);
      }
      if (open.empty()) break;
      const Cotangent row = random_cotangent(recorded_.count(), generator_);
      const Gradient gradient = recorded_.gradient(row);
      for (const std::size_t i : open) missed[i] *= check(i, row, gradient[i]);
      report_.directions = round + 1;
    }
    report_.detection_probability = 1 - *std::max_element(missed.begin(), missed.end());
    report_.taylor_slope = taylor_slope();
  }

 private:
  // One direction in one variable; returns the chance that it misses an entry that is wrong by its usual size.
  double check(std::size_t variable, const Cotangent& row, const std::vector<double>& gradient) {
    GradcheckInput& input = report_.inputs[variable];
    Direction direction{.variable = variable,
                        .weights = random_weights(static_cast<std::int64_t>(gradient.size()), generator_)};
    const double size = spread_of(gradient, direction.weights);
    GradcheckEntry entry;
    entry.analytic = dot(gradient, direction.weights);
    Line line(subject_, std::move(direction), base_);
    judge_on(line, row, base_, plan_, entry, size, input.failed == 0);
    count(input, entry);
    if (entry.verdict != Verdict::pass) return entry.verdict == Verdict::fail ? 0 : 1;
    const double root_mean_square =
        std::sqrt(dot(gradient, gradient) / static_cast<double>(std::max<std::size_t>(1, gradient.size())));
    return chance_to_miss(root_mean_square, entry.tolerance + entry.error_bar);
  }

  // The slope of log |f(x + h d) - f(x) - h f'd| over log h, in the first variable where the remainder can be seen: 2
  // for a right gradient, 1 for a wrong one.
  double taylor_slope() {
    const Cotangent row = random_cotangent(recorded_.count(), generator_);
    const Gradient gradient = recorded_.gradient(row);
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      if (gradient[i].empty()) continue;
      Direction direction{.variable = i,
                          .weights = random_weights(static_cast<std::int64_t>(gradient[i].size()), generator_)};
      const double derivative = dot(gradient[i], direction.weights);
      Line line(subject_, std::move(direction), base_);
      const double slope = line.remainder_slope(row, derivative);
      if (std::isfinite(slope)) return slope;
    }
    return 2;  // the remainder is nought: the function is linear, and its gradient right
  }

  const Subject& subject_;
  const Sample& base_;
  Recorded& recorded_;
  const Plan& plan_;
  GradcheckReport& report_;
  Generator generator_;
};

}  // namespace

void check_directions(const Subject& subject, const Sample& base, Recorded& recorded, const Plan& plan,
                      GradcheckReport& report) {
  Directions(subject, base, recorded, plan, report).run();
}

}  // namespace gradus::check
