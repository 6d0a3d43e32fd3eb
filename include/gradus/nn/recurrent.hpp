// Recurrent layers: RNN, LSTM and GRU, and the cells that they repeat.
//
// x is (steps, batch, input_size), with batch_first (batch, steps, input_size), or (steps, input_size) without a batch.
// All parameters start uniform on +-1 / sqrt(hidden_size), as in PyTorch; their names, `weight_ih_l0`,
// `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`, `weight_ih_l0_reverse`, ... and shapes are PyTorch's, too.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gradus/nn/members.hpp"
#include "gradus/nn/module.hpp"
#include "gradus/nn/parameter.hpp"
#include "gradus/ops/recurrent.hpp"

namespace gradus::nn {

struct LSTMOptions {
  std::int64_t num_layers = 1;
  bool bias = true;
  bool batch_first = false;
  double dropout = 0;  // in training, of the outputs of all layers but the last
  bool bidirectional = false;
  Dtype dtype = float32;
};
using GRUOptions = LSTMOptions;

struct RNNOptions {
  std::int64_t num_layers = 1;
  std::string nonlinearity = "tanh";  // or "relu"
  bool bias = true;
  bool batch_first = false;
  double dropout = 0;
  bool bidirectional = false;
  Dtype dtype = float32;
};

// What the three have in common: their parameters. Throws if a size or an option is wrong.
class Recurrent : public Module {
 public:
  std::int64_t input_size() const { return input_size_; }
  std::int64_t hidden_size() const { return hidden_size_; }

  // By layer and direction. A bias is undefined if there is none.
  Parameter& weight_ih(std::int64_t layer = 0, bool reverse = false) { return parameter(layer, reverse, 0); }
  Parameter& weight_hh(std::int64_t layer = 0, bool reverse = false) { return parameter(layer, reverse, 1); }
  Parameter& bias_ih(std::int64_t layer = 0, bool reverse = false) { return parameter(layer, reverse, 2); }
  Parameter& bias_hh(std::int64_t layer = 0, bool reverse = false) { return parameter(layer, reverse, 3); }

  void visit_members(MemberVisitor& visitor, const MemberPath& path) override;

 protected:
  Recurrent(const char* name, std::int64_t gates, std::int64_t input_size, std::int64_t hidden_size,
            const LSTMOptions& options);

  std::vector<Tensor> params() const;
  RecurrentOptions options_for(const Lengths& lengths) const;

 private:
  Parameter& parameter(std::int64_t layer, bool reverse, std::int64_t kind);

  const char* name_;
  std::int64_t input_size_, hidden_size_;
  LSTMOptions options_;
  std::vector<Parameter> parameters_;  // four for each layer and direction
};

// h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu.
class RNN : public Recurrent {
 public:
  RNN(std::int64_t input_size, std::int64_t hidden_size, const RNNOptions& options = {});

  // The output alone, from a state of zero: (steps, batch, input_size) -> (steps, batch, directions * hidden_size).
  Tensor forward(const Tensor& x) override { return forward(x, {}).output; }
  // The output and the last state of each layer and direction, from the state h (layers * directions, batch,
  // hidden_size), zero where it is undefined: `auto [output, h] = rnn(x, h0)`.
  RNNResult forward(const Tensor& x, const Tensor& h, const Lengths& lengths = {});
  using Module::operator();
  RNNResult operator()(const Tensor& x, const Tensor& h, const Lengths& lengths = {}) {
    return call(x, [&](const Tensor& input) { return forward(input, h, lengths); });
  }

 private:
  bool relu_;
};

// i, f, o = sigmoid, g = tanh of W_ih x + b_ih + W_hh h + b_hh, c' = f c + i g, h' = o tanh(c').
class LSTM : public Recurrent {
 public:
  LSTM(std::int64_t input_size, std::int64_t hidden_size, const LSTMOptions& options = {});

  Tensor forward(const Tensor& x) override { return forward(x, {}).output; }
  // As RNN's, with a state of two: `auto [output, h, c] = lstm(x, {h0, c0})`.
  LSTMResult forward(const Tensor& x, const LSTMState& state, const Lengths& lengths = {});
  using Module::operator();
  LSTMResult operator()(const Tensor& x, const LSTMState& state, const Lengths& lengths = {}) {
    return call(x, [&](const Tensor& input) { return forward(input, state, lengths); });
  }
};

// r, z = sigmoid of W_ih x + b_ih + W_hh h + b_hh, n = tanh(W_in x + b_in + r (W_hn h + b_hn)), h' = (1 - z) n + z h.
class GRU : public Recurrent {
 public:
  GRU(std::int64_t input_size, std::int64_t hidden_size, const GRUOptions& options = {});

  Tensor forward(const Tensor& x) override { return forward(x, {}).output; }
  // As RNN's.
  RNNResult forward(const Tensor& x, const Tensor& h, const Lengths& lengths = {});
  using Module::operator();
  RNNResult operator()(const Tensor& x, const Tensor& h, const Lengths& lengths = {}) {
    return call(x, [&](const Tensor& input) { return forward(input, h, lengths); });
  }
};

struct CellOptions {
  bool bias = true;
  Dtype dtype = float32;
};

struct RNNCellOptions {
  bool bias = true;
  std::string nonlinearity = "tanh";  // or "relu"
  Dtype dtype = float32;
};

// One step of a layer. Throws if a size is wrong.
class RecurrentCell : public Module {
 public:
  Parameter weight_ih;  // (gates * hidden_size, input_size)
  Parameter weight_hh;  // (gates * hidden_size, hidden_size)
  Parameter bias_ih;    // (gates * hidden_size)
  Parameter bias_hh;    // the same
  GRADUS_MODULE(weight_ih, weight_hh, bias_ih, bias_hh)

 protected:
  RecurrentCell(const char* name, std::int64_t gates, std::int64_t input_size, std::int64_t hidden_size,
                const CellOptions& options);
};

// (batch, input_size), (batch, hidden_size) -> (batch, hidden_size); the batch may be missing.
class RNNCell : public RecurrentCell {
 public:
  RNNCell(std::int64_t input_size, std::int64_t hidden_size, const RNNCellOptions& options = {});

  Tensor forward(const Tensor& x) override { return forward(x, Tensor()); }  // from a state of zero
  Tensor forward(const Tensor& x, const Tensor& h);
  using Module::operator();
  Tensor operator()(const Tensor& x, const Tensor& h) {
    return call(x, [&](const Tensor& input) { return forward(input, h); });
  }

 private:
  bool relu_;
};

// The same with a state of two: `auto [h1, c1] = cell(x, {h, c})`.
class LSTMCell : public RecurrentCell {
 public:
  LSTMCell(std::int64_t input_size, std::int64_t hidden_size, const CellOptions& options = {});

  Tensor forward(const Tensor& x) override { return forward(x, {}).h; }  // h alone, from a state of zero
  LSTMState forward(const Tensor& x, const LSTMState& state);
  using Module::operator();
  LSTMState operator()(const Tensor& x, const LSTMState& state) {
    return call(x, [&](const Tensor& input) { return forward(input, state); });
  }
};

class GRUCell : public RecurrentCell {
 public:
  GRUCell(std::int64_t input_size, std::int64_t hidden_size, const CellOptions& options = {});

  Tensor forward(const Tensor& x) override { return forward(x, Tensor()); }  // from a state of zero
  Tensor forward(const Tensor& x, const Tensor& h);
  using Module::operator();
  Tensor operator()(const Tensor& x, const Tensor& h) {
    return call(x, [&](const Tensor& input) { return forward(input, h); });
  }
};

}  // namespace gradus::nn
