#include "gradus/nn/dropout.hpp"

#include "gradus/ops.hpp"
#include "storage/format.hpp"

namespace gradus::nn {
namespace {

double checked(const char* layer, double p) {
  if (!(p >= 0 && p <= 1)) fail("{}: p must be in [0, 1], got {}", layer, p);
  return p;
}

}  // namespace

Dropout::Dropout(double p, const DropoutOptions& options) : p_(checked("Dropout", p)), options_(options) {}

Tensor Dropout::forward(const Tensor& x) { return dropout(x, p_, is_training(), options_.generator); }

Dropout2d::Dropout2d(double p, const DropoutOptions& options) : p_(checked("Dropout2d", p)), options_(options) {}

Tensor Dropout2d::forward(const Tensor& x) { return dropout2d(x, p_, is_training(), options_.generator); }

}  // namespace gradus::nn
