#include "gradus/nn/summary.hpp"

#include <algorithm>
#include <array>
#include <ostream>
#include <string_view>
#include <unordered_set>

#include "autograd/observer.hpp"
#include "gradus/ops.hpp"
#include "nn/call.hpp"
#include "storage/format.hpp"

namespace gradus::nn {
namespace {

// --- Multiply-adds --------------------------------------------------------------------------------------------------

// The shape of an op's input, if it requires a gradient: others have no edge.
const Shape* input_shape(const Node& node, std::uint32_t input) {
  for (const Edge& edge : node.edges()) {
    if (edge.input == input) return edge.node ? &edge.node->shape : &edge.leaf.shape();
  }
  return nullptr;
}

std::int64_t without_first(const Shape& shape) { return shape.numel() / std::max<std::int64_t>(1, shape[0]); }

// Of each element of the result: what a row of `a`, or a column of `b`, has.
std::int64_t of_matmul(const Node& node) {
  if (const Shape* const a = input_shape(node, 0)) return node.shape.numel() * a->back();
  const Shape* const b = input_shape(node, 1);
  return b ? node.shape.numel() * (*b)[std::max<std::int64_t>(0, b->size() - 2)] : 0;
}

std::int64_t of_linear(const Node& node) {
  const Shape* const weight = input_shape(node, 1);
  const Shape* const x = input_shape(node, 0);
  return node.shape.numel() * (weight ? weight->back() : x ? x->back() : 0);
}

// Each output is a sum over the weights of its channel.
std::int64_t of_convolution(const Node& node) {
  const Shape* const weight = input_shape(node, 1);
  return weight ? node.shape.numel() * without_first(*weight) : 0;
}

// Each input adds to as many outputs as its channel has weights. The weight is the op's first argument.
std::int64_t of_transposed(const Node& node) {
  const Shape* const weight = input_shape(node, 0);
  const Shape* const x = input_shape(node, 1);
  return weight && x ? x->numel() * without_first(*weight) : 0;
}

// One layer in one direction: (x, h, c, w_ih, w_hh, ...). Each step, a row of x, meets both weights.
std::int64_t of_recurrent(const Node& node) {
  const Shape *const x = input_shape(node, 0), *const w_ih = input_shape(node, 3), *const w_hh = input_shape(node, 4);
  return x && w_ih && w_hh ? (*x)[0] * (w_ih->numel() + w_hh->numel()) : 0;
}

// (query, key, value, mask): each query meets each key, and each value.
std::int64_t of_attention(const Node& node) {
  const Shape *const key = input_shape(node, 1), *const value = input_shape(node, 2);
  if (!key || !value || value->back() == 0) return 0;
  return node.shape.numel() / value->back() * (*key)[key->size() - 2] * (key->back() + value->back());
}

struct CountedOp {
  std::string_view name;
  std::int64_t (*multiply_adds)(const Node&);
};
constexpr CountedOp counted_ops[] = {{"matmul", of_matmul},
                                     {"linear", of_linear},
                                     {"conv2d", of_convolution},
                                     {"conv_transpose2d", of_transposed},
                                     {"rnn_tanh", of_recurrent},
                                     {"rnn_relu", of_recurrent},
                                     {"lstm", of_recurrent},
                                     {"gru", of_recurrent},
                                     {"scaled_dot_product_attention", of_attention}};

std::int64_t multiply_adds_of(const Node& node) {
  const auto found = std::ranges::find(counted_ops, std::string_view(node.name), &CountedOp::name);
  return found == std::end(counted_ops) ? 0 : found->multiply_adds(node);
}

// --- The run --------------------------------------------------------------------------------------------------------

std::int64_t bytes_of(const Tensor& tensor) {
  return tensor.numel() * static_cast<std::int64_t>(size_of(tensor.dtype()));
}

// The parameters and buffers of one module, without those of modules inside.
struct OwnTensors final : MemberVisitor {
  std::vector<Tensor> parameters, buffers;
  bool has_modules = false;
  void parameter(const MemberPath&, Parameter& p) override { parameters.push_back(p); }
  void buffer(const MemberPath&, Buffer& b) override { buffers.push_back(b); }
  void module(const MemberPath&, Module&) override { has_modules = true; }
};

// The model in evaluation, every parameter on the tape, so that no product escapes it. Puts everything back.
class Prepared {
 public:
  explicit Prepared(Module& model) {
    for (Module* const module : model.modules()) modes_.emplace_back(module, module->is_training());
    for (const Tensor& p : model.parameters()) {
      if (is_floating_point(p.dtype())) trainable_.emplace_back(p, p.requires_grad());
    }
    model.eval();
    for (auto& [p, trainable] : trainable_) p.set_requires_grad(true);
  }
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;
  ~Prepared() {
    for (const auto& [module, mode] : modes_) module->train(mode);  // each before those inside it
    for (auto& [p, trainable] : trainable_) p.set_requires_grad(trainable);
    for (RemovableHandle& hook : hooks) hook.remove();
  }

  bool was_trainable(const Tensor& parameter) const {
    return std::ranges::any_of(trainable_,
                               [&](const auto& known) { return known.first.is(parameter) && known.second; });
  }

