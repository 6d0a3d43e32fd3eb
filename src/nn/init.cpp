// Values are drawn in float64 and converted, so that both dtypes start with the same numbers.

#include "gradus/nn/init.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "gradus/autograd.hpp"
#include "gradus/factory.hpp"
#include "gradus/linalg.hpp"
#include "gradus/ops.hpp"
#include "random/normal.hpp"
#include "storage/format.hpp"

namespace gradus::nn::init {
namespace {

Tensor filled(const char* op, Tensor tensor, const Tensor& values) {
  if (!is_floating_point(tensor.dtype())) fail("{}: a floating dtype is needed, got {}", op, tensor.dtype());
  NoGrad guard;
  return tensor.copy_(values);
}

Tensor filled_normal(const char* op, const Tensor& tensor, double mean, double std, Generator* generator) {
  if (!(std >= 0)) fail("{}: std must be at least 0, got {}", op, std);
  return filled(op, tensor, randn(tensor.shape(), {.dtype = float64, .generator = generator}) * std + mean);
}

// On +-bound.
Tensor filled_uniform(const char* op, const Tensor& tensor, double bound, Generator* generator) {
  return filled(op, tensor, (rand(tensor.shape(), {.dtype = float64, .generator = generator}) * 2.0 - 1.0) * bound);
}

// A uniform distribution on +-bound has the variance bound^2 / 3.
double bound_of(double std) { return std::sqrt(3.0) * std; }

Fans fans_of(const char* op, const Tensor& weight) {
  if (weight.dim() < 2) fail("{}: a weight of at least 2 dims is needed, got {}", op, weight.shape());
  std::int64_t receptive = 1;
  for (std::int64_t d = 2; d < weight.dim(); ++d) receptive *= weight.size(d);
  return {weight.size(1) * receptive, weight.size(0) * receptive};
}

// gain / sqrt(fan); a weight without elements may have a fan of 0.
double scaled_std(double gain, double fan) { return fan > 0 ? gain / std::sqrt(fan) : 0; }

double xavier_std(const char* op, const Tensor& tensor, double gain) {
  const Fans fans = fans_of(op, tensor);
  return scaled_std(gain * std::numbers::sqrt2, static_cast<double>(fans.fan_in + fans.fan_out));
}

double kaiming_std(const char* op, const Tensor& tensor, const KaimingOptions& o) {
  const Fans fans = fans_of(op, tensor);
  const std::int64_t fan = o.mode == FanMode::fan_in ? fans.fan_in : fans.fan_out;
  return scaled_std(calculate_gain(o.nonlinearity, o.a), static_cast<double>(fan));
}

double lecun_std(const char* op, const Tensor& tensor) {
  return scaled_std(1, static_cast<double>(fans_of(op, tensor).fan_in));
}

// P(X <= x) of a standard normal X
double normal_distribution(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }

}  // namespace

double calculate_gain(Nonlinearity nonlinearity, std::optional<double> param) {
  switch (nonlinearity) {
    case Nonlinearity::tanh:
      return 5.0 / 3;
    case Nonlinearity::relu:
      return std::numbers::sqrt2;
    case Nonlinearity::leaky_relu: {
      const double slope = param.value_or(0.01);
      return std::sqrt(2 / (1 + slope * slope));
    }
    case Nonlinearity::selu:
      return 0.75;
    case Nonlinearity::linear:
    case Nonlinearity::sigmoid:
      break;
  }
  return 1;
}

Fans calculate_fans(const Tensor& weight) { return fans_of("calculate_fans", weight); }

Tensor uniform_(Tensor tensor, double a, double b, Generator* generator) {
  if (!(a <= b)) fail("uniform_: a must not exceed b, got {} and {}", a, b);
  return filled("uniform_", tensor, rand(tensor.shape(), {.dtype = float64, .generator = generator}) * (b - a) + a);
}

Tensor normal_(Tensor tensor, double mean, double std, Generator* generator) {
  return filled_normal("normal_", tensor, mean, std, generator);
}

Tensor trunc_normal_(Tensor tensor, const TruncNormalOptions& o) {
  if (!(o.a < o.b)) fail("trunc_normal_: a must be below b, got {} and {}", o.a, o.b);
  if (!(o.std > 0)) fail("trunc_normal_: std must be above 0, got {}", o.std);
  // By inversion, on the side of the mean where probabilities are small numbers and keep their digits.
  const double low = (o.a - o.mean) / o.std, high = (o.b - o.mean) / o.std;
  const double side = low > 0 ? -1 : 1;
  const double first = normal_distribution(side > 0 ? low : -high);
  const double last = normal_distribution(side > 0 ? high : -low);
  const Tensor values = rand(tensor.shape(), {.dtype = float64, .generator = o.generator});
  for (double& v : values.data<double>()) {
    const double p = first + (v + 0x1p-54) * (last - first);
    v = std::clamp(o.mean + side * o.std * random::inverse_normal(p), o.a, o.b);
  }
  return filled("trunc_normal_", tensor, values);
}

Tensor constant_(Tensor tensor, double value) {
  NoGrad guard;
  return tensor.fill_(value);
}

Tensor ones_(Tensor tensor) { return constant_(tensor, 1); }

Tensor zeros_(Tensor tensor) { return constant_(tensor, 0); }

Tensor eye_(Tensor tensor) {
  if (tensor.dim() != 2) fail("eye_: a tensor of 2 dims is needed, got {}", tensor.shape());
  return filled("eye_", tensor, eye(tensor.size(0), tensor.size(1)));
}

Tensor dirac_(Tensor tensor, std::int64_t groups) {
  if (tensor.dim() < 3 || tensor.dim() > 5) {
    fail("dirac_: a weight of 3, 4 or 5 dims is needed, got {}", tensor.shape());
  }
  if (groups < 1 || tensor.size(0) % groups != 0) {
    fail("dirac_: groups must divide the output channels, got {} and {}", groups, tensor.size(0));
  }
  NoGrad guard;
  const Tensor values = zeros(tensor.shape());
  const std::int64_t outputs = tensor.size(0) / groups;
  for (std::int64_t i = 0; i < tensor.size(0); ++i) {
    if (i % outputs >= tensor.size(1)) continue;
    Tensor kernel = values.select(0, i).select(0, i % outputs);
    while (kernel.dim() > 0) kernel = kernel.select(0, kernel.size(0) / 2);
    kernel.fill_(1);
  }
  return filled("dirac_", tensor, values);
}

Tensor xavier_uniform_(Tensor tensor, const XavierOptions& o) {
  const double std = xavier_std("xavier_uniform_", tensor, o.gain);
  return filled_uniform("xavier_uniform_", tensor, bound_of(std), o.generator);
}

Tensor xavier_normal_(Tensor tensor, const XavierOptions& o) {
  return filled_normal("xavier_normal_", tensor, 0, xavier_std("xavier_normal_", tensor, o.gain), o.generator);
}

Tensor kaiming_uniform_(Tensor tensor, const KaimingOptions& o) {
  const double std = kaiming_std("kaiming_uniform_", tensor, o);
  return filled_uniform("kaiming_uniform_", tensor, bound_of(std), o.generator);
}

Tensor kaiming_normal_(Tensor tensor, const KaimingOptions& o) {
  return filled_normal("kaiming_normal_", tensor, 0, kaiming_std("kaiming_normal_", tensor, o), o.generator);
}

Tensor lecun_uniform_(Tensor tensor, Generator* generator) {
  return filled_uniform("lecun_uniform_", tensor, bound_of(lecun_std("lecun_uniform_", tensor)), generator);
}

Tensor lecun_normal_(Tensor tensor, Generator* generator) {
  return filled_normal("lecun_normal_", tensor, 0, lecun_std("lecun_normal_", tensor), generator);
}

Tensor orthogonal_(Tensor tensor, const OrthogonalOptions& o) {
  if (tensor.dim() < 2) fail("orthogonal_: a tensor of at least 2 dims is needed, got {}", tensor.shape());
  if (tensor.numel() == 0) return tensor;
  NoGrad guard;
  const std::int64_t rows = tensor.size(0), columns = tensor.numel() / rows;
  const Tensor tall =
      randn({std::max(rows, columns), std::min(rows, columns)}, {.dtype = float64, .generator = o.generator});
  const linalg::QR qr = linalg::qr(tall);
  // With a positive diagonal of R the factor is unique, and Q uniformly distributed.
  const Tensor Q = qr.Q * where(lt(diagonal(qr.R), 0.0), -1.0, ones({tall.size(1)}, {.dtype = float64}));
  return filled("orthogonal_", tensor, reshape((rows < columns ? Q.t() : Q) * o.gain, tensor.shape()));
}

Tensor sparse_(Tensor tensor, double sparsity, const SparseOptions& o) {
  if (tensor.dim() != 2) fail("sparse_: a tensor of 2 dims is needed, got {}", tensor.shape());
  if (!(sparsity >= 0 && sparsity <= 1)) fail("sparse_: sparsity must be in [0, 1], got {}", sparsity);
  normal_(tensor, 0, o.std, o.generator);
  const auto none = static_cast<std::int64_t>(std::ceil(sparsity * static_cast<double>(tensor.size(0))));
  const Tensor order = argsort(rand(tensor.shape(), {.dtype = float64, .generator = o.generator}), 0);
  NoGrad guard;
  return tensor.copy_(scatter(tensor, 0, order.narrow(0, 0, none), 0.0));
}

}  // namespace gradus::nn::init
