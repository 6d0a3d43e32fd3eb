// The products of the inputs with their weights are one GEMM over all steps, so are the derivatives of the weights.
// What is left for each step is the product with the state, for which the weight is packed once, and one pass of the
// cell. Sequences don't know of each other: threads share them out, and walk over all steps alone.

#include "ops/recurrent_pass.hpp"

#include <algorithm>
#include <vector>

#include "autograd/observer.hpp"
#include "autograd/record.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "kernels/blas.hpp"
#include "kernels/kernels.hpp"
#include "kernels/parallel.hpp"
#include "ops/copy.hpp"

namespace gradus {
namespace {

using kernels::table;

constexpr std::int64_t steps_worth_packing = 4;
constexpr std::int64_t parallel_work = 1 << 20;  // multiplications below which another thread costs more than it brings

const char* name_of(Cell cell) {
  constexpr const char* names[] = {"rnn_tanh", "rnn_relu", "lstm", "gru"};
  return names[static_cast<std::size_t>(cell)];
}

// Neighbouring sequences at one step whose states before it lie next to each other.
struct Piece {
  std::int64_t row, count;  // the sequences
  std::int64_t at;          // their rows in the matrices of all steps
  std::int64_t before;      // and those of the step before; -1: the first state
};

// Calls f(piece) for the sequences [begin, end) that have step t.
template <class F>
void for_pieces(const Steps& steps, std::int64_t t, std::int64_t begin, std::int64_t end, const F& f) {
  const std::int64_t last = std::min(end, steps.rows(t)), before = steps.reverse ? t + 1 : t - 1;
  const bool is_first = before < 0 || before >= steps.count;
  const std::int64_t split = is_first ? begin : std::clamp(steps.rows(before), begin, std::max(begin, last));
  const std::int64_t start = steps.start(t);
  if (begin < split) f(Piece{begin, split - begin, start + begin, steps.start(before) + begin});
  if (split < last) f(Piece{split, last - split, start + split, -1});
}

// c = op(a) op(b) + beta c over all steps, of matrices without gaps: c (m, n).
template <class T>
void dense_gemm(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, const T* a,
                const T* b, T beta, T* c) {
  kernels::gemm<T>(transpose_a, transpose_b, m, n, k, T(1), a, transpose_a ? m : k, b, transpose_b ? k : n, beta, c, n);
}

// Products c = a b + beta c with one matrix b (k, n) at many steps.
template <class T>
class StepProduct {
 public:
  // b is `matrix` (rows, cols), or its transpose.
  StepProduct(const Tensor& matrix, bool transposed, std::int64_t steps)
      : b_(data_of<T>(matrix)),
        ld_(matrix.shape()[1]),
        k_(matrix.shape()[transposed ? 1 : 0]),
        n_(matrix.shape()[transposed ? 0 : 1]),
        transposed_(transposed) {
    if (steps < steps_worth_packing) return;
    packed_ = make_tensor({kernels::packed_size<T>(k_, n_)}, matrix.dtype());
    kernels::pack(data_of<T>(packed_), b_, transposed ? 1 : ld_, transposed ? ld_ : 1, k_, n_);
  }

  bool is_packed() const { return packed_.defined(); }

  void operator()(std::int64_t m, const T* a, T beta, T* c) const {
    if (is_packed())
      table<T>().packed_gemm(m, n_, k_, a, k_, data_of<T>(packed_), beta, c, n_);
    else
      kernels::gemm<T>(false, transposed_, m, n_, k_, T(1), a, k_, b_, ld_, beta, c, n_);
  }

