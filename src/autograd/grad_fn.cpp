// The public view of a node.

#include <algorithm>

#include "autograd/node.hpp"

namespace gradus {
namespace {

// A reference for those who don't know what a node is.
std::shared_ptr<Node> share(const NodeRef& node) {
  return {node.get(), [node](Node*) {}};
}

}  // namespace

GradFn Tensor::grad_fn() const {
  const NodeRef& node = impl(*this).node;
  return node ? GradFn(share(node)) : GradFn();
}

Node& GradFn::node() const {
  if (!node_) fail("grad_fn: a leaf has no op");
  return *node_;
}

std::string GradFn::name() const { return node().name; }
std::uint64_t GradFn::id() const { return node().id; }
const Shape& GradFn::shape() const { return node().shape; }
Dtype GradFn::dtype() const { return node().dtype; }

std::vector<NextFunction> GradFn::next_functions() const {
  std::vector<NextFunction> next;
  for (const Edge& edge : node().edges()) {
    next.push_back({edge.node ? GradFn(share(edge.node)) : GradFn(), edge.leaf, edge.input});
  }
  return next;
}

int GradFn::register_hook(GradFnHook hook) const {
  NodeExtras& extras = node().with_extras();
  const int id = next_hook_id();
  extras.hooks_after.emplace_back(id, std::move(hook));
  return id;
}

int GradFn::register_prehook(GradFnPrehook hook) const {
  NodeExtras& extras = node().with_extras();
  const int id = next_hook_id();
  extras.hooks.list.emplace_back(id, [hook = std::move(hook)](const Tensor& g) {
    const std::vector<Tensor> replaced = hook({g});
    if (replaced.size() > 1) fail("hook: an op has one output, the hook returned {} gradients", replaced.size());
    return replaced.empty() ? Tensor() : replaced[0];
  });
  return id;
}

void GradFn::remove_hook(int id) const {
  NodeExtras& extras = node().with_extras();
  const auto is_it = [id](const auto& entry) { return entry.first == id; };
  if (std::erase_if(extras.hooks.list, is_it) + std::erase_if(extras.hooks_after, is_it) == 0) {
    fail("remove_hook: no hook {} on '{}'", id, node().name);
  }
}

}  // namespace gradus
