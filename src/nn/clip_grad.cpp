#include "gradus/nn/clip_grad.hpp"

#include <algorithm>
#include <cmath>

#include "gradus/autograd.hpp"
#include "gradus/ops.hpp"
#include "kernels/kernels.hpp"
#include "kernels/parallel.hpp"
#include "nn/gradients.hpp"
#include "storage/format.hpp"
#include "tensor/impl.hpp"

namespace gradus {
namespace {

constexpr std::int64_t piece = 32768;  // elements that one thread changes at least

using kernels::Binary;

std::vector<Tensor> gradients_of(const std::vector<Tensor>& parameters) {
  std::vector<Tensor> gradients;
  for (const Tensor& parameter : parameters) {
    if (const Tensor& grad = impl(parameter).grad; grad.defined()) gradients.push_back(grad);
  }
  return gradients;
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
    const Tensor& grad = impl(parameters[i]).grad;
    if (!grad.defined() || is_finite(grad)) continue;
    fail("clip_grad_norm_: the gradient of {}, {}, is not finite, its largest entry is {}", name_of(i),
         parameters[i].shape(), largest(grad));
  }
  fail("clip_grad_norm_: the norm of the gradients is not finite but {}", norm);
}

template <class NameOf>
double clip_norm(const std::vector<Tensor>& parameters, double max_norm, const ClipGradNormOptions& o,
                 const NameOf& name_of) {
  check("clip_grad_norm_", "max_norm", max_norm);
  check(o);
  const NoGrad guard;
  const double norm = total_norm(gradients_of(parameters), o.norm_type);
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

// The norm of each unit: row of a weight, filter of a convolution; of a bias or a scale as a whole. In float64, for the
// squares of floats beyond 1e19 overflow.
Tensor unitwise_norm(const Tensor& values, double p) {
  const Tensor x = values.to(float64);
  if (x.dim() <= 1) return norm(x, p);
  Dims dims;
  for (std::int64_t d = 1; d < x.dim(); ++d) dims.push_back(d);
  return norm(x, p, dims, {.keepdim = true});
}

void check(const AdaptiveClipGradOptions& o) {
  check("adaptive_clip_grad_", "clip_factor", o.clip_factor);
  check("adaptive_clip_grad_", "eps", o.eps);
  if (!(o.norm_type > 0)) fail("adaptive_clip_grad_: norm_type must be above 0, got {}", o.norm_type);
}

}  // namespace

double clip_grad_norm_(const std::vector<Tensor>& parameters, double max_norm, const ClipGradNormOptions& options) {
  return clip_norm(parameters, max_norm, options, [](std::size_t i) { return formatted("parameter {}", i); });
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

void adaptive_clip_grad_(const std::vector<Tensor>& parameters, const AdaptiveClipGradOptions& options) {
  check(options);
  const NoGrad guard;
  for (const Tensor& p : parameters) {
    Tensor grad = impl(p).grad.defined() ? impl(p).grad.detach() : Tensor();
    if (!grad.defined() || grad.numel() == 0) continue;
    const Tensor most = unitwise_norm(p.detach(), options.norm_type).clamp(options.eps) * options.clip_factor;
    const Tensor size = unitwise_norm(grad, options.norm_type);
    const Tensor is_small = size.lt(most);
    if (is_small.all().item<bool>()) continue;
    grad.mul_(where(is_small, 1.0, most / size.clamp(1e-6)).to(grad.dtype()));
  }
}

}  // namespace gradus
