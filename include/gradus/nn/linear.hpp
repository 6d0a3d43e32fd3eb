#pragma once

#include <cstdint>

#include "gradus/nn/module.hpp"

namespace gradus::nn {

struct LinearOptions {
  bool bias = true;
  Dtype dtype = float32;
};

// x W^T + b: (..., in_features) -> (..., out_features). The weight is (out_features, in_features); it and the bias
// start uniform on +-1 / sqrt(in_features), as in PyTorch. Throws if a size is negative.
class Linear : public Module {
 public:
  Linear(std::int64_t in_features, std::int64_t out_features, const LinearOptions& options = {});

  Tensor forward(const Tensor& x) override;

  std::int64_t in_features() const { return weight.size(1); }
  std::int64_t out_features() const { return weight.size(0); }

  Parameter weight;
  Parameter bias;
  GRADUS_MODULE(weight, bias)
};

}  // namespace gradus::nn
