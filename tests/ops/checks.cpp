#include "ops/checks.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <sstream>

#include <gradus/autograd.hpp>

namespace gradus::test {

std::vector<double> values(const Tensor& tensor) {
  const Tensor dense = tensor.detach().to(float64).contiguous();
  const auto data = dense.data<double>();
  return {data.begin(), data.end()};
}

std::string difference(const Tensor& actual, const Tensor& expected, const Tolerance& tolerance) {
  std::ostringstream out;
  if (!actual.defined() || !expected.defined()) {
    return actual.defined() == expected.defined() ? "" : "one of the tensors is undefined";
  }
  if (actual.shape() != expected.shape()) {
    out << "shape " << to_string(actual.shape()) << ", expected " << to_string(expected.shape());
    return out.str();
  }
  if (actual.dtype() != expected.dtype()) {
    out << "dtype " << to_string(actual.dtype()) << ", expected " << to_string(expected.dtype());
    return out.str();
  }
  const std::vector<double> a = values(actual), e = values(expected);
  double scale = 0;
  for (double v : e) scale = std::isfinite(v) ? std::max(scale, std::abs(v)) : scale;
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] == e[i] || (std::isnan(a[i]) && std::isnan(e[i]))) continue;
    const double allowed = tolerance.relative * std::abs(e[i]) + tolerance.to_scale * scale + tolerance.absolute;
    const double error = std::abs(a[i] - e[i]);
    if (std::isfinite(error) && error <= allowed && std::isfinite(e[i])) continue;
    if (!out.str().empty() && !(error > worst)) continue;
    worst = error;
    out.str("");
    out.precision(17);
    out << "element " << i << " is " << a[i] << ", expected " << e[i] << " (allowed difference " << allowed << ")";
  }
  return out.str();
}

Tensor cotangent_like(const Tensor& tensor, unsigned seed) {
  std::mt19937_64 random(seed);
  std::vector<double> data(static_cast<std::size_t>(tensor.numel()));
  for (double& v : data) v = std::round(static_cast<double>(random() >> 11) * 0x1p-52 * 1024) / 1024 - 1;
  return gradus::tensor(std::span<const double>(data), tensor.shape(), {.dtype = tensor.dtype()});
}

double projection(const Tensor& tensor, const Tensor& cotangent) {
  const std::vector<double> a = values(tensor), c = values(cotangent);
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * c[i];
  return sum;
}

Tensor central_differences(const std::function<double(const Tensors&)>& f, const Tensors& inputs, std::size_t which) {
  constexpr double h = 1e-3;
  Tensors moved = inputs;
  moved[which] = inputs[which].detach().clone();
  const Tensor gradient = zeros_like(moved[which]);
  const auto x = moved[which].data<double>();
  const auto g = gradient.data<double>();
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double middle = x[i];
    const auto at = [&](double offset) {
      x[i] = middle + offset;
      return f(moved);
    };
    g[i] = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
    x[i] = middle;
  }
  return gradient;
}

Tensors make_leaves(const Tensors& inputs, const std::vector<bool>& asked) {
  Tensors leaves;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    Tensor leaf = inputs[i].detach();
    if (asked[i]) leaf.set_requires_grad();
    leaves.push_back(leaf);
  }
  return leaves;
}

Tensor gradient_or_zeros(const Tensor& gradient, const Tensor& input) {
  return gradient.defined() ? gradient : zeros_like(input.detach());
}

}  // namespace gradus::test
