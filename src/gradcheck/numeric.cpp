#include "gradcheck/numeric.hpp"

#include <algorithm>
#include <cmath>

#include "storage/format.hpp"
#include "storage/norm.hpp"

namespace gradus::check {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

// Writes element i (row-major) of a tensor of any strides.
template <class T>
void put(const TensorImpl& t, std::int64_t i, double value) {
  std::int64_t offset = 0;
  for (std::int64_t dim = t.shape.size(); dim-- > 0;) {
    offset += i % t.shape[dim] * t.strides[dim];
    i /= t.shape[dim];
  }
  t.data<T>()[offset] = static_cast<T>(value);
}

double root_mean_square(const std::vector<double>& values) {
  return values.empty() ? 0 : euclidean_norm(values) / std::sqrt(static_cast<double>(values.size()));
}

// Neville's scheme over steps that shrink by 2, for a difference whose error is a series in h^power.
class Extrapolation {
 public:
  explicit Extrapolation(int power) : power_(power) {}

  void restart() { previous_.clear(); }

  // Adds the difference of the next step; `round_off` is what that difference may be wrong by.
  void add(double difference, double round_off) {
    std::vector<double> row = {difference};
    Estimate here;
    double factor = 1;
    for (std::size_t j = 0; j < previous_.size() && j < max_order; ++j) {
      factor *= static_cast<double>(1 << power_);
      row.push_back((factor * row[j] - previous_[j]) / (factor - 1));
      const double error =
          std::max(std::abs(row[j + 1] - row[j]), std::abs(row[j + 1] - previous_[j])) + caution * round_off;
      if (error < here.bar) here.value = row[j + 1], here.bar = error;
    }
    previous_ = std::move(row);
    // Long steps may agree with each other by accident, across a pole or many waves: the shorter ones are right.
    const bool contradicted = std::abs(here.value - best_.value) > here.bar + best_.bar;
    if (here.bar < best_.bar || contradicted) best_ = here;
  }

  const Estimate& best() const { return best_; }

 private:
  static constexpr std::size_t max_order = 5;
  // The scheme amplifies round-off, and the best of many estimates is often the luckiest.
  static constexpr double caution = 6;
  int power_;
  std::vector<double> previous_;
  Estimate best_;
};

}  // namespace

double Cotangent::of_difference(const std::vector<double>& a, const std::vector<double>& b) const {
  if (unit >= 0) return a[static_cast<std::size_t>(unit)] - b[static_cast<std::size_t>(unit)];
  double sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) sum += weights[i] * (a[i] - b[i]);
  return sum;
}

double Cotangent::magnitude_of_changes(const std::vector<double>& values, const std::vector<double>& a,
                                       const std::vector<double>& b) const {
  const auto size = [&](std::size_t i) {
    return values[i] == a[i] && values[i] == b[i] ? 0.0
                                                  : std::max({std::abs(values[i]), std::abs(a[i]), std::abs(b[i])});
  };
  if (unit >= 0) return size(static_cast<std::size_t>(unit));
  double sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) sum += std::abs(weights[i]) * size(i);
  return sum;
}

double Cotangent::magnitude(const std::vector<double>& values) const {
  if (unit >= 0) return std::abs(values[static_cast<std::size_t>(unit)]);
  double sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) sum += std::abs(weights[i] * values[i]);
  return sum;
}

Line::Line(const Subject& subject, Direction direction, const Sample& base)
    : subject_(subject), direction_(std::move(direction)), base_(base) {
  const Tensor& variable = subject_.variables()[direction_.variable];
  epsilon_ = variable.dtype() == float32 ? 0x1p-23 : 0x1p-52;
  origin_ = values_of(variable);
  scale_ = root_mean_square(origin_);
  double own = scale_;
  if (direction_.element >= 0) {
    own = std::abs(origin_[static_cast<std::size_t>(direction_.element)]);
    // An element among much larger ones is measured by itself, if it is not zero.
    if (own > 0) scale_ = std::max(own, std::min(scale_, 1e6 * own));
  }
  if (!(scale_ > 0 && std::isfinite(scale_))) scale_ = 1;
  own_ = own > 0 && own < scale_ ? own : scale_;
  length_ = scale_;
  // Below, even a function without noise shows little but the rounding of its argument.
  shortest_ = std::pow(epsilon_, 2.0 / 3.0) * own_;
}

