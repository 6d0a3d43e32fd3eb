// Recurrent networks are passes, one for each layer and direction. Sequences of different lengths are packed first:
// sorted by length, so that at each step those that are left are the first rows of a matrix, and without padding.

#include "gradus/ops/recurrent.hpp"

#include <algorithm>
#include <numeric>

#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "ops/derivatives.hpp"
#include "ops/products.hpp"
#include "ops/recurrent_pass.hpp"

namespace gradus {

Lengths::Lengths(const Tensor& lengths) {
  if (lengths.dim() != 1 || lengths.dtype() != int64) {
    fail("lengths: an int64 tensor (batch) is needed, got {} {}", lengths.dtype(), lengths.shape());
  }
  const Tensor dense = lengths.contiguous();
  const auto values = dense.data<std::int64_t>();
  values_.assign(values.begin(), values.end());
}

namespace {

// What all layers of a network share.
struct Network {
  const char* name;
  Cell cell;
  const std::vector<Tensor>& params;
  const RecurrentOptions& options;

  std::int64_t directions() const { return options.bidirectional ? 2 : 1; }
  std::int64_t passes() const { return options.num_layers * directions(); }
  bool has_biases() const { return static_cast<std::int64_t>(params.size()) == 4 * passes(); }
  // Parameter `kind`, weight_ih to bias_hh, of a pass; undefined for a bias that is not there.
  Tensor param(std::int64_t pass, std::int64_t kind) const {
    const std::int64_t each = has_biases() ? 4 : 2;
    return kind < each ? params[static_cast<std::size_t>(pass * each + kind)] : Tensor();
  }
  std::int64_t hidden() const { return params[1].size(-1); }
};

constexpr const char* param_names[] = {"weight_ih", "weight_hh", "bias_ih", "bias_hh"};

void check_param(const char* op, const Tensor& x, const Tensor& param, const char* name, const Shape& shape) {
  check_product_dtypes(op, x, param);
  if (param.shape() != shape) fail("{}: {} must be {}, got {}", op, name, shape, param.shape());
}

void check_state(const char* op, const Tensor& x, const char* name, const Tensor& state, const Shape& shape) {
  if (!state.defined()) return;
  check_product_dtypes(op, x, state);
  if (state.shape() != shape) fail("{}: the state {} must be {}, got {}", op, name, shape, state.shape());
}

// That of the hidden size which weight_hh (gates * hidden, hidden) shows.
std::int64_t hidden_size(const char* op, Cell cell, const Tensor& weight_hh) {
  if (weight_hh.dim() != 2 || weight_hh.size(1) < 1 || weight_hh.size(0) != gates_of(cell) * weight_hh.size(1)) {
    fail("{}: weight_hh must be ({} * hidden, hidden), got {}", op, gates_of(cell), weight_hh.shape());
  }
  return weight_hh.size(1);
}

void check_network(const Network& net) {
  const RecurrentOptions& o = net.options;
  if (o.num_layers < 1) fail("{}: num_layers must be at least 1, got {}", net.name, o.num_layers);
  if (!(o.dropout >= 0 && o.dropout <= 1)) fail("{}: dropout must be in [0, 1], got {}", net.name, o.dropout);
  const auto count = static_cast<std::int64_t>(net.params.size());
  if (count != 2 * net.passes() && count != 4 * net.passes()) {
    fail("{}: num_layers {} and {} take {} parameters, or {} with biases, got {}", net.name, o.num_layers,
         o.bidirectional ? "two directions" : "one direction", 2 * net.passes(), 4 * net.passes(), count);
  }
}

// x is (steps, batch, input).
void check_params(const Network& net, const Tensor& x) {
  const std::int64_t n = hidden_size(net.name, net.cell, net.params[1]), gates = gates_of(net.cell) * n;
  for (std::int64_t pass = 0; pass < net.passes(); ++pass) {
    const std::int64_t inputs = pass < net.directions() ? x.size(2) : n * net.directions();
    const Tensor first = net.param(pass, 0);
    if (pass == 0 && first.dim() == 2 && first.size(0) == gates && first.size(1) != inputs) {
      fail("{}: the input must have {} features, got {}", net.name, first.size(1), inputs);
    }
    for (std::int64_t kind = 0; kind < (net.has_biases() ? 4 : 2); ++kind) {
      const Shape shape = kind == 0 ? Shape{gates, inputs} : kind == 1 ? Shape{gates, n} : Shape{gates};
      check_param(net.name, x, net.param(pass, kind), param_names[kind], shape);
    }
  }
}

void check_lengths(const char* op, const std::vector<std::int64_t>& lengths, const Tensor& x) {
  if (lengths.empty()) return;
  const auto count = static_cast<std::int64_t>(lengths.size());
  if (count != x.size(1)) fail("{}: {} lengths were given for a batch of {}", op, count, x.size(1));
  for (const std::int64_t length : lengths) {
    if (length < 1 || length > x.size(0)) {
      fail("{}: lengths must be from 1 to the {} steps, got {}", op, x.size(0), length);
    }
  }
}

// Where the values of sequences of different lengths are.
struct Packing {
  Tensor places;  // of each packed row in (steps * batch)
  Tensor order;   // of the sequences, longest first
  Tensor back;    // the place of each sequence in that order
  Steps steps;
};

Packing pack(const std::vector<std::int64_t>& lengths) {
  const auto batch = static_cast<std::int64_t>(lengths.size());
  const auto length = [&](std::int64_t row) { return lengths[static_cast<std::size_t>(row)]; };
  Packing p{.places = {}, .order = arange(static_cast<double>(batch), {.dtype = int64}), .back = {}, .steps = {}};
  const auto order = p.order.data<std::int64_t>();
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return length(a) > length(b); });
  p.back = argsort(p.order);
  const std::int64_t longest = length(order[0]);
  p.steps = {.count = longest, .batch = batch, .ragged = zeros({2, longest}, {.dtype = int64})};
  p.places = zeros({std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0})}, {.dtype = int64});
  const auto ragged = p.steps.ragged.data<std::int64_t>(), places = p.places.data<std::int64_t>();
  std::size_t at = 0;
  for (std::int64_t t = 0; t < longest; ++t) {
    const std::size_t start = at;
    for (std::size_t k = 0; k < order.size() && length(order[k]) > t; ++k) places[at++] = t * batch + order[k];
    ragged[static_cast<std::size_t>(t)] = static_cast<std::int64_t>(at - start);
    ragged[static_cast<std::size_t>(longest + t)] = static_cast<std::int64_t>(start);
  }
  return p;
}

