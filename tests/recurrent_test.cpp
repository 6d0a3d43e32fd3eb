// Recurrent layers: PyTorch's answers, sequences of different lengths, both ways of the derivative, kernels.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <map>
#include <memory>

#include "gradus/autograd.hpp"
#include "gradus/checkpoint.hpp"
#include "gradus/factory.hpp"
#include "gradus/gradcheck.hpp"
#include "gradus/nn.hpp"
#include "gradus/ops.hpp"
#include "gradus/random.hpp"
#include "gradus/threads.hpp"
#include "kernel_tables.hpp"
#include "messages.hpp"
#include "reference_data.hpp"

using namespace gradus;
using tests::close, tests::decode, tests::Json, tests::message_of;

namespace {

using Tensors = std::vector<Tensor>;

const Json& reference() {
  static const Json json = tests::reference_file("recurrent_layers.json");
  return json;
}

Tensors both(const RNNResult& r) { return {r.output, r.h}; }
Tensors all(const LSTMResult& r) { return {r.output, r.h, r.c}; }
LSTMState state_of(const Tensors& first) { return first.empty() ? LSTMState{} : LSTMState{first[0], first[1]}; }
Tensor only(const Tensors& first) { return first.empty() ? Tensor() : first[0]; }

// A layer of the reference, and how it is called with first states and lengths.
struct Subject {
  std::shared_ptr<nn::Module> module;
  std::function<Tensors(const Tensor& x, const Tensors& first, const Lengths& lengths)> call;
};

template <class Layer, class Call>
Subject subject(Layer layer, Call call) {
  auto module = std::make_shared<Layer>(std::move(layer));
  return {module, [module, call](const Tensor& x, const Tensors& first, const Lengths& lengths) {
            return call(*module, x, first, lengths);
          }};
}

Subject make_layer(const Json& row, Dtype dtype) {
  const std::string layer = row.at("layer");
  const nn::LSTMOptions o{.num_layers = row.at("num_layers"),
                          .bias = row.at("bias"),
                          .batch_first = row.at("batch_first"),
                          .bidirectional = row.at("bidirectional"),
                          .dtype = dtype};
  const auto plain = [](auto& l, const Tensor& x, const Tensors& first, const Lengths& lengths) {
    return both(l(x, only(first), lengths));
  };
  if (layer == "GRU") return subject(nn::GRU(2, 2, o), plain);
  if (layer == "LSTM") {
    return subject(nn::LSTM(2, 2, o), [](nn::LSTM& l, const Tensor& x, const Tensors& first, const Lengths& lengths) {
      return all(l(x, state_of(first), lengths));
    });
  }
  return subject(nn::RNN(2, 2,
                         {.num_layers = o.num_layers,
                          .nonlinearity = layer == "RNN" ? "tanh" : "relu",
                          .bias = o.bias,
                          .batch_first = o.batch_first,
                          .bidirectional = o.bidirectional,
                          .dtype = dtype}),
                 plain);
}

Subject make_cell(const Json& row, Dtype dtype) {
  const std::string layer = row.at("layer");
  const bool bias = row.at("bias");
  const auto plain = [](auto& l, const Tensor& x, const Tensors& first, const Lengths&) {
    return Tensors{l(x, only(first))};
  };
  if (layer == "GRUCell") return subject(nn::GRUCell(2, 2, {.bias = bias, .dtype = dtype}), plain);
  if (layer == "LSTMCell") {
    return subject(nn::LSTMCell(2, 2, {.bias = bias, .dtype = dtype}),
                   [](nn::LSTMCell& l, const Tensor& x, const Tensors& first, const Lengths&) {
                     const auto [h, c] = l(x, state_of(first));
                     return Tensors{h, c};
                   });
  }
  const std::string nonlinearity = layer == "RNNCell" ? "tanh" : "relu";
  return subject(nn::RNNCell(2, 2, {.bias = bias, .nonlinearity = nonlinearity, .dtype = dtype}), plain);
}

void check_case(const Json& row, const Subject& s, Dtype dtype) {
  const double tolerance = dtype == float64 ? 1e-10 : 1e-5;
  {
    const NoGrad guard;
    auto parameters = s.module->named_parameters();
    REQUIRE(parameters.size() == row.at("params").size());
    for (auto& [name, p] : parameters) p.copy_(decode(row.at("params").at(name), dtype));
  }
  Tensors leaves = s.module->parameters(), first;
  const Tensor x = decode(row.at("x"), dtype).set_requires_grad();
  leaves.push_back(x);
  for (const Json& state : row.at("first")) {
    first.push_back(decode(state, dtype).set_requires_grad());
    leaves.push_back(first.back());
  }
  const bool ragged = row.contains("lengths") && !row.at("lengths").is_null();
  const Lengths lengths = ragged ? Lengths(row.at("lengths").get<std::vector<std::int64_t>>()) : Lengths();
  const Tensors results = s.call(x, first, lengths);
  REQUIRE(results.size() == row.at("results").size());
  Tensor total;
  for (std::size_t i = 0; i < results.size(); ++i) {
    CAPTURE(i);
    CHECK(close(results[i], row.at("results")[i], tolerance));
    const Tensor part = sum(results[i] * decode(row.at("cotangents")[i], dtype));
    total = total.defined() ? total + part : part;
  }
  total.backward();
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    CAPTURE(i);
    CHECK(close(leaves[i].grad(), row.at("grads")[i], tolerance));
  }
  if (!ragged && row.at("first").empty()) CHECK(equal((*s.module)(x), results[0]));
}

