#include "ops/op_table.hpp"

namespace gradus::test {
namespace {

// The parameters of one pass with these sizes.
std::vector<Input> pass(std::int64_t gates, std::int64_t inputs, std::int64_t hidden, bool biases = true) {
  std::vector<Input> p = {fraction({gates * hidden, inputs}), fraction({gates * hidden, hidden})};
  if (biases) p.insert(p.end(), 2, fraction({gates * hidden}));
  return p;
}

std::vector<Input> joined(std::vector<Input> inputs, const std::vector<Input>& more) {
  inputs.insert(inputs.end(), more.begin(), more.end());
  return inputs;
}

Tensors from(const Tensors& x, std::int64_t i) { return {x.begin() + i, x.end()}; }

RecurrentOptions options(const Args& a) {
  const Shape lengths = a.shape("lengths");
  return {.num_layers = a.integer("num_layers", 1),
          .bidirectional = a.integer("bidirectional", 0) != 0,
          .batch_first = a.integer("batch_first", 0) != 0,
          .lengths = std::vector<std::int64_t>(lengths.begin(), lengths.end())};
}

// With `state` 0 the first state is not among the inputs.
bool has_state(const Args& a) { return a.integer("state", 1) != 0; }

LSTMResult call_lstm(const Tensors& x, const Args& a) {
  if (!has_state(a)) return lstm(x[0], {}, from(x, 1), options(a));
  return lstm(x[0], {x[1], x[2]}, from(x, 3), options(a));
}

using Network = RNNResult (*)(const Tensor&, const Tensor&, const Tensors&, const RecurrentOptions&);

std::function<RNNResult(const Tensors&, const Args&)> call_network(Network network) {
  return [network](const Tensors& x, const Args& a) {
    return has_state(a) ? network(x[0], x[1], from(x, 2), options(a)) : network(x[0], {}, from(x, 1), options(a));
  };
}

using CellFunction = Tensor (*)(const Tensor&, const Tensor&, const Tensor&, const Tensor&, const Tensor&,
                                const Tensor&);

Tensor given(const Tensors& x, std::size_t i) { return i < x.size() ? x[i] : Tensor(); }

LSTMState call_lstm_cell(const Tensors& x, const Args&) {
  return lstm_cell(x[0], {x[1], x[2]}, x[3], x[4], given(x, 5), given(x, 6));
}

// `states` is 2 for an LSTM, else 1.
std::vector<Case> network_cases(std::int64_t gates, std::size_t states) {
  const auto with_state = [&](const Input& x, const Shape& state) {
    return joined({x}, std::vector<Input>(states, optional_input(normal(state))));
  };
  return {{joined(with_state(normal({3, 2, 2}), {1, 2, 3}), pass(gates, 2, 3))},
          {joined(with_state(normal({2, 3, 2}), {2, 2, 1}), joined(pass(gates, 2, 1, false), pass(gates, 2, 1, false))),
           {{"bidirectional", {1}}, {"batch_first", {1}}, {"lengths", {2, 3}}}},
          {joined({normal({2, 1})}, joined(pass(gates, 1, 2, false), pass(gates, 2, 2, false))),
           {{"num_layers", {2}}, {"state", {0}}}}};
}

std::vector<Case> cell_cases(std::int64_t gates, std::size_t states) {
  const auto with_state = [&](const Input& x, const Shape& state) {
    return joined({x}, std::vector<Input>(states, optional_input(normal(state))));
  };
  const auto params = [&](std::int64_t inputs, std::int64_t hidden) {
    std::vector<Input> p = pass(gates, inputs, hidden);
    p[2].optional = p[3].optional = true;
    return p;
  };
  return {{joined(with_state(normal({2, 2}), {2, 3}), params(2, 3))},
          {joined(with_state(normal({2}), {1}), pass(gates, 2, 1, false))}};
}

// What all four networks refuse, by an LSTM whose weights take 3 inputs to 2 states.
std::vector<BadCall> wrong_lstms() {
  const auto call = [](const Shape& x, const Shape& h, const RecurrentOptions& o) {
    return [=] {
      const Tensor state = h.empty() ? Tensor() : zeros(h);
      lstm(zeros(x), {state, state}, {zeros({8, 3}), zeros({8, 2})}, o);
    };
  };
  return {{call({4}, {}, {}), "lstm: x must be (steps, batch, input) or (steps, input), got (4,)"},
          {call({0, 1, 3}, {}, {}), "lstm: at least one step is needed, got (0, 1, 3)"},
          {call({4, 1, 5}, {}, {}), "lstm: the input must have 3 features, got 5"},
          {call({4, 5, 3}, {1, 4, 2}, {}), "lstm: the state h must be (1, 5, 2), got (1, 4, 2)"},
          {call({4, 3}, {1, 1, 2}, {}), "lstm: the state h must be (1, 2), got (1, 1, 2)"},
          {call({4, 5, 3}, {}, {.lengths = {4, 4}}), "lstm: 2 lengths were given for a batch of 5"},
          {call({4, 2, 3}, {}, {.lengths = {4, 0}}), "lstm: lengths must be from 1 to the 4 steps, got 0"},
          {call({4, 2, 3}, {}, {.lengths = {5, 1}}), "lstm: lengths must be from 1 to the 4 steps, got 5"},
          {call({4, 2, 3}, {}, {.num_layers = 0}), "lstm: num_layers must be at least 1, got 0"},
          {call({4, 2, 3}, {}, {.dropout = 2}), "lstm: dropout must be in [0, 1], got 2"},
          {call({4, 2, 3}, {}, {.bidirectional = true}),
           "lstm: num_layers 1 and two directions take 4 parameters, or 8 with biases, got 2"},
          {[] { Lengths(zeros({2})); }, "lengths: an int64 tensor (batch) is needed, got float32 (2,)"}};
}

std::vector<BadCall> wrong_network(const std::string& op, Network network, std::int64_t gates) {
  const std::string g = std::to_string(gates), rows = std::to_string(2 * gates);
  return {{[=] {
             network(zeros({4, 1, 3}), {}, {zeros({2 * gates, 3}), zeros({2 * gates, 3})}, {});
           },
           op + ": weight_hh must be (" + g + " * hidden, hidden), got (" + rows + ", 3)"},
          {[=] {
             network(zeros({4, 1, 3}), {},
                     {zeros({2 * gates, 3}), zeros({2 * gates, 2}), zeros({2 * gates}), zeros({2})}, {});
           },
           gates == 1 ? "" : op + ": bias_hh must be (" + rows + ",), got (2,)"}};
}

std::vector<BadCall> wrong_cell(const std::string& op, CellFunction cell, std::int64_t gates) {
  return {{[=] {
             cell(zeros({4, 1, 3}), {}, zeros({2 * gates, 3}), zeros({2 * gates, 2}), {}, {});
           },
           op + ": x must be (batch, input) or (input), got (4, 1, 3)"},
          {[=] {
             cell(zeros({4, 3}), {}, zeros({2 * gates, 3}), zeros({2 * gates, 2}), zeros({2 * gates}), {});
           },
           op + ": both biases are needed, or none"},
          {[=] {
             cell(zeros({4, 3}), zeros({3, 2}), zeros({2 * gates, 3}), zeros({2 * gates, 2}), {}, {});
           },
           op + ": the state h must be (4, 2), got (3, 2)"}};
}

void add_network(std::vector<Row>& rows, const std::string& name, Network network, std::int64_t gates) {
  const auto call = call_network(network);
  std::vector<BadCall> wrong = wrong_network(name, network, gates);
  if (gates == 1) wrong.pop_back();
  rows.push_back({.name = name,
                  .call = [call](const Tensors& x, const Args& a) { return call(x, a).output; },
                  .cases = network_cases(gates, 1),
                  .bad_calls = wrong});
  rows.push_back({.name = name + ".h",
                  .call = [call](const Tensors& x, const Args& a) { return call(x, a).h; },
                  .cases = network_cases(gates, 1),
                  .bad_calls = {wrong[0]}});
}

void add_cell(std::vector<Row>& rows, const std::string& name, CellFunction cell, std::int64_t gates) {
  rows.push_back(
      {.name = name,
       .call = [cell](const Tensors& x, const Args&) { return cell(x[0], x[1], x[2], x[3], given(x, 4), given(x, 5)); },
       .cases = cell_cases(gates, 1),
       .bad_calls = wrong_cell(name, cell, gates)});
}

}  // namespace

std::vector<Row> recurrent_rows() {
  const std::vector<BadCall> wrong_c = {
      {[] {
         lstm(zeros({4, 2, 3}), {{}, zeros({1, 2, 3})}, {zeros({8, 3}), zeros({8, 2})});
       },
       "lstm: the state c must be (1, 2, 2), got (1, 2, 3)"}};
  const std::vector<BadCall> wrong_cell_c = {
      {[] {
         lstm_cell(zeros({4, 3}), {{}, zeros({2})}, zeros({8, 3}), zeros({8, 2}));
       },
       "lstm_cell: the state c must be (4, 2), got (2,)"}};
  std::vector<Row> rows = {
      {.name = "lstm",
       .call = [](const Tensors& x, const Args& a) { return call_lstm(x, a).output; },
       .cases = network_cases(4, 2),
       .bad_calls = wrong_lstms()},
      {.name = "lstm.h",
       .call = [](const Tensors& x, const Args& a) { return call_lstm(x, a).h; },
       .cases = network_cases(4, 2),
       .bad_calls = {wrong_lstms()[0]}},
      {.name = "lstm.c",
       .call = [](const Tensors& x, const Args& a) { return call_lstm(x, a).c; },
       .cases = network_cases(4, 2),
       .bad_calls = wrong_c},
      {.name = "lstm_cell",
       .call = [](const Tensors& x, const Args& a) { return call_lstm_cell(x, a).h; },
       .cases = cell_cases(4, 2),
       .bad_calls = wrong_cell_c},
      {.name = "lstm_cell.c",
       .call = [](const Tensors& x, const Args& a) { return call_lstm_cell(x, a).c; },
       .cases = cell_cases(4, 2),
       .bad_calls = wrong_cell_c},
  };
  add_network(rows, "gru", gru, 3);
  add_network(rows, "rnn_tanh", rnn_tanh, 1);
  add_network(rows, "rnn_relu", rnn_relu, 1);
  add_cell(rows, "gru_cell", gru_cell, 3);
  add_cell(rows, "rnn_tanh_cell", rnn_tanh_cell, 1);
  add_cell(rows, "rnn_relu_cell", rnn_relu_cell, 1);
  return rows;
}

}  // namespace gradus::test