// (steps, batch, n) as the rows that a pass takes, and back.
struct Sequences {
  std::int64_t count, batch;
  bool packed;
  Packing packing;

  Sequences(const Tensor& x, const std::vector<std::int64_t>& lengths) : count(x.size(0)), batch(x.size(1)) {
    packed = std::any_of(lengths.begin(), lengths.end(), [this](std::int64_t length) { return length < count; });
    if (packed) packing = pack(lengths);
  }

  Steps steps() const { return packed ? packing.steps : Steps{.count = count, .batch = batch}; }
  Tensor rows(const Tensor& x) const {
    const Tensor all = reshape(x, {count * batch, x.size(2)});
    return packed ? index_select(all, 0, packing.places) : all;
  }
  Tensor whole(const Tensor& rows) const {
    const std::int64_t n = rows.size(1);
    return reshape(packed ? index_add_zeros(rows, {count * batch, n}, 0, packing.places) : rows, {count, batch, n});
  }
  Tensor sorted(const Tensor& state) const {
    return packed && state.defined() ? index_select(state, 0, packing.order) : state;
  }
  Tensor unsorted(const Tensor& state) const { return packed ? index_select(state, 0, packing.back) : state; }
};

Tensor part(const Tensor& states, std::int64_t pass) { return states.defined() ? select(states, 0, pass) : states; }

Tensor joined(const std::vector<Tensor>& tensors) { return tensors.size() == 1 ? tensors[0] : cat(tensors, 1); }

// All layers, for x (steps, batch, input) and states (layers * directions, batch, hidden).
LSTMResult run(const Network& net, const Tensor& x, const LSTMState& state) {
  const Sequences rows(x, net.options.lengths.values());
  Steps steps = rows.steps();
  const std::int64_t total = steps.total(), batch = rows.batch;
  std::vector<Tensor> h, c;
  Tensor layer = rows.rows(x);
  for (std::int64_t l = 0; l < net.options.num_layers; ++l) {
    if (l > 0) layer = dropout(layer, net.options.dropout, net.options.train);
    std::vector<Tensor> outputs;
    for (std::int64_t direction = 0; direction < net.directions(); ++direction) {
      const std::int64_t pass = l * net.directions() + direction;
      steps.reverse = direction == 1;
      const Tensor y = recurrent_pass(net.cell,
                                      {layer, rows.sorted(part(state.h, pass)), rows.sorted(part(state.c, pass)),
                                       net.param(pass, 0), net.param(pass, 1), net.param(pass, 2), net.param(pass, 3)},
                                      steps);
      outputs.push_back(narrow(y, 0, 0, total));
      h.push_back(rows.unsorted(narrow(y, 0, total, batch)));
      if (net.cell == Cell::lstm) c.push_back(rows.unsorted(narrow(y, 0, total + batch, batch)));
    }
    layer = joined(outputs);
  }
  return {rows.whole(layer), stack(h), c.empty() ? Tensor() : stack(c)};
}

