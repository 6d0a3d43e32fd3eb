#pragma once

#include <array>
#include <cstdint>

namespace gradus::optim {

// 1 - beta^t for both betas. Most parameters are at the same step t, so the powers are computed once per step, not once
// per parameter.
class BiasCorrection {
 public:
  const std::array<double, 2>& at(std::int64_t step, const std::array<double, 2>& betas);

 private:
  std::int64_t step_ = 0;
  std::array<double, 2> betas_{};
  std::array<double, 2> corrections_{};
};

}  // namespace gradus::optim
