#pragma once

#include "gradus/nn/module.hpp"
#include "gradus/ops/interpolate.hpp"

namespace gradus::nn {

// interpolate: Upsample({.scale_factor = 2, .mode = InterpolateMode::bilinear})
class Upsample : public Module {
 public:
  explicit Upsample(const InterpolateOptions& options) : options_(options) {}
  Tensor forward(const Tensor& x) override { return interpolate(x, options_); }

 private:
  InterpolateOptions options_;
};

}  // namespace gradus::nn