 private:
  const T* b_;
  std::int64_t ld_, k_, n_;
  bool transposed_;
  Tensor packed_;
};

// Calls f(begin, end) for ranges of sequences, on several threads if there is enough to do. (BLAS has its own.)
template <class T, class F>
void for_sequences(const Steps& steps, const StepProduct<T>& product, std::int64_t work_per_step, const F& f) {
  const std::int64_t work = std::max<std::int64_t>(1, steps.count * work_per_step);
  if (product.is_packed())
    kernels::parallel_for(0, steps.batch, std::max<std::int64_t>(1, parallel_work / work), f);
  else
    f(0, steps.batch);
}

Tensor dense_or_zeros(const Tensor& t, const Shape& shape, Dtype dtype) {
  return t.defined() ? dense(t) : zeros(shape, {.dtype = dtype});
}

// b_ih + b_hh, one number for each gate; for a GRU, which needs the last part of b_hh apart, that follows.
template <class T>
Tensor joined_bias(Cell cell, const PassInputs& in, std::int64_t n) {
  const std::int64_t all = gates_of(cell) * n, together = cell == Cell::gru ? 2 * n : all;
  Tensor bias = zeros({cell == Cell::gru ? 4 * n : all}, {.dtype = in[weight_hh].dtype()});
  if (!in[bias_ih].defined()) return bias;
  const Tensor ih = dense(in[bias_ih]), hh = dense(in[bias_hh]);
  const T *const a = data_of<T>(ih), *const b = data_of<T>(hh);
  T* const to = data_of<T>(bias);
  for (std::int64_t i = 0; i < together; ++i) to[i] = a[i] + b[i];
  std::copy(a + together, a + all, to + together);
  std::copy(b + together, b + all, to + all);
  return bias;
}

// What the derivative needs beside inputs and outputs.
struct Trace {
  Tensor gates;   // (total, gates * hidden), after their functions; undefined for a plain cell: they are its outputs
  Tensor memory;  // (total, hidden): c of an LSTM, W_hn h + b_hn of a GRU
};

template <class T>
struct Forward {
  Cell cell;
  const Steps& steps;
  const StepProduct<T>& product;
  std::int64_t n;
  const T *bias, *h, *c;  // h and c are the first state
  T *out, *gates, *memory, *hidden;

  void walk(std::int64_t begin, std::int64_t end) const {
    for (std::int64_t i = 0; i < steps.count; ++i)
      for_pieces(steps, steps.on_the_way(i), begin, end, [this](const Piece& piece) { step(piece); });
  }

  void step(const Piece& p) const {
    const T* const h_prev = p.before < 0 ? h + p.row * n : out + p.before * n;
    T* const next = out + p.at * n;
    if (cell == Cell::lstm) {
      const T* const c_prev = p.before < 0 ? c + p.row * n : memory + p.before * n;
      product(p.count, h_prev, T(1), gates + p.at * 4 * n);
      table<T>().lstm_cell(next, memory + p.at * n, gates + p.at * 4 * n, bias, c_prev, p.count, n);
    } else if (cell == Cell::gru) {
      T* const products = hidden + p.row * 3 * n;
      product(p.count, h_prev, T(0), products);
      table<T>().gru_cell(next, memory + p.at * n, gates + p.at * 3 * n, products, bias, h_prev, p.count, n);
    } else {
      const auto activation = cell == Cell::rnn_tanh ? kernels::Activation::tanh : kernels::Activation::relu;
      product(p.count, h_prev, T(1), next);
      table<T>().bias_activation[kernels::index(activation)](next, bias, p.count, n);
    }
  }
};

// The rows of each sequence's last step on the way.
template <class T>
void copy_last(T* to, const T* from, const Steps& steps, std::int64_t n) {
  const std::int64_t first = steps.reverse ? std::min<std::int64_t>(1, steps.count) : steps.count;
  for (std::int64_t t = 0; t < first; ++t) {
    const std::int64_t begin = t + 1 < steps.count && !steps.reverse ? steps.rows(t + 1) : 0;
    std::copy(from + (steps.start(t) + begin) * n, from + (steps.start(t) + steps.rows(t)) * n, to + begin * n);
  }
}

template <class T>
Tensor forward(Cell cell, const PassInputs& in, const Steps& steps, Trace& trace) {
  const Dtype dtype = in[pass_x].dtype();
  const std::int64_t n = in[weight_hh].size(1), width = gates_of(cell) * n, total = steps.total();
  const Tensor x = dense(in[pass_x]), w_ih = dense(in[weight_ih]), w_hh = dense(in[weight_hh]);
  const Shape state{steps.batch, n};
  const Tensor h = dense_or_zeros(in[pass_h], state, dtype), c = dense_or_zeros(in[pass_c], state, dtype);
  const Tensor result = make_tensor({total + steps.batch * (cell == Cell::lstm ? 2 : 1), n}, dtype);
  const bool gated = gates_of(cell) > 1;
  if (gated) trace = {make_tensor({total, width}, dtype), make_tensor({total, n}, dtype)};
  T* const gates = data_of<T>(gated ? trace.gates : result);
  const Tensor hidden = cell == Cell::gru ? make_tensor({steps.batch, width}, dtype) : Tensor();
  const Tensor bias = joined_bias<T>(cell, in, n);

  const std::int64_t inputs = x.shape()[1];
  dense_gemm<T>(false, true, total, width, inputs, data_of<T>(x), data_of<T>(w_ih), T(0), gates);
  const StepProduct<T> product(w_hh, /*transposed=*/true, steps.count);
  const auto data = [](const Tensor& t) { return t.defined() ? data_of<T>(t) : nullptr; };
  T *const out = data(result), *const memory = data(trace.memory);
  const Forward<T> pass{cell, steps, product, n, data(bias), data(h), data(c), out, gates, memory, data(hidden)};
  for_sequences(steps, product, width * n, [&](std::int64_t begin, std::int64_t end) { pass.walk(begin, end); });
  copy_last(out + total * n, out, steps, n);
  if (cell == Cell::lstm) copy_last(out + (total + steps.batch) * n, memory, steps, n);
  return result;
}

template <class T>
struct Backward {
  Cell cell;
  const Steps& steps;
  const StepProduct<T>& product;
  std::int64_t n;
  const T *h, *c, *out, *gates, *memory, *dy;
  T *dh, *dc;           // of the state, on its way back
  T *dgates, *dhidden;  // dhidden is dgates, but for a GRU

