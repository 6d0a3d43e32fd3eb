#include "optim/measure.hpp"

#include <cmath>

#include "gradus/autograd.hpp"
#include "gradus/ops.hpp"
#include "nn/gradients.hpp"
#include "tensor/impl.hpp"

namespace gradus::optim {
namespace {

// The share of entries for which `is_counted` holds.
template <class Predicate>
double share(const Tensor& x, const Predicate& is_counted) {
  const Tensor dense = x.detach().contiguous();
  if (dense.numel() == 0) return 0;
  return dispatch_floating("diagnostics", dense.dtype(), [&]<class T>() {
    std::int64_t count = 0;
    for (const T value : dense.data<T>()) count += is_counted(value) ? 1 : 0;
    return static_cast<double>(count) / static_cast<double>(dense.numel());
  });
}

// 0 / 0 counts as 0: a parameter that is zero and stays so.
double ratio(double update, double weight) { return update == 0 ? 0 : update / weight; }

}  // namespace

ParameterDiagnostics measure_update(const std::string& name, const Tensor& param, const Tensor& before) {
  const NoGrad guard;
  ParameterDiagnostics result{.name = name, .shape = param.shape()};
  result.weight_norm = total_norm({before});
  result.update_norm = total_norm({param.detach() - before});
  result.update_to_weight = ratio(result.update_norm, result.weight_norm);
  const Tensor& grad = impl(param).grad;
  result.has_gradient = grad.defined();
  if (!grad.defined()) return result;
  result.gradient_norm = total_norm({grad});
  result.zero_share = share(grad, [](auto value) { return value == 0; });
  result.nonfinite_share = share(grad, [](auto value) { return !std::isfinite(value); });
  return result;
}

}  // namespace gradus::optim
