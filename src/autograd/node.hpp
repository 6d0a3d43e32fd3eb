// One recorded op: its name, a number that grows with time, and an edge with a derivative for each input that needs
// one.
//
// Header, edges and the derivatives' closures share one pooled block. Edges and saved tensors point upstream only, so
// there are no cycles; only a recorded backward pass (create_graph) makes one, through the gradient that it leaves at a
// leaf.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "gradus/autograd.hpp"
#include "tensor/impl.hpp"

namespace gradus {

// The way to one input: either the node that computed it or, for a leaf, the tensor whose gradient is wanted.
struct Edge {
  NodeRef node;
  Tensor leaf;
  std::uint32_t input = 0;  // which argument of the op this is
  void* closure = nullptr;
  // The VJP: g = d(loss)/d(output), y = the output if the rule asked for it -> d(loss)/d(input), up to broadcasting.
  Tensor (*vjp)(void* closure, const Tensor& g, const Tensor& y) = nullptr;
  void (*destroy_closure)(void* closure) noexcept = nullptr;
};

// Where a joint VJP leaves its results: one gradient per input of the op, those that nobody wants stay undefined.
class Gradients {
 public:
  Gradients(std::span<Tensor> results, std::span<const bool> wanted) : results_(results), wanted_(wanted) {}
  bool wanted(std::size_t input) const { return wanted_[input]; }
  Tensor& operator[](std::size_t input) { return results_[input]; }
  std::size_t size() const { return results_.size(); }

 private:
  std::span<Tensor> results_;
  std::span<const bool> wanted_;
};

// The VJP of an op whose inputs share work: all gradients from one call, instead of one closure per edge.
struct JointVjp {
  void* closure = nullptr;
  void (*vjp)(void* closure, const Tensor& g, const Tensor& y, Gradients& gradients) = nullptr;
  void (*destroy_closure)(void* closure) noexcept = nullptr;
};

// Where an op was recorded; known only while anomalies are looked for.
struct Origin {
  std::uint64_t place = 0;              // the how-manieth op
  const char* derivative_of = nullptr;  // the op whose VJP recorded it, in a recorded backward pass
  std::vector<void*> calls;             // return addresses, innermost first
};

// What few nodes have.
struct NodeExtras {
  Hooks hooks;                                          // see the gradient that arrives
  std::vector<std::pair<int, GradFnHook>> hooks_after;  // see what the VJPs make of it; ids are those of `hooks`
  bool retains_grad = false;
  Tensor grad;  // of the result, if it is retained
  Origin origin;
};

struct alignas(std::max_align_t) Node {
  std::atomic<std::uint32_t> references{1};
  std::uint32_t edge_count = 0;
  std::uint32_t inputs = 0;  // of the op, those without an edge included
  const char* name;          // of static storage
  std::uint64_t id;          // creation order is a topological order
  std::size_t block_bytes;
  Node* next_dead = nullptr;  // link of the list of nodes about to be destroyed
  bool freed = false;         // a backward pass has released the closures
  bool wants_output = false;
  std::uint32_t output_version = 0;
  std::uint32_t output_stub = 0;  // if not 0, `output` is a stub that a checkpoint recalls
  Dtype dtype;
  Shape shape;
  Tensor output;                               // the result without history, if a VJP reads it
  Tensor pending;                              // the sum of the gradients that have arrived during a backward pass
  const void* pass = nullptr;                  // that pass; one at a time may walk a graph
  JointVjp joint;                              // if set, the edges have no VJPs of their own
  mutable std::unique_ptr<NodeExtras> extras;  // not what the node is, but what is noted on its margin

  Node(const char* op_name, const Tensor& result, std::size_t bytes);
  ~Node();
  NodeExtras& with_extras() const {
    if (!extras) extras = std::make_unique<NodeExtras>();
    return *extras;
  }
  std::span<Edge> edges() { return {reinterpret_cast<Edge*>(this + 1), edge_count}; }
  std::span<const Edge> edges() const { return {reinterpret_cast<const Edge*>(this + 1), edge_count}; }
  // Destroys closures and edges, and with them all that only this node kept alive.
  void free_edges() noexcept;
};

// A result that is changed in place goes on retaining its gradient: that of its new value.
void hand_on_retained_grad(Node* from, Node* to);

// The op that computed `tensor`; nullptr for leaves.
const char* grad_fn_name(const Tensor& tensor);

// The node whose VJP runs on this thread, for error messages.
inline constinit thread_local const Node* running_node = nullptr;

inline constinit thread_local bool grad_enabled = true;

// An id that no other hook has: a tensor that is written in place moves on to another op, and ids must not meet there.
int next_hook_id();

inline bool needs_grad(const Tensor& tensor) {
  if (!tensor.defined()) return false;
  const TensorImpl& t = impl(tensor);
  return t.requires_grad || t.node;
}

}  // namespace gradus
