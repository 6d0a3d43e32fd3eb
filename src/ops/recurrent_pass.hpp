// One layer of a recurrent network in one direction: all its steps, as one op.
#pragma once

#include <array>
#include <cstdint>

#include "autograd/node.hpp"
#include "gradus/tensor.hpp"

namespace gradus {

enum class Cell : std::uint8_t { rnn_tanh, rnn_relu, lstm, gru };

constexpr std::int64_t gates_of(Cell cell) { return cell == Cell::lstm ? 4 : cell == Cell::gru ? 3 : 1; }

// The steps of a batch, longest sequence first: step t is that of the first rows(t) sequences, whose inputs and outputs
// are the rows from start(t) on of matrices that hold all steps, and no padding.
struct Steps {
  std::int64_t count, batch;
  bool reverse = false;
  Tensor ragged = {};  // (2, count) int64: rows and start of each step; undefined if all have all sequences

  std::int64_t rows(std::int64_t t) const { return ragged.defined() ? data_of<std::int64_t>(ragged)[t] : batch; }
  std::int64_t start(std::int64_t t) const {
    return ragged.defined() ? data_of<std::int64_t>(ragged)[count + t] : t * batch;
  }
  std::int64_t total() const { return count == 0 ? 0 : start(count - 1) + rows(count - 1); }
  // The i-th step on the way.
  std::int64_t on_the_way(std::int64_t i) const { return reverse ? count - 1 - i : i; }
};

// What a pass reads. The first state may be undefined, which is zero, and so may both biases.
enum PassInput : std::size_t { pass_x, pass_h, pass_c, weight_ih, weight_hh, bias_ih, bias_hh, pass_inputs };
using PassInputs = std::array<Tensor, pass_inputs>;

// The outputs of all steps, (total, hidden), below them the last states h (batch, hidden) and, of an LSTM, c.
Tensor recurrent_pass(Cell cell, const PassInputs& inputs, const Steps& steps);

// Its derivative written with ops, which can be derived again.
void composed_backward(Cell cell, const Tensor& g, const PassInputs& inputs, const Steps& steps, Gradients& gradients);

}  // namespace gradus