double uniform(std::uint64_t& state) {
  state = state * 6364136223846793005U + 1442695040888963407U;
  return static_cast<double>(state >> 11) * 0x1p-52 - 1;
}

template <class T>
std::vector<T> values(std::int64_t n, std::uint64_t seed) {
  std::vector<T> v(static_cast<std::size_t>(n));
  for (T& x : v) x = static_cast<T>(uniform(seed));
  return v;
}

double sigmoid_of(double x) { return 1 / (1 + std::exp(-x)); }

// Steps on a random walk through every kind of network: two directions, sequences of different lengths.
Tensors walk(
    const std::function<LSTMResult(const Tensor&, const LSTMState&, const Tensors&, const RecurrentOptions&)>& f,
    std::int64_t gates, bool create_graph) {
  manual_seed(12);
  const std::int64_t steps = 7, batch = 5, inputs = 4, hidden = 19;
  const RandomOptions leaf{.dtype = float64, .requires_grad = true};
  Tensors params;
  for (int direction = 0; direction < 2; ++direction) {
    for (const Shape& shape :
         {Shape{gates * hidden, inputs}, Shape{gates * hidden, hidden}, Shape{gates * hidden}, Shape{gates * hidden}}) {
      params.push_back((randn(shape, {.dtype = float64}) * 0.3).detach().set_requires_grad());
    }
  }
  const Tensor x = randn({steps, batch, inputs}, leaf);
  const LSTMState first{randn({2, batch, hidden}, leaf), randn({2, batch, hidden}, leaf)};
  const LSTMResult r = f(x, first, params, {.bidirectional = true, .lengths = {3, 7, 1, 6, 3}});
  Tensor total = sum(r.output * randn(r.output.shape(), {.dtype = float64})) + sum(square(r.h));
  Tensors leaves = params;
  leaves.push_back(x);
  leaves.push_back(first.h);
  if (r.c.defined()) {
    total = total + sum(square(r.c));
    leaves.push_back(first.c);
  }
  return grad(total, leaves, {.create_graph = create_graph});
}

template <RNNResult (*network)(const Tensor&, const Tensor&, const Tensors&, const RecurrentOptions&)>
LSTMResult without_c(const Tensor& x, const LSTMState& first, const Tensors& params, const RecurrentOptions& o) {
  const RNNResult r = network(x, first.h, params, o);
  return {r.output, r.h, {}};
}

}  // namespace

TEST_CASE("recurrent layers answer as PyTorch's: outputs, last states and all gradients, with any three options") {
  for (const Dtype dtype : {float64, float32}) {
    for (const Json& row : reference().at("layers")) {
      Json options = row;
      for (const char* key : {"params", "x", "first", "results", "cotangents", "grads"}) options.erase(key);
      const std::string text = options.dump();
      CAPTURE(text);
      check_case(row, make_layer(row, dtype), dtype);
    }
  }
}

TEST_CASE("recurrent cells answer as PyTorch's") {
  for (const Dtype dtype : {float64, float32}) {
    for (const Json& row : reference().at("cells")) {
      const std::string layer = row.at("layer");
      CAPTURE(layer);
      check_case(row, make_cell(row, dtype), dtype);
    }
  }
}

