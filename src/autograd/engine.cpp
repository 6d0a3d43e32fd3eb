// The engine: walks the reachable nodes from newest to oldest and sends each VJP's result upstream.

#include <algorithm>
#include <array>
#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "autograd/accumulate.hpp"
#include "autograd/exchanged.hpp"
#include "autograd/observer.hpp"
#include "autograd/record.hpp"
#include "gradus/autograd.hpp"
#include "gradus/factory.hpp"

namespace gradus {
namespace {

void replace(Tensor& gradient, Tensor replacement) {
  if (!replacement.defined()) return;
  if (gradient.defined() && (replacement.shape() != gradient.shape() || replacement.dtype() != gradient.dtype())) {
    fail("hook: the gradient is {} {}, its replacement {} {}", gradient.dtype(), gradient.shape(), replacement.dtype(),
         replacement.shape());
  }
  gradient = std::move(replacement);
}

Tensor run_hooks(const Hooks& hooks, Tensor gradient) {
  const auto list = hooks.list;  // a hook may add or remove hooks
  for (const auto& [id, hook] : list) replace(gradient, hook(gradient));
  return gradient;
}

void run_hooks_after(const Node& node, std::vector<Tensor>& grad_inputs, const Tensor& g) {
  const auto list = node.extras->hooks_after;
  for (const auto& [id, hook] : list) {
    std::vector<Tensor> replaced = hook(grad_inputs, {g});
    if (replaced.empty()) continue;
    if (replaced.size() != grad_inputs.size()) {
      fail("hook: '{}' has {} gradients, the hook returned {}", node.name, grad_inputs.size(), replaced.size());
    }
    for (std::size_t i = 0; i < replaced.size(); ++i) replace(grad_inputs[i], std::move(replaced[i]));
  }
}

Tensor plus(Tensor sum, const Tensor& more, bool create_graph) {
  if (!sum.defined()) return more;
  if (create_graph || !is_exclusive(sum) || !sum.is_contiguous()) return sum_of(sum, more);
  accumulate(sum, more);
  return sum;
}

void add_to_grad(Tensor& grad, Tensor gradient, bool create_graph) {
  if (!grad.defined()) {
    // A gradient that nobody else sees becomes the leaf's own without a copy.
    grad = is_exclusive(gradient) && gradient.is_contiguous() ? std::move(gradient) : gradient.clone();
  } else if (create_graph || needs_grad(grad) || !grad.is_contiguous()) {
    grad = sum_of(grad, gradient);
  } else {
    accumulate(grad, gradient);
  }
}

bool older(const NodeRef& a, const NodeRef& b) { return a->id < b->id; }

// The nodes that wait for their turn, newest first. Its memory is kept between passes.
class Queue {
 public:
  Queue() { nodes_.swap(spare_); }
  ~Queue() {
    for (const NodeRef& node : nodes_) {  // left over only after an exception
      node->pending = Tensor();
      node->pass = nullptr;
    }
    nodes_.clear();
    spare_.swap(nodes_);
  }
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  bool empty() const { return nodes_.empty(); }
  void push(NodeRef node) {
    nodes_.push_back(std::move(node));
    std::push_heap(nodes_.begin(), nodes_.end(), older);
  }
  NodeRef pop() {
    std::pop_heap(nodes_.begin(), nodes_.end(), older);
    NodeRef node = std::move(nodes_.back());
    nodes_.pop_back();
    return node;
  }

 private:
  static thread_local std::vector<NodeRef> spare_;
  std::vector<NodeRef> nodes_;
};

thread_local std::vector<NodeRef> Queue::spare_;

// For grad(): the inputs asked for, their results, and which nodes lead to them.
class Targets {
 public:
  std::vector<Tensor> results;

