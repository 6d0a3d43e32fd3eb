// Recurrent networks: layers of LSTM, GRU or plain cells that walk over the steps of a sequence.
//
// x is (steps, batch, input), with batch_first (batch, steps, input), or (steps, input) without a batch. The parameters
// are PyTorch's: for each layer, and in it for each direction, weight_ih (gates * hidden, input or, above the first
// layer, directions * hidden), weight_hh (gates * hidden, hidden) and, both or neither, bias_ih and bias_hh
// (gates * hidden). The gates are (i, f, g, o) of an LSTM and (r, z, n) of a GRU.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <utility>
#include <vector>

#include "gradus/tensor.hpp"

namespace gradus {

// How many steps each sequence of a batch has, in any order; empty: all of them.
class Lengths {
 public:
  Lengths() = default;
  Lengths(std::initializer_list<std::int64_t> lengths) : values_(lengths) {}
  Lengths(std::vector<std::int64_t> lengths) : values_(std::move(lengths)) {}
  Lengths(const Tensor& lengths);  // (batch) int64

  bool empty() const { return values_.empty(); }
  const std::vector<std::int64_t>& values() const { return values_; }

 private:
  std::vector<std::int64_t> values_;
};

struct RecurrentOptions {
  std::int64_t num_layers = 1;
  double dropout = 0;  // of what goes from one layer to the next, in training
  bool train = false;
  bool bidirectional = false;
  bool batch_first = false;
  // Shorter sequences: their last state is that of their last step, the way back starts there, and the output beyond
  // is zero. What x holds beyond is never read.
  Lengths lengths = {};
};

struct RNNResult {
  Tensor output;  // (steps, batch, directions * hidden): the last layer at each step
  Tensor h;       // (layers * directions, batch, hidden): the last state of each layer and direction
};

struct LSTMState {
  Tensor h, c;
};

struct LSTMResult {
  Tensor output, h, c;
};

// i, f, o = sigmoid, g = tanh of W_ih x + b_ih + W_hh h + b_hh, c' = f c + i g, h' = o tanh(c'). The first state is
// `state`, (layers * directions, batch, hidden) each, or zero where it is undefined.
LSTMResult lstm(const Tensor& x, const LSTMState& state, const std::vector<Tensor>& params,
                const RecurrentOptions& options = {});
// r, z = sigmoid of W_ih x + b_ih + W_hh h + b_hh, n = tanh(W_in x + b_in + r (W_hn h + b_hn)), h' = (1 - z) n + z h
RNNResult gru(const Tensor& x, const Tensor& h, const std::vector<Tensor>& params,
              const RecurrentOptions& options = {});
// h' = tanh(W_ih x + b_ih + W_hh h + b_hh)
RNNResult rnn_tanh(const Tensor& x, const Tensor& h, const std::vector<Tensor>& params,
                   const RecurrentOptions& options = {});
// h' = relu(W_ih x + b_ih + W_hh h + b_hh)
RNNResult rnn_relu(const Tensor& x, const Tensor& h, const std::vector<Tensor>& params,
                   const RecurrentOptions& options = {});

// One step of each: (batch, input) and (batch, hidden), or (input) and (hidden) -> the new state. An undefined state is
// zero.
LSTMState lstm_cell(const Tensor& x, const LSTMState& state, const Tensor& weight_ih, const Tensor& weight_hh,
                    const Tensor& bias_ih = {}, const Tensor& bias_hh = {});
Tensor gru_cell(const Tensor& x, const Tensor& h, const Tensor& weight_ih, const Tensor& weight_hh,
                const Tensor& bias_ih = {}, const Tensor& bias_hh = {});
Tensor rnn_tanh_cell(const Tensor& x, const Tensor& h, const Tensor& weight_ih, const Tensor& weight_hh,
                     const Tensor& bias_ih = {}, const Tensor& bias_hh = {});
Tensor rnn_relu_cell(const Tensor& x, const Tensor& h, const Tensor& weight_ih, const Tensor& weight_hh,
                     const Tensor& bias_ih = {}, const Tensor& bias_hh = {});

}  // namespace gradus
