#include "autograd/node.hpp"

#include "gradus/autograd.hpp"

namespace gradus {
namespace {

std::atomic<std::uint64_t> nodes_created{0};
std::atomic<std::uint64_t> nodes_destroyed{0};

// Nodes whose last owner is gone. Destroying one may orphan the next: a list instead of recursion, so that a chain of a
// million nodes dies in constant stack space.
constinit thread_local Node* dead = nullptr;
constinit thread_local bool burying = false;

void bury(Node* node) noexcept {
  node->next_dead = dead;
  dead = node;
  if (burying) return;
  burying = true;
  while (dead != nullptr) {
    Node* current = dead;
    dead = current->next_dead;
    const std::size_t bytes = current->block_bytes;
    current->~Node();
    pool::deallocate(current, bytes);
  }
  burying = false;
}

}  // namespace

NodeRef::NodeRef(const NodeRef& other) noexcept : node_(other.node_) {
  if (node_) node_->references.fetch_add(1, std::memory_order_relaxed);
}

void NodeRef::release() noexcept {
  if (node_->references.load(std::memory_order_acquire) == 1 ||
      node_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    bury(node_);
  }
}

Node::Node(const char* op_name, const Tensor& result, std::size_t bytes)
    : name(op_name),
      id(nodes_created.fetch_add(1, std::memory_order_relaxed)),
      block_bytes(bytes),
      dtype(result.dtype()),
      shape(result.shape()) {}

Node::~Node() {
  free_edges();
  nodes_destroyed.fetch_add(1, std::memory_order_relaxed);
}

void Node::free_edges() noexcept {
  for (Edge& edge : edges()) {
    if (edge.closure != nullptr) edge.destroy_closure(edge.closure);
    edge.~Edge();
  }
  if (joint.closure != nullptr) joint.destroy_closure(std::exchange(joint.closure, nullptr));
  edge_count = 0;
  output = Tensor();
}

void hand_on_retained_grad(Node* from, Node* to) {
  if (from == nullptr || to == nullptr || !from->extras || !from->extras->retains_grad) return;
  from->extras->retains_grad = false;
  to->with_extras().retains_grad = true;
  to->extras->grad = std::exchange(from->extras->grad, Tensor());
}

int next_hook_id() {
  static std::atomic<int> next{0};
  return next.fetch_add(1);
}

const char* grad_fn_name(const Tensor& tensor) {
  const NodeRef& node = impl(tensor).node;
  return node ? node->name : nullptr;
}

std::int64_t live_nodes() {
  // Destroyed is read first: a node that dies in between is counted as alive, never as minus one.
  const std::uint64_t destroyed = nodes_destroyed.load();
  return static_cast<std::int64_t>(nodes_created.load() - destroyed);
}

}  // namespace gradus
