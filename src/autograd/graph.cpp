#include "gradus/graph.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

#include "autograd/node.hpp"
#include "storage/format.hpp"

namespace gradus {
namespace {

using Names = std::vector<std::pair<std::string, Tensor>>;

// As text between double quotes of the DOT language.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (c == '\n')
      result += "\\n";
    else
      result += c;
  }
  return result;
}

std::string described(const Shape& shape, Dtype dtype) { return formatted("{} {}", shape, dtype); }

// All nodes that lead to `root`, newest first.
std::vector<const Node*> history_of(const Node* root) {
  std::set<const Node*> seen{root};
  std::vector<const Node*> nodes{root};
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    for (const Edge& edge : nodes[i]->edges()) {
      if (edge.node && seen.insert(edge.node.get()).second) nodes.push_back(edge.node.get());
    }
  }
  std::ranges::sort(nodes, [](const Node* a, const Node* b) { return a->id > b->id; });
  return nodes;
}

class Drawing {
 public:
  Drawing(const Names& names, std::size_t max_nodes) : names_(names), max_nodes_(max_nodes) {}

  std::string of(const Tensor& output) {
    const TensorImpl& t = impl(output);
    text_ =
        "digraph tape {\n  rankdir=TB;\n  node [fontname=\"Helvetica\", fontsize=11];\n"
        "  edge [fontname=\"Helvetica\", fontsize=9];\n";
    if (t.node)
      draw_history(t.node.get());
    else
      leaf(output);
    return text_ + "}\n";
  }

 private:
  void draw_history(const Node* root) {
    std::vector<const Node*> nodes = history_of(root);
    hidden_ = nodes.size() > max_nodes_ ? nodes.size() - max_nodes_ : 0;
    nodes.resize(nodes.size() - hidden_);
    shown_.insert(nodes.begin(), nodes.end());
    if (hidden_ > 0) {
      text_ += formatted("  older [label=\"{} older ops\", shape=box, style=dashed];\n", hidden_);
    }
    for (auto node = nodes.rbegin(); node != nodes.rend(); ++node) draw(**node, *node == root);
  }

  void draw(const Node& node, bool is_output) {
    const std::string name = name_of([&](const TensorImpl& t) { return t.node.get() == &node; });
    const std::string freed = node.freed ? "\nfreed" : "";
    const std::string label =
        formatted("{}{}{}\n{}{}", node.name, name.empty() ? "" : ": ", name, described(node.shape, node.dtype), freed);
    text_ += formatted("  op{} [label=\"{}\"{}];\n", node.id, escaped(label), is_output ? ", penwidth=2" : "");
    for (const Edge& edge : node.edges()) draw(edge, node);
  }

  void draw(const Edge& edge, const Node& node) {
    const bool hidden = edge.node && !shown_.contains(edge.node.get());
    std::string from = !edge.node ? leaf(edge.leaf) : hidden ? "older" : formatted("op{}", edge.node->id);
    // With one input there is nothing to tell apart.
    const std::string label = edge.input > 0 || node.edges().size() > 1 ? formatted("label=\"{}\"", edge.input) : "";
    const std::string style = hidden ? "style=dashed" : "";
    const std::string attributes = label + (label.empty() || style.empty() ? "" : ", ") + style;
    text_ += formatted("  {} -> op{}{};\n", from, node.id, attributes.empty() ? "" : " [" + attributes + "]");
  }

  // The identifier of a leaf, which is drawn when it is first met.
  std::string leaf(const Tensor& tensor) {
    const auto [known, is_new] = leaves_.emplace(&impl(tensor), leaves_.size());
    const std::string id = formatted("leaf{}", known->second);
    if (!is_new) return id;
    const std::string name = name_of([&](const TensorImpl& t) { return &t == &impl(tensor); });
    const std::string label = name + (name.empty() ? "" : "\n") + described(tensor.shape(), tensor.dtype());
    text_ += formatted("  {} [label=\"{}\", shape=box, style=filled, fillcolor=\"#e8f0fe\"];\n", id, escaped(label));
    return id;
  }

  template <class IsIt>
  std::string name_of(const IsIt& is_it) const {
    for (const auto& [name, tensor] : names_) {
      if (tensor.defined() && is_it(impl(tensor))) return name;
    }
    return {};
  }

  const Names& names_;
  std::size_t max_nodes_;
  std::size_t hidden_ = 0;
  std::set<const Node*> shown_;
  std::map<const TensorImpl*, std::size_t> leaves_;
  std::string text_;
};

}  // namespace

std::string graph_to_dot(const Tensor& output, const Names& names, const GraphOptions& options) {
  if (options.max_nodes < 1) fail("graph_to_dot: max_nodes must be positive, got {}", options.max_nodes);
  if (!needs_grad(output)) {
    fail("graph_to_dot: the tensor of shape {} does not depend on any tensor that requires a gradient", output.shape());
  }
  return Drawing(names, static_cast<std::size_t>(options.max_nodes)).of(output);
}

}  // namespace gradus
