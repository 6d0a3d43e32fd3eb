#include "gradus/optim/bias_correction.hpp"

#include <cmath>

namespace gradus::optim {

const std::array<double, 2>& BiasCorrection::at(std::int64_t step, const std::array<double, 2>& betas) {
  if (step != step_ || betas != betas_) {
    step_ = step;
    betas_ = betas;
    for (const std::size_t i : {0, 1}) corrections_[i] = 1 - std::pow(betas[i], static_cast<double>(step));
  }
  return corrections_;
}

}  // namespace gradus::optim
