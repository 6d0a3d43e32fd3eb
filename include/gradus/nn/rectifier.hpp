// Rectifiers as modules: x itself above a threshold, something small below; and shrinkage, which takes small x to 0.
#pragma once

#include <cstdint>

#include "gradus/nn/module.hpp"
#include "gradus/random.hpp"

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

struct RReLUOptions {
  Generator* generator = nullptr;  // where slopes come from, by default the thread's own; copies of the layer share it
};

// x > 0 ? x : slope x, where each element has a slope of its own in training, uniform on [lower, upper], and their mean
// in evaluation (Xu et al., 2015). Throws if lower > upper.
class RReLU : public Module {
 public:
  explicit RReLU(double lower = 1.0 / 8, double upper = 1.0 / 3, const RReLUOptions& options = {});
  Tensor forward(const Tensor& x) override;

 private:
  double lower_, upper_;
  RReLUOptions options_;
};

// |x| > lambd ? x : 0
class Hardshrink : public Module {
 public:
  explicit Hardshrink(double lambd = 0.5) : lambd_(lambd) {}
  Tensor forward(const Tensor& x) override;

 private:
  double lambd_;
};

// x brought nearer to 0 by lambd, but not beyond it. Throws if lambd is negative.
class Softshrink : public Module {
 public:
  explicit Softshrink(double lambd = 0.5);
  Tensor forward(const Tensor& x) override;

 private:
  double lambd_;
};

// x - tanh(x)
class Tanhshrink : public Module {
 public:
  Tensor forward(const Tensor& x) override;
};

}  // namespace gradus::nn
