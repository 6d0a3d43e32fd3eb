#include "kernels/attention.hpp"

#include <algorithm>
#include <limits>

#include "kernels/kernels.hpp"

namespace gradus::kernels {
namespace {

// Few enough rows that scores and their slopes stay in the second cache, and that little is computed above the
// diagonal.
std::int64_t rows_at_once(std::int64_t queries, std::int64_t keys, bool causal) {
  constexpr std::int64_t elements = 32 * 1024;
  const std::int64_t most = causal ? 32 : 128;
  return std::min(queries, std::clamp<std::int64_t>(elements / std::max<std::int64_t>(1, keys), 16, most));
}

// The queries [begin, end), and the keys that the last of them sees, without the mask.
struct Block {
  std::int64_t begin, end, keys;
  std::int64_t rows() const { return end - begin; }
};

template <class T>
Block block_from(const AttentionHead<T>& h, std::int64_t begin) {
  const std::int64_t end = std::min(h.queries, begin + rows_at_once(h.queries, h.keys, h.causal));
  return {begin, end, h.causal ? std::min(h.keys, end) : h.keys};
}

// Masks the scores of one query for its first n keys; whether it sees one of them.
template <class T>
bool mask_row(const AttentionHead<T>& h, T* scores, std::int64_t query, std::int64_t n) {
  const Table<T>& kernel = table<T>();
  const T none = -std::numeric_limits<T>::infinity();
  if (h.seen) kernel.where(scores, h.seen.row(query), h.mask_step, scores, 1, &none, 0, n);
  if (h.added) kernel.binary[index(Binary::add)](scores, scores, 1, h.added.row(query), h.mask_step, n);
  T top;
  kernel.reduce[index(Reduce::max)](&top, scores, 1, n, 1);
  return top != none;
}

// softmax(scale Q K^T + mask) of a block. Here and below a row of weights begins `keys` elements after the one before.
template <class T>
void weigh(const AttentionHead<T>& h, const Block& block, T* weights) {
  const std::int64_t n = block.keys;
  gemm<T>(false, true, block.rows(), n, h.width, h.scale, h.q.row(block.begin), h.q.stride, h.k.data, h.k.stride, T(0),
          weights, h.keys);
  const bool masked = h.seen || h.added;
  if (!masked && !h.causal) return table<T>().softmax(weights, weights, block.rows(), n);
  for (std::int64_t query = block.begin; query < block.end; ++query, weights += h.keys) {
    std::int64_t visible = h.causal ? std::min(n, query + 1) : n;
    if (masked && !mask_row(h, weights, query, visible)) visible = 0;
    table<T>().softmax(weights, weights, 1, visible);
    std::fill(weights + visible, weights + n, T(0));
  }
}

template <class T>
void multiply_by_factors(const AttentionHead<T>& h, const Block& block, T* y, const T* x) {
  for (std::int64_t query = block.begin; query < block.end; ++query, y += h.keys, x += h.keys)
    table<T>().binary[index(Binary::mul)](y, x, 1, h.factors.row(query), 1, block.keys);
}

template <class T>
void clear_rows(RowsOf<T> x, std::int64_t begin, std::int64_t end, std::int64_t width) {
  for (std::int64_t i = begin; x && i < end; ++i) std::fill_n(x.row(i), width, T(0));
}

}  // namespace

template <class T>
std::int64_t attention_scratch(const AttentionHead<T>& h) {
  return (h.factors ? 3 : 2) * rows_at_once(h.queries, h.keys, h.causal) * h.keys;
}

template <class T>
void attention(const AttentionHead<T>& h, RowsOf<T> y, T* scratch) {
  for (std::int64_t begin = 0; begin < h.queries;) {
    const Block block = block_from(h, begin);
    T* weights = h.kept ? h.kept.row(begin) : scratch;
    weigh(h, block, weights);
    if (h.factors) {
      multiply_by_factors(h, block, scratch, weights);
      weights = scratch;
    }
    gemm<T>(false, false, block.rows(), h.value_width, block.keys, T(1), weights, h.keys, h.v.data, h.v.stride, T(0),
            y.row(begin), y.stride);
    begin = block.end;
  }
}

template <class T>
void attention_backward(const AttentionHead<T>& h, RowsOf<const T> g, RowsOf<T> dq, RowsOf<T> dk, RowsOf<T> dv,
                        T* scratch) {
  const std::int64_t step = rows_at_once(h.queries, h.keys, h.causal);
  T* const slopes = scratch;
  T* const again = scratch + step * h.keys;
  T* const dropped = again + step * h.keys;
  const std::int64_t reached = h.causal ? std::min(h.keys, h.queries) : h.queries > 0 ? h.keys : 0;
  clear_rows(dk, reached, h.keys, h.width);
  clear_rows(dv, reached, h.keys, h.value_width);
  // From the last block, which sees all keys that any sees: it writes the derivatives that the others add to.
  T sum = 0;
  for (std::int64_t begin = h.queries > 0 ? (h.queries - 1) / step * step : -1; begin >= 0; begin -= step, sum = 1) {
    const Block block = block_from(h, begin);
    const std::int64_t rows = block.rows(), n = block.keys;
    const T* const slope = g.row(begin);
    const T* weights = h.kept ? h.kept.row(begin) : again;
    if (!h.kept) weigh(h, block, again);
    if (h.factors) multiply_by_factors(h, block, dropped, weights);
    if (dv) {
      gemm<T>(true, false, n, h.value_width, rows, T(1), h.factors ? dropped : weights, h.keys, slope, g.stride, sum,
              dv.data, dv.stride);
    }
    if (!dq && !dk) continue;
    gemm<T>(false, true, rows, n, h.value_width, T(1), slope, g.stride, h.v.data, h.v.stride, T(0), slopes, h.keys);
    if (h.factors) multiply_by_factors(h, block, slopes, slopes);
    for (std::int64_t i = 0; i < rows * h.keys; i += h.keys)
      table<T>().softmax_backward(slopes + i, slopes + i, weights + i, 1, n);
    if (dq) {
      gemm<T>(false, false, rows, h.width, n, h.scale, slopes, h.keys, h.k.data, h.k.stride, T(0), dq.row(begin),
              dq.stride);
    }
    if (dk) {
      gemm<T>(true, false, n, h.width, rows, h.scale, slopes, h.keys, h.q.row(begin), h.q.stride, sum, dk.data,
              dk.stride);
    }
  }
}

template std::int64_t attention_scratch(const AttentionHead<float>&);
template std::int64_t attention_scratch(const AttentionHead<double>&);
template void attention(const AttentionHead<float>&, RowsOf<float>, float*);
template void attention(const AttentionHead<double>&, RowsOf<double>, double*);
template void attention_backward(const AttentionHead<float>&, RowsOf<const float>, RowsOf<float>, RowsOf<float>,
                                 RowsOf<float>, float*);
template void attention_backward(const AttentionHead<double>&, RowsOf<const double>, RowsOf<double>, RowsOf<double>,
                                 RowsOf<double>, double*);

}  // namespace gradus::kernels