  Targets(const Node* root, const std::vector<Tensor>& inputs) : results(inputs.size()) {
    for (std::size_t i = 0; i < inputs.size(); ++i) places_.emplace(key(inputs[i]), i);
    std::vector<Node*> reachable;
    collect(const_cast<Node*>(root), reachable);
    std::sort(reachable.begin(), reachable.end(), [](const Node* a, const Node* b) { return a->id < b->id; });
    for (Node* node : reachable) {
      const auto edges = node->edges();
      // A freed node has lost its edges: visiting it says so, unless it is all that is wanted.
      const bool unknown = node->freed && !(inputs.size() == 1 && places_.contains(node));
      if (unknown || std::ranges::any_of(edges, [this](const Edge& edge) { return needs(edge); })) leads_.insert(node);
    }
  }

  bool needs(const Edge& edge) const {
    if (edge.node) return places_.contains(edge.node.get()) || leads(*edge.node.get());
    return places_.contains(&impl(edge.leaf));
  }

  // Whether a target lies upstream of the node.
  bool leads(const Node& node) const { return leads_.contains(&node); }

  void arrived_at_node(const Node* node, const Tensor& gradient) {
    const auto [first, last] = places_.equal_range(node);
    for (auto place = first; place != last; ++place) results[place->second] = gradient;
  }

  void arrived_at_leaf(const Tensor& leaf, const Tensor& gradient, bool create_graph) {
    const auto [first, last] = places_.equal_range(&impl(leaf));
    for (auto place = first; place != last; ++place) {
      Tensor& result = results[place->second];
      result = plus(std::move(result), gradient, create_graph);
    }
  }

 private:
  static void collect(Node* root, std::vector<Node*>& reachable) {
    std::unordered_map<const Node*, bool> seen;
    std::vector<Node*> stack;
    const auto visit = [&](Node* node) {
      if (node && seen.emplace(node, true).second) stack.push_back(node);
    };
    visit(root);
    while (!stack.empty()) {
      Node* node = stack.back();
      stack.pop_back();
      reachable.push_back(node);
      for (const Edge& edge : node->edges()) visit(edge.node.get());
    }
  }

  // What stands for a tensor here: its node or, for a leaf, itself.
  static const void* key(const Tensor& input) {
    const TensorImpl& t = impl(input);
    return t.node ? static_cast<const void*>(t.node.get()) : &t;
  }

  std::unordered_multimap<const void*, std::size_t> places_;
  std::unordered_set<const Node*> leads_;
};

// True if a tensor of shape `from` may stand for a broadcast one of shape `to`.
bool reduces_to(const Shape& from, const Shape& to) {
  const std::int64_t extra = from.size() - to.size();
  if (extra < 0) return false;
  for (std::int64_t i = 0; i < to.size(); ++i) {
    if (to[i] != from[extra + i] && to[i] != 1) return false;
  }
  return true;
}

// A VJP's result must have the shape of the input that the edge leads to, or is summed down to it. Throws if it can't.
void fit(const Node& node, const Edge& edge, Tensor& gradient) {
  const TensorImpl& g = impl(gradient);
  const Shape& shape = edge.node ? edge.node->shape : edge.leaf.shape();
  const Dtype dtype = edge.node ? edge.node->dtype : edge.leaf.dtype();
  if (g.dtype != dtype) {
    fail("{}: the derivative by input {} is {}, the input {}", node.name, edge.input, g.dtype, dtype);
  }
  if (g.shape == shape) return;
  if (!reduces_to(g.shape, shape)) {
    fail("{}: the derivative by input {} is {}, the input {}", node.name, edge.input, g.shape, shape);
  }
  gradient = sum_to_shape(gradient, shape);
}

class BackwardPass {
 public:
  BackwardPass(bool retain_graph, bool create_graph, Targets* targets)
      : retain_graph_(retain_graph || create_graph), create_graph_(create_graph), targets_(targets) {}

  void run(const Tensor& output, const Tensor& gradient) {
    const Exchanged<bool> mode(grad_enabled, create_graph_);
    if (const NodeRef& root = impl(output).node) {
      enter(root, gradient);
    } else {
      send_to_leaf(output, gradient);
    }
    while (!queue_.empty()) visit(*queue_.pop().get());
    for (auto& [leaf, sum] : hooked_) arrive(leaf, run_hooks(*impl(leaf).hooks, std::move(sum)));
  }

