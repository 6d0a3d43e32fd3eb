// All parameters as one vector x, which methods of linear algebra want.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "gradus/error.hpp"
#include "gradus/tensor.hpp"

namespace gradus::optim {

// Tensors end to end, without history: (n)
Tensor joined(const std::vector<Tensor>& tensors);

// What check_finite() throws. A step that is left out for it returns the loss.
struct NotFinite : Error {
  NotFinite(const std::string& message, Tensor at) : Error(message), loss(std::move(at)) {}
  Tensor loss;
};

// Throws, "LBFGS: the loss is nan", unless a value is finite. `loss` is that before the step.
void check_finite(const char* rule, const char* what, double value, const Tensor& loss);

// Those that require a gradient. Throws if none does.
std::vector<Tensor> trainable(const char* rule, const std::vector<Tensor>& params);

class FlatParameters {
 public:
  explicit FlatParameters(std::vector<Tensor> params) : params_(std::move(params)) {}

  // x, a copy: (n)
  Tensor point() const { return joined(params_); }
  void move_to(const Tensor& point);
  // What backward() left in them, zero where there is nothing: (n)
  Tensor gradient() const;

 private:
  std::vector<Tensor> params_;
};

}  // namespace gradus::optim
