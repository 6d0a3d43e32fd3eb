// Moving the weights of a model, and bringing them back.
#pragma once

#include <utility>
#include <vector>

#include "gradus/train/landscape.hpp"

namespace gradus::train {

// Throws unless both are as many tensors of the same shapes.
void check_shapes(const char* op, const Weights& parameters, const Weights& others);

// Copies, detached.
Weights copy_of(const Weights& weights);

// The model's state while its weights are elsewhere; the end of this brings them back.
class Excursion {
 public:
  explicit Excursion(nn::Module& model);
  Excursion(nn::Module& model, Weights center);
  ~Excursion();
  Excursion(const Excursion&) = delete;
  Excursion& operator=(const Excursion&) = delete;

  // At center + the sum of share * direction. Buffers are as they were before each call.
  double loss_at(const gradus::LossFunction& loss, const std::vector<std::pair<double, const Weights*>>& steps);

 private:
  void restore_buffers();

  Weights parameters_, buffers_;              // the model's own
  Weights saved_parameters_, saved_buffers_;  // copies
  Weights center_;
};

}  // namespace gradus::train
