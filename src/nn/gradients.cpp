#include "nn/gradients.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/kernels.hpp"
#include "kernels/parallel.hpp"
#include "ops/copy.hpp"
#include "tensor/impl.hpp"

namespace gradus {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
// Elements that are taken at once. The pieces are the same for any number of threads, and so is the norm.
constexpr std::int64_t piece = 32768;

using kernels::Reduce;

// The sum of term(data, n) over pieces of x.
template <class Term>
double sum_over_pieces(const Tensor& x, const Term& term) {
  const Tensor elements = dense(x);
  const TensorImpl& t = impl(elements);
  return dispatch_floating("norm", t.dtype, [&]<class T>() {
    const T* data = t.data<T>();
    const std::int64_t count = (t.numel + piece - 1) / piece;
    const auto value = [&](std::int64_t i) { return term(data + i * piece, std::min(piece, t.numel - i * piece)); };
    if (count <= 1) return count == 0 ? 0.0 : value(0);
    std::vector<double> values(static_cast<std::size_t>(count));
    kernels::parallel_for(0, count, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) values[static_cast<std::size_t>(i)] = value(i);
    });
    double sum = 0;
    for (const double v : values) sum += v;
    return sum;
  });
}

double largest(const std::vector<Tensor>& tensors) {
  double result = 0;
  for (const Tensor& g : tensors) {
    const double size = largest(g);
    if (std::isnan(size)) return size;
    result = std::max(result, size);
  }
  return result;
}

// (sum |x|^p)^(1/p), of x divided by the largest first: its powers neither overflow nor vanish all.
double scaled_norm(const std::vector<Tensor>& tensors, double p) {
  const double scale = largest(tensors);
  if (scale == 0 || !std::isfinite(scale)) return scale;
  double sum = 0;
  for (const Tensor& g : tensors) {
    sum += sum_over_pieces(g, [&](const auto* x, std::int64_t n) {
      double total = 0;
      for (std::int64_t i = 0; i < n; ++i) total += std::pow(std::abs(static_cast<double>(x[i])) / scale, p);
      return total;
    });
  }
  return scale * std::pow(sum, 1 / p);
}

double sum_of_squares(const Tensor& x) {
  return sum_over_pieces(x, []<class T>(const T* data, std::int64_t n) {
    T total;
    kernels::table<T>().reduce[kernels::index(Reduce::sum_square)](&total, data, 1, n, 1);
    return static_cast<double>(total);
  });
}

double euclidean_norm(const std::vector<Tensor>& tensors) {
  double sum = 0;
  for (const Tensor& x : tensors) sum += sum_of_squares(x);
  const double norm = std::sqrt(sum);
  // The squares of floats beyond 1e19 overflow, those below 1e-19 vanish.
  return norm > 1e-15 && std::isfinite(norm) ? norm : scaled_norm(tensors, 2);
}

}  // namespace

double largest(const Tensor& x) {
  const Tensor values = dense(x);
  const TensorImpl& t = impl(values);
  if (t.numel == 0) return 0;
  return dispatch_floating("norm", t.dtype, [&]<class T>() -> double {
    T high, low;
    kernels::table<T>().reduce[kernels::index(Reduce::max)](&high, t.data<T>(), 1, t.numel, 1);
    kernels::table<T>().reduce[kernels::index(Reduce::min)](&low, t.data<T>(), 1, t.numel, 1);
    return std::isnan(high) ? high : std::max(high, -low);
  });
}

double total_norm(const std::vector<Tensor>& tensors, double p) {
  if (p == 2) return euclidean_norm(tensors);
  return p == infinity ? largest(tensors) : scaled_norm(tensors, p);
}

bool is_finite(const Tensor& x) {
  // One quick pass; only squares that overflow need another look.
  return std::isfinite(sum_of_squares(x)) || std::isfinite(largest(x));
}

}  // namespace gradus
