// An observer of this thread's tape: it sees ops as they are recorded, the branches they take, and the gradients that
// pass. Gradient checking and anomaly detection are built on it; without one it costs a look at a pointer.
#pragma once

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
  // The gradient that a VJP has sent along an edge.
  virtual void derived(const Node&, const Edge&, const Tensor& /*gradient*/) {}

 protected:
  ~Observer() = default;
};

inline constinit thread_local Observer* observer = nullptr;

// Installs an observer for a scope.
class Observing {
 public:
  explicit Observing(Observer* watcher) : previous_(std::exchange(observer, watcher)) {}
  ~Observing() { observer = previous_; }
  Observing(const Observing&) = delete;
  Observing& operator=(const Observing&) = delete;

 private:
  Observer* previous_;
};

// Every op that treats elements differently on both sides of a kink says here which side each is on. `ways` makes the
// tensor; it is called only if somebody wants to know.
template <class Ways>
void note_branches(const char* op, const Ways& ways) {
  if (observer == nullptr) return;
  Observer* const watcher = observer;
  const Observing quiet(nullptr);
  const bool recording = std::exchange(grad_enabled, false);
  const Tensor taken = ways();
  grad_enabled = recording;
  watcher->branched(op, taken);
}

}  // namespace gradus
