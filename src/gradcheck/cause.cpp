// What a wrong derivative looks like, found by comparing it with what typical mistakes would give.

#include <algorithm>
#include <cmath>
#include <functional>

#include "gradcheck/culprit.hpp"
#include "storage/format.hpp"
#include "storage/norm.hpp"

namespace gradus::check {
namespace {

constexpr std::int64_t too_large = 4096;  // elements of an input that are worth a look one by one

using Values = std::vector<double>;

bool alike(const Values& a, const Values& b, double factor = 1) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - factor * b[i]) * (a[i] - factor * b[i]);
  return std::sqrt(sum) <= 1e-5 * std::max(euclidean_norm(a), std::abs(factor) * euclidean_norm(b));
}

// The numeric gradient of a weighted sum of outputs by all elements of a variable.
Values differences(const Subject& subject, std::size_t variable, const Cotangent& c, const Sample& base) {
  const std::int64_t count = subject.variables()[variable].numel();
  Values gradient;
  for (std::int64_t element = 0; element < count; ++element) {
    Line line(subject, {.variable = variable, .element = element, .weights = {}}, base);
    Estimate estimate = line.quick(c);
    if (!std::isfinite(estimate.bar)) estimate = line.careful(c);
    gradient.push_back(estimate.value);
  }
  return gradient;
}

// The factor c for which a = c b, or 0.
double ratio(const Values& a, const Values& b) {
  double ab = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) ab += a[i] * b[i], bb += b[i] * b[i];
  const double c = bb > 0 ? ab / bb : 0;
  return c != 0 && alike(a, b, c) ? c : 0;
}

bool near(double a, double b) { return std::abs(a - b) <= 1e-5 * std::abs(b); }

// "2/3", if it is a simple fraction.
std::string as_fraction(double c) {
  for (int denominator = 1; denominator <= 12; ++denominator) {
    const double numerator = std::round(c * denominator);
    if (numerator != 0 && std::abs(numerator) <= 100 && near(c * denominator, numerator))
      return denominator == 1 ? formatted("{}", numerator) : formatted("{}/{}", numerator, denominator);
  }
  return formatted("{:.6g}", c);
}

std::string factor_in_words(double c, const Shape& in, const Shape& out) {
  if (near(c, -1)) return "the sign is wrong";
  const double missing = 1 / c;
  for (const double sign : {1.0, -1.0}) {
    const std::string also = sign < 0 ? ", and the sign is wrong" : "";
    for (const auto& [shape, name] : {std::pair{in, "input"}, std::pair{out, "output"}}) {
      const auto n = static_cast<double>(shape.numel());
      if (n > 2 && near(sign * missing, n))
        return formatted("a factor {} is missing: the {}'s elements{}", n, name, also);
      if (n > 2 && near(sign * c, n)) return formatted("a factor {} is too much: the {}'s elements{}", n, name, also);
      for (std::int64_t i = 0; i < shape.size(); ++i) {
        const auto size = static_cast<double>(shape[i]);
        if (size <= 2) continue;
        if (near(sign * missing, size)) {
          return formatted("a factor {} is missing: dim {} of the {}, or the sum over a broadcast dim{}", size, i, name,
                           also);
        }
        if (near(sign * c, size)) return formatted("a factor {} is too much: dim {} of the {}{}", size, i, name, also);
      }
    }
    if (near(sign * missing, 2)) return "a factor 2 is missing: an input that is used twice counts twice" + also;
  }
  return formatted("off by a factor of {} everywhere", as_fraction(c));
}

bool is_transposed(const Values& a, const Values& n, const Shape& shape) {
  if (shape.size() != 2 || shape[0] < 2 || shape[1] < 2) return false;
  Values t(n.size());
  // Read as (columns, rows): what a forgotten transpose leaves when it is reshaped to fit.
  for (std::int64_t i = 0; i < shape[0]; ++i) {
    for (std::int64_t j = 0; j < shape[1]; ++j) {
      t[static_cast<std::size_t>(j * shape[0] + i)] = n[static_cast<std::size_t>(i * shape[1] + j)];
    }
  }
  return alike(a, t);
}

std::string shifted(const Values& a, const Values& n, const Shape& shape) {
  std::int64_t inner = 1;
  for (std::int64_t dim = shape.size(); dim-- > 0; inner *= shape[dim]) {
    const std::int64_t size = shape[dim];
    if (size < 2) continue;
    for (const std::int64_t by : {std::int64_t{1}, size - 1}) {
      Values rolled(n.size());
      for (std::int64_t i = 0; i < static_cast<std::int64_t>(n.size()); ++i) {
        const std::int64_t at = i / inner % size;
        rolled[static_cast<std::size_t>(i)] = n[static_cast<std::size_t>(i + ((at + by) % size - at) * inner)];
      }
      if (alike(a, rolled)) return formatted("shifted by one along dim {}: an index is off by one", dim);
    }
  }
  return {};
}

