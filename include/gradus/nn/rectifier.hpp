// Rectifiers as modules: x itself above a threshold, something small below. Each is the op of the same name.
#pragma once

#include <cstdint>

#include "gradus/nn/module.hpp"

namespace gradus::nn {

// x > 0 ? x : negative_slope x
class LeakyReLU : public Module {
 public:
  explicit LeakyReLU(double negative_slope = 0.01) : negative_slope_(negative_slope) {}
  Tensor forward(const Tensor& x) override;

 private:
  double negative_slope_;
};

struct PReLUOptions {
  double init = 0.25;
  Dtype dtype = float32;
};

// x > 0 ? x : weight x, where the weight, (num_parameters), is learnt: one for all, or one for each channel, dim 1.
// Throws if num_parameters is not positive.
class PReLU : public Module {
 public:
  explicit PReLU(std::int64_t num_parameters = 1, const PReLUOptions& options = {});
  Tensor forward(const Tensor& x) override;

  Parameter weight;
  GRADUS_MODULE(weight)
};

// min(max(x, 0), 6)
class ReLU6 : public Module {
 public:
  Tensor forward(const Tensor& x) override;
};

// x > threshold ? x : value
class Threshold : public Module {
 public:
  Threshold(double threshold, double value) : threshold_(threshold), value_(value) {}
  Tensor forward(const Tensor& x) override;

 private:
  double threshold_, value_;
};

// x > 0 ? x : alpha (e^x - 1)
class ELU : public Module {
 public:
  explicit ELU(double alpha = 1) : alpha_(alpha) {}
  Tensor forward(const Tensor& x) override;

 private:
  double alpha_;
};

// x > 0 ? x : alpha (e^(x / alpha) - 1)
class CELU : public Module {
 public:
  explicit CELU(double alpha = 1) : alpha_(alpha) {}
  Tensor forward(const Tensor& x) override;

 private:
  double alpha_;
};

// 1.0507 elu(x, 1.6733)
class SELU : public Module {
 public:
  Tensor forward(const Tensor& x) override;
};

}  // namespace gradus::nn
