#include "train/diagnose/examination.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string_view>

#include "autograd/observer.hpp"
#include "gradus/nn/batch_norm.hpp"
#include "gradus/nn/norm.hpp"
#include "gradus/nn/recurrent.hpp"
#include "gradus/ops.hpp"
#include "nn/call.hpp"
#include "optim/measure.hpp"
#include "train/diagnose/statistics.hpp"
#include "train/loop.hpp"

namespace gradus::train::doctor {
namespace {

// The slope of a sigmoid or tanh is below a twentieth of its largest where the output is so far from the middle.
constexpr double sigmoid_end = 0.4873, tanh_end = 0.9747, sigmoid_end_input = 4.357;

// What a module has of its own.
struct Members final : nn::MemberVisitor {
  bool has_modules = false, has_weights = false;
  void parameter(const nn::MemberPath&, nn::Parameter& p) override { has_weights |= p.dim() >= 2 && rms(p) > 0; }
  void module(const nn::MemberPath&, nn::Module&) override { has_modules = true; }
};

bool is_view(std::string_view op) {
  static constexpr std::array<std::string_view, 8> views{"reshape",   "transpose", "permute", "squeeze",
                                                         "unsqueeze", "slice",     "expand",  "view"};
  return std::ranges::find(views, op) != views.end();
}

// The op that computed the values of a result.
GradFn source_of(const Tensor& result) {
  GradFn op = result.grad_fn();
  while (op && is_view(op.name()) && op.next_functions().size() == 1 && op.next_functions()[0].fn) {
    op = op.next_functions()[0].fn;
  }
  return op;
}

class Watch final : public Observer {
 public:
  Watch(nn::Module& model, Examination& seen) : seen_(seen) {
    for (const auto& [path, module] : model.named_modules()) watch(path, *module);
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch() {
    for (nn::RemovableHandle& hook : hooks_) hook.remove();
  }

  void joined(const Node& node, const Tensor& result) override {
    const std::string_view op = node.name;
    if (op != "relu" && op != "sigmoid" && op != "tanh") return;
    const Observing unseen(nullptr);
    const NoGrad unrecorded;
    ActivationSeen seen{.path = inside_.empty() ? last_ : inside_, .op = std::string(op)};
    const Tensor y = result.detach();
    if (op == "relu") {
      const Tensor units = by_unit(y);
      seen.units = units.size(0);
      seen.dead_units = share(units.amax({1}) <= 0);
    } else {
      seen.saturated = op == "tanh" ? share(y.abs() > tanh_end) : share((y - 0.5).abs() > sigmoid_end);
    }
    seen_.activations.push_back(std::move(seen));
    nodes_.push_back(node.id);
  }

  // Which of the activations was the model's last op.
  void mark_output(const GradFn& source) {
    for (std::size_t i = 0; i < nodes_.size(); ++i) seen_.activations[i].is_output = source && nodes_[i] == source.id();
  }

 private:
  void watch(const std::string& path, nn::Module& module) {
    Members members;
    module.visit_members(members, {});
    if (members.has_modules) return;
    hooks_.push_back(module.register_forward_pre_hook(
        [this, path, members](nn::Module& m, const Tensor& x) { return enter(path, members, m, x); }));
    hooks_.push_back(module.register_forward_hook(
        [this, path, members](nn::Module& m, const Tensor& x, const Tensor& y) { leave(path, members, m, x, y); }));
  }

  Tensor enter(const std::string& path, const Members& members, nn::Module& module, const Tensor& x) {
    inside_ = path;
    const bool is_norm = nn::short_class_name(module).find("Norm") != std::string::npos;
    if (!found_entrance_ && (members.has_weights || is_norm)) {
      found_entrance_ = true;
      if (!is_norm) {
        seen_.entrance = path;
        seen_.entering = x.detach();
      }
    }
    if (dynamic_cast<nn::Recurrent*>(&module) == nullptr || !is_floating_point(x.dtype())) return {};
    const Tensor input = x.requires_grad() ? x : x.detach().set_requires_grad();
    if (!input.is_leaf()) input.retain_grad();
    seen_.sequences.push_back({path, input});
    return input;
  }

  void leave(const std::string& path, const Members& members, nn::Module& module, const Tensor& x, const Tensor& y) {
    // An activation's ops are seen under its own path, ops between modules under that of the last layer.
    inside_.clear();
    last_ = path;
    const Observing unseen(nullptr);
    const NoGrad unrecorded;
    seen_.layers.push_back({path, members.has_weights, all_finite(x), all_finite(y), spread(y)});
    if (auto* recurrent = dynamic_cast<nn::Recurrent*>(&module)) look_at_gates(path, *recurrent, x, y);
  }

  // Gates as the input alone sets them: the state's share is within the fused op.
  void look_at_gates(const std::string& path, nn::Recurrent& layer, const Tensor& x, const Tensor& y) {
    const std::int64_t hidden = layer.hidden_size(), kinds = layer.weight_ih().size(0) / hidden;
    if (kinds == 1) {
      // A relu may leave the range of tanh.
      if (y.detach().abs().max().item() <= 1) add_gates(path, share(y.detach().abs() > tanh_end));
      return;
    }
    Tensor z = matmul(x.detach(), layer.weight_ih().detach().t());
    if (layer.bias_ih().defined()) z = z + layer.bias_ih().detach() + layer.bias_hh().detach();
    // LSTM: input, forget, cell, output; GRU: reset, update, new.
    for (std::int64_t k = 0; k < kinds; ++k) {
      if (k == 2) continue;  // a tanh
      add_gates(path, share(z.narrow(-1, k * hidden, hidden).abs() > sigmoid_end_input));
    }
  }

  void add_gates(const std::string& path, double saturated) {
    seen_.activations.push_back({.path = path, .op = "gate", .saturated = saturated});
    nodes_.push_back(0);
  }

  Examination& seen_;
  bool found_entrance_ = false;
  std::string inside_, last_;
  std::vector<std::uint64_t> nodes_;  // of the activations
  std::vector<nn::RemovableHandle> hooks_;
};

// Are all rows the same, up to rounding?
bool rows_are_equal(const Tensor& x) {
  const Tensor rows = x.detach().reshape({x.size(0), -1});
  const double largest = rows.abs().max().item();
  return (rows - rows[0]).abs().max().item() <= 1e-6 * largest;
}

bool is_symmetric(const Tensor& p) {
  if (p.dim() < 2 || p.size(0) < 2 || p.numel() == 0 || !p.grad().defined()) return false;
  const NoGrad guard;
  return rows_are_equal(p) && rows_are_equal(p.grad());
}

void step(const Patient& patient, Examination& seen) {
  const auto parameters = patient.model.named_parameters();
  std::vector<Tensor> before;
  for (const auto& [name, p] : parameters) {
    if (is_symmetric(p)) seen.symmetric.push_back(name);
    before.push_back(p.detach().clone());
  }
  const auto is_moved = [&](const Tensor& p) { return p.grad().defined() && all_finite(p.grad()); };
  optim::Optimizer* const optimizer = patient.options.optimizer;
  const bool can_step =
      optimizer != nullptr && std::ranges::any_of(optimizer->parameters(), is_moved) &&
      std::ranges::all_of(optimizer->parameters(), [&](const Tensor& p) { return !p.grad().defined() || is_moved(p); });
  if (can_step) patient.step();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    seen.step.parameters.push_back(optim::measure_update(parameters[i].first, parameters[i].second, before[i]));
  }
}

}  // namespace

Tensor Patient::step() const {
  // A rule that moves all parameters jointly evaluates the loss itself; some take its derivatives, too.
  const bool alone = wants_the_loss_alone(*options.optimizer);
  return options.optimizer->step([&] {
    if (!alone) options.optimizer->zero_grad();
    const Tensor value = loss_of(batch);
    if (!alone) value.backward();
    return value;
  });
}

std::vector<Tensor> Patient::trainable() const {
  std::vector<Tensor> result = model.parameters();
  std::erase_if(result, [](const Tensor& p) { return !p.requires_grad(); });
  return result;
}

bool Examination::forward_finite() const {
  return std::isfinite(loss) && all_finite(output) && std::ranges::all_of(layers, &LayerSeen::output_finite);
}

Examination examine(const Patient& patient) {
  Examination seen;
  Tensor output;
  {
    Watch watch(patient.model, seen);
    const Observing observing(&watch);
    output = patient.model(patient.batch.x);
    const GradFn source = output.requires_grad() ? source_of(output) : GradFn();
    if (source) seen.last_op = source.name();
    watch.mark_output(source);
  }
  seen.output = output.detach();
  const Tensor loss = patient.loss(output, patient.batch.y);
  seen.loss = loss.item();
  seen.has_gradient = loss.requires_grad();
  if (!seen.has_gradient) return seen;
  loss.backward();
  for (SequenceSeen& s : seen.sequences) s.input = s.input.grad();
  step(patient, seen);
  return seen;
}

}  // namespace gradus::train::doctor