Line::~Line() { move(0); }

void Line::move(double t) {
  const TensorImpl& variable = impl(subject_.variables()[direction_.variable]);
  const bool dense = subject_.variables()[direction_.variable].is_contiguous();
  dispatch_floating("gradcheck", variable.dtype, [&]<class T>() {
    if (direction_.element >= 0) {
      put<T>(variable, direction_.element, origin_[static_cast<std::size_t>(direction_.element)] + t);
      return;
    }
    T* const room = variable.data<T>();
    for (std::int64_t i = 0; i < variable.numel; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const double value = origin_[at] + (t == 0 ? 0 : t * direction_.weights[at]);
      if (dense)
        room[i] = static_cast<T>(value);
      else
        put<T>(variable, i, value);
    }
  });
  bump_version(subject_.variables()[direction_.variable]);
}

std::vector<double> Line::displacement() const {
  if (direction_.element < 0) return direction_.weights;
  std::vector<double> unit(origin_.size(), 0.0);
  unit[static_cast<std::size_t>(direction_.element)] = 1;
  return unit;
}

const Line::Point& Line::at(double t) {
  const auto known = points_.find(t);
  if (known != points_.end()) return known->second;
  double reached = t;
  if (direction_.element >= 0) {
    const double x = origin_[static_cast<std::size_t>(direction_.element)];
    const double moved = epsilon_ > 0x1p-50 ? static_cast<double>(static_cast<float>(x + t)) : x + t;
    reached = moved - x;
  }
  move(t);
  Point point{reached, subject_.sample()};
  if (point.sample.values.size() != base_.values.size()) {
    fail("gradcheck: the function gives {} values at one point and {} near it", base_.values.size(),
         point.sample.values.size());
  }
  return points_.emplace(t, std::move(point)).first->second;
}

bool Line::smooth(double t) {
  const Sample& sample = at(t).sample;
  if (!sample.finite) return false;
  const std::string op = first_difference(sample.branches, base_.branches);
  if (!op.empty()) kink_ = op;
  return op.empty();
}

double Line::difference(const Cotangent& c, double from, double to) {
  const Point& a = at(from);
  const Point& b = at(to);
  return b.t == a.t ? infinity : c.of_difference(b.sample.values, a.sample.values) / (b.t - a.t);
}

// What values are wrong by, from high differences over short steps. Those of a smooth function fall with each order;
// where they don't, they are noise (More and Wild, "Estimating computational noise", SIAM Journal on Scientific
// Computing 33, 2011). Round-off may be constant over very short steps, and a fast oscillation looks like noise over
// long ones: what two lengths agree on counts. At least half a unit of those outputs that change.
double Line::noise(const Cotangent& c) {
  double sigma = 0;
  double previous = 0;
  for (const double length : {1e-9, 3e-8, 1e-6, 3e-5}) {
    if (length * length_ < 256 * epsilon_ * own_) continue;
    const double here = noise_at(c, length * length_);
    sigma = std::max(sigma, std::min(here, previous));
    previous = here;
    const double end = 3.5 * length * length_;
    sigma = std::max(
        sigma, 0.5 * epsilon_ * c.magnitude_of_changes(base_.values, at(end).sample.values, at(-end).sample.values));
  }
  if (sigma == 0) sigma = 0.5 * epsilon_ * c.magnitude(base_.values);  // nothing changes, that can be seen
  return std::max(sigma, 0.5 * stair(c));
}

// The height of a stair, if values are the same at one place and jump at the next: they are rounded more coarsely than
// their own size tells.
double Line::stair(const Cotangent& c) {
  double lowest = infinity;
  bool flat = false;
  const Sample* before = nullptr;
  double t_before = 0;
  for (const auto& [t, point] : points_) {
    if (!smooth(t)) {
      before = nullptr;
      continue;
    }
    if (before != nullptr && t - t_before > 64 * epsilon_ * (scale_ + std::abs(t))) {
      const double change = std::abs(c.of_difference(point.sample.values, before->values));
      flat = flat || change == 0;
      if (change > 0) lowest = std::min(lowest, change);
    }
    before = &point.sample;
    t_before = t;
  }
  return flat && std::isfinite(lowest) ? lowest : 0;
}

