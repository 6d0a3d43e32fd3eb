#include "gradus/nn/recurrent.hpp"

#include "gradus/ops.hpp"
#include "nn/uniform.hpp"
#include "storage/format.hpp"

namespace gradus::nn {
namespace {

void check_sizes(const char* name, std::int64_t input_size, std::int64_t hidden_size, Dtype dtype) {
  if (input_size < 1 || hidden_size < 1) {
    fail("{}: input_size and hidden_size must be at least 1, got {} and {}", name, input_size, hidden_size);
  }
  if (!is_floating_point(dtype)) fail("{}: a floating dtype is needed, got {}", name, dtype);
}

bool is_relu(const char* name, const std::string& nonlinearity) {
  if (nonlinearity == "relu") return true;
  if (nonlinearity != "tanh") fail("{}: nonlinearity must be tanh or relu, got '{}'", name, nonlinearity);
  return false;
}

LSTMOptions common(const RNNOptions& o) {
  return {.num_layers = o.num_layers,
          .bias = o.bias,
          .batch_first = o.batch_first,
          .dropout = o.dropout,
          .bidirectional = o.bidirectional,
          .dtype = o.dtype};
}

}  // namespace

Recurrent::Recurrent(const char* name, std::int64_t gates, std::int64_t input_size, std::int64_t hidden_size,
                     const LSTMOptions& options)
    : name_(name), input_size_(input_size), hidden_size_(hidden_size), options_(options) {
  check_sizes(name, input_size, hidden_size, options.dtype);
  if (options.num_layers < 1) fail("{}: num_layers must be at least 1, got {}", name, options.num_layers);
  if (!(options.dropout >= 0 && options.dropout <= 1)) {
    fail("{}: dropout must be in [0, 1], got {}", name, options.dropout);
  }
  const std::int64_t directions = options.bidirectional ? 2 : 1, rows = gates * hidden_size;
  for (std::int64_t pass = 0; pass < options.num_layers * directions; ++pass) {
    const std::int64_t inputs = pass < directions ? input_size : directions * hidden_size;
    const Shape shapes[] = {{rows, inputs}, {rows, hidden_size}, {rows}, {rows}};
    for (std::size_t kind = 0; kind < 4; ++kind) {
      const bool is_there = kind < 2 || options.bias;
      parameters_.push_back(is_there ? uniform_parameter(shapes[kind], hidden_size, options.dtype) : Parameter());
    }
  }
}

void Recurrent::visit_members(MemberVisitor& visitor, const MemberPath& path) {
  constexpr const char* names[] = {"weight_ih_l", "weight_hh_l", "bias_ih_l", "bias_hh_l"};
  const std::size_t directions = options_.bidirectional ? 2 : 1;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const std::size_t pass = i / 4;
    const std::string name =
        names[i % 4] + std::to_string(pass / directions) + (pass % directions == 1 ? "_reverse" : "");
    if (parameters_[i].defined()) visitor.parameter(MemberPath{&path, name}, parameters_[i]);
  }
}

Parameter& Recurrent::parameter(std::int64_t layer, bool reverse, std::int64_t kind) {
  if (layer < 0 || layer >= options_.num_layers) {
    fail("{}: there is no layer {}, num_layers is {}", name_, layer, options_.num_layers);
  }
  if (reverse && !options_.bidirectional) fail("{}: there is no reverse direction, it is not bidirectional", name_);
  const std::int64_t pass = options_.bidirectional ? 2 * layer + (reverse ? 1 : 0) : layer;
  return parameters_[static_cast<std::size_t>(4 * pass + kind)];
}

std::vector<Tensor> Recurrent::params() const {
  std::vector<Tensor> defined;
  defined.reserve(parameters_.size());
  for (const Parameter& p : parameters_) {
    if (p.defined()) defined.push_back(p);
  }
  return defined;
}

RecurrentOptions Recurrent::options_for(const Lengths& lengths) const {
  return {.num_layers = options_.num_layers,
          .dropout = options_.dropout,
          .train = is_training(),
          .bidirectional = options_.bidirectional,
          .batch_first = options_.batch_first,
          .lengths = lengths};
}

RNN::RNN(std::int64_t input_size, std::int64_t hidden_size, const RNNOptions& options)
    : Recurrent("RNN", 1, input_size, hidden_size, common(options)), relu_(is_relu("RNN", options.nonlinearity)) {}

RNNResult RNN::forward(const Tensor& x, const Tensor& h, const Lengths& lengths) {
  return relu_ ? rnn_relu(x, h, params(), options_for(lengths)) : rnn_tanh(x, h, params(), options_for(lengths));
}

LSTM::LSTM(std::int64_t input_size, std::int64_t hidden_size, const LSTMOptions& options)
    : Recurrent("LSTM", 4, input_size, hidden_size, options) {}

LSTMResult LSTM::forward(const Tensor& x, const LSTMState& state, const Lengths& lengths) {
  return lstm(x, state, params(), options_for(lengths));
}

GRU::GRU(std::int64_t input_size, std::int64_t hidden_size, const GRUOptions& options)
    : Recurrent("GRU", 3, input_size, hidden_size, options) {}

RNNResult GRU::forward(const Tensor& x, const Tensor& h, const Lengths& lengths) {
  return gru(x, h, params(), options_for(lengths));
}

RecurrentCell::RecurrentCell(const char* name, std::int64_t gates, std::int64_t input_size, std::int64_t hidden_size,
                             const CellOptions& options) {
  check_sizes(name, input_size, hidden_size, options.dtype);
  const std::int64_t rows = gates * hidden_size;
  weight_ih = uniform_parameter({rows, input_size}, hidden_size, options.dtype);
  weight_hh = uniform_parameter({rows, hidden_size}, hidden_size, options.dtype);
  if (!options.bias) return;
  bias_ih = uniform_parameter({rows}, hidden_size, options.dtype);
  bias_hh = uniform_parameter({rows}, hidden_size, options.dtype);
}

RNNCell::RNNCell(std::int64_t input_size, std::int64_t hidden_size, const RNNCellOptions& options)
    : RecurrentCell("RNNCell", 1, input_size, hidden_size, {.bias = options.bias, .dtype = options.dtype}),
      relu_(is_relu("RNNCell", options.nonlinearity)) {}

Tensor RNNCell::forward(const Tensor& x, const Tensor& h) {
  return relu_ ? rnn_relu_cell(x, h, weight_ih, weight_hh, bias_ih, bias_hh)
               : rnn_tanh_cell(x, h, weight_ih, weight_hh, bias_ih, bias_hh);
}

LSTMCell::LSTMCell(std::int64_t input_size, std::int64_t hidden_size, const CellOptions& options)
    : RecurrentCell("LSTMCell", 4, input_size, hidden_size, options) {}

LSTMState LSTMCell::forward(const Tensor& x, const LSTMState& state) {
  return lstm_cell(x, state, weight_ih, weight_hh, bias_ih, bias_hh);
}

GRUCell::GRUCell(std::int64_t input_size, std::int64_t hidden_size, const CellOptions& options)
    : RecurrentCell("GRUCell", 3, input_size, hidden_size, options) {}

Tensor GRUCell::forward(const Tensor& x, const Tensor& h) {
  return gru_cell(x, h, weight_ih, weight_hh, bias_ih, bias_hh);
}

}  // namespace gradus::nn