TEST_CASE("the derivative that is recorded agrees with the fused one") {
  const auto check = [](const auto& f, std::int64_t gates) {
    const Tensors fused = walk(f, gates, false), recorded = walk(f, gates, true);
    for (std::size_t i = 0; i < fused.size(); ++i) {
      CAPTURE(i);
      CHECK(recorded[i].requires_grad());
      CHECK(allclose(recorded[i], fused[i], {.rtol = 1e-10, .atol = 1e-11}));
    }
  };
  check(lstm, 4);
  check(without_c<gru>, 3);
  check(without_c<rnn_tanh>, 1);
  check(without_c<rnn_relu>, 1);
}

TEST_CASE("recurrent layers pass gradcheck, first and second order, by input, states and every parameter") {
  manual_seed(13);
  nn::LSTM lstm(2, 3, {.num_layers = 2, .bidirectional = true, .dtype = float64});
  const Tensor x = randn({4, 2, 2}, {.dtype = float64});
  CHECK(gradcheck(lstm, x).passed());
  const Tensor h = randn({4, 2, 3}, {.dtype = float64}), c = randn({4, 2, 3}, {.dtype = float64});
  const auto f = [&](const Tensors& in) {
    const auto [output, last_h, last_c] = lstm(in[0], {in[1], in[2]}, {2, 4});
    return cat({flatten(output), flatten(last_h), flatten(last_c)});
  };
  CHECK(gradcheck(f, {x, h, c}).passed());
  nn::GRU gru(2, 2, {.dtype = float64});
  CHECK(gradgradcheck(
            [&](const Tensors& in) {
              return gru(in[0], in[1], {2, 3}).output;
            },
            {randn({3, 2, 2}, {.dtype = float64}), randn({1, 2, 2}, {.dtype = float64})})
            .passed());
}

TEST_CASE("each sequence of a batch is treated as if it were alone, whatever the padding holds") {
  manual_seed(14);
  nn::LSTM lstm(3, 4, {.num_layers = 2, .batch_first = true, .bidirectional = true, .dtype = float64});
  Tensor x = randn({3, 6, 3}, {.dtype = float64});
  const std::vector<std::int64_t> lengths = {2, 6, 5};
  for (std::int64_t row : {0, 2}) x[row].slice(0, lengths[static_cast<std::size_t>(row)]).fill_(NAN);
  x.set_requires_grad();
  const auto [output, h, c] = lstm(x, {}, tensor(lengths));
  (sum(output) + sum(h) + sum(c)).backward();
  for (std::int64_t row = 0; row < 3; ++row) {
    CAPTURE(row);
    const std::int64_t length = lengths[static_cast<std::size_t>(row)];
    const auto [alone, alone_h, alone_c] = lstm(x[row].slice(0, 0, length), {});
    CHECK(allclose(output[row].slice(0, 0, length), alone));
    CHECK(equal(output[row].slice(0, length), zeros({6 - length, 8}, {.dtype = float64})));
    CHECK(allclose(h.select(1, row), alone_h));
    CHECK(allclose(c.select(1, row), alone_c));
    CHECK(equal(x.grad()[row].slice(0, length), zeros({6 - length, 3}, {.dtype = float64})));
  }
  for (const Tensor& p : lstm.parameters()) CHECK(std::isfinite(p.grad().sum().item()));
}

TEST_CASE("the number of threads changes no result of a recurrent layer") {
  const int before = get_num_threads();
  const auto run = [](int threads) {
    set_num_threads(threads);
    manual_seed(15);
    nn::LSTM lstm(40, 64);
    nn::GRU gru(64, 40);
    const Tensor x = randn({24, 40, 40}, {.requires_grad = true});  // products large enough to be shared out
    const Tensor y = gru(lstm(x));
    sum(y * y).backward();
    Tensors results = {y.detach(), x.grad()};
    for (const Tensor& p : lstm.parameters()) results.push_back(p.grad());
    for (const Tensor& p : gru.parameters()) results.push_back(p.grad());
    return results;
  };
  const Tensors one = run(1), three = run(3);
  for (std::size_t i = 0; i < one.size(); ++i) CHECK(equal(one[i], three[i]));
  set_num_threads(before);
}

TEST_CASE("a layer step by step is its cell, and a state handed on continues a sequence") {
  manual_seed(16);
  nn::GRU gru(3, 5);
  nn::GRUCell cell(3, 5);
  const auto weights = gru.state_dict();
  std::map<std::string, Tensor> state;
  for (const auto& [name, value] : weights) state[name.substr(0, name.size() - 3)] = value;
  cell.load_state_dict(state);
  const Tensor x = randn({6, 2, 3});
  const auto [output, last] = gru(x, {});
  Tensor h;
  for (std::int64_t t = 0; t < 6; ++t) {
    h = cell(x[t], h);
    CHECK(allclose(h, output[t], {.atol = 1e-6}));
  }
  const auto [head, middle] = gru(x.slice(0, 0, 4), {});
  const auto [tail, end] = gru(x.slice(0, 4), middle);
  CHECK(allclose(cat({head, tail}), output, {.atol = 1e-6}));
  CHECK(allclose(end, last, {.atol = 1e-6}));
}

