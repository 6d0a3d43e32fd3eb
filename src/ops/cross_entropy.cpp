// Negative log likelihoods of classes. The plain case has a fused kernel; its derivative falls back to ops when it is
// itself recorded.

#include "autograd/record.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "kernels/kernels.hpp"
#include "ops/copy.hpp"
#include "ops/loss.hpp"

namespace gradus {

void check_classes(const char* op, const Tensor& input, const Tensor& target, const Tensor& weight) {
  Shape expected = input.shape();
  if (expected.size() >= 2) expected.erase(1);
  if (input.dim() < 2 || target.shape() != expected) {
    fail("{}: input must be (batch, classes, ...) and target (batch, ...): {} and {}", op, input.shape(),
         target.shape());
  }
  if (!is_floating_point(input.dtype())) fail("{}: a floating dtype is needed, got {}", op, input.dtype());
  if (target.dtype() != int64) fail("{}: the target must be int64 classes, got {}", op, target.dtype());
  check_class_weight(op, input, weight);
}

void check_class_weight(const char* op, const Tensor& input, const Tensor& weight) {
  if (!weight.defined()) return;
  if (weight.shape() != Shape{input.size(1)}) {
    fail("{}: the weight must be {}, got {}", op, Shape{input.size(1)}, weight.shape());
  }
  if (weight.dtype() != input.dtype()) {
    fail("{}: the weight is {}, the input {}", op, weight.dtype(), input.dtype());
  }
}

bool any_ignored(const char* op, const Tensor& target, std::int64_t classes, std::optional<std::int64_t> ignore_index) {
  bool ignored = false;
  for (const std::int64_t t : target.data<std::int64_t>()) {
    if (t == ignore_index)
      ignored = true;
    else if (t < 0 || t >= classes)
      fail("{}: target {} is not a class in [0, {})", op, t, classes);
  }
  return ignored;
}

namespace {

using kernels::table;

// (batch, classes, ...) -> (batch * ..., classes)
Tensor class_rows(const Tensor& input, std::int64_t rows) {
  Shape order{0};
  for (std::int64_t d = 2; d < input.dim(); ++d) order.push_back(d);
  order.push_back(1);
  return reshape(permute(input, order), {rows, input.size(1)});
}

// What holds for rows of classes holds for an input of more dims, or of one: call(input, target) works on rows.
template <class Call>
Tensor by_rows(const char* op, const Tensor& input, const Tensor& target, const Tensor& weight, Reduction reduction,
               const Call& call) {
  check_reduction(op, reduction);
  if (input.dim() == 1 && target.dim() == 0) {
    const Tensor loss = by_rows(op, unsqueeze(input, 0), unsqueeze(target, 0), weight, reduction, call);
    return reduction == Reduction::none ? squeeze(loss, 0) : loss;
  }
  check_classes(op, input, target, weight);
  const Tensor classes = dense(target);
  if (input.dim() == 2) return call(input, classes);
  const std::int64_t rows = target.numel();
  const Tensor loss = call(class_rows(input, rows), reshape(classes, {rows}));
  return reduction == Reduction::none ? reshape(loss, target.shape()) : loss;
}

// The general form, from ops: weights, ignored targets, smoothed labels. (rows, classes) and (rows)
Tensor composed_nll(const Tensor& log_p, const Tensor& target, const CrossEntropyOptions& options) {
  const Tensor counted = ne(target, static_cast<double>(options.ignore_index));
  const Tensor classes = where(counted, target, 0.0);
  const Tensor weight = options.weight.defined() ? options.weight : ones({log_p.size(1)}, {.dtype = log_p.dtype()});
  const Tensor weights = where(counted, index_select(weight, 0, classes), 0.0);
  // Ignored rows are chosen away, not multiplied by 0: they may hold infinities.
  Tensor loss = where(counted, -(squeeze(gather(log_p, 1, unsqueeze(classes, 1)), 1) * weights), 0.0);
  if (const double s = options.label_smoothing; s > 0) {
    const Tensor even = where(counted, -sum(log_p * weight, 1), 0.0) / static_cast<double>(log_p.size(1));
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

// (rows, classes) and (rows)
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

void check_smoothing(double smoothing) {
  if (!(smoothing >= 0 && smoothing <= 1)) {
    fail("cross_entropy: label_smoothing must be in [0, 1], got {}", smoothing);
  }
}

// The target is a probability for each class: dim 1, or the only one.
Tensor soft_cross_entropy(const Tensor& input, const Tensor& target, const CrossEntropyOptions& options) {
  if (input.dim() == 1) {
    const Tensor loss = soft_cross_entropy(unsqueeze(input, 0), unsqueeze(target, 0), options);
    return options.reduction == Reduction::none ? squeeze(loss, 0) : loss;
  }
  check_same_dtype("cross_entropy", input, target);
  check_class_weight("cross_entropy", input, options.weight);
  if (options.ignore_index >= 0) {
    fail("cross_entropy: ignore_index is for classes, not for probabilities, got {}", options.ignore_index);
  }
  const double s = options.label_smoothing;
  const Tensor p = s > 0 ? target * (1 - s) + s / static_cast<double>(input.size(1)) : target;
  Tensor terms = log_softmax(input, 1) * p;
  if (options.weight.defined()) {
    Shape along{input.size(1)};
    while (along.size() + 1 < input.dim()) along.push_back(1);
    terms = terms * reshape(options.weight, along);
  }
  return reduced("cross_entropy", -sum(terms, 1), options.reduction);
}

}  // namespace

Tensor cross_entropy(const Tensor& input, const Tensor& target, const CrossEntropyOptions& options) {
  check_smoothing(options.label_smoothing);
  if (input.dim() > 0 && input.shape() == target.shape() && is_floating_point(target.dtype())) {
    return soft_cross_entropy(input, target, options);
  }
  const auto rows = [&](const Tensor& x, const Tensor& classes) {
    const bool ignored = any_ignored("cross_entropy", classes, x.size(1), options.ignore_index);
    if (ignored || options.weight.defined() || options.label_smoothing > 0 || x.numel() == 0) {
      return composed_nll(log_softmax(x, 1), classes, options);
    }
    return fused_cross_entropy(x, classes, options.reduction);
  };
  return by_rows("cross_entropy", input, target, options.weight, options.reduction, rows);
}

Tensor nll_loss(const Tensor& input, const Tensor& target, const NLLOptions& options) {
  const auto rows = [&](const Tensor& log_p, const Tensor& classes) {
    any_ignored("nll_loss", classes, log_p.size(1), options.ignore_index);
    return composed_nll(
        log_p, classes,
        {.weight = options.weight, .ignore_index = options.ignore_index, .reduction = options.reduction});
  };
  return by_rows("nll_loss", input, target, options.weight, options.reduction, rows);
}

}  // namespace gradus
