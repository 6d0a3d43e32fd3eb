#include "optim/flat_parameters.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "storage/format.hpp"

namespace gradus::optim {

Tensor joined(const std::vector<Tensor>& tensors) {
  std::vector<Tensor> flat;
  for (const Tensor& tensor : tensors) flat.push_back(tensor.detach().reshape({-1}));
  return cat(flat);
}

void check_finite(const char* rule, const char* what, double value, const Tensor& loss) {
  if (std::isfinite(value)) return;
  // A NaN's sign says nothing.
  const char* seen = std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
  throw NotFinite(formatted("{}: {} {}", rule, what, seen), loss);
}

std::vector<Tensor> trainable(const char* rule, const std::vector<Tensor>& params) {
  std::vector<Tensor> found;
  std::ranges::copy_if(params, std::back_inserter(found), &Tensor::requires_grad);
  if (found.empty()) fail("{}: none of the {} parameters requires a gradient", rule, params.size());
  return found;
}

void FlatParameters::move_to(const Tensor& point) {
  std::int64_t begin = 0;
  for (Tensor& param : params_) {
    param.copy_(point.narrow(0, begin, param.numel()).reshape(param.shape()));
    begin += param.numel();
  }
}

Tensor FlatParameters::gradient() const {
  std::vector<Tensor> gradients;
  for (const Tensor& param : params_) gradients.push_back(param.grad().defined() ? param.grad() : zeros_like(param));
  return joined(gradients);
}

}  // namespace gradus::optim
