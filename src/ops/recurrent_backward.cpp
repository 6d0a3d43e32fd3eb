// Backpropagation through time, written with ops: the formulas of the fused pass once more, for derivatives of higher
// order.

#include <vector>

#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "ops/derivatives.hpp"
#include "ops/products.hpp"
#include "ops/recurrent_pass.hpp"

namespace gradus {
namespace {

// The state of all sequences; at a step only that of the first rows changes.
struct State {
  Tensor h, c;

  static Tensor top(const Tensor& t, std::int64_t rows) { return narrow(t, 0, 0, rows); }
  State first(std::int64_t rows) const { return {top(h, rows), c.defined() ? top(c, rows) : c}; }
  static Tensor replaced(const Tensor& all, const Tensor& first) {
    const std::int64_t rows = first.size(0), rest = all.size(0) - rows;
    return rest == 0 ? first : cat({first, narrow(all, 0, rows, rest)});
  }
  void replace(const State& first) {
    h = replaced(h, first.h);
    if (c.defined()) c = replaced(c, first.c);
  }
};

// What a step leaves for the way back: the gates after their functions, and the states around it.
struct Visited {
  std::vector<Tensor> gates;
  Tensor candidate;  // W_hn h + b_hn of a GRU
  State before, after;
};

Visited visit(Cell cell, const Tensor& x, const State& before, const PassInputs& in) {
  const Tensor ours = linear(x, in[weight_ih], in[bias_ih]), theirs = linear(before.h, in[weight_hh], in[bias_hh]);
  Visited v{.gates = chunk(ours, gates_of(cell), 1), .candidate = {}, .before = before, .after = {}};
  std::vector<Tensor>& gates = v.gates;
  const std::vector<Tensor> hidden = chunk(theirs, gates_of(cell), 1);
  if (cell == Cell::gru) {
    const Tensor r = sigmoid(gates[0] + hidden[0]), z = sigmoid(gates[1] + hidden[1]);
    const Tensor n = tanh(gates[2] + r * hidden[2]);
    gates = {r, z, n};
    v.candidate = hidden[2];
    v.after.h = n + z * (before.h - n);
    return v;
  }
  for (std::size_t k = 0; k < gates.size(); ++k) gates[k] = gates[k] + hidden[k];
  if (cell == Cell::lstm) {
    gates = {sigmoid(gates[0]), sigmoid(gates[1]), tanh(gates[2]), sigmoid(gates[3])};
    v.after.c = gates[1] * before.c + gates[0] * gates[2];
    v.after.h = gates[3] * tanh(v.after.c);
    return v;
  }
  v.after.h = cell == Cell::rnn_tanh ? tanh(gates[0]) : relu(gates[0]);
  return v;
}

// The gradients of what a step adds up to its gates, as x and as h see them, and what reaches the state past the gates.
struct Derived {
  Tensor gates, hidden;
  State past;
};

Derived derive(Cell cell, const Visited& v, const State& d) {
  const std::vector<Tensor>& gates = v.gates;
  if (cell == Cell::lstm) {
    const Tensor t = tanh(v.after.c), dc = d.c + tanh_backward(d.h * gates[3], t);
    const Tensor all = cat({sigmoid_backward(dc * gates[2], gates[0]), sigmoid_backward(dc * v.before.c, gates[1]),
                            tanh_backward(dc * gates[0], gates[2]), sigmoid_backward(d.h * t, gates[3])},
                           1);
    return {all, all, {zeros_like(d.h), dc * gates[1]}};
  }
  if (cell == Cell::gru) {
    const Tensor &r = gates[0], &z = gates[1], &n = gates[2];
    const Tensor dn = tanh_backward(d.h * (1.0 - z), n), dr = sigmoid_backward(dn * v.candidate, r);
    const Tensor dz = sigmoid_backward(d.h * (v.before.h - n), z);
    return {cat({dr, dz, dn}, 1), cat({dr, dz, dn * r}, 1), {d.h * z, {}}};
  }
  const Tensor dgates = cell == Cell::rnn_tanh ? tanh_backward(d.h, v.after.h) : relu_backward(d.h, v.after.h);
  return {dgates, dgates, {zeros_like(d.h), {}}};
}

Tensor zeros_if_undefined(const Tensor& t, const Shape& shape, Dtype dtype) {
  return t.defined() ? t : zeros(shape, {.dtype = dtype});
}

}  // namespace

void composed_backward(Cell cell, const Tensor& g, const PassInputs& in, const Steps& steps, Gradients& gradients) {
  const std::int64_t n = in[weight_hh].size(1), total = steps.total(), batch = steps.batch;
  const Shape shape{batch, n};
  State state{zeros_if_undefined(in[pass_h], shape, g.dtype()),
              cell == Cell::lstm ? zeros_if_undefined(in[pass_c], shape, g.dtype()) : Tensor()};
  const auto rows_of = [&](const Tensor& t, std::int64_t step) {
    return narrow(t, 0, steps.start(step), steps.rows(step));
  };
  std::vector<Visited> visited(static_cast<std::size_t>(steps.count));
  for (std::int64_t i = 0; i < steps.count; ++i) {
    const std::int64_t t = steps.on_the_way(i);
    Visited& v = visited[static_cast<std::size_t>(t)];
    v = visit(cell, rows_of(in[pass_x], t), state.first(steps.rows(t)), in);
    state.replace(v.after);
  }

  State d{narrow(g, 0, total, batch), cell == Cell::lstm ? narrow(g, 0, total + batch, batch) : Tensor()};
  std::vector<Tensor> dgates(visited.size()), dhidden(visited.size()), states(visited.size());
  for (std::int64_t i = steps.count; i-- > 0;) {
    const std::int64_t t = steps.on_the_way(i);
    const auto at = static_cast<std::size_t>(t);
    State here = d.first(steps.rows(t));
    here.h = here.h + rows_of(g, t);
    Derived derived = derive(cell, visited[at], here);
    dgates[at] = derived.gates;
    dhidden[at] = derived.hidden;
    states[at] = visited[at].before.h;
    derived.past.h = derived.past.h + mm(derived.hidden, false, in[weight_hh], false);
    d.replace(derived.past);
  }

  const Tensor by_gates = cat(dgates), by_hidden = cat(dhidden);
  if (gradients.wanted(pass_x)) gradients[pass_x] = mm(by_gates, false, in[weight_ih], false);
  if (gradients.wanted(pass_h)) gradients[pass_h] = d.h;
  if (gradients.wanted(pass_c)) gradients[pass_c] = d.c;
  if (gradients.wanted(weight_ih)) gradients[weight_ih] = mm(by_gates, true, in[pass_x], false);
  if (gradients.wanted(weight_hh)) gradients[weight_hh] = mm(by_hidden, true, cat(states), false);
  if (gradients.wanted(bias_ih)) gradients[bias_ih] = sum(by_gates, 0);
  if (gradients.wanted(bias_hh)) gradients[bias_hh] = sum(by_hidden, 0);
}

}  // namespace gradus