  std::vector<RemovableHandle> hooks;

 private:
  std::vector<std::pair<Module*, bool>> modes_;
  std::vector<std::pair<Tensor, bool>> trainable_;
};

class Run final : public Observer {
 public:
  Run(Module& model, Summary& summary) : summary_(summary), prepared_(model) {
    for (const auto& [path, module] : model.named_modules()) watch(path, *module);
  }

  void joined(const Node& node, const Tensor&) override {
    if (running_.empty()) return;
    const std::int64_t count = multiply_adds_of(node);
    summary_.rows[running_.back()].multiply_adds += count;
    summary_.multiply_adds += count;
  }

 private:
  void watch(const std::string& path, Module& module) {
    const std::size_t index = summary_.rows.size();
    OwnTensors own;
    module.visit_members(own, {});
    SummaryRow row{.path = path, .layer = short_class_name(module)};
    row.depth = path.empty() ? 0 : 1 + std::ranges::count(path, '.');
    for (const Tensor& p : own.parameters) count_parameter(p, row);
    for (const Tensor& b : own.buffers) summary_.buffer_bytes += bytes_of(b);
    summary_.rows.push_back(std::move(row));
    prepared_.hooks.push_back(
        module.register_forward_pre_hook([this, index](Module&, const Tensor&) { running_.push_back(index); }));
    prepared_.hooks.push_back(module.register_forward_hook(
        [this, index, is_leaf = !own.has_modules](Module&, const Tensor&, const Tensor& y) {
          running_.pop_back();
          SummaryRow& called = summary_.rows[index];
          ++called.calls;
          called.output = y.shape();
          if (is_leaf) summary_.output_bytes += bytes_of(y);
        }));
  }

  void count_parameter(const Tensor& p, SummaryRow& row) {
    if (!counted_.insert(p.handle()).second) return;
    row.parameters += p.numel();
    summary_.parameters += p.numel();
    summary_.parameter_bytes += bytes_of(p);
    if (!prepared_.was_trainable(p)) return;
    row.trainable += p.numel();
    summary_.trainable += p.numel();
  }

  Summary& summary_;
  std::unordered_set<const void*> counted_;
  std::vector<std::size_t> running_;  // the rows of the modules that are being called
  Prepared prepared_;
};

// --- The table ------------------------------------------------------------------------------------------------------

// 1234567 -> "1,234,567"
std::string grouped(std::int64_t number) {
  const std::string digits = std::to_string(number);
  std::string result;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) result += ',';
    result += digits[i];
  }
  return result;
}

std::string in_bytes(std::int64_t bytes) {
  constexpr std::string_view units[] = {"B", "kB", "MB", "GB", "TB"};
  double size = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; size >= 1000 && unit + 1 < std::size(units); ++unit) size /= 1000;
  return formatted("{:.{}f} {}", size, unit == 0 ? 0 : 1, units[unit]);
}

std::string name_of(const SummaryRow& row) {
  const std::size_t dot = row.path.rfind('.');
  const std::string name = row.path.empty() ? row.layer : row.path.substr(dot == std::string::npos ? 0 : dot + 1);
  return std::string(static_cast<std::size_t>(2 * row.depth), ' ') + name;
}

std::string output_of(const SummaryRow& row) {
  if (!row.output) return "-";
  return gradus::to_string(*row.output) + (row.calls > 1 ? formatted(" x{}", row.calls) : "");
}

std::string count_or_dash(std::int64_t count) { return count == 0 ? "-" : grouped(count); }

}  // namespace

std::string Summary::to_string() const {
  std::vector<std::array<std::string, 5>> lines{{"layer", "class", "output", "parameters", "multiply-adds"}};
  for (const SummaryRow& row : rows) {
    lines.push_back({name_of(row), row.layer, output_of(row),
                     count_or_dash(row.parameters) + (row.trainable < row.parameters ? " frozen" : ""),
                     count_or_dash(row.multiply_adds)});
  }
  std::array<std::size_t, 5> widths{};
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  }
  std::string text;
  for (const auto& line : lines) {
    text += formatted("{:<{}}  {:<{}}  {:<{}}  {:>{}}  {:>{}}\n", line[0], widths[0], line[1], widths[1], line[2],
                      widths[2], line[3], widths[3], line[4], widths[4]);
  }
  text += formatted("{} parameters ({}), {} trainable, {} frozen; buffers {}\n", grouped(parameters),
                    in_bytes(parameter_bytes), grouped(trainable), grouped(frozen()), in_bytes(buffer_bytes));
  text += formatted("{} multiply-adds; outputs of layers {}\n", grouped(multiply_adds), in_bytes(output_bytes));
  return text;
}

Summary summary(Module& model, const Tensor& input) {
  Summary result;
  Run run(model, result);
  const Observing observing(&run);
  const EnableGrad recording;
  // A copy, that a model may write to, of a leaf.
  const Tensor leaf = is_floating_point(input.dtype()) ? input.detach().clone().set_requires_grad() : input;
  model(clone(leaf));
  return result;
}

std::ostream& operator<<(std::ostream& out, const Summary& summary) { return out << summary.to_string(); }

}  // namespace gradus::nn