double Line::noise_at(const Cotangent& c, double step) {
  constexpr double sum_of_squares[] = {70, 252, 924};  // of the coefficients of differences of order 4, 5, 6
  std::vector<double> values;
  for (double i = -3.5; i < 4; ++i) {
    if (!smooth(i * step)) return 0;
    values.push_back(c.of_difference(at(i * step).sample.values, base_.values));
  }
  double low = infinity, high = 0;
  for (std::size_t order = 1; order <= 6; ++order) {
    for (std::size_t i = 0; i + 1 < values.size(); ++i) values[i] = values[i + 1] - values[i];
    values.pop_back();
    if (order < 4) continue;
    const double sigma = root_mean_square(values) / std::sqrt(sum_of_squares[order - 4]);
    low = std::min(low, sigma);
    high = std::max(high, sigma);
  }
  return high <= 4 * low ? high : 0;
}

Estimate Line::quick(const Cotangent& c) {
  double h = scale_ * std::pow(epsilon_, 0.2);
  Estimate estimate;
  // Shorter steps find room between the kinks of a large network; they cost accuracy.
  for (int tries = 0; !is_smooth_within(2 * h); h /= 16) {
    if (++tries == 4) return estimate;
  }
  const double near = difference(c, -h, h);
  const double far = difference(c, -2 * h, 2 * h);
  estimate.value = (4 * near - far) / 3;
  // The error of `near`: that of the extrapolated value is smaller.
  const double size = c.magnitude_of_changes(base_.values, at(2 * h).sample.values, at(-2 * h).sample.values);
  estimate.bar = std::abs(near - far) / 3 + 2 * epsilon_ * size / h;
  if (!std::isfinite(estimate.value)) estimate.bar = infinity;
  return estimate;
}

bool Line::is_flat(const Cotangent& c) const {
  return std::ranges::all_of(
      points_, [&](const auto& at) { return c.of_difference(at.second.sample.values, base_.values) == 0; });
}

double Line::unseen_slope() const {
  class Largest final : public Observer {
   public:
    void joined(const Node&, const Tensor& result) override {
      const Observing quiet(nullptr);
      for (const double v : values_of(result)) value = std::isfinite(v) ? std::max(value, std::abs(v)) : value;
    }
    double value = 0;
  };
  Largest largest;
  const Observing observing(&largest);
  subject_.run();
  return 8 * epsilon_ * largest.value / scale_;
}

double Line::remainder_slope(const Cotangent& c, double derivative) {
  const double sigma = 8 * epsilon_ * c.magnitude(base_.values);
  std::vector<std::pair<double, double>> seen;  // log h, log remainder
  double h = scale_ / 64;
  for (int step = 0; step < 40 && seen.size() < 6; ++step, h /= 2) {
    if (!smooth(h)) {
      seen.clear();
      h /= 4;
      continue;
    }
    const Point& point = at(h);
    const double remainder = std::abs(c.of_difference(point.sample.values, base_.values) - point.t * derivative);
    if (remainder < 16 * sigma) break;
    seen.emplace_back(std::log(h), std::log(remainder));
  }
  if (seen.size() < 2) return infinity;
  return (seen.front().second - seen.back().second) / (seen.front().first - seen.back().first);
}

Estimate Line::careful(const Cotangent& c, double expected, double length) {
  length_ = length > 0 ? length : scale_;
  kink_.clear();
  Estimate estimate = central(c, expected);
  if (std::isinf(estimate.bar) && !kink_.empty()) return at_kink(c);
  if (!kink_.empty()) {
    // Close to a kink, central steps are short and noisy: longer ones on this side of it may do better.
    for (const double side : {1.0, -1.0}) {
      const Estimate one = one_sided(c, side, true);
      if (one.bar < estimate.bar) estimate = one;
    }
    estimate.doubt = "a kink of " + kink_ + " is close";
  }
  return estimate;
}

std::vector<double> Line::other_lengths() const { return {own_ < scale_ / 16 ? own_ : 0.7709 * scale_, 1e-5 * own_}; }