 private:
  // The first gradient to arrive at a node queues it.
  void enter(const NodeRef& node, Tensor gradient) {
    if (node->pass != nullptr) fail("backward: another backward pass is walking this graph at '{}'", node->name);
    node->pass = this;
    node->pending = std::move(gradient);
    queue_.push(node);
  }

  void visit(Node& node) {
    Tensor g = std::exchange(node.pending, Tensor());
    const Visiting visiting(node);
    const bool is_end = targets_ && !targets_->leads(node);  // a target, with no other one upstream
    if (node.freed && !is_end) {
      fail("backward: the graph at '{}' was freed by an earlier backward; pass .retain_graph = true to that one",
           node.name);
    }
    if (node.extras) g = run_hooks(node.extras->hooks, std::move(g));
    if (observer != nullptr) observer->arrived(node, g);
    if (targets_)
      targets_->arrived_at_node(&node, g);
    else if (node.extras && node.extras->retains_grad)
      add_to_grad(node.extras->grad, g, create_graph_);
    if (is_end) return;
    derive_and_send(node, g);
    if (retain_graph_) return;
    node.freed = true;
    node.free_edges();
  }

  // While a node's derivatives run, no other pass may enter it.
  struct Visiting {
    explicit Visiting(Node& visited) : node(visited) {}
    ~Visiting() { node.pass = nullptr; }
    Visiting(const Visiting&) = delete;
    Visiting& operator=(const Visiting&) = delete;
    Node& node;
  };

  void derive_and_send(Node& node, const Tensor& g) {
    const Exchanged<const Node*> running(running_node, &node);
    const Tensor y = output_of(node);
    if (node.extras && !node.extras->hooks_after.empty()) {
      send_through_hooks(node, g, y);
    } else {
      derive(node, g, y, [&](const Edge& edge, Tensor gradient) { send(node, edge, std::move(gradient)); });
    }
  }

  bool wants(const Edge& edge) const { return !targets_ || targets_->needs(edge); }

  // Calls the node's VJPs and hands each result to deliver(edge, gradient).
  template <class Deliver>
  void derive(Node& node, const Tensor& g, const Tensor& y, const Deliver& deliver) {
    if (node.joint.vjp != nullptr) return derive_jointly(node, g, y, deliver);
    for (Edge& edge : node.edges()) {
      if (wants(edge)) deliver(edge, edge.vjp(edge.closure, g, y));
    }
  }

  template <class Deliver>
  void derive_jointly(Node& node, const Tensor& g, const Tensor& y, const Deliver& deliver) {
    std::array<Tensor, 8> few;
    std::array<bool, 8> few_wanted{};
    std::vector<Tensor> many;
    std::unique_ptr<bool[]> many_wanted;
    const std::size_t count = node.inputs;
    if (count > few.size()) {
      many.resize(count);
      many_wanted = std::make_unique<bool[]>(count);
    }
    const std::span<Tensor> results = many.empty() ? std::span(few).first(count) : std::span(many);
    const std::span<bool> wanted =
        many.empty() ? std::span(few_wanted).first(count) : std::span(many_wanted.get(), count);
    for (const Edge& edge : node.edges()) wanted[edge.input] = wants(edge);
    Gradients gradients(results, wanted);
    node.joint.vjp(node.joint.closure, g, y, gradients);
    for (const Edge& edge : node.edges()) {
      if (wanted[edge.input]) deliver(edge, std::move(results[edge.input]));
    }
  }

  void send_through_hooks(Node& node, const Tensor& g, const Tensor& y) {
    std::size_t inputs = node.inputs;
    for (const Edge& edge : node.edges()) inputs = std::max<std::size_t>(inputs, edge.input + 1);
    std::vector<Tensor> gradients(inputs);
    derive(node, g, y, [&](const Edge& edge, Tensor gradient) {
      if (gradient.defined()) fit(node, edge, gradient);
      gradients[edge.input] = std::move(gradient);
    });
    run_hooks_after(node, gradients, g);
    for (const Edge& edge : node.edges()) {
      if (wants(edge)) send(node, edge, std::move(gradients[edge.input]));
    }
  }

