// Batch norm: each channel is normalised over the batch, in training by its own statistics, else by the running ones.

#include <array>
#include <cmath>

#include "autograd/record.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "kernels/kernels.hpp"
#include "ops/copy.hpp"
#include "ops/normalisation.hpp"
#include "ops/rows.hpp"

namespace gradus {
namespace {

using kernels::Runs;
using kernels::table;

constexpr const char* name = "batch_norm";

// x as (batch, channels, inner)
struct Channels {
  std::int64_t batch, count, inner;

  std::int64_t values() const { return batch * inner; }  // of one channel
  Runs runs() const { return {batch, count * inner, inner}; }
  Shape along() const { return {1, count, 1}; }
  NormLayout layout() const {
    return {.view = {batch, count, inner}, .over = {0, 2}, .weights = {count}, .affine = along(), .repeated = {0, 2}};
  }
};

Channels channels_of(const Tensor& x) {
  check_norm_input(name, x);
  if (x.dim() < 2) fail("{}: the input must be (batch, channels, ...), got {}", name, x.shape());
  Channels channels{x.shape()[0], x.shape()[1], 1};
  for (std::int64_t i = 2; i < x.dim(); ++i) channels.inner *= x.shape()[i];
  return channels;
}

// Calls f(first, last) for blocks of channels. Columns lie next to each other: a block should fill whole cache lines.
template <class F>
void for_channel_blocks(const Channels& channels, const F& f) {
  const std::int64_t least = channels.inner == 1 ? 64 : 1;
  kernels::parallel_for(0, channels.count,
                        std::max(least, parallel_grain / (4 * std::max<std::int64_t>(1, channels.values()))), f);
}

struct Statistics {
  Tensor mean, variance, rstd;  // (channels) each
};

// y = (x - mean) * rstd * weight + bias. With `measure` mean and variance are found first, while the channel is warm.
Tensor normalized_channels(const Tensor& input, const Tensor& weight, const Tensor& bias, double eps, bool measure,
                           const Channels& channels, Statistics& s) {
  const Tensor x = dense(input);
  Tensor y = make_tensor(x.shape(), x.dtype());
  const Tensor scale =
      weight.defined() ? weight.detach().clone().contiguous() : ones({channels.count}, {.dtype = x.dtype()});
  const Tensor shift = bias.defined() ? dense(bias) : zeros({channels.count}, {.dtype = x.dtype()});
  s.rstd = make_tensor({channels.count}, x.dtype());
  dispatch_floating(name, x.dtype(), [&]<class T>() {
    const auto& kernel = table<T>();
    T *const mean = data_of<T>(s.mean), *const variance = data_of<T>(s.variance), *const rstd = data_of<T>(s.rstd);
    T *const a = data_of<T>(scale), *const b = data_of<T>(shift), *const from = data_of<T>(x),
             *const to = data_of<T>(y);
    const auto finish = [&](std::int64_t c) {
      rstd[c] = T(1) / std::sqrt(variance[c] + static_cast<T>(eps));
      a[c] *= rstd[c];
    };
    for_channel_blocks(channels, [&](std::int64_t begin, std::int64_t end) {
      if (channels.inner == 1) {
        const std::int64_t n = end - begin;
        if (measure)
          kernel.column_moments(mean + begin, variance + begin, from + begin, channels.batch, n, channels.count);
        for (std::int64_t c = begin; c < end; ++c) finish(c);
        kernel.column_normalize(to + begin, from + begin, mean + begin, a + begin, b + begin, channels.batch, n,
                                channels.count);
        return;
      }
      for (std::int64_t c = begin; c < end; ++c) {
        const std::int64_t start = c * channels.inner;
        if (measure) kernel.moments(mean + c, variance + c, from + start, channels.runs());
        finish(c);
        kernel.normalize(to + start, from + start, mean[c], a[c], b[c], channels.runs());
      }
    });
  });
  return y;
}

// dx = rstd * weight * (g - mean(g) - y * mean(g * y)) with y = (x - mean) * rstd, dweight = sum(g * y), dbias = sum(g)
void fused_backward(const Tensor& grad, const Tensor& input, const Tensor& weights, const Statistics& s,
                    const Channels& channels, Gradients& gradients) {
  const Tensor g = dense(grad), x = dense(input);
  const TensorOptions same{.dtype = x.dtype()};
  const Tensor weight = weights.defined() ? dense(weights) : ones({channels.count}, same);
  const Tensor dbias = make_tensor({channels.count}, x.dtype()), dweight = make_tensor({channels.count}, x.dtype());
  const Tensor factors = make_tensor({3, channels.count}, x.dtype());
  const Tensor dx = gradients.wanted(0) ? make_tensor(x.shape(), x.dtype()) : Tensor();
  dispatch_floating(name, x.dtype(), [&]<class T>() {
    const auto& kernel = table<T>();
    const T *const mean = data_of<T>(s.mean), *const rstd = data_of<T>(s.rstd), *const w = data_of<T>(weight);
    const T *const slope = data_of<T>(g), *const from = data_of<T>(x);
    T *const sum = data_of<T>(dbias), *const dot = data_of<T>(dweight),
             *const to = dx.defined() ? data_of<T>(dx) : nullptr;
    T *const p = data_of<T>(factors), *const q = p + channels.count, *const r = q + channels.count;
    const T n = static_cast<T>(channels.values());
    const auto finish = [&](std::int64_t c) {
      dot[c] *= rstd[c];
      p[c] = w[c] * rstd[c];
      q[c] = -p[c] * rstd[c] * dot[c] / n;
      r[c] = -p[c] * sum[c] / n;
    };
    for_channel_blocks(channels, [&](std::int64_t begin, std::int64_t end) {
      if (channels.inner == 1) {
        const std::int64_t cols = end - begin, stride = channels.count;
        kernel.column_norm_sums(sum + begin, dot + begin, slope + begin, from + begin, mean + begin, channels.batch,
                                cols, stride);
        for (std::int64_t c = begin; c < end; ++c) finish(c);
        if (to) {
          kernel.column_normalize_backward(to + begin, slope + begin, from + begin, mean + begin, p + begin, q + begin,
                                           r + begin, channels.batch, cols, stride);
        }
        return;
      }
      for (std::int64_t c = begin; c < end; ++c) {
        const std::int64_t start = c * channels.inner;
        kernel.norm_sums(sum + c, dot + c, slope + start, from + start, mean[c], channels.runs());
        finish(c);
        if (to)
          kernel.normalize_backward(to + start, slope + start, from + start, mean[c], p[c], q[c], r[c],
                                    channels.runs());
      }
    });
  });
  if (gradients.wanted(0)) gradients[0] = dx;
  if (gradients.wanted(1)) gradients[1] = dweight;
  if (gradients.wanted(2)) gradients[2] = dbias;
}

Tensor train(const Tensor& x, const Tensor& running_mean, const Tensor& running_var, const BatchNormOptions& options,
             const Channels& channels) {
  const std::int64_t n = channels.values();
  if (n == 1) fail("{}: training needs more than one value per channel, got {}", name, x.shape());
  Statistics s{zeros({channels.count}, {.dtype = x.dtype()}), zeros({channels.count}, {.dtype = x.dtype()}), {}};
  const Tensor y = normalized_channels(x, options.weight, options.bias, options.eps, n > 0, channels, s);
  if (n > 0 && running_mean.defined()) update_running(running_mean, s.mean, options.momentum);
  if (n > 0 && running_var.defined()) {
    const double unbiased = static_cast<double>(n) / static_cast<double>(n - 1);
    update_running(running_var, s.variance, options.momentum, unbiased);
  }
  return record_joint(name, y, std::array{x, options.weight, options.bias},
                      [x = Saved(x), weight = Saved(options.weight), s, channels, eps = options.eps](
                          const Tensor& g, Gradients& gradients) {
                        if (grad_enabled)
                          composed_norm_backward(g, x, weight, channels.layout(), eps, gradients);
                        else
                          fused_backward(g, x, weight, s, channels, gradients);
                      });
}

// Here the statistics are constants.
Tensor evaluate(const Tensor& x, const Tensor& running_mean, const Tensor& running_var, const BatchNormOptions& options,
                const Channels& channels) {
  if (!running_mean.defined() || !running_var.defined()) {
    fail("{}: without training it needs running_mean and running_var", name);
  }
  // Copies: the next step in training changes the running statistics, perhaps before backward.
  Statistics s{running_mean.detach().clone().contiguous(), running_var.detach().clone().contiguous(), {}};
  const Tensor y = normalized_channels(x, options.weight, options.bias, options.eps, false, channels, s);
  const auto vjp = [x = Saved(x), weight = Saved(options.weight), s, channels](const Tensor& grad,
                                                                               Gradients& gradients) {
    const Shape view = channels.layout().view, along = channels.along();
    const Tensor g = reshape(grad, view), rstd = reshape(s.rstd, along);
    if (gradients.wanted(0)) {
      const Tensor scale = weight.get().defined() ? rstd * reshape(weight, along) : rstd;
      gradients[0] = reshape(g * scale, grad.shape());
    }
    if (gradients.wanted(1)) {
      const Tensor values = (reshape(x, view) - reshape(s.mean, along)) * rstd;
      gradients[1] = sum(g * values, {0, 2});
    }
    if (gradients.wanted(2)) gradients[2] = sum(g, {0, 2});
  };
  return record_joint(name, y, std::array{x, options.weight, options.bias}, vjp);
}

}  // namespace

Tensor batch_norm(const Tensor& x, const Tensor& running_mean, const Tensor& running_var,
                  const BatchNormOptions& options) {
  const Channels channels = channels_of(x);
  const Shape shape{channels.count};
  check_affine(name, x, "running_mean", running_mean, shape);
  check_affine(name, x, "running_var", running_var, shape);
  check_affine(name, x, "weight", options.weight, shape);
  check_affine(name, x, "bias", options.bias, shape);
  if (options.training) return train(x, running_mean, running_var, options, channels);
  return evaluate(x, running_mean, running_var, options, channels);
}

}  // namespace gradus
