// Penalties to be added to a loss: `loss(model(x), y) + 1e-4 * l2_penalty(model.parameters())`. They are differentiable
// scalars, and throw where there is no parameter, or parameters of two dtypes.
#pragma once

#include <vector>

#include "gradus/tensor.hpp"

namespace gradus {

// sum |w| over all parameters: it draws weights to exactly 0.
Tensor l1_penalty(const std::vector<Tensor>& parameters);
// sum w^2 over all parameters. Its gradient is 2 w: weight_decay = 2 c does in SGD what c l2_penalty does in the loss.
Tensor l2_penalty(const std::vector<Tensor>& parameters);

struct ElasticNetOptions {
  double l1 = 0.5;
  double l2 = 0.5;
};
// l1 sum |w| + l2 sum w^2 (Zou and Hastie, 2005). Throws if a factor is negative.
Tensor elastic_net_penalty(const std::vector<Tensor>& parameters, const ElasticNetOptions& options = {});

}  // namespace gradus
