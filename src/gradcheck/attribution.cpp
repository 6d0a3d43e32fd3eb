// One wrong entry, divided among the ops that make it up.
//
// Let t be the change of every intermediate result along the entry's direction, from differences of values, and a its
// gradient, from the tape. An op is right along this entry if its derivatives send upstream what arrived at it: the sum
// of (gradient sent to an input) * t(input) equals a * t(output). The differences of all ops add up to the error of the
// entry. Unlike an op cut out of the graph, this sees what happens to an op in this run alone: a saved tensor that is
// overwritten later, a way from input to output that is off the tape.

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "autograd/observer.hpp"
#include "gradcheck/culprit.hpp"
#include "storage/format.hpp"

namespace gradus::check {
namespace {

struct Seen {
  std::uint64_t id;
  const char* op;
  const char* inside;  // the op in whose derivative it was recorded, or nullptr
  Shape shape;
  std::vector<double> value;
};

class Values final : public Observer {
 public:
  void joined(const Node& node, const Tensor& result) override {
    const Observing quiet(nullptr);
    const char* const inside = running_node != nullptr ? running_node->name : nullptr;
    seen.push_back({node.id, node.name, inside, result.shape(), values_of(result)});
  }
  std::vector<Seen> seen;
};

// What the backward pass sends along each edge.
class Sent final : public Observer {
 public:
  struct Part {
    std::uint64_t from;
    std::uint64_t to;  // a node, or 0 for the variable that is moved
    std::uint32_t input;
    std::vector<double> gradient;
  };
  explicit Sent(const Tensor& moved) : moved_(moved) {}
  void derived(const Node& node, const Edge& edge, const Tensor& gradient) override {
    if (!edge.node && !edge.leaf.is(moved_)) return;  // a leaf that stays where it is
    const Observing quiet(nullptr);
    parts.push_back({node.id, edge.node ? edge.node->id : 0, edge.input, values_of(gradient)});
  }
  std::vector<Part> parts;

 private:
  const Tensor& moved_;
};

struct Change {
  std::vector<double> value;  // per unit of the step
  std::vector<double> bar;
};

// Central differences over two lengths, as in Line::quick.
Change change_of(const std::vector<double>& middle, const std::vector<double>& minus, const std::vector<double>& plus,
                 const std::vector<double>& minus_2, const std::vector<double>& plus_2, double h, double epsilon) {
  Change change;
  for (std::size_t i = 0; i < middle.size(); ++i) {
    const double near = (plus[i] - minus[i]) / (2 * h), far = (plus_2[i] - minus_2[i]) / (4 * h);
    change.value.push_back((4 * near - far) / 3);
    const bool still = plus[i] == minus[i] && plus_2[i] == minus_2[i];
    change.bar.push_back(still ? 0 : std::abs(near - far) / 3 + 4 * epsilon * std::abs(middle[i]) / h);
  }
  return change;
}

struct Balance {
  double arrived = 0, sent = 0;  // a t(output), and the sum over inputs
  double size = 0, bar = 0;
  double largest = -1;  // of the inputs' parts
  std::uint32_t input = 0;
  std::uint64_t from = 0;
};

class Attribution {
 public:
  Attribution(const Subject& subject, const Entry& entry)
      : subject_(subject),
        entry_(entry),
        variable_(subject.variables()[entry.direction.variable]),
        epsilon_(variable_.dtype() == float32 ? 0x1p-23 : 0x1p-52) {}

  std::vector<Wrong> run() {
    const Sample base = subject_.sample();
    Line line(subject_, entry_.direction, base);
    double h = line.scale() * std::pow(epsilon_, 0.2);
    for (int tries = 0; tries < 12 && !line.is_smooth_within(2 * h); ++tries) h /= 8;
    if (!line.is_smooth_within(2 * h)) return {};
    if (!measure(line, h)) return {};
    return imbalances();
  }

 private:
  std::vector<Seen> values_at(Line& line, double t) const {
    line.go_to(t);
    Values watcher;
    const Observing observing(&watcher);
    subject_.run();
    return std::move(watcher.seen);
  }

