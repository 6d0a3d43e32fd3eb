#include "plot/axis.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string_view>
#include <utility>

#include "storage/format.hpp"

namespace gradus::plot {
namespace {

// The smallest of 1, 2, 5 times a power of ten that is at least `least`.
double nice_step(double least) {
  const double power = std::pow(10, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= least * (1 - 1e-9)) return factor * power;
  }
  return 10 * power;
}

// With the sign that is as wide as a plus.
std::string with_minus(std::string text) { return text.starts_with('-') ? "−" + text.substr(1) : text; }

std::string power_of_ten(int exponent) {
  static constexpr std::array<std::string_view, 10> digits{"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string text = exponent < 0 ? "10⁻" : "10";
  for (const char c : std::to_string(std::abs(exponent))) text += digits[static_cast<std::size_t>(c - '0')];
  return text;
}

std::string scientific(double value, int digits) {
  const std::string text = formatted("{:.{}e}", value, digits - 1);
  const std::size_t e = text.find('e');
  std::string mantissa = text.substr(0, e);
  if (mantissa.find('.') != std::string::npos) {
    mantissa.erase(mantissa.find_last_not_of('0') + 1);
    if (mantissa.ends_with('.')) mantissa.pop_back();
  }
  const std::string power = power_of_ten(std::stoi(text.substr(e + 1)));
  if (mantissa == "1") return power;
  return mantissa == "-1" ? "−" + power : with_minus(mantissa) + "·" + power;
}

// All labels of an axis have the same number of decimals and the same unit, which the largest of them decides.
std::string label_of(double value, double step, double largest) {
  if (value == 0) return "0";
  if (largest >= 1e13 || step < 0.99e-5) return scientific(value, 6);
  const auto [unit, suffix] = largest >= 1e12  ? std::pair(1e12, "T")
                              : largest >= 1e9 ? std::pair(1e9, "G")
                              : largest >= 1e6 ? std::pair(1e6, "M")
                              : largest >= 1e4 ? std::pair(1e3, "k")
                                               : std::pair(1.0, "");
  const int decimals = std::max(0, static_cast<int>(-std::floor(std::log10(step / unit) + 1e-9)));
  if (decimals > 6) return scientific(value, 6);
  return with_minus(formatted("{:.{}f}{}", value / unit, decimals, suffix));
}

}  // namespace

std::string short_number(double value, int digits) {
  const double size = std::abs(value);
  if (value == 0) return "0";
  if (!std::isfinite(value)) return std::isnan(value) ? "nan" : value > 0 ? "∞" : "−∞";
  if (size < 0.99e-4 || size >= 1e13) return scientific(value, digits);
  for (const auto& [unit, suffix] :
       {std::pair(1e12, "T"), std::pair(1e9, "G"), std::pair(1e6, "M"), std::pair(1e3, "k")}) {
    if (size >= unit && size >= 1e4)
      return with_minus(formatted("{:.{}g}{}", value / unit, std::max(digits, 3), suffix));
  }
  return with_minus(formatted("{:.{}g}", value, std::max(digits, size >= 1000 ? 4 : 3)));
}

Axis::Axis(double low, double high, const Options& options)
    : low_(low), high_(high), is_log_(options.scale == Scale::log) {
  // Room around the largest of numbers overflows.
  low_ = std::clamp(low_, -1e307, 1e307);
  high_ = std::clamp(high_, -1e307, 1e307);
  const double largest = std::max(std::abs(low_), std::abs(high_));
  if (high_ - low_ <= 1e-9 * largest || largest == 0) {  // a single value, up to rounding: room on both sides
    low_ -= largest > 0 ? largest / 2 : 1;
    high_ += largest > 0 ? largest / 2 : 1;
  }
  if (is_log_)
    set_log_ticks(options);
  else
    set_linear_ticks(options);
}

Axis::Axis(const std::vector<std::string>& categories)
    : Axis(categories, -0.5, static_cast<double>(categories.size()) - 0.5) {}

Axis::Axis(const std::vector<std::string>& categories, double low, double high) : low_(low), high_(high) {
  for (std::size_t i = 0; i < categories.size(); ++i) {
    if (!categories[i].empty()) ticks_.push_back({static_cast<double>(i), categories[i]});
  }
}

double Axis::position(double value) const {
  if (!std::isfinite(value) || (is_log_ && value <= 0)) return std::numeric_limits<double>::quiet_NaN();
  if (is_log_) return (std::log(value) - std::log(low_)) / (std::log(high_) - std::log(low_));
  return (value - low_) / (high_ - low_);
}

void Axis::set_linear_ticks(const Options& options) {
  double step = nice_step((high_ - low_) / std::max(1, options.ticks));
  if (options.whole_numbers) step = std::max(1.0, step);
  if (options.extend_to_ticks) {
    // Not by most of a step, which would leave a stripe of nothing.
    const double below = std::floor(low_ / step + 1e-9) * step, above = std::ceil(high_ / step - 1e-9) * step;
    low_ = low_ - below < 0.75 * step ? below : low_ - 0.1 * step;
    high_ = above - high_ < 0.75 * step ? above : high_ + 0.1 * step;
  }
  const double first = std::ceil(low_ / step - 1e-9), last = std::floor(high_ / step + 1e-9);
  if (!(last - first < 1000)) return;  // the ends are too close, or too far out, for numbers to tell them apart
  for (double k = 0; k <= last - first; ++k) {
    const double i = first + k;
    const double value = i == 0 ? 0 : i * step;  // never -0
    ticks_.push_back({value, label_of(value, step, std::max(std::abs(first), std::abs(last)) * step)});
  }
}

void Axis::set_log_ticks(const Options& options) {
  const double decades = std::log10(high_) - std::log10(low_);  // the ratio may overflow
  if (decades < 0.7) return set_linear_ticks(options);
  const bool subdivide = decades < 0.6 * options.ticks;
  const int stride = std::max(1, static_cast<int>(std::ceil(decades / std::max(1, options.ticks))));
  const int first = static_cast<int>(std::floor(std::log10(low_))),
            last = static_cast<int>(std::ceil(std::log10(high_)));
  // Plain numbers next to powers of ten are hard to compare.
  const bool as_powers = !subdivide && (low_ < 0.99e-4 || high_ > 1.01e5);
  const bool minor = stride == 1 && decades < 1.2 * options.ticks;
  for (int exponent = first; exponent <= last; ++exponent) {
    for (int factor = 1; factor < 10; ++factor) {
      const double value = factor * std::pow(10, exponent);
      if (value < low_ * (1 - 1e-9) || value > high_ * (1 + 1e-9)) continue;
      const bool major = factor == 1 ? (exponent - first) % stride == 0 : subdivide && (factor == 2 || factor == 5);
      if (major)
        ticks_.push_back({value, as_powers ? power_of_ten(exponent) : short_number(value)});
      else if (factor > 1 ? minor : stride <= 5)
        ticks_.push_back({value, ""});
    }
  }
}

}  // namespace gradus::plot
