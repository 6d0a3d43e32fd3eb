// Losses with a margin. Their targets say 1 or -1 in any dtype.

#include "gradus/ops/margin_losses.hpp"

#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "ops/copy.hpp"
#include "ops/loss.hpp"

namespace gradus {
namespace {

// `same` where the target is 1, `other` where it is -1. As in PyTorch any other target counts for both.
Tensor by_sign(const Tensor& target, const Tensor& same, const Tensor& other) {
  return where(ne(target, -1.0), same, 0.0) + where(ne(target, 1.0), other, 0.0);
}

void check_floating(const char* op, const Tensor& x) {
  if (!is_floating_point(x.dtype())) fail("{}: a floating dtype is needed, got {}", op, x.dtype());
}

// A target that is no index may be floating, but of no other precision.
void check_signs(const char* op, const Tensor& input, const Tensor& target) {
  if (is_floating_point(target.dtype())) check_same_dtype(op, input, target);
}

Tensor cosine(const Tensor& a, const Tensor& b) {
  constexpr double eps = 1e-12;  // PyTorch's
  return sum(a * b, -1) / sqrt((sum(square(a), -1) + eps) * (sum(square(b), -1) + eps));
}

Tensor distance(const Tensor& a, const Tensor& b, const TripletMarginOptions& options) {
  return norm(a - b + options.eps, options.p, -1);
}

void check_multi_margin(const MultiMarginOptions& options) {
  check_reduction("multi_margin_loss", options.reduction);
  if (options.p != 1 && options.p != 2) fail("multi_margin_loss: p must be 1 or 2, got {}", options.p);
}

}  // namespace

Tensor hinge_embedding_loss(const Tensor& input, const Tensor& target, const HingeEmbeddingOptions& options) {
  check_floating("hinge_embedding_loss", input);
  check_signs("hinge_embedding_loss", input, target);
  broadcast_shapes("hinge_embedding_loss", input.shape(), target.shape());
  return reduced("hinge_embedding_loss", by_sign(target, input, clamp(options.margin - input, 0.0)), options.reduction);
}

Tensor multi_margin_loss(const Tensor& input, const Tensor& target, const MultiMarginOptions& options) {
  check_multi_margin(options);
  if (input.dim() == 1 && target.dim() == 0) {
    const Tensor loss = multi_margin_loss(unsqueeze(input, 0), unsqueeze(target, 0), options);
    return options.reduction == Reduction::none ? squeeze(loss, 0) : loss;
  }
  if (input.dim() > 2) fail("multi_margin_loss: input must be (batch, classes), got {}", input.shape());
  check_classes("multi_margin_loss", input, target, options.weight);
  const Tensor classes = dense(target);
  any_ignored("multi_margin_loss", classes, input.size(1), {});
  const Tensor index = unsqueeze(classes, 1);
  Tensor excess = clamp(options.margin - gather(input, 1, index) + input, 0.0);
  if (options.p == 2) excess = square(excess);
  // The right class itself is the one that does not count.
  const Tensor others = ne(index, arange(static_cast<double>(input.size(1))));
  Tensor loss = sum(where(others, excess, 0.0), 1) / static_cast<double>(input.size(1));
  if (options.weight.defined()) loss = loss * index_select(options.weight, 0, classes);
  return reduced("multi_margin_loss", loss, options.reduction);
}

Tensor cosine_embedding_loss(const Tensor& input1, const Tensor& input2, const Tensor& target,
                             const CosineEmbeddingOptions& options) {
  check_same_dtype("cosine_embedding_loss", input1, input2);
  check_signs("cosine_embedding_loss", input1, target);
  if (input1.dim() < 1 || input1.dim() > 2 || input1.shape() != input2.shape() || target.dim() != input1.dim() - 1 ||
      (target.dim() == 1 && target.size(0) != input1.size(0))) {
    fail("cosine_embedding_loss: inputs must be (batch, n) and target (batch): {}, {} and {}", input1.shape(),
         input2.shape(), target.shape());
  }
  const Tensor cos = cosine(input1, input2);
  const Tensor loss = by_sign(target, 1.0 - cos, clamp(cos - options.margin, 0.0));
  return reduced("cosine_embedding_loss", loss, options.reduction);
}

Tensor triplet_margin_loss(const Tensor& anchor, const Tensor& positive, const Tensor& negative,
                           const TripletMarginOptions& options) {
  check_pair("triplet_margin_loss", anchor, positive);
  check_pair("triplet_margin_loss", anchor, negative);
  if (anchor.dim() == 0 || positive.dim() != anchor.dim() || negative.dim() != anchor.dim()) {
    fail("triplet_margin_loss: three tensors of as many dims are needed: {}, {} and {}", anchor.shape(),
         positive.shape(), negative.shape());
  }
  const Tensor near = distance(anchor, positive, options);
  Tensor far = distance(anchor, negative, options);
  if (options.swap) far = minimum(far, distance(positive, negative, options));
  return reduced("triplet_margin_loss", clamp(options.margin + near - far, 0.0), options.reduction);
}

}  // namespace gradus