TEST_CASE("a checkpoint of a recurrent layer gives the same gradients, and no node outlives a pass") {
  manual_seed(18);
  const std::int64_t nodes = live_nodes();
  nn::LSTM lstm(3, 5, {.bidirectional = true});
  Tensor x = randn({6, 2, 3}, {.requires_grad = true});
  sum(square(lstm(x))).backward();
  const Tensor dx = x.grad(), dw = lstm.weight_hh(0, true).grad();
  x.zero_grad();
  lstm.zero_grad();
  sum(square(checkpoint([&](const Tensor& in) { return lstm(in); }, x))).backward();
  CHECK(equal(x.grad(), dx));
  CHECK(equal(lstm.weight_hh(0, true).grad(), dw));
  CHECK(live_nodes() == nodes);
}

TEST_CASE("dropout acts between layers, in training, and recurrent layers start as PyTorch's") {
  manual_seed(17);
  nn::LSTM lstm(3, 100, {.num_layers = 2, .dropout = 0.5});
  const Tensor x = randn({4, 2, 3});
  CHECK_FALSE(equal(lstm(x), lstm(x)));
  CHECK(equal(lstm(x, {}).h[0], lstm(x, {}).h[0]));  // the first layer's
  lstm.eval();
  CHECK(equal(lstm(x), lstm(x)));
  for (const Tensor& p : lstm.parameters()) {
    CHECK(p.abs().max().item() <= 0.1);
    CHECK(p.abs().max().item() > 0.09);
  }
  CHECK(lstm.weight_hh(1).is(lstm.parameters()[5]));
  CHECK(lstm.bias_ih().is(lstm.parameters()[2]));
  CHECK_FALSE(nn::GRU(2, 2, {.bias = false}).bias_hh().defined());
  CHECK(nn::Sequential(nn::LSTM(3, 4), nn::Linear(4, 2))(x).shape() == Shape{4, 2, 2});
  CHECK(nn::GRU(3, 4)(zeros({2, 0, 3})).shape() == Shape{2, 0, 4});
}

TEST_CASE("wrong recurrent layers are refused by name") {
  const std::vector<std::pair<std::function<void()>, std::string>> wrong = {
      {[] { nn::LSTM(0, 3); }, "LSTM: input_size and hidden_size must be at least 1, got 0 and 3"},
      {[] { nn::GRUCell(2, -1); }, "GRUCell: input_size and hidden_size must be at least 1, got 2 and -1"},
      {[] { nn::GRU(2, 3, {.num_layers = 0}); }, "GRU: num_layers must be at least 1, got 0"},
      {[] { nn::GRU(2, 3, {.dropout = -1}); }, "GRU: dropout must be in [0, 1], got -1"},
      {[] { nn::RNN(2, 3, {.nonlinearity = "sigmoid"}); }, "RNN: nonlinearity must be tanh or relu, got 'sigmoid'"},
      {[] { nn::RNNCell(2, 3, {.dtype = int64}); }, "RNNCell: a floating dtype is needed, got int64"},
      {[] { nn::RNN(2, 3).weight_ih(1); }, "RNN: there is no layer 1, num_layers is 1"},
      {[] { nn::RNN(2, 3).weight_ih(0, true); }, "RNN: there is no reverse direction, it is not bidirectional"},
      {[] {
         nn::LSTM(2, 3)(zeros({4, 5, 7}));
       },
       "lstm: the input must have 2 features, got 7"},
      {[] { nn::LSTM(2, 3, {.batch_first = true})(zeros({4})); },
       "lstm: x must be (batch, steps, input) or (steps, input), got (4,)"},
      {[] {
         nn::GRU(2, 3)(zeros({4, 5, 2}), zeros({2, 5, 3}));
       },
       "gru: the state h must be (1, 5, 3), got (2, 5, 3)"},
      {[] {
         nn::GRU(2, 3)(zeros({4, 5, 2}), {}, {4, 4});
       },
       "gru: 2 lengths were given for a batch of 5"},
      {[] {
         nn::RNN(2, 3)(zeros({4, 2, 2}, {.dtype = float64}));
       },
       "rnn_tanh: dtypes differ: float64 and float32; convert one with to()"}};
  for (const auto& [call, message] : wrong) CHECK(message_of(call) == message);
}

