#include "train/diagnose/statistics.hpp"

#include <cmath>

#include "autograd/observer.hpp"
#include "gradus/autograd.hpp"
#include "gradus/ops.hpp"
#include "nn/gradients.hpp"

namespace gradus::train::doctor {
namespace {

// What is computed in its scope is nobody's business.
struct Quiet {
  Observing unseen{nullptr};
  NoGrad unrecorded;
};

Tensor doubles(const Tensor& x) { return x.detach().to(float64); }

}  // namespace

double rms(const Tensor& x) {
  const Quiet quiet;
  return x.numel() == 0 ? 0 : std::sqrt(square(doubles(x)).mean().item());
}

double spread(const Tensor& x) {
  const Quiet quiet;
  if (x.dim() == 0 || x.size(0) < 2 || x.numel() == 0) return 0;
  return std::sqrt(doubles(x).var({0}, {.correction = 0}).mean().item());
}

double share(const Tensor& mask) {
  const Quiet quiet;
  return mask.numel() == 0 ? 0 : mask.to(float64).mean().item();
}

bool all_finite(const Tensor& x) {
  const Quiet quiet;
  return !is_floating_point(x.dtype()) || is_finite(x.detach());
}

Tensor by_unit(const Tensor& x) {
  const Quiet quiet;
  const Tensor values = x.detach();
  if (values.dim() < 2) return values.reshape({values.numel(), 1});
  const std::int64_t dim = values.dim() == 4 ? 1 : values.dim() - 1;
  return values.transpose(0, dim).reshape({values.size(dim), -1});
}

}  // namespace gradus::train::doctor
