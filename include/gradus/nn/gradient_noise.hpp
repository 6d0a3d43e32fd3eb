// Noise on gradients between backward() and an optimizer's step().
#pragma once

#include <cstdint>
#include <vector>

#include "gradus/random.hpp"
#include "gradus/tensor.hpp"

namespace gradus {

struct GradientNoiseOptions {
  double eta = 0.01;  // 0.01, 0.3 and 1 are the paper's
  double gamma = 0.55;
  Generator* generator = nullptr;
};

// g += sigma * n with n standard normal and sigma^2 = eta / (1 + t)^gamma, t = 0 at the first step: noise that fades
// and helps out of plateaus and poor starts. Parameters without gradient are left out. Throws unless t, eta and gamma
// are at least 0. [Neelakantan et al., Adding gradient noise improves learning for very deep networks, 2015]
void add_gradient_noise_(const std::vector<Tensor>& parameters, std::int64_t t,
                         const GradientNoiseOptions& options = {});

}  // namespace gradus
