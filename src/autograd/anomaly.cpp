#include "gradus/anomaly.hpp"

#include <cmath>
#include <optional>
#include <string>

#include "autograd/call_site.hpp"
#include "autograd/observer.hpp"
#include "gradus/autograd.hpp"
#include "storage/format.hpp"

namespace gradus {
namespace {

// The first element that is no proper number.
struct Anomaly {
  double value;
  Shape index;
};

std::optional<Anomaly> find_anomaly(const Tensor& tensor, bool infinite) {
  if (!is_floating_point(tensor.dtype())) return {};
  const Observing quiet(nullptr);
  const NoGrad guard;
  const Tensor dense = tensor.contiguous();
  return dispatch_floating("anomaly", dense.dtype(), [&]<class T>() -> std::optional<Anomaly> {
    const T* const values = data_of<T>(dense);
    for (std::int64_t i = 0; i < dense.numel(); ++i) {
      const T value = values[i];
      if (std::isnan(value) || (infinite && std::isinf(value))) return {{value, unravel_index(i, dense.shape())}};
    }
    return {};
  });
}

// "nan at (1,) of float32 (2,)".
std::string describe(const Anomaly& anomaly, const Tensor& tensor) {
  const char* const value = std::isnan(anomaly.value) ? "nan" : anomaly.value > 0 ? "inf" : "-inf";
  return formatted("{} at {} of {} {}", value, anomaly.index, tensor.dtype(), tensor.shape());
}

// "op 3 on the tape, recorded at loss.cpp:12 in loss(double)".
std::string describe(const Node& node) {
  const Origin* const origin = node.extras ? &node.extras->origin : nullptr;
  if (origin == nullptr || origin->place == 0) return "recorded before anomalies were looked for";
  std::string text = formatted("op {} on the tape", origin->place);
  if (origin->derivative_of != nullptr) text += formatted(", in the derivative of '{}'", origin->derivative_of);
  const std::string calls = describe_calls(origin->calls);
  return calls.empty() ? text : text + ", recorded at " + calls;
}

class AnomalyDetector final : public Observer {
 public:
  bool enabled = false;
  AnomalyOptions options;
  std::uint64_t ops = 0;

  Tensor recorded(const Node& node, Tensor result) override {
    if (!enabled) return result;
    note_origin(node);
    if (const auto anomaly = find_anomaly(result, options.infinite)) {
      fail("{}: the value is {}; {}; {}", node.name, describe(*anomaly, result), describe_inputs(node), describe(node));
    }
    return result;
  }

  void arrived(const Node& node, const Tensor& gradient) override {
    if (!enabled) return;
    if (const auto anomaly = find_anomaly(gradient, options.infinite)) {
      fail("{}: the gradient that arrives is {}: it was given so, or made by a hook or by summing finite ones; {}",
           node.name, describe(*anomaly, gradient), describe(node));
    }
  }

  void derived(const Node& node, const Edge& edge, const Tensor& gradient) override {
    if (!enabled) return;
    if (const auto anomaly = find_anomaly(gradient, options.infinite)) {
      fail("{}: the derivative by input {} is {}, of a finite gradient; {}", node.name, edge.input,
           describe(*anomaly, gradient), describe(node));
    }
  }

  Observer* lasting() override { return enabled ? this : nullptr; }

 private:
  void note_origin(const Node& node) {
    Origin& origin = node.with_extras().origin;
    origin.place = ++ops;
    if (running_node == nullptr) {
      origin.calls = calls_in_progress();
    } else {  // a recorded backward pass: what counts is where the op was recorded that is being derived
      origin.derivative_of = running_node->name;
      if (running_node->extras) origin.calls = running_node->extras->origin.calls;
    }
  }

  // Inner results were looked at when they were recorded, leaves were not.
  std::string describe_inputs(const Node& node) const {
    for (const Edge& edge : node.edges()) {
      if (edge.node) continue;
      if (const auto anomaly = find_anomaly(edge.leaf, options.infinite)) {
        return formatted("input {}, a leaf, is {}", edge.input, describe(*anomaly, edge.leaf));
      }
    }
    return "its inputs on the tape are finite";
  }
};

AnomalyDetector& detector() {
  thread_local AnomalyDetector instance;
  return instance;
}

}  // namespace

void set_detect_anomaly(bool mode, const AnomalyOptions& options) {
  AnomalyDetector& watcher = detector();
  if (mode && observer != nullptr && observer != &watcher && observer->lasting() != &watcher) {
    fail("set_detect_anomaly: not inside of a gradient check; switch it on around that");
  }
  if (mode && !watcher.enabled) watcher.ops = 0;
  watcher.enabled = mode;
  watcher.options = options;
  if (mode && observer == nullptr) observer = &watcher;
  if (!mode && observer == &watcher) observer = nullptr;
}

bool is_anomaly_enabled() { return detector().enabled; }

DetectAnomaly::DetectAnomaly(bool mode, const AnomalyOptions& options)
    : previous_mode_(detector().enabled), previous_options_(detector().options) {
  set_detect_anomaly(mode, options);
}

DetectAnomaly::~DetectAnomaly() { set_detect_anomaly(previous_mode_, previous_options_); }

}  // namespace gradus
