// The tape: which ops are recorded, and how derivatives are read off it. Threads may run backward passes at the same
// time over graphs that share no node.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
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

struct NextFunction;
struct Node;

// Sees the gradients by the op's inputs (undefined where nobody wants one) and by its output; what it returns takes the
// place of the former. An empty list, or an undefined tensor in it, leaves them as they are.
using GradFnHook =
    std::function<std::vector<Tensor>(const std::vector<Tensor>& grad_inputs, const std::vector<Tensor>& grad_outputs)>;
// Sees the gradients that arrive, and may return others.
using GradFnPrehook = std::function<std::vector<Tensor>(const std::vector<Tensor>& grad_outputs)>;

// An op on the tape: what Tensor::grad_fn() returns. A handle, which keeps the op and all that it depends on alive. All
// but the test for existence throws if there is no op.
class GradFn {
 public:
  GradFn() = default;
  explicit operator bool() const { return node_ != nullptr; }
  bool operator==(const GradFn& other) const { return node_ == other.node_; }

  std::string name() const;
  std::uint64_t id() const;    // grows with time
  const Shape& shape() const;  // of the result
  Dtype dtype() const;
  // Where its gradients go: one entry per input that requires one; none once a backward pass has freed the op.
  std::vector<NextFunction> next_functions() const;

  // Hooks may add and remove hooks; these count from the next pass on. A hook must not hold a handle to its own op: it
  // would keep that alive. The result is for remove_hook.
  int register_hook(GradFnHook hook) const;
  int register_prehook(GradFnPrehook hook) const;
  void remove_hook(int id) const;

 private:
  friend class Tensor;
  explicit GradFn(std::shared_ptr<Node> node) : node_(std::move(node)) {}
  Node& node() const;

  std::shared_ptr<Node> node_;
};

struct NextFunction {
  GradFn fn;          // the op that computed the input,
  Tensor variable;    // or, if it is a leaf, the input itself
  std::size_t input;  // which argument of the op it is
};

// The tape's nodes alive in this process: back to zero when every result is gone.
std::int64_t live_nodes();

}  // namespace gradus
