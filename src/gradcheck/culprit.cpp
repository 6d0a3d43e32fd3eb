#include "gradcheck/culprit.hpp"

#include <algorithm>
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
  void joined(const Node&, const Tensor& joined_result) override {
    if (next_ != target_ + 1) return;
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
    std::vector<Node*> nodes = reachable();
    std::vector<GradcheckCulprit> culprits;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      GradcheckCulprit culprit;
      if (!is_wrong(*nodes[i], culprit)) continue;
      culprit.op = nodes[i]->name;
      culprit.place = static_cast<std::int64_t>(i) + 1;
      culprit.ops = static_cast<std::int64_t>(nodes.size());
      culprit.output_shape = nodes[i]->shape;
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

  bool is_wrong(Node& node, GradcheckCulprit& culprit) const {
    for (const Alone& alone : isolate(node)) {
      const Subject checked = order_ == 1 ? alone.subject : gradient_of(alone.subject, plan_.seed + 3);
      std::vector<std::string> names;
      for (std::size_t i = 0; i < checked.variables().size(); ++i) {
        names.push_back(i < alone.inputs.size() ? fmt::format("input {}", alone.inputs[i]) : "the output's gradient");
      }
      std::size_t wrong = 0;
      try {
        const GradcheckReport report = compare(checked, names, plan_);
        if (report.verdict != Verdict::fail) continue;
        const auto failed = std::ranges::find(report.inputs, Verdict::fail, &GradcheckInput::verdict);
        if (failed != report.inputs.end()) wrong = static_cast<std::size_t>(failed - report.inputs.begin());
        culprit.input = alone.inputs[std::min(wrong, alone.inputs.size() - 1)];
        culprit.input_shape = checked.variables()[wrong].shape();
        culprit.evidence = report.reason;
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
  std::vector<Step> steps_;
  std::unordered_map<std::uint64_t, std::size_t> step_of_;
};

}  // namespace

std::vector<GradcheckCulprit> find_culprits(const Subject& subject, int order, const Plan& plan) {
  return Search(subject, order, plan).run();
}

}  // namespace gradus::check
