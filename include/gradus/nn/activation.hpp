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

// ln(1 + e^x)
class Softplus : public Module {
 public:
  Tensor forward(const Tensor& x) override;
};

// e^x / sum e^x along dim
class Softmax : public Module {
 public:
  explicit Softmax(std::int64_t dim) : dim_(dim) {}
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
