#include "gradcheck/culprit.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "gradus/autograd.hpp"
#include "gradus/custom_op.hpp"
#include "storage/format.hpp"

namespace gradus::check {
namespace {

// An op as it was recorded: ops are known by their place in the sequence, which is the same in every run.
struct Step {
  std::uint64_t id;
  const char* op;
  Tensor value;
};

class Tracer final : public Observer {
 public:
  void joined(const Node& node, const Tensor& result) override {
    steps.push_back({node.id, node.name, copy_with_layout(result, result.dtype())});
  }
  std::vector<Step> steps;
};

struct Reached {};  // thrown when a run has come to the op it was started for

// Replaces the results of some steps by tensors of ours, and stops when a certain step has joined the tape.
class Cutter final : public Observer {
 public:
  Cutter(const std::map<std::size_t, Tensor>& cuts, std::size_t target) : cuts_(cuts), target_(target) {}

  Tensor recorded(const Node&, Tensor value) override {
    const auto cut = cuts_.find(next_++);
    if (cut == cuts_.end()) return value;
    const Observing quiet(nullptr);
    // A copy, since the function may write into it; its only history is that it equals the variable.
    return custom_op("input", copy_with_layout(cut->second, cut->second.dtype()),
                     {{cut->second, [](const Tensor& g) { return g; }}});
  }
  void joined(const Node& node, const Tensor& joined_result) override {
    if (next_ != target_ + 1) return;
    if (outer_ != nullptr) outer_->joined(node, joined_result);
    result = joined_result;
    throw Reached{};
  }
  void branched(const char* op, const Tensor& ways) override {
    if (outer_ != nullptr) outer_->branched(op, ways);
  }

  Tensor result;

 private:
  const std::map<std::size_t, Tensor>& cuts_;
  std::size_t target_;
  std::size_t next_ = 0;
  Observer* outer_ = observer;
};

// One op alone: a function of its inputs.
struct Alone {
  Subject subject;
  std::vector<std::uint32_t> inputs;  // per variable, the first argument of the op that it is
};

class Search {
 public:
  Search(const Subject& subject, int order, const Plan& plan) : subject_(subject), order_(order), plan_(plan) {
    plan_.fast = true;
    plan_.confidence = 0.9;
  }

  std::vector<GradcheckCulprit> run() {
    Tracer tracer;
    {
      const Observing observing(&tracer);
      outputs_ = subject_.run();
    }
    steps_ = std::move(tracer.steps);
    for (std::size_t i = 0; i < steps_.size(); ++i) step_of_[steps_[i].id] = i;
    nodes_ = reachable();
    std::vector<GradcheckCulprit> culprits;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      GradcheckCulprit culprit;
      if (is_wrong(i, culprit)) culprits.push_back(std::move(culprit));
    }
    return culprits;
  }

  // After run(): the ops that make an entry of the whole function wrong.
  std::vector<GradcheckCulprit> run_along(const Subject& checked, const Entry& entry) {
    plan_.fast = false;
    std::vector<GradcheckCulprit> culprits;
    for (const Wrong& wrong : attribute(checked, entry)) {
      GradcheckCulprit culprit;
      const auto same = std::ranges::find_if(
          nodes_, [&](const Node* node) { return wrong.node < steps_.size() && node->id == steps_[wrong.node].id; });
      const auto at = static_cast<std::size_t>(same - nodes_.begin());
      if (same == nodes_.end() || !is_small(**same) || !is_wrong(at, culprit)) culprit = in_context(wrong);
      culprits.push_back(std::move(culprit));
    }
    return culprits;
  }

 private:
  std::vector<Node*> reachable() const {
    std::vector<Node*> found, stack;
    std::unordered_set<const Node*> seen;
    const auto visit = [&](Node* node) {
      if (node != nullptr && seen.insert(node).second) stack.push_back(node);
    };
    for (const Tensor& output : outputs_) visit(impl(output).node.get());
    while (!stack.empty()) {
      Node* node = stack.back();
      stack.pop_back();
      found.push_back(node);
      for (const Edge& edge : node->edges()) visit(edge.node.get());
    }
    std::sort(found.begin(), found.end(), [](const Node* a, const Node* b) { return a->id < b->id; });
    return found;
  }