// Part of the entries only: which ones, and what their inputs have in common.
std::string partly(const Values& a, const Values& n, const Values& x) {
  const double size = euclidean_norm(n) / std::sqrt(static_cast<double>(n.size()));
  std::size_t wrong = 0, first = 0, negative = 0, wrong_negative = 0, zero = 0;
  for (std::size_t i = a.size(); i-- > 0;) {
    const bool is_wrong = std::abs(a[i] - n[i]) > 1e-6 * std::max(std::abs(n[i]), size);
    negative += x[i] < 0 ? 1 : 0;
    wrong += is_wrong ? 1 : 0;
    wrong_negative += is_wrong && x[i] < 0 ? 1 : 0;
    zero += is_wrong && a[i] == 0 ? 1 : 0;
    if (is_wrong) first = i;
  }
  if (wrong == 0 || wrong == a.size()) return {};
  const std::string lost = zero == wrong ? ", where it is zero" : "";
  if (wrong_negative == wrong && negative == wrong && negative < x.size())
    return "wrong for negative inputs only" + lost;
  if (wrong_negative == 0 && wrong == x.size() - negative) return "wrong for inputs that are not negative only" + lost;
  return formatted("wrong in {} of {} elements{}, the first at {}", wrong, a.size(), lost, first);
}

// Sums over part of a broadcast dim: d(loss)/d(input) with the cotangent cut to its first or last slice.
std::string missing_sum(const Subject& subject, std::size_t variable, const Cotangent& c, const Sample& base,
                        const Values& a, const Shape& in, const Shape& out) {
  const std::int64_t extra = out.size() - in.size();
  std::int64_t inner = 1;
  for (std::int64_t dim = out.size(); dim-- > 0; inner *= out[dim]) {
    const bool broadcast = dim < extra || (in[dim - extra] == 1 && out[dim] > 1);
    if (extra < 0 || !broadcast || out[dim] < 2) continue;
    for (const std::int64_t slice : {std::int64_t{0}, out[dim] - 1}) {
      Cotangent cut = c;
      for (std::int64_t i = 0; i < static_cast<std::int64_t>(cut.weights.size()); ++i) {
        if (i / inner % out[dim] != slice) cut.weights[static_cast<std::size_t>(i)] = 0;
      }
      if (alike(a, differences(subject, variable, cut, base))) {
        return formatted("the sum over the broadcast dim {} of the output is missing", dim);
      }
    }
  }
  return {};
}

}  // namespace

std::string likely_cause(const Subject& subject, std::size_t variable, std::uint64_t seed) {
  const Tensor& x = subject.variables()[variable];
  if (x.numel() == 0 || x.numel() > too_large) return {};
  Recorded recorded(subject);
  if (recorded.count() == 0) return {};
  Generator generator(seed + 4);
  const Cotangent c = random_cotangent(recorded.count(), generator);
  const Values a = recorded.gradient(c)[variable];
  const Sample base = subject.sample();
  const Values n = differences(subject, variable, c, base);
  for (const double v : n) {
    if (!std::isfinite(v)) return {};
  }
  for (const double v : a) {
    if (!std::isfinite(v)) return "it is not finite";
  }
  if (alike(a, n)) return {};
  if (euclidean_norm(a) == 0) return "it is missing: the analytic derivative is zero";
  const Cotangent ones{.unit = -1, .weights = Values(static_cast<std::size_t>(recorded.count()), 1.0)};
  if (recorded.count() > 1 && alike(a, recorded.gradient(ones)[variable])) {
    return "the gradient of the output is ignored: the derivative is the same for all of them";
  }
  const Shape& out = recorded.outputs().front().shape();
  const double c1 = ratio(a, n);
  if (recorded.count() == 1 && c1 != 0) {
    const double g = c.weights.front();
    if (near(c1 * g, 1)) return "the gradient of the output is ignored";
  }
  if (c1 != 0 && x.numel() > 1) return factor_in_words(c1, x.shape(), out);
  if (is_transposed(a, n, x.shape())) return "transposed";
  if (recorded.outputs().size() == 1) {
    const std::string sum = missing_sum(subject, variable, c, base, a, x.shape(), out);
    if (!sum.empty()) return sum;
  }
  if (c1 != 0) return factor_in_words(c1, x.shape(), out);
  const std::string shift = shifted(a, n, x.shape());
  return shift.empty() ? partly(a, n, values_of(x)) : shift;
}

}  // namespace gradus::check
