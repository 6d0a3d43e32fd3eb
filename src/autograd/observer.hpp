// An observer of this thread's tape: it sees ops as they are recorded, the branches they take, and the gradients that
// pass. Gradient checking and anomaly detection are built on it; without one it costs a look at a pointer.
#pragma once

#include "autograd/exchanged.hpp"
#include "autograd/node.hpp"

namespace gradus {

class Observer {
 public:
  // An op is about to join the tape; what is returned takes the place of its result. If that has a history already, the
  // op is left out and the tape is cut here.
  virtual Tensor recorded(const Node&, Tensor result) { return result; }
  // It has joined: `result` is the tensor with its history.
  virtual void joined(const Node&, const Tensor& /*result*/) {}
  // The way that each element took through an op with branches: any tensor that differs when a way does.
  virtual void branched(const char* /*op*/, const Tensor& /*ways*/) {}
  // The whole gradient by an op's output, hooks included, as its VJPs are about to see it.
  virtual void arrived(const Node&, const Tensor& /*gradient*/) {}
  // The gradient that a VJP has sent along an edge.
  virtual void derived(const Node&, const Edge&, const Tensor& /*gradient*/) {}
  // The part of this observer that goes on watching when another one is installed: none as a rule.
  virtual Observer* lasting() { return nullptr; }

 protected:
  ~Observer() = default;
};

inline constinit thread_local Observer* observer = nullptr;

// Two observers, the first before the second.
class BothObservers final : public Observer {
 public:
  BothObservers(Observer* first, Observer* second) : first_(first), second_(second) {}
  Tensor recorded(const Node& node, Tensor result) override {
    result = first_->recorded(node, std::move(result));
    return impl(result).node ? result : second_->recorded(node, std::move(result));
  }
  void joined(const Node& node, const Tensor& result) override {
    first_->joined(node, result);
    second_->joined(node, result);
  }
  void branched(const char* op, const Tensor& ways) override {
    first_->branched(op, ways);
    second_->branched(op, ways);
  }
  void arrived(const Node& node, const Tensor& gradient) override {
    first_->arrived(node, gradient);
    second_->arrived(node, gradient);
  }
  void derived(const Node& node, const Edge& edge, const Tensor& gradient) override {
    first_->derived(node, edge, gradient);
    second_->derived(node, edge, gradient);
  }
  Observer* lasting() override { return second_; }

 private:
  Observer* first_;
  Observer* second_;
};

// Installs an observer for a scope, instead of the one that is there but together with its lasting part; nullptr hides
// that, too.
class Observing {
 public:
  explicit Observing(Observer* watcher)
      : previous_(observer), both_(watcher, observer != nullptr ? observer->lasting() : nullptr) {
    observer = watcher != nullptr && both_.lasting() != nullptr ? &both_ : watcher;
  }
  ~Observing() { observer = previous_; }
  Observing(const Observing&) = delete;
  Observing& operator=(const Observing&) = delete;

 private:
  Observer* previous_;
  BothObservers both_;
};

// Every op that treats elements differently on both sides of a kink says here which side each is on. `ways` makes the
// tensor; it is called only if somebody wants to know.
template <class Ways>
void note_branches(const char* op, const Ways& ways) {
  if (observer == nullptr) return;
  Observer* const watcher = observer;
  const Observing quiet(nullptr);
  const Exchanged<bool> unrecorded(grad_enabled, false);
  watcher->branched(op, ways());
}

}  // namespace gradus
