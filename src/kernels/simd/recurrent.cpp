// One step of an LSTM or GRU, given the products with its weights, and its derivative.
#include "kernels/simd/math.hpp"
#include "kernels/simd/table.hpp"

namespace gradus::kernels::GRADUS_ISA {
namespace {

// g s'(x), given s = sigmoid(x).
template <class T>
GRADUS_INLINE Vec<T> sigmoid_slope(Vec<T> g, Vec<T> s) {
  return g * s * (Vec<T>(T(1)) - s);
}

// g t'(x), given t = tanh(x).
template <class T>
GRADUS_INLINE Vec<T> tanh_slope(Vec<T> g, Vec<T> t) {
  return g * (Vec<T>(T(1)) - t * t);
}

template <class T>
void lstm_cell(T* h, T* c, T* gates, const T* bias, const T* c_prev, Size rows, Size n) {
  for (Size r = 0; r < rows; ++r, h += n, c += n, c_prev += n, gates += 4 * n)
    for_each_batch<T>(n, [=](Size k, auto lanes) GRADUS_LAMBDA {
      const auto sum = [=](Size part) GRADUS_LAMBDA {
        return load(gates + part * n + k, lanes) + load(bias + part * n + k, lanes);
      };
      const Vec<T> i = sigmoid<T>(sum(0)), f = sigmoid<T>(sum(1)), g = tanh<T>(sum(2)), o = sigmoid<T>(sum(3));
      const Vec<T> state = multiply_add(f, load(c_prev + k, lanes), i * g);
      store(gates + k, i, lanes);
      store(gates + n + k, f, lanes);
      store(gates + 2 * n + k, g, lanes);
      store(gates + 3 * n + k, o, lanes);
      store(c + k, state, lanes);
      store(h + k, o * tanh<T>(state), lanes);
    });
}

template <class T>
void lstm_cell_backward(T* dgates, T* dc, const T* gates, const T* c, const T* c_prev, const T* dh, const T* dy,
                        Size rows, Size n) {
  for (Size r = 0; r < rows; ++r, dc += n, c += n, c_prev += n, dh += n, dy += n, gates += 4 * n, dgates += 4 * n)
    for_each_batch<T>(n, [=](Size k, auto lanes) GRADUS_LAMBDA {
      const Vec<T> i = load(gates + k, lanes), f = load(gates + n + k, lanes), g = load(gates + 2 * n + k, lanes),
                   o = load(gates + 3 * n + k, lanes);
      const Vec<T> slope = load(dh + k, lanes) + load(dy + k, lanes), t = tanh<T>(load(c + k, lanes));
      const Vec<T> through = load(dc + k, lanes) + tanh_slope<T>(slope * o, t);
      store(dgates + k, sigmoid_slope<T>(through * g, i), lanes);
      store(dgates + n + k, sigmoid_slope<T>(through * load(c_prev + k, lanes), f), lanes);
      store(dgates + 2 * n + k, tanh_slope<T>(through * i, g), lanes);
      store(dgates + 3 * n + k, sigmoid_slope<T>(slope * t, o), lanes);
      store(dc + k, through * f, lanes);
    });
}

template <class T>
void gru_cell(T* h, T* hn, T* gates, const T* hidden, const T* bias, const T* h_prev, Size rows, Size n) {
  for (Size row = 0; row < rows; ++row, h += n, hn += n, h_prev += n, gates += 3 * n, hidden += 3 * n)
    for_each_batch<T>(n, [=](Size k, auto lanes) GRADUS_LAMBDA {
      const auto sum = [=](Size part) GRADUS_LAMBDA {
        return load(gates + part * n + k, lanes) + load(bias + part * n + k, lanes);
      };
      const Vec<T> r = sigmoid<T>(sum(0) + load(hidden + k, lanes));
      const Vec<T> z = sigmoid<T>(sum(1) + load(hidden + n + k, lanes));
      const Vec<T> candidate = load(hidden + 2 * n + k, lanes) + load(bias + 3 * n + k, lanes);
      const Vec<T> fresh = tanh<T>(multiply_add(r, candidate, sum(2)));
      store(gates + k, r, lanes);
      store(gates + n + k, z, lanes);
      store(gates + 2 * n + k, fresh, lanes);
      store(hn + k, candidate, lanes);
      store(h + k, multiply_add(z, load(h_prev + k, lanes) - fresh, fresh), lanes);
    });
}

template <class T>
void gru_cell_backward(T* dgates, T* dhidden, T* dh, const T* gates, const T* hn, const T* h_prev, const T* dy,
                       Size rows, Size n) {
  for (Size row = 0; row < rows;
       ++row, dh += n, hn += n, h_prev += n, dy += n, gates += 3 * n, dgates += 3 * n, dhidden += 3 * n)
    for_each_batch<T>(n, [=](Size k, auto lanes) GRADUS_LAMBDA {
      const Vec<T> r = load(gates + k, lanes), z = load(gates + n + k, lanes), fresh = load(gates + 2 * n + k, lanes);
      const Vec<T> slope = load(dh + k, lanes) + load(dy + k, lanes);
      const Vec<T> dn = tanh_slope<T>(slope * (Vec<T>(T(1)) - z), fresh);
      const Vec<T> dr = sigmoid_slope<T>(dn * load(hn + k, lanes), r);
      const Vec<T> dz = sigmoid_slope<T>(slope * (load(h_prev + k, lanes) - fresh), z);
      store(dgates + k, dr, lanes);
      store(dgates + n + k, dz, lanes);
      store(dgates + 2 * n + k, dn, lanes);
      store(dhidden + k, dr, lanes);
      store(dhidden + n + k, dz, lanes);
      store(dhidden + 2 * n + k, dn * r, lanes);
      store(dh + k, slope * z, lanes);
    });
}

template <class T>
void fill_floating(Table<T>& table) {
  table.lstm_cell = lstm_cell<T>;
  table.lstm_cell_backward = lstm_cell_backward<T>;
  table.gru_cell = gru_cell<T>;
  table.gru_cell_backward = gru_cell_backward<T>;
}

}  // namespace

template <>
void fill_recurrent(Table<float>& table) {
  fill_floating(table);
}
template <>
void fill_recurrent(Table<double>& table) {
  fill_floating(table);
}

}  // namespace gradus::kernels::GRADUS_ISA