  void walk(std::int64_t begin, std::int64_t end) const {
    for (std::int64_t i = steps.count; i-- > 0;)
      for_pieces(steps, steps.on_the_way(i), begin, end, [this](const Piece& piece) { step(piece); });
  }

  void step(const Piece& p) const {
    const std::int64_t at = p.at * n, row = p.row * n, before = p.before * n, wide = at * gates_of(cell);
    if (cell == Cell::lstm) {
      table<T>().lstm_cell_backward(dgates + wide, dc + row, gates + wide, memory + at,
                                    p.before < 0 ? c + row : memory + before, dh + row, dy + at, p.count, n);
    } else if (cell == Cell::gru) {
      table<T>().gru_cell_backward(dgates + wide, dhidden + wide, dh + row, gates + wide, memory + at,
                                   p.before < 0 ? h + row : out + before, dy + at, p.count, n);
    } else {
      const auto slope = cell == Cell::rnn_tanh ? kernels::Binary::tanh_backward : kernels::Binary::relu_backward;
      table<T>().binary[kernels::index(kernels::Binary::add)](dgates + at, dh + row, 1, dy + at, 1, p.count * n);
      table<T>().binary[kernels::index(slope)](dgates + at, dgates + at, 1, out + at, 1, p.count * n);
    }
    product(p.count, dhidden + wide, cell == Cell::gru ? T(1) : T(0), dh + row);
  }
};

// The sum over all steps of dhidden^T h_prev, a product for each run of steps whose states lie next to each other.
template <class T>
Tensor hidden_weight_gradient(const Steps& steps, const Tensor& dhidden, const T* h, const T* out, std::int64_t n) {
  const std::int64_t width = dhidden.shape()[1];
  Tensor result = make_tensor({width, n}, dhidden.dtype());
  T beta = 0;
  const T* states = nullptr;
  std::int64_t at = 0, count = 0;
  const auto multiply = [&] {
    if (count == 0) return;
    dense_gemm<T>(true, false, width, n, count, data_of<T>(dhidden) + at * width, states, beta, data_of<T>(result));
    beta = 1;
    count = 0;
  };
  for (std::int64_t t = 0; t < steps.count; ++t) {
    for_pieces(steps, t, 0, steps.batch, [&](const Piece& p) {
      const T* const h_prev = p.before < 0 ? h + p.row * n : out + p.before * n;
      if (count == 0 || h_prev != states + count * n) {
        multiply();
        states = h_prev;
        at = p.at;
      }
      count += p.count;
    });
  }
  multiply();
  if (beta == T(0)) std::fill_n(data_of<T>(result), width * n, T(0));
  return result;
}

template <class T>
void backward(Cell cell, const Tensor& grad, const PassInputs& in, const Tensor& y, const Trace& trace,
              const Steps& steps, Gradients& gradients) {
  const Dtype dtype = grad.dtype();
  const std::int64_t n = in[weight_hh].size(1), width = gates_of(cell) * n, total = steps.total();
  const Tensor g = dense(grad), w_ih = dense(in[weight_ih]), w_hh = dense(in[weight_hh]), x = dense(in[pass_x]);
  const Shape state{steps.batch, n};
  const Tensor h = dense_or_zeros(in[pass_h], state, dtype), c = dense_or_zeros(in[pass_c], state, dtype);
  const Tensor dh = make_tensor(state, dtype), dc = cell == Cell::lstm ? make_tensor(state, dtype) : Tensor();
  const Tensor dgates = make_tensor({total, width}, dtype);
  const Tensor dhidden = cell == Cell::gru ? make_tensor({total, width}, dtype) : dgates;
  const auto data = [](const Tensor& t) { return t.defined() ? data_of<T>(t) : nullptr; };
  const T* const dy = data(g);
  std::copy_n(dy + total * n, steps.batch * n, data(dh));
  if (dc.defined()) std::copy_n(dy + (total + steps.batch) * n, steps.batch * n, data(dc));

  const StepProduct<T> product(w_hh, /*transposed=*/false, steps.count);
  const Backward<T> pass{cell,
                         steps,
                         product,
                         n,
                         data(h),
                         data(c),
                         data(y),
                         data(trace.gates),
                         data(trace.memory),
                         dy,
                         data(dh),
                         data(dc),
                         data(dgates),
                         data(dhidden)};
  for_sequences(steps, product, width * n, [&](std::int64_t begin, std::int64_t end) { pass.walk(begin, end); });

  const std::int64_t inputs = x.shape()[1];
  if (gradients.wanted(pass_x)) {
    gradients[pass_x] = make_tensor(x.shape(), dtype);
    dense_gemm<T>(false, false, total, inputs, width, data(dgates), data(w_ih), T(0), data(gradients[pass_x]));
  }
  if (gradients.wanted(pass_h)) gradients[pass_h] = dh;
  if (gradients.wanted(pass_c)) gradients[pass_c] = dc;
  if (gradients.wanted(weight_ih)) {
    gradients[weight_ih] = make_tensor(w_ih.shape(), dtype);
    dense_gemm<T>(true, false, width, inputs, total, data(dgates), data(x), T(0), data(gradients[weight_ih]));
  }
  if (gradients.wanted(weight_hh))
    gradients[weight_hh] = hidden_weight_gradient<T>(steps, dhidden, data(h), data(y), n);
  if (gradients.wanted(bias_ih)) gradients[bias_ih] = sum(dgates, 0);
  if (gradients.wanted(bias_hh)) {
    const bool same = cell != Cell::gru && gradients.wanted(bias_ih);
    gradients[bias_hh] = same ? clone(gradients[bias_ih]) : sum(dhidden, 0);
  }
}

}  // namespace

Tensor recurrent_pass(Cell cell, const PassInputs& in, const Steps& steps) {
  Trace trace;
  const Tensor y = dispatch_floating(name_of(cell), in[pass_x].dtype(),
                                     [&]<class T>() { return forward<T>(cell, in, steps, trace); });
  if (cell == Cell::rnn_relu) note_branches("rnn_relu", [&] { return sign(y); });
  return record_joint(
      name_of(cell), y, in,
      [cell, steps, x = Saved(in[pass_x]), h = Saved(in[pass_h]), c = Saved(in[pass_c]), w_ih = Saved(in[weight_ih]),
       w_hh = Saved(in[weight_hh]), b_ih = Saved(in[bias_ih]), b_hh = Saved(in[bias_hh]), gates = Saved(trace.gates),
       memory = Saved(trace.memory)](const Tensor& g, const Tensor& out, Gradients& gradients) {
        const PassInputs inputs{x, h, c, w_ih, w_hh, b_ih, b_hh};
        if (grad_enabled) return composed_backward(cell, g, inputs, steps, gradients);
        dispatch_floating(name_of(cell), g.dtype(), [&]<class T>() {
          backward<T>(cell, g, inputs, out, Trace{gates, memory}, steps, gradients);
        });
      });
}

}  // namespace gradus
