// Features on one scale.
#pragma once

#include "gradus/tensor.hpp"

namespace gradus::data {

// (x - mean) / std, feature by feature. It learns from the training part alone and is applied to every part alike: what
// is held out must not leak into training.
class StandardScaler {
 public:
  // (n, ...): the mean and the standard deviation (divided by n) over dim 0. A feature that never changes is only
  // shifted. Throws unless x is floating and finite, and has a sample.
  explicit StandardScaler(const Tensor& x);

  // (m, ...) -> the same. Throws unless the samples have the shape and dtype of those that it has learnt from.
  Tensor transform(const Tensor& x) const;
  // The way back.
  Tensor inverse_transform(const Tensor& x) const;

  const Tensor& mean() const { return mean_; }
  const Tensor& scale() const { return scale_; }

 private:
  void check(const char* op, const Tensor& x) const;

  Tensor mean_;
  Tensor scale_;
};

}  // namespace gradus::data
