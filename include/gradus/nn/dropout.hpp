#pragma once

#include "gradus/nn/module.hpp"
#include "gradus/random.hpp"

namespace gradus::nn {

struct DropoutOptions {
  Generator* generator = nullptr;  // where masks come from, by default the thread's own; copies of the layer share it
};

// In training each element is 0 with probability p, else x / (1 - p); in evaluation x. Throws unless p is in [0, 1].
class Dropout : public Module {
 public:
  explicit Dropout(double p = 0.5, const DropoutOptions& options = {});
  Tensor forward(const Tensor& x) override;

 private:
  double p_;
  DropoutOptions options_;
};

// The same for whole channels: (batch, channels, ...)
class Dropout2d : public Module {
 public:
  explicit Dropout2d(double p = 0.5, const DropoutOptions& options = {});
  Tensor forward(const Tensor& x) override;

 private:
  double p_;
  DropoutOptions options_;
};

}  // namespace gradus::nn
