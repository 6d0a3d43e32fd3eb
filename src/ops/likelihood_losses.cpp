// Negative log likelihoods of numbers: of a yes or no, of a share, of a normal distribution.

#include <algorithm>
#include <cmath>
#include <numbers>

#include "autograd/record.hpp"
#include "gradus/ops.hpp"
#include "ops/loss.hpp"
#include "ops/map.hpp"

namespace gradus {
namespace {

void check_same_shape(const char* op, const Tensor& input, const Tensor& target) {
  check_same_dtype(op, input, target);
  if (input.shape() != target.shape()) fail("{}: shapes differ: {} and {}", op, input.shape(), target.shape());
}

Tensor weighted(const Tensor& loss, const Tensor& weight) { return weight.defined() ? loss * weight : loss; }

// ln x, cut off where it would become infinite.
template <class T>
T bounded_log(T x) {
  return std::max(std::log(x), T(-100));
}

void check_probabilities(const Tensor& input) {
  if (input.numel() == 0) return;
  const double least = min(input.detach()).item(), most = max(input.detach()).item();
  if (!(least >= 0 && most <= 1)) {
    fail("binary_cross_entropy: every input must be in [0, 1], got {} to {}", least, most);
  }
}

// ln t where it is finite: where t is 0 it is multiplied by 0.
Tensor finite_log(const Tensor& t) { return log(where(eq(t, 0.0), 1.0, t)); }

// The variance in a shape that broadcasts with the input.
Tensor fitted_variance(const Tensor& input, const Tensor& var) {
  if (var.shape() == input.shape()) return var;
  Shape without_last = input.shape();
  if (input.dim() > 0) without_last.erase(input.dim() - 1);
  if (var.shape() == without_last) return unsqueeze(var, -1);
  without_last.push_back(1);
  if (var.shape() == without_last) return var;
  fail("gaussian_nll_loss: the variance does not fit the input: {} and {}", var.shape(), input.shape());
}

}  // namespace

Tensor binary_cross_entropy(const Tensor& input, const Tensor& target, const BCEOptions& options) {
  check_same_shape("binary_cross_entropy", input, target);
  check_probabilities(input);
  const auto value = [](auto x, auto t) { return -(t * bounded_log(x) + (1 - t) * bounded_log(1 - x)); };
  const Tensor loss = record(
      "binary_cross_entropy", map("binary_cross_entropy", input, target, value),
      wrt(input, [x = Saved(input), t = Saved(target)](
                     const Tensor& g) { return g * (x.get() - t.get()) / clamp(x * (1.0 - x), 1e-12); }),
      wrt(target,
          [x = Saved(input)](const Tensor& g) { return g * (clamp(log(1.0 - x), -100) - clamp(log(x), -100)); }));
  return reduced("binary_cross_entropy", weighted(loss, options.weight), options.reduction);
}

Tensor binary_cross_entropy_with_logits(const Tensor& input, const Tensor& target,
                                        const BCEWithLogitsOptions& options) {
  check_same_shape("binary_cross_entropy_with_logits", input, target);
  // -(t ln s(x) + (1 - t) ln s(-x)) with ln s(x) = -softplus(-x)
  Tensor surprise = softplus(-input);
  if (options.pos_weight.defined()) surprise = surprise * ((options.pos_weight - 1.0) * target + 1.0);
  return reduced("binary_cross_entropy_with_logits", weighted((1.0 - target) * input + surprise, options.weight),
                 options.reduction);
}

Tensor kl_div(const Tensor& input, const Tensor& target, const KLDivOptions& options) {
  check_pair("kl_div", input, target);
  const Tensor loss = options.log_target ? exp(target) * (target - input) : target * (finite_log(target) - input);
  if (options.reduction != Reduction::batchmean) return reduced("kl_div", loss, options.reduction);
  if (input.dim() == 0) fail("kl_div: batchmean needs a batch, got {}", input.shape());
  return sum(loss) / static_cast<double>(input.size(0));
}

Tensor gaussian_nll_loss(const Tensor& input, const Tensor& target, const Tensor& var,
                         const GaussianNLLOptions& options) {
  check_pair("gaussian_nll_loss", input, target);
  check_same_dtype("gaussian_nll_loss", input, var);
  if (!(options.eps > 0)) fail("gaussian_nll_loss: eps must be above 0, got {}", options.eps);
  const Tensor variance = fitted_variance(input, var);
  if (any(lt(var, 0.0)).item<bool>()) fail("gaussian_nll_loss: a variance is negative: {}", min(var).item());
  // As in PyTorch the bound is added as a constant, so that a variance below it still learns.
  const Tensor v = variance + (clamp(variance.detach(), options.eps) - variance.detach());
  Tensor loss = 0.5 * (log(v) + square(input - target) / v);
  if (options.full) loss = loss + 0.5 * std::log(2 * std::numbers::pi);
  return reduced("gaussian_nll_loss", loss, options.reduction);
}

}  // namespace gradus
