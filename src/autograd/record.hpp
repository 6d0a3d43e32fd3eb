// How an op joins the tape: its result, and one derivative with respect to each input, next to each other.
//
//   Tensor mul(const Tensor& a, const Tensor& b) {
//     return record("mul", product(a, b),
//                   wrt(a, [b = Saved(b)](const Tensor& g) { return g * b; }),
//                   wrt(b, [a = Saved(a)](const Tensor& g) { return g * a; }));
//   }
//
// A derivative may also take the op's own output: (g, y) -> g * y for exp. It must not capture it: that would be a
// cycle.
#pragma once

#include <new>
#include <type_traits>
#include <utility>
#include <vector>

#include "autograd/node.hpp"

namespace gradus {

// Is told of what ops save and of the leaves that they read, while it is installed: a checkpoint leaves it out, to
// compute it again later.
class Keeper {
 public:
  // May put a stub into the tensor's place; then the result is not 0 but the number by which to recall() it.
  virtual std::uint32_t keep(Tensor& tensor) = 0;
  virtual void reads(const Tensor& leaf) = 0;

 protected:
  ~Keeper() = default;
};

inline constinit thread_local Keeper* keeper = nullptr;

// The tensor that a stub stands for, and the version that it was saved with.
struct Recalled {
  Tensor tensor;
  std::uint32_t version;
};
Recalled recall(const Tensor& stub, std::uint32_t number);

// A tensor that a derivative needs later. Reading it throws if its memory has been written in the meantime.
class Saved {
 public:
  explicit Saved(const Tensor& tensor)
      : tensor_(grad_enabled ? snapshot(tensor) : tensor), version_(tensor.defined() ? tensor.version() : 0) {
    if (keeper != nullptr) [[unlikely]]
      offer_to_keeper();
  }
  operator const Tensor&() const {
    if (stub_ != 0) [[unlikely]]
      replace_stub();
    if (tensor_.defined() && tensor_.version() != version_) fail_changed();
    return tensor_;
  }
  const Tensor& get() const { return *this; }
  const Shape& shape() const { return tensor_.shape(); }

 private:
  [[noreturn]] void fail_changed() const;

  // The tensor with the history it has now. A handle to the tensor itself would make a cycle once it is changed in
  // place and its history, of which the node that saves it becomes a part, grows.
  static Tensor snapshot(const Tensor& tensor);

  void offer_to_keeper();
  void replace_stub() const;

