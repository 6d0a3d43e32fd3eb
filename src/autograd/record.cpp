#include "autograd/record.hpp"

#include "autograd/observer.hpp"

namespace gradus {

void Saved::fail_changed() const {
  fail("{}: a tensor of shape {} that its derivative needs was changed in place since (version {}, saved at {})",
       running_node ? running_node->name : "backward", tensor_.shape(), tensor_.version(), version_);
}

Tensor Saved::snapshot(const Tensor& tensor) {
  if (!tensor.defined() || impl(tensor).requires_grad) return tensor;  // such leaves are not changed while recording
  Tensor copy = alias(tensor);
  impl(copy).node = impl(tensor).node;
  return copy;
}

void Saved::offer_to_keeper() {
  // Leaves live anyway, and what is saved without recording is never read.
  if (!grad_enabled || !tensor_.defined() || impl(tensor_).requires_grad) return;
  stub_ = keeper->keep(tensor_);
}

void Saved::replace_stub() const {
  Recalled recalled = recall(tensor_, stub_);
  tensor_ = std::move(recalled.tensor);
  version_ = recalled.version;
  stub_ = 0;
}

Tensor as_result(const Tensor& value, const std::vector<Tensor>& inputs) {
  const TensorImpl& t = impl(value);
  for (const Tensor& input : inputs) {
    if (input.defined() && impl(input).storage == t.storage) return make_view(value, t.shape, t.strides, t.offset);
  }
  return alias(value);
}

namespace detail {

void fail_stale(const char* name, const Tensor& input) {
  fail("{}: an input of shape {} is a view of a tensor that was changed in place since, its history is stale", name,
       input.shape());
}

NodeRef new_node(const char* name, const Tensor& result, std::size_t edges, std::size_t closure_bytes) {
  static_assert(sizeof(Node) % alignof(std::max_align_t) == 0);
  const std::size_t bytes = sizeof(Node) + round_up(edges * sizeof(Edge)) + closure_bytes;
  NodeRef node(new (pool::allocate(bytes)) Node(name, result, bytes));
  node->inputs = static_cast<std::uint32_t>(edges);
  return node;
}

Edge& add_edge(Node* node, const Tensor& input, std::uint32_t index) {
  const TensorImpl& t = impl(input);
  Edge* edge = new (reinterpret_cast<Edge*>(node + 1) + node->edge_count) Edge;
  ++node->edge_count;
  if (t.node)
    edge->node = t.node;
  else
    edge->leaf = input;
  edge->input = index;
  return *edge;
}

void attach(NodeRef node, Tensor& result, bool wants_output) {
  if (observer != nullptr) {
    result = observer->recorded(*node.get(), std::move(result));
    if (impl(result).node) return;
  }
  if (wants_output) {
    node->wants_output = true;
    node->output = alias(result);
    node->output_version = result.version();
  }
  if (keeper != nullptr) {
    for (const Edge& edge : node->edges()) {
      if (!edge.node) keeper->reads(edge.leaf);
    }
    if (wants_output) node->output_stub = keeper->keep(node->output);
  }
  TensorImpl& t = impl(result);
  t.node = std::move(node);
  if (observer != nullptr) observer->joined(*t.node.get(), result);
}

}  // namespace detail
}  // namespace gradus