  // The op cut out of the graph. Its variables are copies of intermediate results, or the function's own leaves.
  std::vector<Alone> isolate(Node& node) const {
    const auto target = step_of_.find(node.id);
    if (target == step_of_.end()) return {};
    auto cuts = std::make_shared<std::map<std::size_t, Tensor>>();
    std::vector<Tensor> variables;
    std::vector<std::uint32_t> inputs;
    for (const Edge& edge : node.edges()) {
      if (edge.node) {
        const auto step = step_of_.find(edge.node->id);
        if (step == step_of_.end() || cuts->contains(step->second)) continue;
        const Tensor& value = steps_[step->second].value;
        Tensor variable = copy_with_layout(value, value.dtype());
        variable.set_requires_grad();
        cuts->emplace(step->second, variable);
        variables.push_back(variable);
      } else {
        const auto known = std::ranges::find_if(subject_.variables(), [&](const Tensor& v) { return v.is(edge.leaf); });
        const bool listed = std::ranges::any_of(variables, [&](const Tensor& v) { return v.is(edge.leaf); });
        if (known == subject_.variables().end() || listed) continue;
        variables.push_back(edge.leaf);
      }
      inputs.push_back(edge.input);
    }
    if (variables.empty()) return {};
    const auto run = [subject = subject_, cuts, at = target->second]() -> std::vector<Tensor> {
      Cutter cutter(*cuts, at);
      const Observing observing(&cutter);
      try {
        subject.run();
      } catch (const Reached&) {
        return {cutter.result};
      }
      fail("gradcheck: the function records other ops from one run to the next");
    };
    return {{Subject(run, variables, subject_.replay()), inputs}};
  }

  // Few enough elements to look at each.
  static bool is_small(Node& node) {
    std::int64_t elements = 0;
    for (const Edge& edge : node.edges()) elements += edge.node ? edge.node->shape.numel() : edge.leaf.numel();
    return elements <= 4096;
  }

  static GradcheckCulprit in_context(const Wrong& wrong) {
    return {.op = wrong.op,
            .place = static_cast<std::int64_t>(wrong.node) + 1,
            .ops = static_cast<std::int64_t>(wrong.nodes),
            .input = wrong.input,
            .input_shape = wrong.input_shape,
            .output_shape = wrong.output_shape,
            .evidence = formatted("along a failed entry it turns {:.9g} into {:.9g}", wrong.arrived, wrong.sent),
            .likely_cause =
                "it is right alone, but not in this run: what it saved is overwritten later, or something "
                "it depends on is off the tape (detach, item, data, NoGrad)"};
  }

  bool is_wrong(std::size_t i, GradcheckCulprit& culprit) const {
    culprit.op = nodes_[i]->name;
    culprit.place = static_cast<std::int64_t>(i) + 1;
    culprit.ops = static_cast<std::int64_t>(nodes_.size());
    culprit.output_shape = nodes_[i]->shape;
    return is_wrong(*nodes_[i], culprit);
  }

  bool is_wrong(Node& node, GradcheckCulprit& culprit) const {
    for (const Alone& alone : isolate(node)) {
      const Subject checked = order_ == 1 ? alone.subject : gradient_of(alone.subject, plan_.seed + 3);
      std::vector<std::string> names;
      for (std::size_t i = 0; i < checked.variables().size(); ++i) {
        names.push_back(i < alone.inputs.size() ? formatted("input {}", alone.inputs[i]) : "the output's gradient");
      }
      std::size_t wrong = 0;
      try {
        const GradcheckReport report = compare(checked, names, plan_);
        if (report.verdict != Verdict::fail) continue;
        const auto failed = std::ranges::find(report.inputs, Verdict::fail, &GradcheckInput::verdict);
        if (failed != report.inputs.end()) wrong = static_cast<std::size_t>(failed - report.inputs.begin());
        culprit.input = alone.inputs[std::min(wrong, alone.inputs.size() - 1)];
        culprit.input_shape = checked.variables()[wrong].shape();
        culprit.evidence = "all else given, " + report.reason;
      } catch (const Error&) {
        continue;  // it can't be run alone: nothing to hold against it
      }
      try {
        culprit.likely_cause = likely_cause(checked, wrong, plan_.seed);
      } catch (const Error&) {
        // A backward pass that throws has been reported; it looks like nothing more.
      }
      if (node.edge_count < node.inputs) {
        if (!culprit.likely_cause.empty()) culprit.likely_cause += "; or ";
        culprit.likely_cause += "another of its inputs, which is off the tape (detached?), depends on this one";
      }
      return true;
    }
    return false;
  }