TEST_CASE("the kernels of recurrent steps agree with plain loops, for every instruction set") {
  const auto check = []<class T>(const kernels::Table<T>& t, double tolerance) {
    const auto near = [&](T actual, double expected) {
      return std::abs(static_cast<double>(actual) - expected) <= tolerance * (1 + std::abs(expected));
    };
    const auto at = [](std::int64_t i) { return static_cast<std::size_t>(i); };
    for (const std::int64_t n : {1, 5, 16, 37}) {
      CAPTURE(n);
      const std::int64_t rows = 2;
      std::vector<T> gates = values<T>(rows * 4 * n, 1), c(at(rows * n)), h = c;
      const std::vector<T> before = gates, bias = values<T>(4 * n, 2), c_prev = values<T>(rows * n, 3);
      t.lstm_cell(h.data(), c.data(), gates.data(), bias.data(), c_prev.data(), rows, n);
      bool good = true;
      for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t k = 0; k < n; ++k) {
          const auto sum = [&](std::int64_t part) {
            return static_cast<double>(before[at((4 * r + part) * n + k)]) +
                   static_cast<double>(bias[at(part * n + k)]);
          };
          const double state =
              sigmoid_of(sum(1)) * static_cast<double>(c_prev[at(r * n + k)]) + sigmoid_of(sum(0)) * std::tanh(sum(2));
          good = good && near(c[at(r * n + k)], state) &&
                 near(h[at(r * n + k)], sigmoid_of(sum(3)) * std::tanh(state)) &&
                 near(gates[at((4 * r + 2) * n + k)], std::tanh(sum(2)));
        }
      CHECK(good);

      std::vector<T> three = values<T>(rows * 3 * n, 4), hn(at(rows * n));
      const std::vector<T> raw = three, hidden = values<T>(rows * 3 * n, 5);
      t.gru_cell(h.data(), hn.data(), three.data(), hidden.data(), bias.data(), c_prev.data(), rows, n);
      for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t k = 0; k < n; ++k) {
          const auto in = [&](const std::vector<T>& v, std::int64_t part) {
            return static_cast<double>(v[at((3 * r + part) * n + k)]);
          };
          const auto b = [&](std::int64_t part) { return static_cast<double>(bias[at(part * n + k)]); };
          const double reset = sigmoid_of(in(raw, 0) + b(0) + in(hidden, 0));
          const double keep = sigmoid_of(in(raw, 1) + b(1) + in(hidden, 1));
          const double fresh = std::tanh(in(raw, 2) + b(2) + reset * (in(hidden, 2) + b(3)));
          good = good && near(hn[at(r * n + k)], in(hidden, 2) + b(3)) &&
                 near(h[at(r * n + k)], (1 - keep) * fresh + keep * static_cast<double>(c_prev[at(r * n + k)]));
        }
      CHECK(good);
    }
  };
  tests::for_each_table<float>([&](const auto& t) { check(t, 3e-6); });
  tests::for_each_table<double>([&](const auto& t) { check(t, 1e-14); });
}

TEST_CASE("a product with a packed matrix is the product") {
  // packed for the instruction set in use
  const auto check = []<class T>(double tolerance) {
    const kernels::Table<T>& t = kernels::table<T>();
    for (const std::int64_t m : {1, 4, 13})
      for (const std::int64_t n : {1, 15, 16, 20, 33, 70})
        for (const std::int64_t k : {1, 7, 130}) {
          const std::vector<T> a = values<T>(m * k, 6), b = values<T>(k * n, 7);
          for (const bool transposed : {false, true}) {
            std::vector<T> packed(static_cast<std::size_t>(kernels::packed_size<T>(k, n)));
            kernels::pack(packed.data(), b.data(), transposed ? 1 : n, transposed ? k : 1, k, n);
            for (const T beta : {T(0), T(1)}) {
              std::vector<T> c = values<T>(m * n, 8), expected = c;
              t.packed_gemm(m, n, k, a.data(), k, packed.data(), beta, c.data(), n);
              kernels::gemm<T>(false, transposed, m, n, k, T(1), a.data(), k, b.data(), transposed ? k : n, beta,
                               expected.data(), n);
              bool good = true;
              for (std::size_t i = 0; i < c.size(); ++i) {
                good = good && std::abs(static_cast<double>(c[i] - expected[i])) < tolerance;
              }
              CHECK(good);
            }
          }
        }
  };
  check.operator()<float>(2e-5);
  check.operator()<double>(1e-13);
}
