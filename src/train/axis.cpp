#include "train/axis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace gradus::train {
namespace {

// The smallest of 1, 2, 5 times a power of ten that is at least `least`.
double nice_step(double least) {
  const double power = std::pow(10, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= least * (1 - 1e-9)) return factor * power;
  }
  return 10 * power;
}

// All labels of an axis have the same number of decimals and the same unit, which the largest of them decides.
std::string label_of(double value, double step, double largest) {
  if (largest >= 1e12 || step < 1e-6) return fmt::format("{:.6g}", value);
  const auto [unit, suffix] = largest >= 1e9   ? std::pair(1e9, "G")
                              : largest >= 1e6 ? std::pair(1e6, "M")
                                               : std::pair(1.0, "");
  if (value == 0) return "0";
  const int decimals = std::max(0, static_cast<int>(-std::floor(std::log10(step / unit) + 1e-9)));
  return fmt::format("{:.{}f}{}", value / unit, decimals, suffix);
}

}  // namespace

Axis::Axis(double low, double high, const Options& options)
    : low_(low), high_(high), is_log_(options.scale == Scale::log) {
  const double largest = std::max(std::abs(low_), std::abs(high_));
  if (high_ - low_ <= 1e-9 * largest) {  // a single value, up to rounding: room on both sides
    low_ -= largest > 0 ? largest / 2 : 1;
    high_ += largest > 0 ? largest / 2 : 1;
  }
  if (is_log_)
    set_log_ticks(options);
  else
    set_linear_ticks(options);
}

double Axis::position(double value) const {
  if (is_log_) return std::log(value / low_) / std::log(high_ / low_);
  return (value - low_) / (high_ - low_);
}

void Axis::set_linear_ticks(const Options& options) {
  double step = nice_step((high_ - low_) / std::max(1, options.ticks));
  if (options.whole_numbers) step = std::max(1.0, step);
  if (options.extend_to_ticks) {
    low_ = std::floor(low_ / step + 1e-9) * step;
    high_ = std::ceil(high_ / step - 1e-9) * step;
  }
  const double first = std::ceil(low_ / step - 1e-9), last = std::floor(high_ / step + 1e-9);
  for (double i = first; i <= last; ++i) {
    const double value = i == 0 ? 0 : i * step;  // never -0
    ticks_.push_back({value, label_of(value, step, std::max(std::abs(first), std::abs(last)) * step)});
  }
}

void Axis::set_log_ticks(const Options& options) {
  const double decades = std::log10(high_ / low_);
  if (decades < 0.7) return set_linear_ticks(options);
  const bool subdivide = decades < 0.6 * options.ticks;
  const int stride = std::max(1, static_cast<int>(std::ceil(decades / options.ticks)));
  const int first = static_cast<int>(std::floor(std::log10(low_))),
            last = static_cast<int>(std::ceil(std::log10(high_)));
  for (int exponent = first; exponent <= last; exponent += subdivide ? 1 : stride) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      const double value = factor * std::pow(10, exponent);
      if (value < low_ * (1 - 1e-9) || value > high_ * (1 + 1e-9) || (factor > 1 && !subdivide)) continue;
      ticks_.push_back({value, fmt::format("{:g}", value)});
    }
  }
}

}  // namespace gradus::train
