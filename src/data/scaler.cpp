#include "gradus/data/scaler.hpp"

#include <algorithm>

#include "gradus/autograd.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "storage/format.hpp"

namespace gradus::data {
namespace {

std::string described(const Tensor& x) {
  return x.defined() ? formatted("{} {}", to_string(x.dtype()), to_string(x.shape())) : "undefined";
}

}  // namespace

StandardScaler::StandardScaler(const Tensor& x) {
  if (!x.defined() || !is_floating_point(x.dtype()))
    fail("StandardScaler: features must be floating: {}", described(x));
  if (x.dim() == 0 || x.size(0) == 0) fail("StandardScaler: there is no sample: {}", x.shape());
  NoGrad guard;
  const Tensor exact = x.to(float64);
  if (!all(eq(exact - exact, 0.0)).item<bool>()) fail("StandardScaler: a feature is NaN or infinite: {}", x.shape());
  // The mean of equal numbers may differ from them by a rounding error, which must not become a scale.
  const Tensor least = amin(exact, 0), most = amax(exact, 0), mean = exact.mean(0);
  const Tensor changes = ne(least, most);
  mean_ = where(changes, mean, least).to(x.dtype());
  // The deviations as parts of the range: their squares neither overflow nor vanish all.
  const Tensor range = where(changes, most - least, ones_like(mean));
  const Tensor scale = (sqrt(square((exact - mean) / range).mean(0)) * range).to(x.dtype());
  scale_ = where(changes, where(eq(scale, 0.0), ones_like(scale), scale), ones_like(scale));
}

void StandardScaler::check(const char* op, const Tensor& x) const {
  const bool fits = x.defined() && x.dim() == mean_.dim() + 1 && x.dtype() == mean_.dtype() &&
                    std::equal(mean_.shape().begin(), mean_.shape().end(), x.shape().begin() + 1);
  if (fits) return;
  fail("{}: samples of the shape and dtype learnt from expected, {}: {}", op, described(mean_), described(x));
}

Tensor StandardScaler::transform(const Tensor& x) const {
  check("transform", x);
  return (x - mean_) / scale_;
}

Tensor StandardScaler::inverse_transform(const Tensor& x) const {
  check("inverse_transform", x);
  return x * scale_ + mean_;
}

}  // namespace gradus::data
