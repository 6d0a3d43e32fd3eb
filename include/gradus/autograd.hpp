// The tape: which ops are recorded, and how derivatives are read off it. Threads may run backward passes at the same
// time over graphs that share no node.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "gradus/tensor.hpp"

namespace gradus {

// Whether ops on tensors that require a gradient are recorded (per thread; on by default).
bool is_grad_enabled();

// While one of these lives, nothing is recorded on this thread.
class NoGrad {
 public:
  NoGrad();
  ~NoGrad();
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;

 private:
  bool previous_;
};

// While one of these lives, ops are recorded again, inside a NoGrad.
class EnableGrad {
 public:
  EnableGrad();
  ~EnableGrad();
  EnableGrad(const EnableGrad&) = delete;
  EnableGrad& operator=(const EnableGrad&) = delete;

 private:
  bool previous_;
};

struct BackwardOptions {
  Tensor gradient = {};       // d(something)/d(this), of this tensor's shape; may be left out for one element
  bool retain_graph = false;  // keep the tape for another backward
  // Record the backward pass itself (implies retain_graph). The gradient at a leaf then refers to the leaf: zero_grad()
  // it when done, or use grad(), else neither is ever freed.
  bool create_graph = false;
};

struct GradOptions {
  Tensor grad_outputs = {};
  std::optional<bool> retain_graph = {};  // default: create_graph
  bool create_graph = false;
  bool allow_unused = false;  // an input that the output doesn't depend on gives an undefined tensor, not an Error
};

// The derivatives of sum(output * grad_outputs) by each input; no grad() is touched.
std::vector<Tensor> grad(const Tensor& output, const std::vector<Tensor>& inputs, const GradOptions& options = {});

// The tape's nodes alive in this process: back to zero when every result is gone.
std::int64_t live_nodes();

}  // namespace gradus