Estimate reconciled(const Estimate& a, const Estimate& b) {
  if (b.at_kink || !std::isfinite(b.bar)) return a;
  if (!std::isfinite(a.bar)) return b;
  const double apart = std::abs(a.value - b.value);
  Estimate better = b.bar < a.bar ? b : a;
  if (apart > a.bar + b.bar) {
    better.bar = apart + a.bar + b.bar;
    better.doubt = "differences over longer and over shorter steps contradict each other";
  }
  return better;
}

Estimate Line::central(const Cotangent& c, double expected) {
  double sigma = noise(c);
  for (int tries = 0;; ++tries) {
    const Estimate estimate = central(c, expected, sigma);
    const double rounding = 0.5 * stair(c);  // of all values seen by now
    if (rounding <= sigma || tries == 3) return estimate;
    sigma = rounding;
  }
}

Estimate Line::central(const Cotangent& c, double expected, double sigma) {
  Extrapolation table(2);
  int smooth_steps = 0;
  // Looking for the near side of a kink, steps may become as short as numbers allow.
  for (double h = length_ / 8; h > (kink_.empty() ? shortest_ : scale_ * epsilon_ * 4);) {
    if (!smooth(h) || !smooth(-h)) {
      table.restart();
      h /= smooth_steps > 0 ? 2 : 4;
      continue;
    }
    ++smooth_steps;
    table.add(difference(c, -h, h), sigma / h);
    h /= 2;
    if (6 * sigma / h < table.best().bar) continue;
    // Shorter steps only bring more round-off. But nothing is contradicted before all lengths that can tell have
    // spoken: two steps of each.
    const double disputed = std::abs(table.best().value - expected);
    if (!(disputed > table.best().bar && disputed > 8 * sigma / h)) break;
    if (smooth_steps % 2 == 0) h /= 32, table.restart();
  }
  Estimate best = table.best();
  if (smooth_steps == 0 && kink_.empty()) best.doubt = "the function is not finite around this point";
  return best;
}

Estimate Line::one_sided(const Cotangent& c, double side, bool own_branches) {
  Extrapolation table(1);
  const double sigma = noise(c);
  for (double h = length_ / 8; h > scale_ * epsilon_ * 4;) {
    // At a kink the side has branches of its own: those that a shorter step has, too.
    const bool usable =
        own_branches ? smooth(side * h)
                     : at(side * h).sample.finite && at(side * h).sample.branches == at(side * h / 4).sample.branches;
    if (!usable) {
      table.restart();
      h /= 4;
      continue;
    }
    table.add(difference(c, 0, side * h), 2 * sigma / h);
    if (4 * sigma / h > table.best().bar) break;
    h /= 2;
  }
  return table.best();
}

Estimate Line::at_kink(const Cotangent& c) {
  Estimate estimate;
  estimate.at_kink = true;
  const Estimate left = one_sided(c, -1, false), right = one_sided(c, 1, false);
  estimate.left = left.value;
  estimate.right = right.value;
  estimate.value = left.value / 2 + right.value / 2;
  estimate.bar = std::abs(left.value - right.value) + left.bar + right.bar;
  estimate.doubt = kink_.empty() ? "at a kink" : "at a kink of " + kink_;
  return estimate;
}

// A kink that no op tells of, at the point itself: however short the step, left and right differences stay apart by the
// same amount, where those of a smooth function approach each other in proportion to it.
bool Line::has_hidden_kink(const Cotangent& c) {
  const double sigma = noise(c);
  const auto gap = [&](double h) { return std::abs(difference(c, 0, h) - difference(c, -h, 0)); };
  const auto visible = [&](double h) { return smooth(h) && smooth(-h) && gap(h) > 16 * sigma / h; };
  const double longest = scale_ / 8;
  double h = longest;
  while (!visible(h) && h > longest * 1e-3) h /= 4;
  while (visible(h / 4) && h > scale_ * epsilon_ * 64) h /= 4;
  return visible(h) && 16 * h <= longest && gap(h) > 0.5 * gap(16 * h) && gap(16 * h) > 0.5 * gap(h);
}

}  // namespace gradus::check
