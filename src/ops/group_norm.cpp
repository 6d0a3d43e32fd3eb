// Group norm, and instance norm, whose groups are single channels.

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

// x as (batch, groups, channels of a group, inner). A sample's group is contiguous.
struct Groups {
  std::int64_t batch, count, channels, inner;

  std::int64_t all() const { return batch * count; }
  std::int64_t values() const { return channels * inner; }  // of one group
  NormLayout layout() const {
    return {.view = {batch, count, channels, inner},
            .over = {2, 3},
            .weights = {count * channels},
            .affine = {1, count, channels, 1},
            .repeated = {0, 3}};
  }
};

Groups groups_of(const Tensor& x, std::int64_t groups) {
  Groups g{x.shape()[0], groups, x.shape()[1] / groups, 1};
  for (std::int64_t i = 2; i < x.dim(); ++i) g.inner *= x.shape()[i];
  return g;
}

// Calls f(group, its first element, its first channel), the groups of all samples counted through.
template <class F>
void for_each_group(const Groups& groups, const F& f) {
  const std::int64_t n = groups.values();
  kernels::parallel_for(0, groups.all(), std::max<std::int64_t>(1, parallel_grain / (4 * std::max<std::int64_t>(1, n))),
                        [&](std::int64_t begin, std::int64_t end) {
                          for (std::int64_t i = begin; i < end; ++i) f(i, i * n, i % groups.count * groups.channels);
                        });
}

struct Statistics {
  Tensor mean, variance, rstd;  // (batch * groups) each
};

Tensor normalized_groups(const Tensor& input, const Tensor& weight, const Tensor& bias, double eps,
                         const Groups& groups, Statistics& s) {
  const Tensor x = dense(input);
  const TensorOptions same{.dtype = x.dtype()};
  const std::int64_t channels = groups.count * groups.channels;
  const Tensor scale = weight.defined() ? dense(weight) : ones({channels}, same);
  const Tensor shift = bias.defined() ? dense(bias) : zeros({channels}, same);
  Tensor y = make_tensor(x.shape(), x.dtype());
  for (Tensor* t : {&s.mean, &s.variance, &s.rstd}) *t = make_tensor({groups.all()}, x.dtype());
  if (x.numel() == 0) return y;
  dispatch_floating("group_norm", x.dtype(), [&]<class T>() {
    const auto& kernel = table<T>();
    T *const mean = data_of<T>(s.mean), *const variance = data_of<T>(s.variance), *const rstd = data_of<T>(s.rstd);
    for_each_group(groups, [&](std::int64_t i, std::int64_t start, std::int64_t channel) {
      if (groups.inner == 1) {  // single values: the group is a row with weights along it
        kernel.layer_norm[1](data_of<T>(y) + start, mean + i, rstd + i, data_of<T>(x) + start,
                             data_of<T>(scale) + channel, data_of<T>(shift) + channel, static_cast<T>(eps), 1,
                             groups.channels);
        return;
      }
      kernel.moments(mean + i, variance + i, data_of<T>(x) + start, {1, 0, groups.values()});
      rstd[i] = T(1) / std::sqrt(variance[i] + static_cast<T>(eps));
      for (std::int64_t c = 0; c < groups.channels; ++c, start += groups.inner) {
        kernel.normalize(data_of<T>(y) + start, data_of<T>(x) + start, mean[i],
                         data_of<T>(scale)[channel + c] * rstd[i], data_of<T>(shift)[channel + c],
                         {1, 0, groups.inner});
      }
    });
  });
  return y;
}