  mutable Tensor tensor_;
  mutable std::uint32_t version_;
  mutable std::uint32_t stub_ = 0;  // if not 0, tensor_ is a stub of this number
};

template <class Vjp>
struct Wrt {
  const Tensor& input;
  Vjp vjp;
};

template <class Vjp>
Wrt<Vjp> wrt(const Tensor& input, Vjp vjp) {
  return {input, std::move(vjp)};
}

namespace detail {

template <class Vjp>
inline constexpr bool reads_output = std::is_invocable_v<Vjp&, const Tensor&, const Tensor&>;

template <class Vjp>
Tensor call_vjp(void* closure, const Tensor& g, [[maybe_unused]] const Tensor& y) {
  if constexpr (reads_output<Vjp>)
    return (*static_cast<Vjp*>(closure))(g, y);
  else
    return (*static_cast<Vjp*>(closure))(g);
}

template <class Vjp>
void destroy_vjp(void* closure) noexcept {
  static_cast<Vjp*>(closure)->~Vjp();
}

constexpr std::size_t round_up(std::size_t bytes) {
  return (bytes + alignof(std::max_align_t) - 1) / alignof(std::max_align_t) * alignof(std::max_align_t);
}

// A view that a recorded write to its base has left behind: its history no longer tells where its values come from.
inline bool is_stale(const Tensor& input) {
  if (!input.defined()) return false;
  const TensorImpl& t = impl(input);
  return t.is_view && t.rewrites != t.storage->rewrites;
}
[[noreturn]] void fail_stale(const char* name, const Tensor& input);

// Whether an op on a list of tensors has to be recorded. Throws if the history of one is stale.
template <class Inputs>
bool needs_recording(const char* name, const Inputs& inputs) {
  if (!grad_enabled) return false;
  bool any = false;
  for (const Tensor& input : inputs) {
    if (is_stale(input)) fail_stale(name, input);
    any = any || needs_grad(input);
  }
  return any;
}

// A node with room for its edges and closures, attached to nothing yet.
NodeRef new_node(const char* name, const Tensor& result, std::size_t edges, std::size_t closure_bytes);

// Where the closures of a node with room for `edges` edges begin.
inline std::byte* closure_room(Node* node, std::size_t edges) {
  return reinterpret_cast<std::byte*>(node + 1) + round_up(edges * sizeof(Edge));
}

// The next edge of a node under construction, leading to `input`.
Edge& add_edge(Node* node, const Tensor& input, std::uint32_t index);
// Completes the node and gives the result its history. An observer may put another tensor into the result's place.
void attach(NodeRef node, Tensor& result, bool wants_output);

template <class Vjp>
void add_vjp(Node* node, Wrt<Vjp>& input, std::uint32_t index, std::byte*& room) {
  if (!needs_grad(input.input)) return;
  Edge& edge = add_edge(node, input.input, index);
  edge.closure = new (room) Vjp(std::move(input.vjp));
  edge.vjp = &call_vjp<Vjp>;
  edge.destroy_closure = &destroy_vjp<Vjp>;
  room += round_up(sizeof(Vjp));
}

}  // namespace detail

// Throws if the tensor's history no longer tells where its values come from.
inline void refuse_stale(const char* name, const Tensor& tensor) {
  if (detail::is_stale(tensor)) detail::fail_stale(name, tensor);
}

// The value of an op of the user's own as a result without history: a view, if it lies in an input's memory.
Tensor as_result(const Tensor& value, const std::vector<Tensor>& inputs);

// Gives `result` a history: the op's name and the derivatives of those inputs that need one. Does nothing under NoGrad
// or when no input needs a gradient.
template <class... Vjps>
Tensor record(const char* name, Tensor result, Wrt<Vjps>... inputs) {
  if (!grad_enabled) return result;
  ((detail::is_stale(inputs.input) ? detail::fail_stale(name, inputs.input) : void()), ...);
  if (!(needs_grad(inputs.input) || ...)) return result;
  static_assert(((alignof(Vjps) <= alignof(std::max_align_t)) && ...));
  constexpr std::size_t closure_bytes = (detail::round_up(sizeof(Vjps)) + ...);
  NodeRef node = detail::new_node(name, result, sizeof...(Vjps), closure_bytes);
  std::byte* room = detail::closure_room(node.get(), sizeof...(Vjps));
  std::uint32_t index = 0;
  (detail::add_vjp(node.get(), inputs, index++, room), ...);
  detail::attach(std::move(node), result, ((detail::reads_output<Vjps> && needs_grad(inputs.input)) || ...));
  return result;
}

// As record, for an op whose inputs share work: vjp(g, gradients), or vjp(g, y, gradients) with its own output, fills
// gradients[i] for each input i that is wanted.
template <class Inputs, class Vjp>
Tensor record_joint(const char* name, Tensor result, const Inputs& inputs, Vjp vjp) {
  constexpr bool reads_output = std::is_invocable_v<Vjp&, const Tensor&, const Tensor&, Gradients&>;
  static_assert(alignof(Vjp) <= alignof(std::max_align_t));
  if (!detail::needs_recording(name, inputs)) return result;
  NodeRef node = detail::new_node(name, result, inputs.size(), detail::round_up(sizeof(Vjp)));
  std::uint32_t index = 0;
  for (const Tensor& input : inputs) {
    if (needs_grad(input)) detail::add_edge(node.get(), input, index);
    ++index;
  }
  node->joint.closure = new (detail::closure_room(node.get(), inputs.size())) Vjp(std::move(vjp));
  node->joint.destroy_closure = &detail::destroy_vjp<Vjp>;
  node->joint.vjp = [](void* closure, const Tensor& g, [[maybe_unused]] const Tensor& y, Gradients& gradients) {
    if constexpr (reads_output)
      (*static_cast<Vjp*>(closure))(g, y, gradients);
    else
      (*static_cast<Vjp*>(closure))(g, gradients);
  };
  detail::attach(std::move(node), result, reads_output);
  return result;
}

// As record, for an op on a list: make_vjp(i) is the derivative by inputs[i].
template <class MakeVjp>
Tensor record_list(const char* name, Tensor result, const std::vector<Tensor>& inputs, const MakeVjp& make_vjp) {
  using Vjp = std::invoke_result_t<const MakeVjp&, std::size_t>;
  if (!detail::needs_recording(name, inputs)) return result;
  NodeRef node = detail::new_node(name, result, inputs.size(), inputs.size() * detail::round_up(sizeof(Vjp)));
  std::byte* room = detail::closure_room(node.get(), inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    Wrt<Vjp> input = wrt(inputs[i], make_vjp(i));
    detail::add_vjp(node.get(), input, static_cast<std::uint32_t>(i), room);
  }
  detail::attach(std::move(node), result, detail::reads_output<Vjp>);
  return result;
}

}  // namespace gradus