  Tensor output_of(Node& node) const {
    if (!node.wants_output || node.freed) return {};
    if (node.output_stub != 0) {
      Recalled recalled = recall(node.output, node.output_stub);
      node.output = std::move(recalled.tensor);
      node.output_version = recalled.version;
      node.output_stub = 0;
    }
    if (node.output.version() != node.output_version) {
      fail(
          "{}: its output of shape {}, which its derivative needs, was changed in place since (version {}, saved at "
          "{})",
          node.name, node.shape, node.output.version(), node.output_version);
    }
    if (!create_graph_) return node.output;
    Tensor output = alias(node.output);
    ++node.references;
    impl(output).node = NodeRef(&node);
    return output;
  }

  void send(const Node& node, const Edge& edge, Tensor gradient) {
    if (!gradient.defined()) return;
    fit(node, edge, gradient);
    if (observer != nullptr) observer->derived(node, edge, gradient);
    if (!edge.node) {
      send_to_leaf(edge.leaf, std::move(gradient));
    } else if (edge.node->pass == this) {
      Tensor& pending = edge.node->pending;
      pending = plus(std::move(pending), gradient, create_graph_);
    } else {
      enter(edge.node, std::move(gradient));
    }
  }

  void send_to_leaf(const Tensor& leaf, Tensor gradient) {
    if (!impl(leaf).hooks) return arrive(leaf, std::move(gradient));
    // A hook sees the whole gradient of the pass, not one contribution.
    for (auto& [known, sum] : hooked_) {
      if (known.is(leaf)) {
        sum = plus(std::move(sum), gradient, create_graph_);
        return;
      }
    }
    hooked_.emplace_back(leaf, std::move(gradient));
  }

  void arrive(const Tensor& leaf, Tensor gradient) {
    if (targets_)
      targets_->arrived_at_leaf(leaf, gradient, create_graph_);
    else
      add_to_grad(impl(leaf).grad, std::move(gradient), create_graph_);
  }

  bool retain_graph_;
  bool create_graph_;
  Targets* targets_;
  Queue queue_;
  std::vector<std::pair<Tensor, Tensor>> hooked_;
};

// The gradient that a pass starts from: the caller's, or 1 for one element.
Tensor seed(const char* function, const Tensor& output, const Tensor& gradient) {
  refuse_stale(function, output);
  if (!needs_grad(output)) {
    fail("{}: the tensor of shape {} does not depend on any tensor that requires a gradient", function, output.shape());
  }
  if (gradient.defined()) {
    if (gradient.shape() != output.shape() || gradient.dtype() != output.dtype()) {
      fail("{}: the gradient must be {} {}, got {} {}", function, output.dtype(), output.shape(), gradient.dtype(),
           gradient.shape());
    }
    return gradient;
  }
  if (output.numel() != 1) {
    fail("{}: only a tensor of one element has an implicit gradient, got shape {}; pass one", function, output.shape());
  }
  return ones_like(output);
}

}  // namespace

void Tensor::backward() const { backward({}); }

void Tensor::backward(const BackwardOptions& options) const {
  const Tensor gradient = seed("backward", *this, options.gradient);
  BackwardPass(options.retain_graph, options.create_graph, nullptr).run(*this, gradient);
}

std::vector<Tensor> grad(const Tensor& output, const std::vector<Tensor>& inputs, const GradOptions& options) {
  const Tensor gradient = seed("grad", output, options.grad_outputs);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!needs_grad(inputs[i])) fail("grad: input {} does not require a gradient", i);
    refuse_stale("grad", inputs[i]);
  }
  Targets targets(impl(output).node.get(), inputs);
  BackwardPass(options.retain_graph.value_or(options.create_graph), options.create_graph, &targets)
      .run(output, gradient);
  for (std::size_t i = 0; i < inputs.size() && !options.allow_unused; ++i) {
    if (!targets.results[i].defined()) {
      fail("grad: the output does not depend on input {}; pass .allow_unused = true if that is intended", i);
    }
  }
  return std::move(targets.results);
}

}  // namespace gradus