  // The changes of all results, then the gradients of a run at the point itself.
  bool measure(Line& line, double h) {
    const auto plus = values_at(line, h), minus = values_at(line, -h);
    const auto plus_2 = values_at(line, 2 * h), minus_2 = values_at(line, -2 * h);
    line.go_to(0);
    Values watcher;
    Sent sent(variable_);
    std::vector<Tensor> outputs;
    {
      const Observing observing(&watcher);
      outputs = subject_.run();
    }
    Recorded recorded(subject_, outputs);
    {
      const Observing observing(&sent);
      recorded.gradient(entry_.cotangent);
    }
    nodes_ = std::move(watcher.seen);
    const std::size_t count = nodes_.size();
    if (plus.size() != count || minus.size() != count || plus_2.size() != count || minus_2.size() != count)
      return false;
    for (std::size_t i = 0; i < count; ++i) {
      changes_[nodes_[i].id] =
          change_of(nodes_[i].value, minus[i].value, plus[i].value, minus_2[i].value, plus_2[i].value, h, epsilon_);
      place_[nodes_[i].id] = i;
    }
    changes_[0] = {line.displacement(), {}};
    changes_[0].bar.assign(changes_[0].value.size(), 0);
    collect(sent.parts, outputs);
    return true;
  }

  void collect(const std::vector<Sent::Part>& parts, const std::vector<Tensor>& outputs) {
    std::int64_t start = 0;
    for (const Tensor& output : outputs) {
      const std::int64_t first = std::exchange(start, start + output.numel());
      if (!impl(output).node) continue;
      std::vector<double> gradient(static_cast<std::size_t>(output.numel()), 0.0);
      for (std::int64_t i = 0; i < output.numel(); ++i) {
        gradient[static_cast<std::size_t>(i)] = entry_.cotangent.weight(first + i);
      }
      arrive(impl(output).node->id, gradient);
    }
    for (const Sent::Part& part : parts) {
      if (part.to != 0) arrive(part.to, part.gradient);
      Balance& balance = balances_[part.from];
      const double before = balance.sent;
      add_product(balance, balance.sent, part.gradient, part.to);
      if (std::abs(balance.sent - before) > balance.largest) {
        balance.largest = std::abs(balance.sent - before);
        balance.input = part.input;
        balance.from = part.to;
      }
    }
  }

  void arrive(std::uint64_t node, const std::vector<double>& gradient) {
    add_product(balances_[node], balances_[node].arrived, gradient, node);
  }

  void add_product(Balance& balance, double& sum, const std::vector<double>& gradient, std::uint64_t at) {
    const auto change = changes_.find(at);
    if (change == changes_.end() || change->second.value.size() != gradient.size()) return;
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      const double product = gradient[i] * change->second.value[i];
      sum += product;
      balance.size += std::abs(product);
      balance.bar += std::abs(gradient[i]) * change->second.bar[i];
    }
  }

  std::vector<Wrong> imbalances() const {
    std::vector<Wrong> wrong;
    for (const auto& [id, balance] : balances_) {
      const double error = std::abs(balance.arrived - balance.sent);
      if (!place_.contains(id) || !(error - 4 * balance.bar > (epsilon_ > 1e-10 ? 1e-2 : 1e-6) * balance.size))
        continue;
      const Seen& node = nodes_[place_.at(id)];
      const Shape& input = place_.contains(balance.from) ? nodes_[place_.at(balance.from)].shape : variable_.shape();
      wrong.push_back({.node = id,
                       .nodes = nodes_.size(),
                       .op = node.inside != nullptr ? node.inside : node.op,
                       .input = balance.input,
                       .input_shape = input,
                       .output_shape = node.shape,
                       .sent = balance.sent,
                       .arrived = balance.arrived});
    }
    std::sort(wrong.begin(), wrong.end(), [](const Wrong& a, const Wrong& b) { return a.node < b.node; });
    for (Wrong& w : wrong) w.node = place_.at(w.node);
    return wrong;
  }

  const Subject& subject_;
  const Entry& entry_;
  const Tensor variable_;
  const double epsilon_;
  std::vector<Seen> nodes_;
  std::unordered_map<std::uint64_t, std::size_t> place_;
  std::unordered_map<std::uint64_t, Change> changes_;
  std::unordered_map<std::uint64_t, Balance> balances_;
};

}  // namespace

std::vector<Wrong> attribute(const Subject& subject, const Entry& entry) { return Attribution(subject, entry).run(); }

}  // namespace gradus::check
