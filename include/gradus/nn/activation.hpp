// Activations as modules: each is the op of the same name.
#pragma once

#include <cstdint>

#include "gradus/nn/module.hpp"

namespace gradus::nn {

// x
class Identity : public Module {
 public:
  Tensor forward(const Tensor& x) override;
};

// max(x, 0)
class ReLU : public Module {
 public:
  Tensor forward(const Tensor& x) override;
};

class Tanh : public Module {
 public:
  Tensor forward(const Tensor& x) override;
};

// 1 / (1 + e^-x)
class Sigmoid : public Module {
 public:
  Tensor forward(const Tensor& x) override;
};

// x * Phi(x), Phi the normal distribution function
class GELU : public Module {
 public:
  Tensor forward(const Tensor& x) override;
};

// ln(1 + e^(beta x)) / beta. Throws unless beta is above 0.
class Softplus : public Module {
 public:
  explicit Softplus(double beta = 1);
  Tensor forward(const Tensor& x) override;

 private:
  double beta_;
};

// x sigmoid(x)
class SiLU : public Module {
 public:
  Tensor forward(const Tensor& x) override;
};

// x tanh(softplus(x))
class Mish : public Module {
 public:
  Tensor forward(const Tensor& x) override;
};

// relu6(x + 3) / 6
class Hardsigmoid : public Module {
 public:
  Tensor forward(const Tensor& x) override;
};

// x relu6(x + 3) / 6
class Hardswish : public Module {
 public:
  Tensor forward(const Tensor& x) override;
};

// x / (1 + |x|)
class Softsign : public Module {
 public:
  Tensor forward(const Tensor& x) override;
};

// ln sigmoid(x)
class LogSigmoid : public Module {
 public:
  Tensor forward(const Tensor& x) override;
};

// min(max(x, min_val), max_val). Throws, when called, if min_val > max_val.
class Hardtanh : public Module {
 public:
  explicit Hardtanh(double min_val = -1, double max_val = 1) : min_val_(min_val), max_val_(max_val) {}
  Tensor forward(const Tensor& x) override;

 private:
  double min_val_, max_val_;
};

// a sigmoid(b) of the two halves of x along dim: (batch, 2 n) -> (batch, n)
class GLU : public Module {
 public:
  explicit GLU(std::int64_t dim = -1) : dim_(dim) {}
  Tensor forward(const Tensor& x) override;

 private:
  std::int64_t dim_;
};

// e^x / sum e^x along dim
class Softmax : public Module {
 public:
  explicit Softmax(std::int64_t dim) : dim_(dim) {}
  Tensor forward(const Tensor& x) override;

 private:
  std::int64_t dim_;
};

// Softmax over the channels of each pixel: (batch, channels, h, w) or (channels, h, w) -> the same
class Softmax2d : public Module {
 public:
  Tensor forward(const Tensor& x) override;
};

// e^-x / sum e^-x along dim
class Softmin : public Module {
 public:
  explicit Softmin(std::int64_t dim) : dim_(dim) {}
  Tensor forward(const Tensor& x) override;

 private:
  std::int64_t dim_;
};

// x - logsumexp(x) along dim
class LogSoftmax : public Module {
 public:
  explicit LogSoftmax(std::int64_t dim) : dim_(dim) {}
  Tensor forward(const Tensor& x) override;

 private:
  std::int64_t dim_;
};

// Joins the dims from start_dim to end_dim: (batch, 8, 8) -> (batch, 64)
class Flatten : public Module {
 public:
  explicit Flatten(std::int64_t start_dim = 1, std::int64_t end_dim = -1) : start_dim_(start_dim), end_dim_(end_dim) {}
  Tensor forward(const Tensor& x) override;

 private:
  std::int64_t start_dim_, end_dim_;
};

// Splits one dim into several, one of which may be -1: Unflatten(1, {8, 8}) does (batch, 64) -> (batch, 8, 8). Throws
// unless the sizes fit.
class Unflatten : public Module {
 public:
  Unflatten(std::int64_t dim, const Shape& unflattened_size) : dim_(dim), unflattened_size_(unflattened_size) {}
  Tensor forward(const Tensor& x) override;

 private:
  std::int64_t dim_;
  Shape unflattened_size_;
};

}  // namespace gradus::nn
