// Losses: distances and negative log likelihoods. See regression_losses.hpp and margin_losses.hpp for more.
#pragma once

#include <cstdint>

#include "gradus/tensor.hpp"

namespace gradus {

// batchmean, the sum divided by the size of the first dim, is for kl_div alone.
enum class Reduction : std::uint8_t { none, mean, sum, batchmean };

struct LossOptions {
  Reduction reduction = Reduction::mean;
};

// (input - target)^2
Tensor mse_loss(const Tensor& input, const Tensor& target, const LossOptions& options = {});
// |input - target|
Tensor l1_loss(const Tensor& input, const Tensor& target, const LossOptions& options = {});

struct CrossEntropyOptions {
  Tensor weight = {};  // (classes), a factor for each class
  std::int64_t ignore_index = -100;
  Reduction reduction = Reduction::mean;
  double label_smoothing = 0;
};
// -log_softmax(input)[target]: (batch, classes, ...), int64 (batch, ...) -> (); also (classes), () -> (). A target of
// the input's shape and dtype holds a probability for each class. The mean divides by the sum of the weights of all
// targets; for probabilities by their number. Throws unless every target is in [0, classes) or ignore_index.
Tensor cross_entropy(const Tensor& input, const Tensor& target, const CrossEntropyOptions& options = {});

struct NLLOptions {
  Tensor weight = {};  // (classes), a factor for each class
  std::int64_t ignore_index = -100;
  Reduction reduction = Reduction::mean;
};
// -input[target] of log probabilities, otherwise as cross_entropy
Tensor nll_loss(const Tensor& input, const Tensor& target, const NLLOptions& options = {});

struct BCEOptions {
  Tensor weight = {};  // a factor for each element; broadcasts
  Reduction reduction = Reduction::mean;
};
// -(t ln x + (1 - t) ln(1 - x)), the logarithms cut off at -100. Throws unless every input is in [0, 1].
Tensor binary_cross_entropy(const Tensor& input, const Tensor& target, const BCEOptions& options = {});

struct BCEWithLogitsOptions {
  Tensor weight = {};  // a factor for each element; broadcasts
  Reduction reduction = Reduction::mean;
  Tensor pos_weight = {};  // a factor for ln sigmoid(x), the part of the positive answers; broadcasts
};
// -(t ln sigmoid(x) + (1 - t) ln(1 - sigmoid(x))), stable for any x
Tensor binary_cross_entropy_with_logits(const Tensor& input, const Tensor& target,
                                        const BCEWithLogitsOptions& options = {});

struct KLDivOptions {
  Reduction reduction = Reduction::mean;  // batchmean is the divergence of a batch of distributions
  bool log_target = false;                // the target holds log probabilities as well
};
// t (ln t - x), 0 where t is 0: the input holds log probabilities. With log_target e^t (t - x).
Tensor kl_div(const Tensor& input, const Tensor& target, const KLDivOptions& options = {});

struct GaussianNLLOptions {
  bool full = false;  // with the constant ln(2 pi) / 2
  double eps = 1e-6;  // the least variance; the gradient does not see it
  Reduction reduction = Reduction::mean;
};
// (ln var + (input - target)^2 / var) / 2: the variance has the input's shape, or that without the last dim, or with 1
// there. Throws if a variance is negative.
Tensor gaussian_nll_loss(const Tensor& input, const Tensor& target, const Tensor& var,
                         const GaussianNLLOptions& options = {});

}  // namespace gradus
