// Losses. Where a fused kernel pays, the value has one; its derivative falls back to ops when it is itself recorded.

#include "autograd/record.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "kernels/kernels.hpp"
#include "ops/copy.hpp"

namespace gradus {
namespace {

using kernels::table;

Tensor reduced(const Tensor& loss, Reduction reduction) {
  if (reduction == Reduction::none) return loss;
  return reduction == Reduction::sum ? sum(loss) : mean(loss);
}

void check_same_dtype(const char* op, const Tensor& input, const Tensor& target) {
  if (input.dtype() != target.dtype()) {
    fail("{}: dtypes differ: {} and {}; convert one with to()", op, input.dtype(), target.dtype());
  }
  if (!is_floating_point(input.dtype())) fail("{}: a floating dtype is needed, got {}", op, input.dtype());
}

// g * factor * (a - b), g 0-d: the derivative of a squared distance.
Tensor scaled_difference(const Tensor& a, const Tensor& b, const Tensor& g, double factor) {
  if (grad_enabled) return (a - b) * (g * factor);
  Tensor out = make_tensor(a.shape(), a.dtype());
  const Tensor x = dense(a);
  const Tensor y = dense(b);
  dispatch_floating("mse_loss", a.dtype(), [&]<class T>() {
    const T scale = static_cast<T>(factor * g.item());
    table<T>().scaled_difference(data_of<T>(out), data_of<T>(x), data_of<T>(y), scale, a.numel());
  });
  return out;
}

Tensor squared_distance(const Tensor& input, const Tensor& target, double scale) {
  const Tensor a = dense(input);
  const Tensor b = dense(target);
  Tensor out = make_tensor({}, input.dtype());
  dispatch_floating("mse_loss", input.dtype(), [&]<class T>() {
    *data_of<T>(out) = static_cast<T>(scale * table<T>().squared_distance(data_of<T>(a), data_of<T>(b), a.numel()));
  });
  return out;
}

// --- cross_entropy --------------------------------------------------------------------------------------------------

void check_cross_entropy(const Tensor& input, const Tensor& target, const CrossEntropyOptions& options) {
  if (input.dim() != 2 || target.dim() != 1 || input.size(0) != target.size(0)) {
    fail("cross_entropy: input must be (batch, classes) and target (batch): {} and {}", input.shape(), target.shape());
  }
  if (!is_floating_point(input.dtype())) fail("cross_entropy: a floating dtype is needed, got {}", input.dtype());
  if (target.dtype() != int64) fail("cross_entropy: the target must be int64 classes, got {}", target.dtype());
  if (!(options.label_smoothing >= 0 && options.label_smoothing <= 1)) {
    fail("cross_entropy: label_smoothing must be in [0, 1], got {}", options.label_smoothing);
  }
  if (options.weight.defined() && options.weight.shape() != Shape{input.size(1)}) {
    fail("cross_entropy: the weight must be {}, got {}", Shape{input.size(1)}, options.weight.shape());
  }
  if (options.weight.defined() && options.weight.dtype() != input.dtype()) {
    fail("cross_entropy: the weight is {}, the input {}", options.weight.dtype(), input.dtype());
  }
}

// Throws at a target that is no class; true if one is to be ignored.
bool any_ignored(const Tensor& target, std::int64_t classes, std::int64_t ignore_index) {
  bool ignored = false;
  for (const std::int64_t t : target.data<std::int64_t>()) {
    if (t == ignore_index)
      ignored = true;
    else if (t < 0 || t >= classes)
      fail("cross_entropy: target {} is not a class in [0, {})", t, classes);
  }
  return ignored;
}

// The general form, from ops: weights, ignored targets, smoothed labels.
Tensor composed_cross_entropy(const Tensor& input, const Tensor& target, const CrossEntropyOptions& options) {
  const Dtype dtype = input.dtype();
  const Tensor counted = ne(target, static_cast<double>(options.ignore_index));
  const Tensor classes = where(counted, target, 0.0);
  const Tensor log_p = log_softmax(input, 1);
  const Tensor weight = options.weight.defined() ? options.weight : ones({input.size(1)}, {.dtype = dtype});
  const Tensor weights = where(counted, index_select(weight, 0, classes), 0.0);
  // Ignored rows are chosen away, not multiplied by 0: they may hold infinities.
  Tensor loss = where(counted, -(squeeze(gather(log_p, 1, unsqueeze(classes, 1)), 1) * weights), 0.0);
  if (const double s = options.label_smoothing; s > 0) {
    const Tensor even = where(counted, -sum(log_p * weight, 1), 0.0) / static_cast<double>(input.size(1));
    loss = loss * (1 - s) + even * s;
  }
  if (options.reduction == Reduction::none) return loss;
  return options.reduction == Reduction::sum ? sum(loss) : sum(loss) / sum(weights);
}

Tensor cross_entropy_backward(const Tensor& g, const Tensor& input, const Tensor& probability, const Tensor& target,
                              double factor) {
  if (grad_enabled) {
    const Tensor p = softmax(input, 1);
    const Tensor hit = eq(unsqueeze(target, 1), arange(static_cast<double>(input.size(1)))).to(input.dtype());
    return (p - hit) * ((g.dim() == 1 ? unsqueeze(g, 1) : g) * factor);
  }
  Tensor dx = make_tensor(input.shape(), input.dtype());
  const Tensor scale = dense(g);
  dispatch_floating("cross_entropy", input.dtype(), [&]<class T>() {
    table<T>().cross_entropy_backward(data_of<T>(dx), data_of<T>(probability), data_of<std::int64_t>(target),
                                      data_of<T>(scale), g.dim() == 1 ? 1 : 0, static_cast<T>(factor), input.size(0),
                                      input.size(1));
  });
  return dx;
}

Tensor fused_cross_entropy(const Tensor& input, const Tensor& target, Reduction reduction) {
  const std::int64_t rows = input.size(0);
  const std::int64_t classes = input.size(1);
  const Tensor x = dense(input);
  const Tensor loss = make_tensor({rows}, input.dtype());
  const Tensor probability = make_tensor(input.shape(), input.dtype());
  const double factor = reduction == Reduction::mean ? 1.0 / static_cast<double>(rows) : 1.0;
  Tensor out = reduction == Reduction::none ? loss : make_tensor({}, input.dtype());
  dispatch_floating("cross_entropy", input.dtype(), [&]<class T>() {
    table<T>().cross_entropy(data_of<T>(loss), data_of<T>(probability), data_of<T>(x), data_of<std::int64_t>(target),
                             rows, classes);
    if (reduction == Reduction::none) return;
    T* const total = data_of<T>(out);
    table<T>().reduce[static_cast<std::size_t>(kernels::Reduce::sum)](total, data_of<T>(loss), 1, rows, 1);
    *total = static_cast<T>(*total * factor);
  });
  return record("cross_entropy", out,
                wrt(input, [x = Saved(input), target = Saved(target), probability, factor](const Tensor& g) {
                  return cross_entropy_backward(g, x, probability, target, factor);
                }));
}

}  // namespace

Tensor mse_loss(const Tensor& input, const Tensor& target, const LossOptions& options) {
  check_same_dtype("mse_loss", input, target);
  if (options.reduction == Reduction::none || input.shape() != target.shape() || input.numel() == 0) {
    broadcast_shapes("mse_loss", input.shape(), target.shape());
    return reduced(square(input - target), options.reduction);
  }
  const double scale = options.reduction == Reduction::mean ? 1.0 / static_cast<double>(input.numel()) : 1.0;
  const auto vjp = [scale](const Tensor& a, const Tensor& b) {
    return [a = Saved(a), b = Saved(b), scale](const Tensor& g) { return scaled_difference(a, b, g, 2 * scale); };
  };
  return record("mse_loss", squared_distance(input, target, scale), wrt(input, vjp(input, target)),
                wrt(target, vjp(target, input)));
}

Tensor l1_loss(const Tensor& input, const Tensor& target, const LossOptions& options) {
  check_same_dtype("l1_loss", input, target);
  broadcast_shapes("l1_loss", input.shape(), target.shape());
  return reduced(abs(input - target), options.reduction);
}

Tensor cross_entropy(const Tensor& input, const Tensor& target, const CrossEntropyOptions& options) {
  if (input.dim() == 1 && target.dim() == 0) {
    Tensor loss = cross_entropy(unsqueeze(input, 0), unsqueeze(target, 0), options);
    return options.reduction == Reduction::none ? squeeze(loss, 0) : loss;
  }
  check_cross_entropy(input, target, options);
  const Tensor classes = dense(target);
  const bool ignored = any_ignored(classes, input.size(1), options.ignore_index);
  if (ignored || options.weight.defined() || options.label_smoothing > 0 || input.numel() == 0) {
    return composed_cross_entropy(input, classes, options);
  }
  return fused_cross_entropy(input, classes, options.reduction);
}

Tensor binary_cross_entropy_with_logits(const Tensor& input, const Tensor& target, const LossOptions& options) {
  check_same_dtype("binary_cross_entropy_with_logits", input, target);
  if (input.shape() != target.shape()) {
    fail("binary_cross_entropy_with_logits: shapes differ: {} and {}", input.shape(), target.shape());
  }
  // -(t ln s(x) + (1 - t) ln s(-x)) with ln s(x) = -softplus(-x)
  return reduced((1.0 - target) * input + softplus(-input), options.reduction);
}

}  // namespace gradus