// With y = (x - mean) * rstd and h = weight * g: dx = rstd * (h - mean(h) - y * mean(h * y)); sum(g * y) and sum(g)
// over one channel of one sample are what it adds to dweight and dbias.
void fused_backward(const Tensor& grad, const Tensor& input, const Tensor& weights, const Statistics& s,
                    const Groups& groups, Gradients& gradients) {
  const Tensor g = dense(grad), x = dense(input);
  const std::int64_t channels = groups.count * groups.channels;
  const TensorOptions same{.dtype = x.dtype()};
  const Tensor weight = weights.defined() ? dense(weights) : ones({channels}, same);
  const Tensor dbias = zeros({groups.batch, channels}, same), dweight = zeros({groups.batch, channels}, same);
  const Tensor dx = gradients.wanted(0) ? make_tensor(x.shape(), x.dtype()) : Tensor();
  if (x.numel() > 0) {
    dispatch_floating("group_norm", x.dtype(), [&]<class T>() {
      const auto& kernel = table<T>();
      for_each_group(groups, [&](std::int64_t i, std::int64_t start, std::int64_t channel) {
        const T mean = data_of<T>(s.mean)[i], rstd = data_of<T>(s.rstd)[i], n = static_cast<T>(groups.values());
        const T* const w = data_of<T>(weight) + channel;
        T *const sum = data_of<T>(dbias) + i * groups.channels, *const dot = data_of<T>(dweight) + i * groups.channels;
        const T *const slope = data_of<T>(g) + start, *const from = data_of<T>(x) + start;
        T* const to = dx.defined() ? data_of<T>(dx) + start : nullptr;
        if (groups.inner == 1) {
          kernel.layer_norm_backward[1](to, dot, sum, slope, from, &mean, &rstd, w, 1, groups.channels);
          return;
        }
        const Runs run{1, 0, groups.inner};
        T total = 0, total_dot = 0;
        for (std::int64_t c = 0; c < groups.channels; ++c) {
          kernel.norm_sums(sum + c, dot + c, slope + c * groups.inner, from + c * groups.inner, mean, run);
          dot[c] *= rstd;
          total += w[c] * sum[c];
          total_dot += w[c] * dot[c];
        }
        if (to == nullptr) return;
        for (std::int64_t c = 0; c < groups.channels; ++c) {
          kernel.normalize_backward(to + c * groups.inner, slope + c * groups.inner, from + c * groups.inner, mean,
                                    w[c] * rstd, -rstd * rstd * total_dot / n, -rstd * total / n, run);
        }
      });
    });
  }
  if (gradients.wanted(0)) gradients[0] = dx;
  if (gradients.wanted(1)) gradients[1] = sum(dweight, 0);
  if (gradients.wanted(2)) gradients[2] = sum(dbias, 0);
}

Tensor record_groups(const char* op, const Tensor& y, const Tensor& x, const Tensor& weight, const Tensor& bias,
                     double eps, const Groups& groups, const Statistics& s) {
  return record_joint(op, y, std::array{x, weight, bias},
                      [x = Saved(x), weight = Saved(weight), s, groups, eps](const Tensor& g, Gradients& gradients) {
                        if (grad_enabled)
                          composed_norm_backward(g, x, weight, groups.layout(), eps, gradients);
                        else
                          fused_backward(g, x, weight, s, groups, gradients);
                      });
}

void check_channels(const char* op, const Tensor& x) {
  check_norm_input(op, x);
  if (x.dim() < 2) fail("{}: the input must be (batch, channels, ...), got {}", op, x.shape());
}

}  // namespace

Tensor group_norm(const Tensor& x, std::int64_t num_groups, const GroupNormOptions& options) {
  constexpr const char* op = "group_norm";
  check_channels(op, x);
  const std::int64_t channels = x.shape()[1];
  if (num_groups < 1 || channels % num_groups != 0) {
    fail("{}: {} channels cannot be split into {} groups", op, channels, num_groups);
  }
  check_affine(op, x, "weight", options.weight, {channels});
  check_affine(op, x, "bias", options.bias, {channels});
  const Groups groups = groups_of(x, num_groups);
  if (groups.batch * groups.values() == 1) fail("{}: more than one value per channel is needed, got {}", op, x.shape());
  Statistics s;
  const Tensor y = normalized_groups(x, options.weight, options.bias, options.eps, groups, s);
  return record_groups(op, y, x, options.weight, options.bias, options.eps, groups, s);
}

Tensor instance_norm(const Tensor& x, const Tensor& running_mean, const Tensor& running_var,
                     const InstanceNormOptions& options) {
  constexpr const char* op = "instance_norm";
  check_channels(op, x);
  const Shape shape{x.shape()[1]};
  check_affine(op, x, "running_mean", running_mean, shape);
  check_affine(op, x, "running_var", running_var, shape);
  check_affine(op, x, "weight", options.weight, shape);
  check_affine(op, x, "bias", options.bias, shape);
  if (!options.use_input_stats) {
    if (!running_mean.defined() || !running_var.defined()) {
      fail("{}: without input statistics it needs running_mean and running_var", op);
    }
    return batch_norm(x, running_mean, running_var,
                      {.weight = options.weight, .bias = options.bias, .eps = options.eps});
  }
  const Groups groups = shape[0] == 0 ? Groups{x.shape()[0], 0, 1, 0} : groups_of(x, shape[0]);
  if (groups.inner == 1) fail("{}: more than one value per channel is needed, got {}", op, x.shape());
  Statistics s;
  const Tensor y = normalized_groups(x, options.weight, options.bias, options.eps, groups, s);
  const auto update = [&](const Tensor& running, const Tensor& values, double factor) {
    if (!running.defined() || x.numel() == 0) return;
    const Tensor mean_of_batch = mean(reshape(values, {groups.batch, groups.count}), 0);
    update_running(running, mean_of_batch, options.momentum, factor);
  };
  const double n = static_cast<double>(groups.inner);
  update(running_mean, s.mean, 1);
  update(running_var, s.variance, n / (n - 1));
  return record_groups(op, y, x, options.weight, options.bias, options.eps, groups, s);
}

}  // namespace gradus
