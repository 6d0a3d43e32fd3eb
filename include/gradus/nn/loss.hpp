// Losses as modules: each holds its options and calls the op of the same name. `CrossEntropyLoss loss({.label_smoothing
// = 0.1}); loss(input, target)`. Options are those of the op: PyTorch's names. They have no parameters; a weight stays
// a plain tensor of the options and is no part of the state.
#pragma once

#include "gradus/nn/module.hpp"
#include "gradus/ops/losses.hpp"
#include "gradus/ops/margin_losses.hpp"
#include "gradus/ops/regression_losses.hpp"

namespace gradus::nn {

// The base of them all.
template <class OptionsType, Tensor (*function)(const Tensor&, const Tensor&, const OptionsType&)>
class Loss : public Module {
 public:
  using Options = OptionsType;
  Loss() = default;
  explicit Loss(const Options& options) : options_(options) {}

  using Module::forward;
  Tensor forward(const Tensor& input, const Tensor& target) const { return function(input, target, options_); }
  Tensor operator()(const Tensor& input, const Tensor& target) const { return forward(input, target); }

  const Options& options() const { return options_; }

 private:
  Options options_;
};

// The same for losses of three tensors.
template <class OptionsType, Tensor (*function)(const Tensor&, const Tensor&, const Tensor&, const OptionsType&)>
class TripleLoss : public Module {
 public:
  using Options = OptionsType;
  TripleLoss() = default;
  explicit TripleLoss(const Options& options) : options_(options) {}

  using Module::forward;
  Tensor forward(const Tensor& a, const Tensor& b, const Tensor& c) const { return function(a, b, c, options_); }
  Tensor operator()(const Tensor& a, const Tensor& b, const Tensor& c) const { return forward(a, b, c); }

  const Options& options() const { return options_; }

 private:
  Options options_;
};

class MSELoss : public Loss<LossOptions, mse_loss> {
 public:
  using Loss::Loss;
};
class L1Loss : public Loss<LossOptions, l1_loss> {
 public:
  using Loss::Loss;
};
class HuberLoss : public Loss<HuberOptions, huber_loss> {
 public:
  using Loss::Loss;
};
class SmoothL1Loss : public Loss<SmoothL1Options, smooth_l1_loss> {
 public:
  using Loss::Loss;
};
class QuantileLoss : public Loss<QuantileOptions, quantile_loss> {
 public:
  using Loss::Loss;
};
class ExpectileLoss : public Loss<ExpectileOptions, expectile_loss> {
 public:
  using Loss::Loss;
};
class LinexLoss : public Loss<LinexOptions, linex_loss> {
 public:
  using Loss::Loss;
};
class PeakWeightedMSELoss : public Loss<PeakWeightedOptions, peak_weighted_mse_loss> {
 public:
  using Loss::Loss;
};
class CrossEntropyLoss : public Loss<CrossEntropyOptions, cross_entropy> {
 public:
  using Loss::Loss;
};
class NLLLoss : public Loss<NLLOptions, nll_loss> {
 public:
  using Loss::Loss;
};
class BCELoss : public Loss<BCEOptions, binary_cross_entropy> {
 public:
  using Loss::Loss;
};
class BCEWithLogitsLoss : public Loss<BCEWithLogitsOptions, binary_cross_entropy_with_logits> {
 public:
  using Loss::Loss;
};
class KLDivLoss : public Loss<KLDivOptions, kl_div> {
 public:
  using Loss::Loss;
};
class HingeEmbeddingLoss : public Loss<HingeEmbeddingOptions, hinge_embedding_loss> {
 public:
  using Loss::Loss;
};
class MultiMarginLoss : public Loss<MultiMarginOptions, multi_margin_loss> {
 public:
  using Loss::Loss;
};
// (input, target, var)
class GaussianNLLLoss : public TripleLoss<GaussianNLLOptions, gaussian_nll_loss> {
 public:
  using TripleLoss::TripleLoss;
};
// (input1, input2, target)
class CosineEmbeddingLoss : public TripleLoss<CosineEmbeddingOptions, cosine_embedding_loss> {
 public:
  using TripleLoss::TripleLoss;
};
// (anchor, positive, negative)
class TripletMarginLoss : public TripleLoss<TripletMarginOptions, triplet_margin_loss> {
 public:
  using TripleLoss::TripleLoss;
};

}  // namespace gradus::nn
