#include "gradus/nn/clip_grad.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "gradus/autograd.hpp"
#include "gradus/ops.hpp"
#include "kernels/kernels.hpp"
#include "kernels/parallel.hpp"
#include "tensor/impl.hpp"

namespace gradus {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
// Elements that are taken at once. The pieces are the same for any number of threads, and so is the norm.
constexpr std::int64_t piece = 32768;

using kernels::Binary;
using kernels::Reduce;

// All gradients, each contiguous, one that isn't as a copy.
std::vector<Tensor> gradients_of(const std::vector<Tensor>& parameters) {
  std::vector<Tensor> gradients;
  for (const Tensor& parameter : parameters) {
    const Tensor& grad = impl(parameter).grad;
    if (grad.defined()) gradients.push_back(grad.is_contiguous() ? grad : grad.detach().contiguous());
  }
  return gradients;
}

// The sum of term(data, n) over pieces of x.
template <class Term>
double sum_over_pieces(const Tensor& x, const Term& term) {
  const TensorImpl& t = impl(x);
  return dispatch_floating("clip_grad_norm_", t.dtype, [&]<class T>() {
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

// The largest |x|; NaN if there is one.
double largest(const Tensor& x) {
  const TensorImpl& t = impl(x);
  if (t.numel == 0) return 0;
  return dispatch_floating("clip_grad_norm_", t.dtype, [&]<class T>() -> double {
    T high, low;
    kernels::table<T>().reduce[kernels::index(Reduce::max)](&high, t.data<T>(), 1, t.numel, 1);
    kernels::table<T>().reduce[kernels::index(Reduce::min)](&low, t.data<T>(), 1, t.numel, 1);
    return std::isnan(high) ? high : std::max(high, -low);
  });
}

double largest(const std::vector<Tensor>& gradients) {
  double result = 0;
  for (const Tensor& g : gradients) {
    const double size = largest(g);
    if (std::isnan(size)) return size;
    result = std::max(result, size);
  }
  return result;
}

// (sum |x|^p)^(1/p), of x divided by the largest first: its powers neither overflow nor vanish all.
double scaled_norm(const std::vector<Tensor>& gradients, double p) {
  const double scale = largest(gradients);
  if (scale == 0 || !std::isfinite(scale)) return scale;
  double sum = 0;
  for (const Tensor& g : gradients) {
    sum += sum_over_pieces(g, [&](const auto* x, std::int64_t n) {
      double total = 0;
      for (std::int64_t i = 0; i < n; ++i) total += std::pow(std::abs(static_cast<double>(x[i])) / scale, p);
      return total;
    });
  }
  return scale * std::pow(sum, 1 / p);
}

double euclidean_norm(const std::vector<Tensor>& gradients) {
  double sum = 0;
  for (const Tensor& g : gradients) {
    sum += sum_over_pieces(g, []<class T>(const T* x, std::int64_t n) {
      T total;
      kernels::table<T>().reduce[kernels::index(Reduce::sum_square)](&total, x, 1, n, 1);
      return static_cast<double>(total);
    });
  }
  const double norm = std::sqrt(sum);
  // The squares of floats beyond 1e19 overflow, those below 1e-19 vanish.
  return norm > 1e-15 && std::isfinite(norm) ? norm : scaled_norm(gradients, 2);
}

double norm_of(const std::vector<Tensor>& gradients, double p) {
  if (p == 2) return euclidean_norm(gradients);
  return p == infinity ? largest(gradients) : scaled_norm(gradients, p);
}

// change(data, n) on pieces that fit the cache.
template <class Change>
void change_in_pieces(const Tensor& x, const Change& change) {
  const TensorImpl& t = impl(x);
  if (!is_contiguous(t.shape, t.strides)) {
    Tensor dense = x.detach().contiguous();
    change_in_pieces(dense, change);
    Tensor target = x.detach();
    target.copy_(dense);
    return;
  }
  dispatch_floating("clip_grad", t.dtype, [&]<class T>() {
    kernels::parallel_for(0, t.numel, piece, [&](std::int64_t begin, std::int64_t end) {
      constexpr std::int64_t few = 2048;
      for (std::int64_t i = begin; i < end; i += few) change(t.data<T>() + i, std::min(few, end - i));
    });
  });
  bump_version(x);
}

void scale(const Tensor& x, double factor) {
  change_in_pieces(x, [&]<class T>(T* data, std::int64_t n) {
    const T f = static_cast<T>(factor);
    kernels::table<T>().binary[kernels::index(Binary::mul)](data, data, 1, &f, 0, n);
  });
}

void clamp(const Tensor& x, double bound) {
  change_in_pieces(x, [&]<class T>(T* data, std::int64_t n) {
    const T high = static_cast<T>(bound), low = -high;
    kernels::table<T>().binary[kernels::index(Binary::minimum)](data, data, 1, &high, 0, n);
    kernels::table<T>().binary[kernels::index(Binary::maximum)](data, data, 1, &low, 0, n);
  });
}

void check(const char* op, const char* option, double value) {
  if (!(value >= 0)) fail("{}: {} must be at least 0, got {}", op, option, value);
}

void check(const ClipGradNormOptions& o) {
  if (!(o.norm_type > 0)) fail("clip_grad_norm_: norm_type must be above 0, got {}", o.norm_type);
  if (o.error_if_nonfinite && o.skip_if_nonfinite) {
    fail("clip_grad_norm_: error_if_nonfinite and skip_if_nonfinite exclude each other");
  }
}

template <class NameOf>
[[noreturn]] void fail_nonfinite(const std::vector<Tensor>& parameters, double norm, const NameOf& name_of) {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (!impl(parameters[i]).grad.defined()) continue;
    const double size = largest(gradients_of({parameters[i]}));
    if (!std::isfinite(size)) {
      fail("clip_grad_norm_: the gradient of {} is not finite, its largest entry is {}", name_of(i), size);
    }
  }
  fail("clip_grad_norm_: the norm of the gradients is not finite but {}", norm);
}

template <class NameOf>
double clip_norm(const std::vector<Tensor>& parameters, double max_norm, const ClipGradNormOptions& o,
                 const NameOf& name_of) {
  check("clip_grad_norm_", "max_norm", max_norm);
  check(o);
  const NoGrad guard;
  const double norm = norm_of(gradients_of(parameters), o.norm_type);
  if (!std::isfinite(norm)) {
    if (o.error_if_nonfinite) fail_nonfinite(parameters, norm, name_of);
    if (o.skip_if_nonfinite) {
      for (const Tensor& p : parameters) impl(p).grad = Tensor();
      return norm;
    }
  }
  const double factor = max_norm / (norm + 1e-6);
  if (factor >= 1) return norm;
  for (const Tensor& p : parameters) {
    if (impl(p).grad.defined()) scale(impl(p).grad, factor);
  }
  return norm;
}

}  // namespace

double clip_grad_norm_(const std::vector<Tensor>& parameters, double max_norm, const ClipGradNormOptions& options) {
  return clip_norm(parameters, max_norm, options, [](std::size_t i) { return fmt::format("parameter {}", i); });
}

double clip_grad_norm_(const std::vector<std::pair<std::string, Tensor>>& parameters, double max_norm,
                       const ClipGradNormOptions& options) {
  std::vector<Tensor> tensors;
  for (const auto& [name, tensor] : parameters) tensors.push_back(tensor);
  return clip_norm(tensors, max_norm, options, [&](std::size_t i) { return parameters[i].first; });
}

void clip_grad_value_(const std::vector<Tensor>& parameters, double clip_value) {
  check("clip_grad_value_", "clip_value", clip_value);
  const NoGrad guard;
  for (const Tensor& p : parameters) {
    if (impl(p).grad.defined()) clamp(impl(p).grad, clip_value);
  }
}

}  // namespace gradus
