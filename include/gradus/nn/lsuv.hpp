// Initialisation by data.
#pragma once

#include <cstdint>
#include <vector>

#include "gradus/nn/sequential.hpp"
#include "gradus/random.hpp"

namespace gradus::nn::init {

struct LsuvOptions {
  double tolerance = 0.1;        // how far an output variance may be from 1
  std::int64_t max_trials = 10;  // rescalings of one layer
  bool orthogonal = true;        // start from orthonormal weights and biases of 0, else from what is there
  Generator* generator = nullptr;
};
// Layer-sequential unit variance (Mishkin and Matas, 2016): runs the batch through the model and divides the weight of
// each layer by the standard deviation of its output, so that no signal fades or explodes, whatever lies in between.
// A layer is a module with a `weight` of two or more dims of its own; Sequentials inside are entered, other modules are
// run as they are. The modes stay as they are: eval() first where there is dropout. Returns the variance of each
// layer's output. Throws if one is not finite or is 0.
std::vector<double> lsuv_(Sequential& model, const Tensor& batch, const LsuvOptions& options = {});

}  // namespace gradus::nn::init