// Brings x and the states to (steps, batch, ...), and the results back.
LSTMResult network(const Network& net, const Tensor& input, const LSTMState& state) {
  check_network(net);
  const bool batched = input.dim() == 3, batch_first = batched && net.options.batch_first;
  if (!batched && input.dim() != 2) {
    fail("{}: x must be {} or (steps, input), got {}", net.name,
         net.options.batch_first ? "(batch, steps, input)" : "(steps, batch, input)", input.shape());
  }
  const Tensor x = !batched ? unsqueeze(input, 1) : batch_first ? transpose(input, 0, 1) : input;
  if (x.size(0) < 1) fail("{}: at least one step is needed, got {}", net.name, input.shape());
  check_params(net, x);
  check_lengths(net.name, net.options.lengths.values(), x);
  Shape shape{net.passes(), x.size(1), net.hidden()};
  if (!batched) shape.erase(1);
  check_state(net.name, x, "h", state.h, shape);
  check_state(net.name, x, "c", state.c, shape);
  const auto with_batch = [&](const Tensor& t) { return batched || !t.defined() ? t : unsqueeze(t, 1); };
  const auto without = [&](const Tensor& t) { return batched || !t.defined() ? t : squeeze(t, 1); };
  LSTMResult r = run(net, x, {with_batch(state.h), with_batch(state.c)});
  return {batch_first ? transpose(r.output, 0, 1) : without(r.output), without(r.h), without(r.c)};
}

RNNResult without_memory(const Network& net, const Tensor& x, const Tensor& h) {
  LSTMResult r = network(net, x, {h, {}});
  return {r.output, r.h};
}

LSTMState one_step(const char* op, Cell cell, const Tensor& input, const LSTMState& state, const Tensor& w_ih,
                   const Tensor& w_hh, const Tensor& b_ih, const Tensor& b_hh) {
  if (input.dim() != 1 && input.dim() != 2) {
    fail("{}: x must be (batch, input) or (input), got {}", op, input.shape());
  }
  const bool batched = input.dim() == 2;
  const auto with_batch = [&](const Tensor& t) { return batched || !t.defined() ? t : unsqueeze(t, 0); };
  const Tensor x = with_batch(input);
  const std::int64_t n = hidden_size(op, cell, w_hh), gates = gates_of(cell) * n, batch = x.size(0);
  check_param(op, x, w_ih, "weight_ih", {gates, x.size(1)});
  check_product_dtypes(op, x, w_hh);
  if (b_ih.defined() != b_hh.defined()) fail("{}: both biases are needed, or none", op);
  if (b_ih.defined()) {
    check_param(op, x, b_ih, "bias_ih", {gates});
    check_param(op, x, b_hh, "bias_hh", {gates});
  }
  const Shape shape = batched ? Shape{batch, n} : Shape{n};
  check_state(op, x, "h", state.h, shape);
  check_state(op, x, "c", state.c, shape);
  const Tensor y = recurrent_pass(cell, {x, with_batch(state.h), with_batch(state.c), w_ih, w_hh, b_ih, b_hh},
                                  {.count = 1, .batch = batch});
  const auto result = [&](std::int64_t start) {
    const Tensor t = narrow(y, 0, start, batch);
    return batched ? t : squeeze(t, 0);
  };
  return {result(0), cell == Cell::lstm ? result(2 * batch) : Tensor()};
}

}  // namespace

LSTMResult lstm(const Tensor& x, const LSTMState& state, const std::vector<Tensor>& params,
                const RecurrentOptions& options) {
  return network({"lstm", Cell::lstm, params, options}, x, state);
}

RNNResult gru(const Tensor& x, const Tensor& h, const std::vector<Tensor>& params, const RecurrentOptions& options) {
  return without_memory({"gru", Cell::gru, params, options}, x, h);
}

RNNResult rnn_tanh(const Tensor& x, const Tensor& h, const std::vector<Tensor>& params,
                   const RecurrentOptions& options) {
  return without_memory({"rnn_tanh", Cell::rnn_tanh, params, options}, x, h);
}

RNNResult rnn_relu(const Tensor& x, const Tensor& h, const std::vector<Tensor>& params,
                   const RecurrentOptions& options) {
  return without_memory({"rnn_relu", Cell::rnn_relu, params, options}, x, h);
}

LSTMState lstm_cell(const Tensor& x, const LSTMState& state, const Tensor& weight_ih, const Tensor& weight_hh,
                    const Tensor& bias_ih, const Tensor& bias_hh) {
  return one_step("lstm_cell", Cell::lstm, x, state, weight_ih, weight_hh, bias_ih, bias_hh);
}

Tensor gru_cell(const Tensor& x, const Tensor& h, const Tensor& weight_ih, const Tensor& weight_hh,
                const Tensor& bias_ih, const Tensor& bias_hh) {
  return one_step("gru_cell", Cell::gru, x, {h, {}}, weight_ih, weight_hh, bias_ih, bias_hh).h;
}

Tensor rnn_tanh_cell(const Tensor& x, const Tensor& h, const Tensor& weight_ih, const Tensor& weight_hh,
                     const Tensor& bias_ih, const Tensor& bias_hh) {
  return one_step("rnn_tanh_cell", Cell::rnn_tanh, x, {h, {}}, weight_ih, weight_hh, bias_ih, bias_hh).h;
}

Tensor rnn_relu_cell(const Tensor& x, const Tensor& h, const Tensor& weight_ih, const Tensor& weight_hh,
                     const Tensor& bias_ih, const Tensor& bias_hh) {
  return one_step("rnn_relu_cell", Cell::rnn_relu, x, {h, {}}, weight_ih, weight_hh, bias_ih, bias_hh).h;
}

}  // namespace gradus