  const Subject& subject_;
  int order_;
  Plan plan_;
  std::vector<Tensor> outputs_;
  std::vector<Node*> nodes_;  // in the order of the forward pass
  std::vector<Step> steps_;
  std::unordered_map<std::uint64_t, std::size_t> step_of_;
};

// Failed entries that are worth a look: the worst of each input, or a random one of each if another comparison failed.
std::vector<Entry> worst_entries(const Subject& checked, const Plan& plan, const GradcheckReport& report) {
  std::int64_t count = 0;
  std::vector<std::int64_t> first;
  for (const Tensor& output : checked.run()) first.push_back(std::exchange(count, count + output.numel()));
  const bool any = std::ranges::any_of(report.inputs, [](const GradcheckInput& input) { return input.failed > 0; });
  Generator generator(plan.seed + 6);
  std::vector<Entry> entries;
  for (std::size_t i = 0; i < report.inputs.size() && i < checked.variables().size() && entries.size() < 4; ++i) {
    const GradcheckInput& input = report.inputs[i];
    if (any && input.failed == 0) continue;
    Entry entry{{.variable = i, .element = -1, .weights = {}}, random_cotangent(count, generator)};
    if (any && !input.worst.empty()) {
      const GradcheckEntry& worst = input.worst.front();
      entry.direction.element = worst.element;
      if (worst.output >= 0) {
        entry.cotangent = {.unit = first[static_cast<std::size_t>(worst.output)] + worst.output_element, .weights = {}};
      }
    }
    if (entry.direction.element < 0) entry.direction.weights = random_weights(input.shape.numel(), generator);
    entries.push_back(std::move(entry));
  }
  return entries;
}

// Looks at the inputs of each op when it has joined the tape: do they have the values that they came with?
class DamageWatcher final : public Observer {
 public:
  explicit DamageWatcher(const std::vector<Tensor>& variables) {
    for (const Tensor& variable : variables) leaves_.push_back(kept(variable));
  }

  void joined(const Node& node, const Tensor& result) override {
    const Observing quiet(nullptr);
    for (const Edge& edge : const_cast<Node&>(node).edges()) {
      if (edge.node) {
        const auto input = results_.find(edge.node->id);
        if (input != results_.end()) look(node, edge, input->second);
      } else {
        for (const Kept& leaf : leaves_) {
          if (leaf.tensor.is(edge.leaf)) look(node, edge, leaf);
        }
      }
    }
    ++place_;
    results_.insert_or_assign(node.id, kept(result));
  }

  std::optional<GradcheckCulprit> found;

 private:
  struct Kept {
    Tensor tensor;
    std::uint32_t version;
    std::vector<double> values;
  };

  static Kept kept(const Tensor& tensor) { return {tensor.detach(), tensor.version(), values_of(tensor)}; }

  void look(const Node& node, const Edge& edge, const Kept& input) {
    if (found || input.tensor.version() != input.version) return;  // a change that the tape knows of
    const std::vector<double> now = values_of(input.tensor);
    const auto same = [](double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); };
    if (std::equal(now.begin(), now.end(), input.values.begin(), same)) return;
    found = GradcheckCulprit{.op = node.name,
                             .place = place_ + 1,
                             .ops = place_ + 1,
                             .input = edge.input,
                             .input_shape = input.tensor.shape(),
                             .output_shape = node.shape,
                             .evidence = "it changes this input in place, and the tape doesn't know",
                             .likely_cause = "a write through data() into memory that is not its own"};
  }

  std::vector<Kept> leaves_;
  std::unordered_map<std::uint64_t, Kept> results_;
  std::int64_t place_ = 0;
};

}  // namespace

std::vector<GradcheckCulprit> find_culprits(const Subject& subject, const Subject& checked, int order, const Plan& plan,
                                            const GradcheckReport& report) {
  Search search(subject, order, plan);
  std::vector<GradcheckCulprit> culprits = search.run();
  if (!culprits.empty()) return culprits;
  for (const Entry& entry : worst_entries(checked, plan, report)) {
    culprits = search.run_along(checked, entry);
    if (!culprits.empty()) break;
  }
  return culprits;
}

std::optional<GradcheckCulprit> find_damage(const Subject& subject) {
  std::vector<std::vector<double>> before;
  for (const Tensor& variable : subject.variables()) before.push_back(values_of(variable));
  DamageWatcher watcher(subject.variables());
  {
    const Observing observing(&watcher);
    subject.run();
  }
  for (std::size_t i = 0; i < before.size(); ++i) write_values(subject.variables()[i], before[i]);
  return watcher.found;
}

}  // namespace gradus::check
